/** What real nodes showed, again on real sockets: DNS, TLS, processes and the kernel's tables are real. */
import { expect, test } from 'vitest';
import { ROUTES } from '../../src/model/status.ts';
import { connectionsOf, expectCheck, expectConnections, expectGate, expectRoute } from './lib/expect.ts';
import type { Lab } from './lib/lab.ts';
import { flagsOf, readScenarios, type Scenario, stage } from './lib/scenario.ts';
import { describeOnSockets } from './lib/tools.ts';
import type { View } from './lib/views.ts';

const scenarios = readScenarios();

describeOnSockets('the agent and check agree with the note', () => {
  test.concurrent.for([...scenarios])('%s', async ([, scenario]) => {
    await using lab = await stage(scenario, scenario.dns.node);
    const agent = await lab.startAgent(['--expect=x-eni', ...flagsOf(scenario)]);
    const view = await agent.eventually((now) => expectScenario(now, scenario));
    expect(view.metrics.get('info', infoOf(scenario))).toBe(1);
    expect(view.status.endpoint).toEqual({ ...scenario.endpoint, source: 'kubelet-kubeconfig' });
    await expectSameOfCheck(lab, scenario);
    await agent.eventually((now) => {
      expectGate(now, 'private-ready', 'true');
      expectGate(now, 'public-free', scenario.expect['public-free']);
      expectScenario(now, scenario);
    });
  });

  test.concurrent('flipped-not-moved, the agent having seen DNS flip', async () => {
    const scenario = scenarios.get('flipped-not-moved');
    if (scenario === undefined) throw new Error('Cannot find the scenario "flipped-not-moved"');
    await using lab = await stage(scenario, scenario.dns.outside);
    const agent = await lab.startAgent(['--expect=x-eni', ...flagsOf(scenario)]);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 0 });
      expect(connectionsOf(view).map(({ evidence }) => evidence)).toEqual(['dns', 'dns']);
    });
    await lab.flipDns(scenario.dns.node);
    const flipped = await agent.eventually((view) => expectScenario(view, scenario));
    expect(connectionsOf(flipped).map(({ evidence }) => evidence)).toEqual(['dns-history', 'dns-history']);
    await expectSameOfCheck(lab, scenario);
  });
});

function expectScenario(view: View, scenario: Scenario): void {
  expectRoute(view, scenario.expect.route);
  for (const [client, routes] of Object.entries(scenario.expect.connections)) {
    expectConnections(view, client, { routes, stale: scenario.expect.stale[client] ?? 0 });
  }
  const dns = view.status.dns?.addresses?.map(({ address }) => address) ?? [];
  expect([...dns].sort()).toEqual([...scenario.dns.node].sort());
  // No proxy connects to a node.
  for (const route of ROUTES.filter((each) => each !== 'proxy')) {
    const inbound = view.status.inbound?.filter((each) => each.route === route) ?? [];
    const connections = inbound.reduce((sum, each) => sum + each.connections, 0);
    expect(connections, `inbound ${route}`).toBe(scenario.expect.inbound?.[route] ?? 0);
    expect(view.metrics.get('inbound_connections', { route }), `inbound ${route}`).toBe(connections);
  }
  expect(view.status.accessMode).toBe(scenario.expect.accessMode);
  expect(view.metrics.get('access_mode', { mode: scenario.expect.accessMode })).toBe(1);
}

async function expectSameOfCheck(lab: Lab, scenario: Scenario): Promise<void> {
  const { route, connections } = scenario.expect;
  const routes = Object.entries(connections).flatMap(([client, counts]) =>
    Object.keys(counts).map((each) => [client, each]),
  );
  expectCheck(await lab.run(['check', '--expect=x-eni', ...flagsOf(scenario)]), {
    code: route === 'x-eni' ? 0 : 1,
    routes: Object.fromEntries(routes),
  });
}

function infoOf({ endpoint: { hostname, port } }: Scenario): Readonly<Record<string, string>> {
  return { hostname: hostname.toLowerCase(), port: String(port), source: 'kubelet-kubeconfig' };
}
