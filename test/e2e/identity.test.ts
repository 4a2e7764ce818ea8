/** Whose an address is, the certificate that it shows tells: for peers that no other source knows. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import {
  connectionsOf,
  errorOf,
  expectClear,
  expectConnections,
  expectGate,
  expectNeverXEni,
  expectRaised,
  expectRoute,
} from './lib/expect.ts';
import type { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';

/** At which DNS, slice and flags know nothing. */
const STRANGER = '54.180.9.9';
const PRIVATE_STRANGER = '192.168.9.9';
const FLAGS = ['--expect=x-eni', VPC_CIDR];

describeOnSockets('a peer that nobody knows', () => {
  test.concurrent("shows this cluster's certificate: an endpoint connection, asked for once", async () => {
    await using lab = await makeStrangers();
    await lab.servers.start([STRANGER]);
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI[0]);
    await kubelet.connect(STRANGER);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1, public: 1 }, stale: 1 });
      const stranger = connectionsOf(view).find(({ peer }) => peer === `${STRANGER}:443`);
      expect(stranger?.evidence).toBe('tls');
    });
    await kubelet.connect(STRANGER);
    await agent.during(3, (view) => expectGate(view, 'public-free', 'false'));
    // Two connections of kubelet, one of the agent.
    expect(await lab.servers.tally(STRANGER)).toEqual({
      accepted: 3,
      handshakes: 3,
      brokenHandshakes: 0,
      broken: 0,
    });
  });

  test.concurrent("shows another's certificate: left out", async () => {
    await using lab = await makeStrangers();
    await lab.servers.start([STRANGER], 'other');
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI[0]);
    await kubelet.program.connect({ host: STRANGER, port: 443 });
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
      expect(view.status.scan.ignoredConnections).toBe(1);
    });
    await agent.eventually((view) => expectGate(view, 'public-free', 'true'));
  });

  test.concurrent('is not hidden by a --ca-file of another cluster', async () => {
    await using lab = await makeStrangers();
    await lab.servers.start([STRANGER]);
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI[0]);
    await kubelet.connect(STRANGER);
    const agent = await lab.startAgent([...FLAGS, `--ca-file=${join(lab.folder, 'other', 'ca.crt')}`]);
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectGate(view, 'private-ready', 'false');
      expect(connectionsOf(view).find(({ peer }) => peer === `${STRANGER}:443`)?.evidence).toBe('presumed');
    });
    await agent.during(4, (view) => {
      expectRoute(view, 'mixed');
      expectGate(view, 'public-free', 'false');
    });
    expectNeverXEni(agent);
  });

  test.concurrent('is public until it has answered, and where the CA file cannot be used', async () => {
    await using lab = await makeStrangers();
    await lab.servers.start([STRANGER], 'other');
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI[0]);
    await kubelet.program.connect({ host: STRANGER, port: 443 });
    const agent = await lab.startAgent([...FLAGS, '--endpoint', lab.hostname, '--ca-file=/etc/hostname']);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'mixed');
      expect(now.metrics.get('scan_success', { stage: 'probe' })).toBe(0);
      expectGate(now, 'private-ready', 'unknown');
    });
    expect(errorOf(view, 'probe')).toMatch(/certificate|PEM|CA/);
    await agent.during(3, (now) => expectRoute(now, 'mixed'));
    expectNeverXEni(agent);
  });

  test.concurrent("at a private address with this cluster's certificate: neither an X-ENI nor left out", async () => {
    await using lab = await makeStrangers();
    await lab.servers.start([PRIVATE_STRANGER]);
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI[0]);
    const stranger = await kubelet.connect(PRIVATE_STRANGER);
    const agent = await lab.startAgent([...FLAGS, '--stale-after=3s']);
    await agent.eventually((view) => {
      expectRoute(view, 'other');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1, vpc: 1 }, stale: 1 });
      expect(
        connectionsOf(view)
          .map(({ evidence }) => evidence)
          .sort(),
      ).toEqual(['endpointslice', 'tls']);
    });
    // Its route is none that DNS gives.
    await agent.eventually((view) => expectRaised(view, 'StaleConnection'));
    await agent.during(2, (view) => expectRoute(view, 'other'));
    await kubelet.program.close(stranger);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectClear(view, 'StaleConnection');
    });
  });
});

describeOnSockets('a route that nothing explains', () => {
  test.concurrent('is UnexpectedRoute, until it is the expected one', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    // The X-ENIs are X-ENIs only to whom the VPC's CIDRs are known.
    const agent = await lab.startAgent(['--expect=x-eni', '--stale-after=3s']);
    await agent.eventually((view) => {
      expectRoute(view, 'other');
      expect(expectRaised(view, 'UnexpectedRoute').severity).toBe('warning');
    });
    await agent.stop();
    const knowing = await lab.startAgent([...FLAGS, '--stale-after=3s']);
    await knowing.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectClear(view, 'UnexpectedRoute');
    });
  });
});

function makeStrangers(): Promise<Lab> {
  return makeCluster({
    ...{ servers: [...PUBLIC, ...X_ENI], others: [STRANGER, PRIVATE_STRANGER], answer: X_ENI, slice: X_ENI },
  });
}
