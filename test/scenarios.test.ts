/** Every published moment of a real node, from a made /proc tree through the whole program to its report. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCheck } from '../src/commands/check.ts';
import type { ConnectionStatus, NodeStatus } from '../src/model/status.ts';
import { makeAgent } from './support/agent.ts';
import { configOf } from './support/invocation.ts';
import { makeNode, SCENARIOS, type Scenario, treeOf } from './support/made-node.ts';
import { range, settings } from './support/observation.ts';
import { answering, servingSlice, steppedClock, testRuntime } from './support/runtime.ts';

const CA = readFileSync(join(import.meta.dirname, 'fixtures/tls/ca.crt'), 'utf8');

async function check(
  scenario: Scenario,
  flags: readonly string[],
): Promise<{ code: number; status: NodeStatus }> {
  const { hostname, port } = scenario.endpoint;
  const node = makeNode(treeOf(scenario));
  const endpoint = `--endpoint=${hostname}:${port}`;
  const config = configOf('check', '--output=json', endpoint, `--path.procfs=${node}`, ...flags);
  const runtime = testRuntime({ resolve: answering(scenario.dns.node) });
  const code = await runCheck(config, runtime);
  return { code, status: JSON.parse(runtime.out.join('')) };
}

function counted(status: NodeStatus, keep: (connection: ConnectionStatus) => boolean) {
  return Object.fromEntries(
    status.clients.map(({ client, connections }) => [client, connections?.filter(keep).length]),
  );
}

test('there are scenarios', () => {
  expect(SCENARIOS.length).toBeGreaterThanOrEqual(7);
});

describe.each([
  { given: 'the X-ENIs', flagsOf: ({ xEni }: Scenario) => xEni.map((address) => `--x-eni=${address}`) },
  {
    given: "the VPC's CIDRs",
    flagsOf: ({ vpcCidrs }: Scenario) => vpcCidrs.map((cidr) => `--vpc-cidr=${cidr}`),
  },
])('given $given', ({ flagsOf }) => {
  test.concurrent.each(SCENARIOS)('$name gives its route, connections and stale ones', async (scenario) => {
    const { status } = await check(scenario, flagsOf(scenario));
    expect(status.route, status.routeReason).toBe(scenario.expect.route);
    for (const [client, routes] of Object.entries(scenario.expect.connections)) {
      for (const route of ['x-eni', 'vpc', 'private', 'public']) {
        expect(counted(status, (one) => one.route === route)[client], `${client} ${route}`).toBe(
          routes[route] ?? 0,
        );
      }
    }
    expect(counted(status, ({ stale }) => stale === true)).toEqual(scenario.expect.stale);
  });

  test.concurrent.each(SCENARIOS)('$name holds against its own expectation only', async (scenario) => {
    const other = scenario.expect.route === 'public' ? 'x-eni' : 'public';
    const [held, failed] = await Promise.all(
      [scenario.expect.route, other].map((route) =>
        check(scenario, [...flagsOf(scenario), `--expect=${route}`]),
      ),
    );
    expect([held?.code, failed?.code]).toEqual([0, 1]);
  });
});

test.concurrent.each(SCENARIOS.filter(({ expect: { route } }) => route === 'x-eni'))(
  '$name without X-ENIs and VPC CIDRs is not taken for x-eni: a private address alone proves nothing',
  async (scenario) => {
    const { code, status } = await check(scenario, ['--expect=x-eni']);
    expect(status.route).toBe('other');
    expect(code).toBe(1);
  },
);

describe.each([
  { given: 'the slice and the CIDRs', readsSlice: true },
  { given: 'the CIDRs alone', readsSlice: false },
])('given $given', ({ readsSlice }) => {
  test.each(SCENARIOS)('$name gives its gates and its access mode', async (scenario) => {
    const { clock, step } = steppedClock();
    const { node, outside, resolver } = scenario.dns;
    const vpcCidrs = scenario.vpcCidrs.map(range);
    const { agent, errors } = makeAgent(makeNode(treeOf(scenario)), {
      settings: settings({ vpcCidrs, expect: 'x-eni', probeIntervalMs: 60_000 }),
      given: scenario.endpoint,
      options: { readsSlice, service: { host: '10.100.0.1', port: 443 }, outsideResolver: '8.8.8.8' },
      edges: {
        resolve: answering(node, 60, resolver),
        resolveAt: (server) => answering(outside, 60, server),
        request: servingSlice(scenario.xEni),
        readFile: async (path) => (path.endsWith('ca.crt') ? CA : 'token'),
      },
      clock,
    });
    await agent.look();
    await agent.refreshSources();
    for (let look = 0; look < 3; look++) {
      step(6_000);
      await agent.look();
    }
    agent.stop();
    expect(errors).toEqual([]);
    const status = agent.status();
    const gates = new Map(status?.gates.map(({ gate, state, reason }) => [gate, { state, reason }]));
    expect(gates.get('public-free'), JSON.stringify(gates.get('public-free'))).toMatchObject({
      state: scenario.expect['public-free'],
    });
    // Before the switch only the slice knows the X-ENIs: DNS gives public addresses.
    const knowsXEnis = readsSlice || node.some((address) => scenario.xEni.includes(address));
    expect(gates.get('private-ready')?.state).toBe(knowsXEnis ? 'true' : 'unknown');
    expect(status?.accessMode).toBe(scenario.expect.accessMode);
  });
});
