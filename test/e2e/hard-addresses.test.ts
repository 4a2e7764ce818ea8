/** Addresses by which one cannot tell what they are: judged right all the same. */
import { expect, test } from 'vitest';
import { makeCluster, NODE, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { connectionsOf, expectConnections, expectGate, expectNeverXEni, expectRoute } from './lib/expect.ts';
import { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';

const HOSTNAME6 = '0123456789abcdef0123456789abcdef.eks-cluster.us-west-2.api.aws';
const NODE6 = '2600:1f14:abcd:ef01::5';
const X_ENI6 = ['2600:1f14:abcd:ef01::a1', '2600:1f14:abcd:ef02::a2'] as const;
const PUBLIC6 = '2600:1f14:9999:100::1';
const VPC_CIDR6 = '--vpc-cidr=2600:1f14:abcd:ef00::/56';
/** Carrier-grade NAT's range: neither private by RFC 1918 nor public. */
const SHARED = ['100.64.1.10', '100.64.2.11'] as const;
/** Of a company that numbers its VPC by its own public addresses. */
const OWN = ['52.95.1.10', '52.95.2.11'] as const;
const OWN_CIDR = '--vpc-cidr=52.95.0.0/16';
const POD = '192.168.1.77';

describeOnSockets('hard addresses', () => {
  test.concurrent('a global IPv6 address that the slice alone knows is an X-ENI', async () => {
    await using lab = await makeCluster6();
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectGate(now, 'private-ready', 'true');
    });
    expect(connectionsOf(view).map(({ evidence }) => evidence)).toEqual(['endpointslice']);
  });

  test.concurrent("a global IPv6 address in the VPC's CIDRs of IMDS is an X-ENI when DNS gives it", async () => {
    await using lab = await Lab.make({
      ...{
        hostname: HOSTNAME6,
        node: [NODE6, '10.0.0.5'],
        servers: [...X_ENI6, PUBLIC6],
        resolver: 'fd00:ec2::253',
      },
      ...{ answer: X_ENI6, imds: ['10.0.0.0/16', '2600:1f14:abcd:ef00::/56'] },
    });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectGate(now, 'private-ready', 'true');
    });
    expect(connectionsOf(view).map(({ evidence }) => evidence)).toEqual(['dns']);
  });

  test.concurrent("a slice that lies: a global IPv6 address outside the VPC's CIDRs is public", async () => {
    await using lab = await makeCluster6();
    await lab.slice.give([...X_ENI6, PUBLIC6]);
    await (await lab.startClient('kubelet')).connect(PUBLIC6);
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR6]);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 1 });
    });
    await agent.during(2, (view) => expectRoute(view, 'public'));
    expectNeverXEni(agent);
  });

  test.concurrent('an IPv6 cluster whose name has IPv4 addresses too: X-ENIs of both families are needed', async () => {
    const [x4, public4] = ['10.0.1.10', '52.24.10.7'];
    await using lab = await Lab.make({
      ...{ hostname: HOSTNAME6, node: [NODE6, '10.0.0.5'], resolver: 'fd00:ec2::253' },
      ...{ servers: [...X_ENI6, PUBLIC6, x4, public4], answer: [PUBLIC6, public4], slice: X_ENI6 },
    });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI6[0]);
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR6, '--vpc-cidr=10.0.0.0/16']);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectGate(now, 'private-ready', 'unknown');
      expectGate(now, 'public-free', 'false');
    });
    expect(view.status.gates[0]?.reason).toMatch(/IPv4/);
    await lab.flipDns([X_ENI6[0], x4]);
    await kubelet.connect(x4);
    const flipped = await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectGate(now, 'private-ready', 'true');
    });
    const seen = connectionsOf(flipped).map(({ evidence, route }) => [evidence, route].join(' '));
    expect(seen.sort()).toEqual(['dns x-eni', 'endpointslice x-eni']);
  });

  test.concurrent('behind DNS64 and NAT64 the IPv4 address inside counts', async () => {
    const wrapped = '64:ff9b::322:94cf'; // of 3.34.148.207
    await using lab = await Lab.make({
      ...{ node: [NODE6], servers: [wrapped], resolver: 'fd00:ec2::253', answer: [wrapped] },
    });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR6, VPC_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 0 });
    });
    expectNeverXEni(agent);
  });

  test.concurrent.for([
    { what: 'by the slice', slice: SHARED, flags: [] },
    { what: "by DNS in the VPC's CIDRs", slice: undefined, flags: ['--vpc-cidr=100.64.0.0/16'] },
    { what: 'by --x-eni', slice: undefined, flags: SHARED.map((address) => `--x-eni=${address}`) },
  ])('100.64.0.0/10 $what', async ({ slice, flags }) => {
    await using lab = await makeCluster({
      ...{ node: ['100.64.1.5'], servers: [...PUBLIC, ...SHARED], answer: SHARED },
      ...(slice === undefined ? {} : { slice }),
    });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni', ...flags]);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectGate(view, 'private-ready', 'true');
    });
  });

  test.concurrent.for([
    { what: 'the slice', isInCluster: true },
    { what: 'DNS', isInCluster: false },
  ])("a publicly routable VPC range: its X-ENIs by $what, with the VPC's CIDRs", async ({ isInCluster }) => {
    await using lab = await makeOwn(isInCluster);
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni', OWN_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectGate(view, 'private-ready', 'true');
    });
  });

  test.concurrent('a publicly routable address is public as long as nothing says that it is in the VPC', async () => {
    await using lab = await makeOwn(true);
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 0 });
    });
    await agent.during(2, (view) => expectRoute(view, 'public'));
    expectNeverXEni(agent);
  });

  test.concurrent("kubelet's probes of pods on 443 are left out, whether they speak TLS or not", async () => {
    await using lab = await makeCluster({
      ...{ answer: X_ENI, servers: [...PUBLIC, ...X_ENI], slice: X_ENI, others: [POD, '192.168.1.78'] },
    });
    await lab.servers.start([POD], 'other');
    await lab.servers.start(['192.168.1.78'], 'plain');
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect();
    for (const host of [POD, '192.168.1.78']) await kubelet.program.connect({ host, port: 443 });
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.status.scan.ignoredConnections).toBe(2);
    });
    await agent.during(8, (view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
    });
  });

  test.concurrent('an old public address, met by an agent that started after the flip', async () => {
    await using lab = await makeCluster({ slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(PUBLIC[1]);
    await lab.flipDns(X_ENI);
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'public');
      expectConnections(now, 'kubelet', { routes: { public: 1 }, stale: 1 });
      expect(connectionsOf(now).map(({ evidence }) => evidence)).toEqual(['tls']);
    });
    expect(connectionsOf(view)[0]?.local).toContain(NODE);
    expectNeverXEni(agent);
    expect((await lab.run(['check', '--expect=x-eni', VPC_CIDR])).code).toBe(1);
  });
});

function makeCluster6(): Promise<Lab> {
  return Lab.make({
    ...{
      hostname: HOSTNAME6,
      node: [NODE6, '10.0.0.5'],
      servers: [...X_ENI6, PUBLIC6],
      resolver: 'fd00:ec2::253',
    },
    ...{ answer: X_ENI6, slice: X_ENI6 },
  });
}

function makeOwn(isInCluster: boolean): Promise<Lab> {
  return makeCluster({
    ...{ node: ['52.95.1.5'], servers: [...PUBLIC, ...OWN], answer: OWN },
    ...(isInCluster ? { slice: OWN } : {}),
  });
}
