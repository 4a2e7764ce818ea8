/** What else a kubelet holds: probes of pods, streams on loopback, what comes in on 10250. None of it is the endpoint's. */
import { expect, test } from 'vitest';
import type { Client } from './lib/client.ts';
import { makeCluster, NODE, VPC_CIDR, X_ENI, X_ENI_FLAGS } from './lib/cluster.ts';
import { expectConnections, expectNeverXEni, expectRoute } from './lib/expect.ts';
import type { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';

const POD = '192.168.1.77';
/** The DNS server's: the one address at which nothing listens on 443, so that a connection can come from there. */
const COMES_IN = '192.168.0.2';
const FLAGS = ['--expect=x-eni', VPC_CIDR, ...X_ENI_FLAGS, `--x-eni=${COMES_IN}`];

describeOnSockets("connections that are not the endpoint's", () => {
  test.concurrent('are left out beside connections to X-ENIs', async () => {
    await using lab = await makeCluster({ others: [POD], answer: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect();
    await openOthers(lab, kubelet);
    const agent = await lab.startAgent(FLAGS);
    const { metrics, status } = await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
    });
    expect(metrics.get('scan_ignored_connections')).toBeGreaterThan(0);
    expect(status.scan.ignoredConnections).toBe(metrics.get('scan_ignored_connections'));
  });

  test.concurrent('alone they are no route: none', async () => {
    await using lab = await makeCluster({ others: [POD], answer: X_ENI });
    await openOthers(lab, await lab.startClient('kubelet'));
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'none');
      expectConnections(view, 'kubelet', { routes: {}, stale: 0 });
    });
    await agent.during(2, (view) => expectRoute(view, 'none'));
    expectNeverXEni(agent);
    expect((await lab.run(['check', ...FLAGS])).code).toBe(2);
  });
});

/** On loopback, to a pod's port 443, to another port of an X-ENI, and in from an X-ENI. */
async function openOthers(lab: Lab, { program }: Client): Promise<void> {
  await program.listen({ addresses: ['::'], port: 10250 });
  await program.listen({ addresses: ['127.0.0.1'], port: 443 });
  await lab.far.listen({ addresses: [X_ENI[0]], port: 8443 });
  await program.connect({ host: '127.0.0.1', port: 443 });
  await lab.servers.start([POD], 'other');
  await program.connect({ host: POD, port: 443 });
  await program.connect({ host: X_ENI[0], port: 8443 });
  // The peer is an X-ENI's address and the endpoint's port, yet the connection came in.
  await lab.far.connect({ host: NODE, port: 10250, localAddress: COMES_IN, localPort: 443 });
}
