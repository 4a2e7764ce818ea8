import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProcTree } from '../../src/demo/proc-tree.ts';
import { writeProcTree } from '../../src/demo/proc-tree.ts';
import type { Resolve } from '../../src/endpoint/dns.ts';
import type { AskMachine } from '../../src/machine/facts.ts';
import type { Machine } from '../../src/model/machine.ts';
import type { Clock } from '../../src/model/observation.ts';
import { makeAgent as makeAgentOn } from '../support/agent.ts';
import { makeNode } from '../support/made-node.ts';
import { settings } from '../support/observation.ts';
import { answering } from '../support/runtime.ts';

const ADDRESS = '192.168.1.231';
const ON_X_ENI: ProcTree = {
  sockets: [
    {
      process: 'kubelet',
      pid: 100,
      local: '192.168.1.204:40000',
      peer: `${ADDRESS}:443`,
      state: 'established',
    },
  ],
};
const CA = readFileSync(join(import.meta.dirname, '../fixtures/tls/ca.crt'), 'utf8');
const SETTINGS = settings();
const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: Date.now() });

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 20, 12) });
});
afterEach(() => {
  vi.useRealTimers();
});

function makeAgent(
  tree: ProcTree,
  {
    resolve = answering([ADDRESS]),
    given = 'api.example',
  }: Partial<{ resolve: Resolve; given: string | null }> = {},
) {
  const root = makeNode(tree);
  const endpoint = given === null ? null : { hostname: given, port: 443 };
  return { root, ...makeAgentOn(root, { settings: SETTINGS, given: endpoint, edges: { resolve }, clock }) };
}

/** Lets `ms` pass, and what waits in between run. */
function pass(ms: number): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(ms);
}

describe('facts of the machine', () => {
  const known: Machine = { kernel: '6.12.40', arch: 'x64', vendor: null, model: null };

  /** An agent whose machine is asked like this; whether it was ready each time. */
  function makeAsking(answer: AskMachine) {
    const readyWhenAsked: boolean[] = [];
    const made = makeAgentOn(makeNode(ON_X_ENI), {
      settings: SETTINGS,
      machine: known,
      edges: {
        resolve: answering([ADDRESS]),
        askMachine() {
          readyWhenAsked.push(made.agent.ready());
          return answer();
        },
      },
      clock,
    });
    return { ...made, readyWhenAsked };
  }

  test('are asked for once, when the first look has ended, and are in the next', async () => {
    const told = { ...known, model: 'm7i.large' };
    const { agent, readyWhenAsked } = makeAsking(async () => told);
    agent.start();
    await pass(100);
    expect([agent.status()?.machine, readyWhenAsked]).toEqual([known, [true]]);
    await pass(1_000);
    expect(agent.status()?.machine).toEqual(told);
    void agent.reload();
    await pass(20_000);
    expect(readyWhenAsked).toEqual([true]);
    agent.stop();
  });

  test('no look waits for them; without an answer they are a stage that failed', async () => {
    const { agent } = makeAsking(() => new Promise(() => {}));
    agent.start();
    await pass(2_000);
    const before = agent.status();
    expect(before?.scan.scans).toBe(2);
    expect(before?.stages.map(({ stage }) => stage)).not.toContain('facts');
    await pass(20_000);
    const { machine, stages } = agent.status() ?? {};
    expect(machine).toEqual(known);
    expect(stages?.find(({ stage }) => stage === 'facts')).toMatchObject({
      success: false,
      durationSeconds: 5,
    });
    agent.stop();
  });

  test('an agent that was stopped asks nobody', async () => {
    const { agent, readyWhenAsked } = makeAsking(async () => known);
    agent.start();
    agent.stop();
    await pass(1_000);
    expect(readyWhenAsked).toEqual([]);
  });
});

describe('an answer of the prober', () => {
  test('leads to a look a second after the last, not at the next interval', async () => {
    let isUp = true;
    const { agent } = makeAgentOn(makeNode(ON_X_ENI), {
      settings: settings({ probeIntervalMs: 30_000, scanIntervalMs: 60_000 }),
      given: { hostname: 'api.example', port: 443 },
      edges: {
        resolve: answering([ADDRESS]),
        readFile: async () => CA,
        handshake: async () =>
          isUp
            ? { failedStage: null, error: null }
            : { failedStage: 'tcp', error: 'refused', otherCa: false },
      },
      clock,
    });
    agent.start();
    await pass(10_000);
    const ready = () => agent.status()?.gates.find(({ gate }) => gate === 'private-ready')?.state;
    expect(ready()).toBe('true');
    isUp = false;
    // The probe's interval, a second until it is asked once more, and a second until the look.
    await pass(32_000);
    expect(ready()).toBe('false');
    agent.stop();
  });
});

describe('in the background', () => {
  test('it looks at once, a second later, and then at each interval', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    agent.start();
    const scans = async (ms: number) => {
      await pass(ms);
      return agent.status()?.scan.scans;
    };
    expect(await scans(0)).toBe(1);
    expect(await scans(999)).toBe(1);
    expect(await scans(1)).toBe(2);
    expect(await scans(9_999)).toBe(2);
    expect(await scans(1)).toBe(3);
    agent.stop();
    expect(await scans(60_000)).toBe(3);
  });

  test('a node on an X-ENI is x-eni with the second look, not with the first', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    agent.start();
    await pass(0);
    expect(agent.status()?.route).toBe('unknown');
    await pass(1_000);
    expect(agent.status()?.route).toBe('x-eni');
    agent.stop();
  });

  test('a look made for a scrape puts the background look off', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    agent.start();
    await pass(1_000);
    await pass(6_000);
    expect((await agent.freshStatus(1_000))?.scan.scans).toBe(3);
    await pass(9_999);
    expect(agent.status()?.scan.scans).toBe(3);
    await pass(1);
    expect(agent.status()?.scan.scans).toBe(4);
    agent.stop();
  });

  test('DNS is asked again when its TTL runs out, without a look', async () => {
    let asked = 0;
    const { agent } = makeAgent(ON_X_ENI, {
      resolve: (hostname) => {
        asked++;
        return answering([ADDRESS], 5)(hostname);
      },
    });
    agent.start();
    await pass(0);
    expect(asked).toBe(1);
    await pass(5_000);
    expect(asked).toBe(2);
    agent.stop();
    await pass(60_000);
    expect(asked).toBe(2);
  });
});

describe('a fresh status', () => {
  test('is null before the first look has ended', () => {
    const { agent } = makeAgent(ON_X_ENI);
    expect(agent.status()).toBeNull();
    expect(agent.ready()).toBe(false);
    expect(agent.healthy()).toBe(true);
  });

  test('starts a look where the last is older than a second, and one look serves all who ask', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    await agent.look();
    expect((await agent.freshStatus(1_000))?.scan.scans).toBe(1);
    await pass(1_001);
    const answers = await Promise.all([1, 2, 3].map(() => agent.freshStatus(1_000)));
    expect(answers.map((status) => status?.scan.scans)).toEqual([2, 2, 2]);
    expect(new Set(answers).size).toBe(1);
  });

  test('does not wait longer than it is told: then the last status is served', async () => {
    const { agent, proc } = makeAgent(ON_X_ENI);
    await agent.look();
    await pass(2_000);
    let release: (done: boolean) => void = () => {};
    const hanging = vi
      .spyOn(proc, 'readTable')
      .mockReturnValue(new Promise((resolve) => (release = resolve)));
    const asked = agent.freshStatus(800);
    await pass(800);
    expect((await asked)?.scan.scans).toBe(1);
    hanging.mockRestore();
    release(false);
    await pass(0);
  });

  test('goes through unknown when no look has ended for three intervals', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    await agent.look();
    await agent.refreshSources();
    await pass(1_000);
    await agent.look();
    expect(agent.status()?.route).toBe('x-eni');
    await pass(30_000);
    expect(agent.status()?.route).toBe('x-eni');
    await pass(1);
    const old = agent.status();
    expect(old?.route).toBe('unknown');
    expect(old?.findings.map(({ code }) => code)).toEqual(['Blind']);
    expect(old?.clients[0]?.connections).toHaveLength(1);
  });

  test('is the very same object while nothing changes, so that it is rendered once', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    await agent.look();
    expect(agent.status()).toBe(agent.status());
  });
});

describe('health', () => {
  test('ends three minutes after the last look, and comes back with the next', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    await agent.look();
    await pass(179_999);
    expect(agent.healthy()).toBe(true);
    await pass(1);
    expect(agent.healthy()).toBe(false);
    expect(agent.ready()).toBe(true);
    await agent.look();
    expect(agent.healthy()).toBe(true);
  });

  test('ends three minutes after the start when no look ever ends', async () => {
    const { agent } = makeAgent(ON_X_ENI);
    await pass(180_000);
    expect(agent.healthy()).toBe(false);
  });
});

describe('when things go wrong', () => {
  test('a look that fails for an unforeseen reason is reported, and the next one is made', async () => {
    const { agent, proc, errors } = makeAgent(ON_X_ENI);
    agent.start();
    await pass(0);
    const broken = vi.spyOn(proc, 'readErrors', 'get').mockImplementation(() => {
      throw new TypeError('unforeseen');
    });
    await pass(1_000);
    expect(errors).toEqual([new TypeError('unforeseen')]);
    expect(agent.status()).toMatchObject({ route: 'unknown', attribution: 'none' });
    expect(agent.status()?.routeReason).toContain('unforeseen');
    expect(agent.status()?.scan.procReadErrors).toEqual({ EACCES: 0 });
    broken.mockRestore();
    await pass(10_000);
    expect(agent.status()?.attribution).toBe('process');
    agent.stop();
  });

  test('a wrong /proc is a failed stage, not an end', async () => {
    const { agent, root, errors } = makeAgent({});
    const { agent: blind } = makeAgentOn(`${root}/nowhere`, { settings: SETTINGS, clock });
    await blind.look();
    const status = blind.status();
    expect(errors).toEqual([]);
    expect(status?.route).toBe('unknown');
    expect(status?.routeReason).toContain('nowhere');
    expect(status?.stages.filter(({ success }) => !success).map(({ stage }) => stage)).toEqual([
      'sockets',
      'owners',
    ]);
    expect(status?.findings.map(({ code }) => code)).toContain('Blind');
    agent.stop();
  });

  test('the endpoint is found when its kubeconfig appears, and found anew on reload', async () => {
    const kubelet = (server: string | null): ProcTree => ({
      ...ON_X_ENI,
      processes: [
        {
          pid: 100,
          comm: 'kubelet',
          cmdline: ['kubelet', '--kubeconfig=/kc'],
          files:
            server === null
              ? {}
              : {
                  '/kc': `clusters: [{ name: c, cluster: { server: "${server}" } }]\ncontexts: [{ name: c, context: { cluster: c } }]\ncurrent-context: c\n`,
                },
        },
      ],
    });
    const { agent, root } = makeAgent(kubelet(null), { given: null });
    vi.useRealTimers();
    await agent.look();
    await agent.reload();
    expect(agent.status()?.endpoint).toBeNull();
    expect(agent.status()?.routeReason).toContain('/kc');
    writeProcTree(root, kubelet('https://ONE.example'));
    await agent.reload();
    expect(agent.status()?.endpoint).toEqual({
      hostname: 'ONE.example',
      port: 443,
      source: 'kubelet-kubeconfig',
    });
    writeProcTree(root, kubelet('https://TWO.example:6443'));
    await agent.reload();
    expect(agent.status()?.endpoint).toEqual({
      hostname: 'TWO.example',
      port: 6443,
      source: 'kubelet-kubeconfig',
    });
    writeProcTree(root, kubelet('no url at all/'));
    await agent.reload();
    expect(agent.status()?.endpoint?.hostname).toBe('TWO.example');
    expect(agent.status()?.stages.find(({ stage }) => stage === 'endpoint')?.error).toContain('/kc');
    agent.stop();
  });
});
