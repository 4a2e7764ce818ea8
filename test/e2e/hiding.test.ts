/**
 * Anyone on a node may listen on the local port of somebody else's connection, at another address. That must not make
 * kubelet's connection look like one that came in.
 */
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { expectConnections, expectNeverXEni, expectRoute } from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR];

describeOnSockets('a public connection cannot be hidden by a listener', () => {
  test.concurrent.each<[string, { addresses: string[]; ipv6Only?: boolean; uid?: number }]>([
    ['at another loopback address', { addresses: ['127.0.0.9'] }],
    ['at the loopback address of IPv6', { addresses: ['::1'] }],
    ['at every IPv6 address', { addresses: ['::'], ipv6Only: true }],
    ['at every IPv6 address, as root', { addresses: ['::'], ipv6Only: true, uid: 0 }],
  ])('%s', async (_, { uid = 65_534, ...where }) => {
    await using lab = await makeCluster({ answer: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect();
    const { local } = await kubelet.connect(PUBLIC[0]);
    const nobody = await lab.startClient('nobody', uid === 0 ? {} : { uid });
    await nobody.program.listen({ ...where, port: Number(local.split(':').at(-1)) });
    // The agent meets it cold: what listened first cannot be told by the order of things.
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1, public: 1 }, stale: 1 });
    });
    await agent.during(2, (view) => expectRoute(view, 'mixed'));
    expectNeverXEni(agent);
    expect((await lab.run(['check', ...FLAGS])).code).toBe(1);
  });
});
