/** IPv6: X-ENIs have global addresses there, and IPv4 peers of dual-stack sockets show as mapped ones. */
import { expect, test } from 'vitest';
import { makeCluster, NODE, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { expectConnections, expectFindings, expectNeverXEni, expectRoute } from './lib/expect.ts';
import { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';

const NODE6 = '2600:1f14:abcd:ef01::5';
const X_ENI6 = ['2600:1f14:abcd:ef01::a1', '2600:1f14:abcd:ef02::a2'] as const;
const PUBLIC6 = ['2600:1f14:9999:100::1', '52.24.10.7'] as const;
const VPC_CIDR6 = '--vpc-cidr=2600:1f14:abcd:ef00::/56';

describeOnSockets('IPv6', () => {
  test.concurrent('a node of an IPv6 VPC moves to X-ENIs with global addresses', async () => {
    await using lab = await makeCluster6();
    const kubelet = await lab.startClient('kubelet');
    const old = [await kubelet.connect(PUBLIC6[0]), await kubelet.connect(PUBLIC6[1])];
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR6]);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 2 }, stale: 0 });
    });
    await lab.flipDns(X_ENI6);
    await kubelet.connect();
    for (const connection of old) await kubelet.program.close(connection);
    const { status } = await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
      expectFindings(view, []);
    });
    const peers = status.clients.flatMap(({ connections }) => connections ?? []).map(({ peer }) => peer);
    expect(X_ENI6.map((address) => `[${address}]:443`)).toContain(peers[0]);
    expect((await lab.run(['check', '--expect=x-eni', VPC_CIDR6])).code).toBe(0);
  });

  test.concurrent("without the VPC's CIDRs a global address is public, and never taken for an X-ENI", async () => {
    await using lab = await makeCluster6(X_ENI6);
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 0 });
    });
    await agent.during(3, (view) => expectRoute(view, 'public'));
    expectNeverXEni(agent);
  });

  test.concurrent('an IPv4 peer of a dual-stack socket is that IPv4 address', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(`::ffff:${X_ENI[0]}`, { localAddress: `::ffff:${NODE}`, localPort: 44084 });
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    const { status } = await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
    });
    const [connection] = status.clients.flatMap(({ connections }) => connections);
    expect(connection).toMatchObject({ local: `${NODE}:44084`, peer: `${X_ENI[0]}:443`, evidence: 'dns' });
  });
});

/** An IPv6 cluster, its endpoint dual-stack while it is public. */
function makeCluster6(answer: readonly string[] = PUBLIC6): Promise<Lab> {
  return Lab.make({
    hostname: '0123456789abcdef0123456789abcdef.eks-cluster.us-west-2.api.aws',
    node: [NODE6, '10.0.0.5'],
    servers: [...X_ENI6, ...PUBLIC6],
    resolver: 'fd00:ec2::253',
    answer,
  });
}
