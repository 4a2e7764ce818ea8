/** A runtime for the commands: what they print is kept, and DNS answers what the test says. */
import type { DnsRecord, Resolve } from '../../src/endpoint/dns.ts';
import type { Clock } from '../../src/model/observation.ts';
import type { Runtime, Signal } from '../../src/runtime.ts';

export interface TestRuntime extends Runtime {
  readonly out: string[];
  readonly err: string[];
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
  parts: Partial<Pick<Runtime, 'clock' | 'resolve'>> & { terminal?: boolean } = {},
): TestRuntime {
  const out: string[] = [];
  const err: string[] = [];
  const handlers = new Map<(signal: Signal) => void, readonly Signal[]>();
  const { clock = realClock, resolve = answering([]), terminal = false } = parts;
  return {
    clock,
    resolve,
    out,
    err,
    stdout: { color: false, isTerminal: terminal, write: (text) => out.push(text) },
    stderr: { color: false, isTerminal: terminal, write: (text) => err.push(text) },
    onSignal(signals, handler) {
      handlers.set(handler, signals);
      return () => handlers.delete(handler);
    },
    raise(signal) {
      for (const [handler, signals] of handlers) if (signals.includes(signal)) handler(signal);
    },
    listening: () => handlers.size,
    selfUsage: () => SELF_USAGE,
  };
}

/** A resolver that always gives these addresses. */
export function answering(addresses: readonly string[], ttl = 60): Resolve {
  const records: readonly DnsRecord[] = addresses.map((address) => ({ address, ttl }));
  return async () => ({ servers: ['192.168.0.2'], records });
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
