/** The sources beside the looks: who is asked when, and what a look is given of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HandshakeTarget } from '../../src/endpoint/handshake.ts';
import type { Clock } from '../../src/model/observation.ts';
import type { HttpRequest } from '../../src/net/http.ts';
import { type AgentOptions, makeAgent } from '../support/agent.ts';
import { makeNode } from '../support/made-node.ts';
import { address, settings } from '../support/observation.ts';
import { answering, failing, servingSlice } from '../support/runtime.ts';

const CA = readFileSync(join(import.meta.dirname, '../fixtures/tls/ca.crt'), 'utf8');
const X_ENIS = ['192.168.1.231', '192.168.2.210'];
const PUBLIC = ['3.34.148.207'];
const SERVICE = { host: '10.100.0.1', port: 443 };
const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: Date.now() });

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 20, 12) });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Sources that read a slice and probe; what they asked is kept. */
function makeSources(made: AgentOptions = {}) {
  const probed: string[] = [];
  const requested: string[] = [];
  let request = servingSlice(X_ENIS);
  const { sources } = makeAgent(makeNode({}), {
    settings: settings({ probeIntervalMs: 60_000 }),
    clock,
    ...made,
    options: { readsSlice: true, service: SERVICE, ...made.options },
    edges: {
      resolve: answering(PUBLIC),
      readFile: async () => CA,
      request: (asked: HttpRequest) => {
        requested.push(asked.url);
        return request(asked);
      },
      handshake: async (target: HandshakeTarget) => {
        probed.push(`${target.hostname}@${target.address}:${target.port}`);
        return { failedStage: null, error: null };
      },
      ...made.edges,
    },
  });
  const serve = (addresses: readonly string[]) => {
    request = servingSlice(addresses);
  };
  return { sources, probed, requested, serve };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('one round', () => {
  test('gives a look the endpoint, DNS, the slice, what the node is configured to, and a probe of each address', async () => {
    const { sources, probed } = makeSources();
    const round = sources.refresh(null);
    await vi.advanceTimersByTimeAsync(100);
    await round;
    const { endpoint, dns, endpointSlice, nodeConfig, probes, imds, outsideDns, stages } = sources.background;
    expect(endpoint?.hostname).toBe('api.example');
    expect(dns?.answer?.addresses.map(({ text }) => text)).toEqual(PUBLIC);
    expect(endpointSlice?.answer?.addresses.map(({ text }) => text)).toEqual(X_ENIS);
    expect(nodeConfig).not.toBeNull();
    expect([imds, outsideDns]).toEqual([null, null]);
    expect(probes?.map(({ address: { text }, success }) => [text, success])).toEqual(
      [...X_ENIS, ...PUBLIC].map((text) => [text, true]),
    );
    expect(new Set(probed)).toEqual(new Set([...X_ENIS, ...PUBLIC].map((text) => `api.example@${text}:443`)));
    expect(stages.map(({ stage, success }) => [stage, success])).toEqual([
      ['endpoint', true],
      ['dns', true],
      ['endpointslice', true],
      ['probe', true],
      ['facts', true],
    ]);
    sources.stop();
  });

  test('without a CA nothing is asked, and the stage says why', async () => {
    const readFile = async (path: string) => {
      throw new Error(`Cannot read "${path}": ENOENT`);
    };
    const { sources, probed } = makeSources({ edges: { readFile }, options: { readsSlice: false } });
    await sources.refresh(null);
    expect(probed).toEqual([]);
    expect(sources.background.probes).toEqual([]);
    const probe = sources.background.stages.find(({ stage }) => stage === 'probe');
    expect(probe?.success).toBe(false);
    expect(probe?.error).toMatch(/CA/);
    sources.stop();
  });

  test('a source that is off has no stage and nothing to say', async () => {
    const { sources, requested, probed } = makeSources({
      settings: settings(),
      options: { readsSlice: false },
    });
    await sources.refresh(null);
    expect([requested, probed]).toEqual([[], []]);
    const { endpointSlice, imds, probes, identities, stages } = sources.background;
    expect([endpointSlice, imds, probes, identities]).toEqual([null, null, null, null]);
    expect(stages.map(({ stage }) => stage)).toEqual(['endpoint', 'dns', 'facts']);
    sources.stop();
  });

  test('one that fails spoils no other', async () => {
    const request = async () => {
      throw new Error('Cannot reach the API server: refused');
    };
    const { sources } = makeSources({
      options: { imdsEndpoint: 'http://169.254.169.254' },
      edges: { request, resolve: failing },
    });
    await sources.refresh(null);
    expect(sources.background.endpoint?.hostname).toBe('api.example');
    expect(sources.background.stages.map(({ stage, success }) => [stage, success])).toEqual([
      ['endpoint', true],
      ['dns', false],
      ['endpointslice', false],
      ['imds', false],
      ['facts', true],
    ]);
    sources.stop();
  });

  test('waits for the facts of the machine, up to their deadline', async () => {
    const known = { kernel: '6.12.40', arch: 'x64', vendor: null, model: null };
    const askMachine = () => new Promise<never>(() => {});
    const { sources } = makeSources({ machine: known, edges: { askMachine } });
    let isOver = false;
    const round = sources.refresh(null).then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(4_999);
    expect([isOver, sources.background.machine]).toEqual([false, known]);
    expect(sources.background.probes).toHaveLength(X_ENIS.length + PUBLIC.length);
    await vi.advanceTimersByTimeAsync(1);
    await round;
    const facts = sources.background.stages.find(({ stage }) => stage === 'facts');
    expect(facts?.error).toContain('not done within 5 s');
    expect(sources.background.machine).toEqual(known);
    sources.stop();
  });
});

describe('the slice is read again at once', () => {
  test('when DNS gives an address that is new and not in it, at most every 10 s', async () => {
    let answer = answering(PUBLIC, 1);
    const { sources, requested, serve } = makeSources({ edges: { resolve: (name) => answer(name) } });
    sources.start();
    await sources.discover(null);
    await settle();
    expect(requested).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(requested).toHaveLength(1);
    answer = answering(['192.168.7.7'], 1);
    serve([...X_ENIS, '192.168.7.7']);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(requested).toHaveLength(2);
    expect(sources.background.endpointSlice?.answer?.addresses).toHaveLength(3);
    for (let flap = 0; flap < 8; flap++) {
      answer = answering([`192.168.8.${flap}`], 1);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(requested).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(requested).toHaveLength(3);
    sources.stop();
  });

  test('not when DNS gives what is in it', async () => {
    let answer = answering(PUBLIC, 1);
    const { sources, requested } = makeSources({ edges: { resolve: (name) => answer(name) } });
    sources.start();
    await sources.discover(null);
    await vi.advanceTimersByTimeAsync(20_000);
    answer = answering(X_ENIS, 1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sources.background.dns?.changes).toBe(1);
    expect(requested).toHaveLength(1);
    sources.stop();
  });

  test('when a client is met at an address that nobody knows, once', async () => {
    const { sources, requested } = makeSources();
    sources.start();
    await sources.discover(null);
    await vi.advanceTimersByTimeAsync(20_000);
    const stranger = { address: address('192.168.9.9'), port: 443, seenTwice: false, isTold: false };
    sources.meet([stranger]);
    await settle();
    expect(requested).toHaveLength(2);
    for (let look = 0; look < 3; look++) {
      await vi.advanceTimersByTimeAsync(11_000);
      sources.meet([stranger]);
    }
    await settle();
    expect(requested).toHaveLength(2);
    sources.stop();
  });
});

test('a pod that kubelet probes at every other look makes the slice be read again once an hour', async () => {
  const { sources, requested } = makeSources();
  sources.start();
  await sources.discover(null);
  await vi.advanceTimersByTimeAsync(20_000);
  const before = requested.length;
  const pod = { address: address('192.168.9.9'), port: 443, seenTwice: false, isTold: false };
  for (let look = 0; look < 20; look++) {
    sources.meet(look % 2 === 0 ? [pod] : []);
    await vi.advanceTimersByTimeAsync(11_000);
  }
  expect(requested.length - before).toBe(1);
  sources.stop();
});

test('a peer whose certificate has told what it is does not make the slice be read again', async () => {
  const { sources, requested } = makeSources();
  sources.start();
  await sources.discover(null);
  await vi.advanceTimersByTimeAsync(20_000);
  sources.meet([{ address: address('192.168.9.9'), port: 443, seenTwice: true, isTold: true }]);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(requested).toHaveLength(1);
  sources.stop();
});

describe('strangers', () => {
  test('are asked for their certificate when two looks have seen them', async () => {
    const { sources, probed } = makeSources({ edges: { resolve: answering([]) } });
    await sources.discover(null);
    const stranger = { address: address('192.168.9.9'), port: 443 };
    sources.meet([{ ...stranger, seenTwice: false, isTold: false }]);
    await sources.identified();
    expect(probed).not.toContain('api.example@192.168.9.9:443');
    sources.meet([{ ...stranger, seenTwice: true, isTold: false }]);
    await sources.identified();
    expect(probed).toContain('api.example@192.168.9.9:443');
    expect(sources.background.identities).toMatchObject([
      { address: { text: '192.168.9.9' }, port: 443, identity: 'cluster' },
    ]);
    sources.stop();
  });
});

test('a new address of the slice is probed at once', async () => {
  const { sources, probed, serve } = makeSources();
  sources.start();
  await sources.discover(null);
  await vi.advanceTimersByTimeAsync(1_000);
  serve(['192.168.3.3']);
  sources.meet([{ address: address('192.168.3.3'), port: 443, seenTwice: false, isTold: false }]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probed.at(-1)).toBe('api.example@192.168.3.3:443');
  sources.stop();
});
