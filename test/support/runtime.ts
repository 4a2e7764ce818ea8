/** A runtime for the commands: what they print is kept, and DNS answers what the test says. */
import type { Edges } from '../../src/agent/sources.ts';
import type { DnsRecord, Resolve } from '../../src/endpoint/dns.ts';
import type { Clock } from '../../src/model/observation.ts';
import type { SendRequest } from '../../src/net/http.ts';
import type { Runtime, Signal } from '../../src/runtime.ts';
import { UNKNOWN_MACHINE } from './observation.ts';

export interface TestRuntime extends Runtime {
  readonly out: string[];
  readonly err: string[];
  /** Of its terminal; another size from now on. */
  readonly size: { columns: number; rows: number };
  /** From now on nobody reads what it writes to stdout. */
  closeStdout(): void;
  raise(signal: Signal): void;
  /** How many handlers of signals there are. */
  listening(): number;
}

export const realClock: Clock = () => ({ wallMs: Date.now(), monotonicMs: performance.now() });

export const SELF_USAGE = {
  revision: '0123456789ab',
  nodeVersion: 'v26.10.0',
  cpuSeconds: 1.5,
  residentBytes: 60_000_000,
  openFds: 24,
  startTimeSeconds: 1_795_000_000,
};

export function testRuntime(
  parts: Partial<Edges & Pick<Runtime, 'clock'>> & { terminal?: boolean } = {},
): TestRuntime {
  const out: string[] = [];
  const err: string[] = [];
  const handlers = new Map<(signal: Signal) => void, readonly Signal[]>();
  const { clock = realClock, terminal = false, ...edges } = parts;
  const size = { columns: 80, rows: 24 };
  let isClosed = false;
  const outputTo = (written: string[]) => ({
    color: false,
    isTerminal: terminal,
    get columns() {
      return terminal ? size.columns : null;
    },
    get rows() {
      return terminal ? size.rows : null;
    },
    get isClosed() {
      return isClosed;
    },
    write: (text: string) => void written.push(text),
  });
  return {
    ...testEdges(edges),
    clock,
    out,
    err,
    size,
    closeStdout: () => {
      isClosed = true;
    },
    stdout: outputTo(out),
    stderr: outputTo(err),
    onSignal(signals, handler) {
      handlers.set(handler, signals);
      return () => handlers.delete(handler);
    },
    raise(signal) {
      for (const [handler, signals] of handlers) if (signals.includes(signal)) handler(signal);
    },
    listening: () => handlers.size,
    suspend: () => void out.push('suspended'),
    selfUsage: () => SELF_USAGE,
  };
}

/**
 * What is outside of the process, as the test has it: without anything else DNS gives nothing, every address answers as
 * this cluster, no request is answered, there are no files, and nobody knows the machine.
 */
export function testEdges(edges: Partial<Edges> = {}): Edges {
  const { resolve = answering([]) } = edges;
  return {
    resolve,
    resolveAt: () => resolve,
    request: async ({ url }) => {
      throw new Error(`Cannot reach "${url}": nothing is there in this test`);
    },
    handshake: async () => ({ failedStage: null, error: null }),
    readFile: async (path) => {
      throw new Error(`Cannot read "${path}": there are no files in this test`);
    },
    askMachine: async () => UNKNOWN_MACHINE,
    random: () => 0.5,
    ...edges,
  };
}

/** Answers as the API server does for the EndpointSlice default/kubernetes. */
export function servingSlice(addresses: readonly string[]): SendRequest {
  const body = JSON.stringify({
    addressType: addresses.some((address) => address.includes(':')) ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses, conditions: { ready: true } }],
    ports: [{ name: 'https', port: 443, protocol: 'TCP' }],
  });
  return async () => ({ status: 200, headers: {}, body });
}

/** A resolver that always gives these addresses. */
export function answering(addresses: readonly string[], ttl = 60, server = '192.168.0.2'): Resolve {
  const records: readonly DnsRecord[] = addresses.map((address) => ({ address, ttl }));
  return async () => ({ servers: [server], records });
}

/** A resolver that never gets through. */
export const failing: Resolve = async () => ({
  servers: ['192.168.0.2'],
  failure: 'timeout',
  error: 'the resolver did not answer in time (ETIMEOUT)',
});

/** A clock that stands still until it is told to move on. */
export function steppedClock(startMs = Date.UTC(2026, 10, 20, 12)): { clock: Clock; step(ms: number): void } {
  let elapsedMs = 0;
  return {
    clock: () => ({ wallMs: startMs + elapsedMs, monotonicMs: elapsedMs }),
    step(ms) {
      elapsedMs += ms;
    },
  };
}
