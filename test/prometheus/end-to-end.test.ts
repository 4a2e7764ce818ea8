/**
 * The migration as the people who watch it see it: an agent on real sockets, scraped from another host by a real
 * Prometheus with the shipped rules, whose alerts a real Alertmanager is given. Only the minutes are seconds.
 */
import { expect, test } from 'vitest';
import { adviceOf } from '../../src/model/findings.ts';
import type { Agent } from '../e2e/lib/agent.ts';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from '../e2e/lib/cluster.ts';
import { run } from '../e2e/lib/command.ts';
import { expectRoute } from '../e2e/lib/expect.ts';
import type { Lab } from '../e2e/lib/lab.ts';
import { CLUSTER, FORGOTTEN_NODE, Monitoring, NODE_NAME } from './lib/monitoring.ts';
import { programs, RELEASES } from './lib/programs.ts';
import { describeWithPrometheus } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR, '--probe-interval=2s', '--stale-after=3s'];
const WITHOUT_PTRACE = { through: ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'] };
const [, LAST_X_ENI] = X_ENI;

/** Raised all the time: kube-state-metrics knows a node that nobody scrapes. */
const FORGOTTEN = `ExporterMissing warning ${FORGOTTEN_NODE}`;
const STALE = ['StaleConnection warning node kubelet', 'StaleConnection warning node kube-proxy'];

const MOVED = 'cluster:eks_endpoint_x_eni_nodes:ratio';
const FINISHED = 'cluster:eks_endpoint_migration_finished:bool';
const onRoute = (route: string) => `cluster_route:eks_endpoint_node_route:sum{route="${route}"}`;
const staleOf = (client: string) => `cluster_client:eks_endpoint_stale_connections:sum{client="${client}"}`;
const gate = (name: string, state: string) =>
  `cluster_gate_state:eks_endpoint_gate:sum{gate="${name}",state="${state}"}`;

describeWithPrometheus('a node moves to the X-ENIs', () => {
  for (const release of RELEASES.filter(({ name }) => name !== '2.53')) {
    test.concurrent(`seen by Prometheus ${release.name}, told to Alertmanager`, async () => {
      await using lab = await makeCluster({ slice: X_ENI });
      const clients = await startClients(lab);
      let agent = await lab.startAgent(FLAGS);
      await using monitoring = await Monitoring.start(lab, await programs(release));

      // Public, and expected on the X-ENIs.
      await monitoring.expectAlerts(FORGOTTEN, 'UnexpectedRoute warning node', 'DnsPublic warning node');
      await monitoring.expectMuted('UnexpectedRoute warning node');
      await monitoring.expectValue(MOVED, 0);
      await monitoring.expectValue(onRoute('public'), 1);
      await monitoring.expectValue(staleOf('kubelet'), 0);
      await monitoring.expectValue(gate('private-ready', 'true'), 1);

      // DNS flips, and the connections stay.
      await lab.flipDns(X_ENI);
      const stale = await monitoring.expectAlerts(FORGOTTEN, 'UnexpectedRoute warning node', ...STALE);
      await monitoring.expectMuted();
      await monitoring.expectValue(staleOf('kubelet'), 1);
      await monitoring.expectValue(staleOf('kube-proxy'), 1);
      const told = stale.get(STALE[0] ?? '');
      expect(told?.labels).toMatchObject({
        ...{ alertname: 'EksEndpointStaleConnection', severity: 'warning', client: 'kubelet' },
        ...{ node: NODE_NAME, cluster: CLUSTER, job: 'eks-endpoint-exporter' },
      });
      expect(told?.receivers).toEqual([{ name: 'eks-endpoint' }]);
      expect(told?.annotations['summary']).toContain(`kubelet on node ${NODE_NAME}`);
      expect(told?.annotations['description']).toContain(adviceOf('StaleConnection'));
      expect(told?.annotations['runbook_url']).toMatch(/\/StaleConnection\.md$/);

      // The trap: an X-ENI cannot be reached, and nobody would notice before the reconnect.
      await lab.network.silence(LAST_X_ENI);
      const blocked = await monitoring.expectAlerts(
        ...[FORGOTTEN, 'UnexpectedRoute warning node', ...STALE],
        'XEniUnreachable critical node',
      );
      const critical = blocked.get('XEniUnreachable critical node');
      expect(critical?.annotations['description']).toContain(adviceOf('XEniUnreachable'));
      expect(critical?.receivers).toEqual([{ name: 'eks-endpoint-critical' }]);
      await monitoring.expectMuted('UnexpectedRoute warning node', ...STALE);
      await monitoring.expectValue(gate('private-ready', 'false'), 1);
      await lab.network.restore(LAST_X_ENI);
      await monitoring.expectAlerts(FORGOTTEN, 'UnexpectedRoute warning node', ...STALE);
      await monitoring.expectMuted();
      await monitoring.expectValue(gate('private-ready', 'true'), 1);

      // kubelet and kube-proxy are restarted.
      for (const client of clients) await client.stop();
      const moved = await startClients(lab);
      await monitoring.expectAlerts(FORGOTTEN);
      await monitoring.expectValue(MOVED, 1);
      await monitoring.expectValue(onRoute('public'), 0);
      await monitoring.expectValue(onRoute('x-eni'), 1);
      await monitoring.expectValue(staleOf('kubelet'), 0);
      await monitoring.expectValue(FINISHED, 1);
      await monitoring.expectValue(gate('public-free', 'true'), 1);

      // The agent dies: the node is on the X-ENIs for nobody any more.
      agent.signal('SIGKILL');
      await monitoring.expectAlerts(FORGOTTEN, 'ExporterMissing warning node');
      await monitoring.expectValue(MOVED, null);
      agent = await lab.startAgent([...FLAGS, `--endpoint=${lab.hostname}`], WITHOUT_PTRACE);

      // It comes back, and has lost its sight.
      await monitoring.expectAlerts(FORGOTTEN, 'Blind warning node');
      await monitoring.expectValue(onRoute('unknown'), 1);
      await monitoring.expectValue(MOVED, 0);
      await agent.stop();
      agent = await lab.startAgent(FLAGS);
      await monitoring.expectAlerts(FORGOTTEN);
      await monitoring.expectValue(MOVED, 1);

      // Someone turns the private endpoint off, and kubelet reconnects.
      await lab.flipDns(PUBLIC);
      for (const client of moved) await client.stop();
      await startClients(lab);
      const back = await monitoring.expectAlerts(
        ...[FORGOTTEN, 'DriftedBack warning node'],
        ...['UnexpectedRoute warning node', 'DnsPublic warning node'],
      );
      expect(back.get('DriftedBack warning node')?.annotations['summary']).toContain(NODE_NAME);
      await monitoring.expectValue(MOVED, 0);

      await expectPromtoolContent(agent, (await programs(release)).promtool);
      await expectNoErrors(monitoring);
    });
  }

  test.concurrent('as far as Prometheus 2.53 is concerned: rules loaded, node scraped, an alert delivered', async () => {
    const release = RELEASES.find(({ name }) => name === '2.53');
    if (release === undefined) throw new Error('There is no such release');
    await using lab = await makeCluster({ slice: X_ENI });
    await startClients(lab);
    const agent = await lab.startAgent(FLAGS);
    await using monitoring = await Monitoring.start(lab, await programs(release));
    await monitoring.expectAlerts(FORGOTTEN, 'UnexpectedRoute warning node', 'DnsPublic warning node');
    await expectPromtoolContent(agent, (await programs(release)).promtool);
    await expectNoErrors(monitoring);
  });
});

/** kubelet and kube-proxy, each with a connection to wherever DNS leads. */
function startClients(lab: Lab) {
  return Promise.all(
    ['kubelet', 'kube-proxy'].map(async (name) => {
      const client = await lab.startClient(name);
      await client.connect();
      return client;
    }),
  );
}

/** What the agent says at this moment; the golden metrics are held to the same by test/e2e. */
async function expectPromtoolContent(agent: Agent, promtool: string): Promise<void> {
  const { metrics } = await agent.eventually((view) => expectRoute(view, 'public'));
  expect(await run(promtool, ['check', 'metrics'], { input: metrics.text })).toEqual({
    ...{ code: 0, stdout: '', stderr: '' },
  });
}

/** Every rule was evaluated without an error, every target is up, and no text of an alert has a hole. */
async function expectNoErrors({ prometheus, alertmanager }: Monitoring): Promise<void> {
  const rules = await prometheus.rules();
  expect(rules.length).toBeGreaterThan(10);
  expect(rules.filter(({ health, lastError = '' }) => health !== 'ok' || lastError !== '')).toEqual([]);
  expect((await prometheus.targets()).filter(({ health }) => health !== 'up')).toEqual([]);
  for (const { annotations } of await alertmanager.alerts()) {
    expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook_url', 'summary']);
    for (const text of Object.values(annotations)) expect(text).not.toMatch(/no value|<error|\{\{| {2}/);
  }
}
