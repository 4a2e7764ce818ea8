/** How the node and its clients are set up: proxies, the hosts file, the resolver. */
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import {
  connectionsOf,
  expectClear,
  expectConnections,
  expectGate,
  expectNeverXEni,
  expectRaised,
  expectRoute,
} from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR];
const PROXY = '10.20.0.9';
const PROXY_PORT = 3128;
const PROXY_NAME = 'proxy.corp.example';

describeOnSockets('a proxy', () => {
  test.concurrent.for([
    { what: 'by its address', value: `http://${PROXY}:${PROXY_PORT}` },
    { what: 'by its name', value: `http://user:secret@${PROXY_NAME}:${PROXY_PORT}` },
  ])('given $what', async ({ value }) => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI, others: [PROXY] });
    await lab.dns.name(PROXY_NAME, [PROXY]);
    await lab.far.listen({ addresses: [PROXY], port: PROXY_PORT });
    const kubelet = await lab.startClient('kubelet', { env: { HTTPS_PROXY: value } });
    await kubelet.program.connect({ host: PROXY, port: PROXY_PORT });
    const agent = await lab.startAgent(FLAGS);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'other');
      expectConnections(now, 'kubelet', { routes: { proxy: 1 }, stale: 0 });
      expect(expectRaised(now, 'ViaProxy')).toMatchObject({ severity: 'warning', client: 'kubelet' });
    });
    expect(connectionsOf(view).map(({ evidence }) => evidence)).toEqual(['proxy']);
    expect(JSON.stringify(view.status)).not.toContain('secret');
    expectNeverXEni(agent);

    await kubelet.stop();
    await (await lab.startClient('kubelet')).connect();
    await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectClear(now, 'ViaProxy');
    });
  });

  test.concurrent('on loopback', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    const proxy = await lab.startClient('tunnel');
    await proxy.program.listen({ addresses: ['127.0.0.1'], port: PROXY_PORT });
    const env = { HTTPS_PROXY: `http://127.0.0.1:${PROXY_PORT}` };
    const kubelet = await lab.startClient('kubelet', { env });
    await kubelet.program.connect({ host: '127.0.0.1', port: PROXY_PORT });
    const kubeProxy = await lab.startClient('kube-proxy');
    await kubeProxy.connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'other');
      expectConnections(view, 'kubelet', { routes: { proxy: 1 }, stale: 0 });
      expectConnections(view, 'kube-proxy', { routes: { 'x-eni': 1 }, stale: 0 });
      expectRaised(view, 'ViaProxy');
    });
    await agent.during(2, (view) => expectRoute(view, 'other'));
    expectNeverXEni(agent);
  });

  test.concurrent('is not used where NO_PROXY names the endpoint', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI, others: [PROXY] });
    await lab.far.listen({ addresses: [PROXY], port: PROXY_PORT });
    const env = { HTTPS_PROXY: `http://${PROXY}:${PROXY_PORT}`, NO_PROXY: 'localhost,.eks.amazonaws.com' };
    const kubelet = await lab.startClient('kubelet', { env });
    await kubelet.connect();
    await kubelet.program.connect({ host: PROXY, port: PROXY_PORT });
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
      expectClear(view, 'ViaProxy');
    });
  });

  test.concurrent('whose name nobody can resolve keeps the node from x-eni', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    const env = { HTTPS_PROXY: 'http://nowhere.corp.example:3128' };
    const kubelet = await lab.startClient('kubelet', { env });
    await kubelet.connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expect(view.status.routeReason).toMatch(/proxy/);
    });
    await agent.during(3, (view) => expectRoute(view, 'unknown'));
    expectNeverXEni(agent);
  });
});

describeOnSockets('files of the node', () => {
  test.concurrent('the hosts file pins the endpoint to a public address', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    await lab.network.setHosts([`${X_ENI[0]} somebody.else`]);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectClear(view, 'HostsFileOverride');
    });
    await lab.network.setHosts([`${PUBLIC[0]}  ${lab.hostname.toLowerCase()} api # pinned`]);
    await agent.eventually((view) => {
      expect(expectRaised(view, 'HostsFileOverride').severity).toBe('warning');
      expectGate(view, 'public-free', 'false');
    });
    // What kubelet opens next shows what it does.
    const pinned = await lab.startClient('kube-proxy');
    await pinned.connect();
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectConnections(view, 'kube-proxy', { routes: { public: 1 }, stale: 1 });
    });
    await lab.network.setHosts([]);
    await agent.eventually((view) => expectClear(view, 'HostsFileOverride'));
  });

  test.concurrent('the node asks a resolver of its own, and the VPC later', async () => {
    const imds = ['192.168.0.0/16'];
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI, imds, outside: PUBLIC });
    await lab.network.setResolver('8.8.8.8');
    await (await lab.startClient('kubelet')).connect(X_ENI[0]);
    const agent = await lab.startAgent(['--expect=x-eni']);
    await agent.eventually((view) => {
      const finding = expectRaised(view, 'CustomResolver');
      expect(finding.severity).toBe('info');
      expect(JSON.stringify(finding)).toContain('8.8.8.8');
      expectRaised(view, 'DnsPublic');
    });
    await lab.network.setResolver('192.168.0.2');
    await agent.eventually((view) => expectClear(view, 'CustomResolver'));
  });

  test.concurrent('not on an EC2 instance: any resolver will do', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI, resolver: '10.99.0.53' });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
    await agent.during(2, (view) => expect(view.status.evaluated).not.toContain('CustomResolver'));
  });
});
