/** Real kubelet and real kube-proxy move from the public endpoint to the X-ENIs, and the DaemonSet tells the story. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NODE, PUBLIC, X_ENI } from '../e2e/lib/cluster.ts';
import { must, within } from '../e2e/lib/command.ts';
import {
  codesOf,
  connectionsOf,
  expectCheck,
  expectFindings,
  expectGate,
  expectNeverXEni,
  expectRaised,
  expectRoute,
} from '../e2e/lib/expect.ts';
import type { View } from '../e2e/lib/views.ts';
import { Cluster } from './lib/cluster.ts';
import { Exporter, NAME } from './lib/exporter.ts';
import { describeOnCluster } from './lib/tools.ts';

/** Kubernetes makes as many connections as it likes: all that a client holds are on this route, and there is one. */
function expectAll({ status, metrics }: View, client: string, route: 'public' | 'x-eni'): void {
  const held = status.clients
    .find((each) => each.client === client)
    ?.connections?.filter(({ state }) => state === 'established');
  expect(new Set(held?.map((each) => each.route)), client).toEqual(new Set([route]));
  expect(metrics.get('connections', { client, route }), client).toBe(held?.length);
}

describeOnCluster('a node of a real cluster moves to the X-ENIs', () => {
  let cluster: Cluster;
  let exporter: Exporter;
  const check = () => exporter.run('check');

  beforeAll(async () => {
    cluster = await Cluster.make();
    exporter = await Exporter.install(cluster);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test('as installed it knows the clients, the endpoint and the X-ENIs, and expects nothing', async () => {
    const { status, metrics } = await exporter.eventually((view) => {
      expectRoute(view, 'public');
      expectAll(view, 'kubelet', 'public');
      expectAll(view, 'kube-proxy', 'public');
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'false');
    });
    expect(status).toMatchObject({ attribution: 'process', expectedRoute: 'any', node: cluster.nodeName });
    expect(status.endpoint).toMatchObject({ hostname: cluster.hostname, source: 'kubelet-kubeconfig' });
    expect(status.xEni?.sources).toEqual(['endpointslice']);
    expect(status.xEni?.addresses.map(({ address }) => address).sort()).toEqual([...X_ENI].sort());
    expect(status.dns?.servers).toEqual(['192.168.0.2']);
    expect(metrics.get('scan_success', { stage: 'owners' })).toBe(1);
    const failed = status.stages.filter(({ success }) => !success);
    expect(failed).toEqual([]);
    expect(codesOf({ status })).toEqual([]);
    // A scraper finds it by the Service.
    const addresses = '--output=jsonpath={.items[*].endpoints[*].addresses[*]}';
    expect(await exporter.kubectl('get', 'endpointslices', addresses)).toBe(NODE);
    const outcome = await check();
    expectCheck(outcome, { code: 0, routes: { kubelet: 'public', 'kube-proxy': 'public' } });
  });

  test('the expectation is set in kustomization.yaml, and rolled out', async () => {
    await exporter.apply({ env: { EKS_ENDPOINT_EXPECT: 'x-eni', EKS_ENDPOINT_STALE_AFTER: '30s' } });
    await exporter.rolledOut();
    const view = await exporter.eventually((each) => {
      expectRoute(each, 'public');
      expect(each.status.expectedRoute).toBe('x-eni');
      expectFindings(each, ['DnsPublic warning']);
      expectGate(each, 'private-ready', 'true');
    });
    expect(PUBLIC).toContain(expectRaised(view, 'DnsPublic').address);
    expectCheck(await check(), { code: 1, routes: { kubelet: 'public', 'kube-proxy': 'public' } });
  });

  test('after the flip of DNS the old connections are progress, then a warning that says what moves them', async () => {
    await cluster.flipDns(X_ENI);
    const clients = ['kubelet', 'kube-proxy'];
    await exporter.eventually((view) => {
      expectRoute(view, 'public');
      expectFindings(
        view,
        clients.map((client) => `ConnectionMoving info ${client}`),
      );
      expect(connectionsOf(view).every(({ stale }) => stale)).toBe(true);
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'false');
    });
    const { status } = await exporter.eventually((view) => {
      expectRoute(view, 'public');
      expectFindings(
        view,
        clients.map((client) => `StaleConnection warning ${client}`),
      );
    });
    const remedies = new Map(status.findings.map(({ client, remedy }) => [client, remedy]));
    expect(remedies.get('kubelet')).toContain('systemctl restart kubelet');
    // The very command: it is of use only if it finds the pod.
    const command = /'kubectl (.*?)'/.exec(remedies.get('kube-proxy') ?? '')?.[1]?.split(' ') ?? [];
    expect(await cluster.kubectl([...command, '--dry-run=server'])).toMatch(/^pod "kube-proxy-\w+" deleted/);
  });

  test('kubelet is restarted: it has moved, kube-proxy has not', async () => {
    const before = await exporter.view();
    await cluster.kubelet.restart();
    const { status, metrics } = await exporter.eventually((view) => {
      expectRoute(view, 'mixed');
      expectAll(view, 'kubelet', 'x-eni');
      expectAll(view, 'kube-proxy', 'public');
      expectFindings(view, ['StaleConnection warning kube-proxy']);
      expectGate(view, 'public-free', 'false');
    });
    expect(metrics.get('connection_opens_total', { client: 'kubelet', route: 'x-eni' })).toBeGreaterThan(0);
    expect(pidsOf({ status }, 'kubelet')).not.toEqual(pidsOf(before, 'kubelet'));
    expectCheck(await check(), { code: 1, routes: { kubelet: 'x-eni', 'kube-proxy': 'public' } });
  });

  test('kube-proxy is rolled out: the node has moved, and the public endpoint can go', async () => {
    expectNeverXEni(exporter);
    await cluster.rolloutKubeProxy();
    await exporter.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectAll(view, 'kubelet', 'x-eni');
      expectAll(view, 'kube-proxy', 'x-eni');
      expectFindings(view, []);
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'true');
    });
    const evidence = connectionsOf(await exporter.view()).map((each) => each.evidence);
    expect(new Set(evidence)).toEqual(new Set(['endpointslice']));
    expectCheck(await check(), { code: 0, routes: { kubelet: 'x-eni', 'kube-proxy': 'x-eni' } });
  });

  test('kubelet drifts back and is moved again, by the command that closes its one connection', async () => {
    await cluster.flipDns(PUBLIC);
    await cluster.kubelet.restart();
    await exporter.eventually((view) => {
      expectRoute(view, 'mixed');
      expectAll(view, 'kubelet', 'public');
      expectRaised(view, 'DnsPublic');
      expectGate(view, 'public-free', 'false');
    });
    await cluster.flipDns(X_ENI);
    const stale = await exporter.eventually((view) =>
      expectFindings(view, ['StaleConnection warning kubelet']),
    );
    expect(await closeStale(cluster, stale)).toContain(':443');
    // There may be another, of which it speaks then.
    await cluster.eventually('the node has moved', async () => {
      const view = await exporter.view();
      await closeStale(cluster, view);
      return view.status.route === 'x-eni';
    });
    const moved = await exporter.eventually((view) => expectFindings(view, []));
    expect(pidsOf(moved, 'kubelet')).toEqual(pidsOf(stale, 'kubelet'));
  });

  test('through all of it the container was never restarted', async () => {
    const counts = '--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}';
    expect(await exporter.kubectl('get', 'pods', `--selector=app.kubernetes.io/name=${NAME}`, counts)).toBe(
      '0',
    );
  });
});

function pidsOf({ status }: Pick<View, 'status'>, client: string): readonly number[] | undefined {
  return status.clients.find((each) => each.client === client)?.pids;
}

/** Does what the findings say of stale connections; gives what `ss` lists as closed. */
async function closeStale(cluster: Cluster, { status }: View): Promise<string> {
  const closed: string[] = [];
  for (const { code, remedy } of status.findings) {
    const command = /'(ss -K .*?)'/.exec(remedy)?.[1];
    if (code !== 'StaleConnection' || command === undefined) continue;
    closed.push(await must(...within(cluster.hosts.node, command.split(' '))));
  }
  return closed.join('');
}
