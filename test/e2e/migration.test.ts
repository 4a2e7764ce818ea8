/** A node moves from the public endpoint to the X-ENIs, as in the published note, and the agent tells the story. */
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI, X_ENI_FLAGS } from './lib/cluster.ts';
import {
  expectCheck,
  expectConnections,
  expectFindings,
  expectNeverXEni,
  expectRoute,
} from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR, ...X_ENI_FLAGS];
const CHECK = ['check', ...FLAGS];
const TTL_SECONDS = 2;

describeOnSockets('a node moves to the X-ENIs', () => {
  test.concurrent('public, DNS flips, stale, kubelet restarted, kube-proxy restarted', async () => {
    await using lab = await makeCluster({ ttlSeconds: TTL_SECONDS });
    const kubelet = await lab.startClient('kubelet');
    for (let count = 0; count < 3; count += 1) await kubelet.connect();
    const kubeProxy = await lab.startClient('kube-proxy');
    await kubeProxy.connect();
    const agent = await lab.startAgent([...FLAGS, '--stale-after=4s']);

    const before = await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 3 }, stale: 0 });
      expectConnections(view, 'kube-proxy', { routes: { public: 1 }, stale: 0 });
      expectFindings(view, ['DnsPublic warning']);
      expect(view.metrics.get('dns_addresses', { route: 'public' })).toBe(2);
      expect(view.metrics.get('dns_changes_total')).toBe(0);
      expect(view.metrics.get('x_eni_addresses')).toBe(2);
      expect(view.metrics.get('client_found', { client: 'kubelet' })).toBe(1);
      expect(view.metrics.get('connection_opens_total', { client: 'kubelet', route: 'public' })).toBe(0);
    });
    expectCheck(await lab.run(CHECK), { code: 1, routes: { kubelet: 'public', 'kube-proxy': 'public' } });

    const flippedAt = performance.now();
    await lab.flipDns(X_ENI);
    const moving = await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 3 }, stale: 3 });
      expectConnections(view, 'kube-proxy', { routes: { public: 1 }, stale: 1 });
      expectFindings(view, ['ConnectionMoving info kubelet', 'ConnectionMoving info kube-proxy']);
      expect(view.metrics.get('finding', { code: 'StaleConnection', severity: 'warning' })).toBe(0);
      expect(view.metrics.get('finding', { code: 'DnsPublic', severity: 'warning' })).toBe(0);
      expect(view.metrics.get('dns_addresses', { route: 'x-eni' })).toBe(2);
      expect(view.metrics.get('dns_addresses', { route: 'public' })).toBe(0);
      expect(view.metrics.get('dns_changes_total')).toBe(1);
    });
    // Within the TTL and a look; EKS's TTL of 60 s, or any fixed interval of that kind, would be far off.
    expect(performance.now() - flippedAt).toBeLessThan((TTL_SECONDS + 1) * 1000 + 5000);
    const changedAt = moving.metrics.get('dns_last_change_timestamp_seconds');
    expect(changedAt).toBeGreaterThan(Date.parse(before.status.observedAt) / 1000);

    const stale = await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 3 }, stale: 3 });
      expectFindings(view, ['StaleConnection warning kubelet', 'StaleConnection warning kube-proxy']);
      expect(view.metrics.get('finding', { code: 'ConnectionMoving', severity: 'info' })).toBe(0);
    });
    const oldest = { client: 'kube-proxy' };
    expect(stale.metrics.get('stale_connection_oldest_timestamp_seconds', oldest)).toBe(changedAt);
    const finding = stale.status.findings.find(({ client }) => client === 'kubelet');
    expect(finding?.remedy).toContain('systemctl restart kubelet');
    expect(PUBLIC).toContain(finding?.address);
    expectCheck(await lab.run(CHECK), { code: 1, routes: { kubelet: 'public', 'kube-proxy': 'public' } });

    await kubelet.stop();
    const restarted = await lab.startClient('kubelet');
    await restarted.connect();
    const mixed = await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
      expectConnections(view, 'kube-proxy', { routes: { public: 1 }, stale: 1 });
      expectFindings(view, ['StaleConnection warning kube-proxy']);
      expect(view.metrics.get('connection_opens_total', { client: 'kubelet', route: 'x-eni' })).toBe(1);
      expect(view.metrics.get('connection_opens_total', { client: 'kubelet', route: 'public' })).toBe(0);
    });
    expect(mixed.status.clients.find(({ client }) => client === 'kubelet')?.pids).toEqual([restarted.pid]);
    const startTime = (view: typeof mixed) =>
      view.metrics.get('client_start_time_seconds', { client: 'kubelet' }) ?? Number.NaN;
    expect(startTime(mixed)).toBeGreaterThan(startTime(before));
    expectCheck(await lab.run(CHECK), { code: 1, routes: { kubelet: 'x-eni', 'kube-proxy': 'public' } });
    expectNeverXEni(agent);

    await kubeProxy.stop();
    await (await lab.startClient('kube-proxy')).connect();
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
      expectConnections(view, 'kube-proxy', { routes: { 'x-eni': 1 }, stale: 0 });
      expectFindings(view, []);
      expect(view.metrics.get('connection_opens_total', { client: 'kube-proxy', route: 'x-eni' })).toBe(1);
      expect(view.metrics.get('stale_connection_oldest_timestamp_seconds', oldest)).toBeUndefined();
      expect(view.metrics.get('dns_changes_total')).toBe(1);
    });
    expectCheck(await lab.run(CHECK), { code: 0, routes: { kubelet: 'x-eni', 'kube-proxy': 'x-eni' } });
  });

  test.concurrent('an old and a new connection of one process side by side are progress, until the old one is closed', async () => {
    await using lab = await makeCluster();
    const kubelet = await lab.startClient('kubelet');
    const old = await kubelet.connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expectRoute(view, 'public'));
    await lab.flipDns(X_ENI);
    await kubelet.connect();
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1, public: 1 }, stale: 1 });
      expectFindings(view, ['ConnectionMoving info kubelet']);
      expect(view.metrics.get('connection_opens_total', { client: 'kubelet', route: 'x-eni' })).toBe(1);
    });
    expectNeverXEni(agent);
    await kubelet.program.close(old);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
      expectFindings(view, []);
    });
  });

  test.concurrent('the agent says so when a node drifts back', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
    await lab.flipDns(PUBLIC);
    await kubelet.connect();
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expect(view.status.findings.map(({ code }) => code)).toContain('DnsPublic');
    });
  });
});
