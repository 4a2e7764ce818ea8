/** Sources that lie, and sources that never answer. */
import { expect, test } from 'vitest';
import { makeCluster, NODE, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import {
  connectionsOf,
  errorOf,
  expectConnections,
  expectGate,
  expectNeverXEni,
  expectRoute,
} from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', '--probe-interval=1s'];
/** Of 20 KB and 180 series, what the agent's families have to keep to. */
const MOST_BYTES = 20_000;
const MOST_SERIES = 180;

describeOnSockets('sources that lie', () => {
  test.concurrent.for([
    { what: "the VPC's CIDRs known", flags: [VPC_CIDR] },
    { what: "without the VPC's CIDRs", flags: [] },
  ])('a public IPv4 address in the slice is public, $what', async ({ flags }) => {
    await using lab = await makeCluster({ answer: X_ENI, slice: [...X_ENI, PUBLIC[0]] });
    await (await lab.startClient('kubelet')).connect(PUBLIC[0]);
    const agent = await lab.startAgent([...FLAGS, ...flags]);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 1 });
      expectGate(view, 'public-free', 'false');
    });
    await agent.during(2, (view) => expectRoute(view, 'public'));
    expectNeverXEni(agent);
  });

  test.concurrent('DNS gives addresses of the node itself: nothing there is probed or taken for an X-ENI', async () => {
    await using lab = await makeCluster({ answer: ['0.0.0.0', '127.0.0.1', '::', '::1', '169.254.9.9'] });
    const kubelet = await lab.startClient('kubelet');
    const listener = await lab.startClient('nginx');
    await listener.program.listen({ addresses: ['127.0.0.1', '::1'], port: 443 });
    await kubelet.connect(PUBLIC[0]);
    const agent = await lab.startAgent([...FLAGS, VPC_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expect(view.metrics.get('x_eni_addresses')).toBe(0);
    });
    await agent.during(3, (view) => {
      expectRoute(view, 'public');
      expect(view.metrics.get('gate', { gate: 'private-ready', state: 'true' })).toBe(0);
    });
    for (const address of ['127.0.0.1', '::1']) {
      expect((await listener.program.tally(address, 443)).accepted, address).toBe(0);
    }
  });

  test.concurrent('DNS gives a thousand addresses: that is no answer; sixty are, and what is said stays small', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `52.${index % 250}.${Math.floor(index / 250)}.7`);
    await using lab = await makeCluster({ answer: many, slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(PUBLIC[0]);
    const agent = await lab.startAgent([...FLAGS, VPC_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expect(errorOf(view, 'dns')).toContain('1000');
      expectGate(view, 'private-ready', 'unknown');
    });
    await lab.flipDns(many.slice(0, 60));
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'false');
      expect(view.metrics.get('dns_addresses', { route: 'public' })).toBe(60);
    });
    await agent.during(3, ({ status, metrics }) => {
      expect(status.probes?.length).toBeLessThanOrEqual(16);
      expect(metrics.text.length).toBeLessThan(MOST_BYTES);
      expect(metrics.text.match(/^[^#\n]/gm)?.length).toBeLessThanOrEqual(MOST_SERIES);
    });
  });

  test.concurrent('a kube-proxy that takes the way of the pods has no say', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const kubeProxy = await lab.startClient('kube-proxy');
    await kubeProxy.program.connect({ host: '10.100.0.1', port: 443 });
    const agent = await lab.startAgent([...FLAGS, VPC_CIDR]);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectGate(now, 'public-free', 'true');
    });
    expect(connectionsOf(view).map(({ local }) => local.startsWith(NODE))).toEqual([true]);
  });
});

describeOnSockets('nothing answers', () => {
  test.concurrent('a scrape waits for none of it, nor does the end', async () => {
    await using lab = await makeCluster({
      answer: X_ENI,
      slice: X_ENI,
      imds: ['192.168.0.0/16'],
      outside: PUBLIC,
    });
    await (await lab.startClient('kubelet')).connect();
    await lab.slice.reply({ status: 200, delayMs: 60_000 });
    await lab.imds.reply({ status: 200, delayMs: 60_000 });
    for (const address of X_ENI) await lab.network.silence(address);
    lab.outside.pause();
    const agent = await lab.startAgent([...FLAGS, '--outside-resolver=8.8.8.8']);
    for (let scrape = 0; scrape < 10; scrape += 1) {
      const since = performance.now();
      await agent.view();
      expect(performance.now() - since).toBeLessThan(1000);
    }
    const view = await agent.eventually((now) => {
      expect(errorOf(now, 'endpointslice')).toMatch(/\w/);
      expect(errorOf(now, 'imds')).toMatch(/\w/);
    });
    expect(view.status.route).not.toBe('x-eni');
    const { code, milliseconds } = await agent.stop();
    expect(code, agent.log).toBe(0);
    expect(milliseconds).toBeLessThan(1000);
    const since = performance.now();
    const check = await lab.run(['check', ...FLAGS, '--outside-resolver=8.8.8.8']);
    expect(check.code, check.stdout + check.stderr).not.toBe(0);
    expect(performance.now() - since).toBeLessThan(20_000);
  });
});
