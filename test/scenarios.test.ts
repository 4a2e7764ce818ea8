/** Every published moment of a real node, from a made /proc tree through the whole program to its report. */
import { describe, expect, test } from 'vitest';
import { runCheck } from '../src/commands/check.ts';
import type { ConnectionStatus, NodeStatus } from '../src/model/status.ts';
import { configOf } from './support/invocation.ts';
import { makeNode, SCENARIOS, type Scenario, treeOf } from './support/made-node.ts';
import { answering, testRuntime } from './support/runtime.ts';

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
