/** Two tiers: where owners may not be read, known addresses alone tell, and never that all is well. */
import { expect, test } from 'vitest';
import { ATTRIBUTIONS, type Attribution } from '../../src/model/status.ts';
import { makeCluster, NODE, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import {
  codesOf,
  connectionsOf,
  expectConnections,
  expectGate,
  expectNeverXEni,
  expectRaised,
  expectRoute,
} from './lib/expect.ts';
import type { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';
import type { View } from './lib/views.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR, '--probe-interval=1s'];
const WITHOUT_PTRACE = { through: ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'] };
const STRANGER = '54.180.9.9';
const TIERS = [
  { what: 'with --attribution=address', flags: ['--attribution=address'], options: {} },
  { what: 'without SYS_PTRACE', flags: [], options: WITHOUT_PTRACE },
] as const;

describeOnSockets('known addresses alone', () => {
  test.concurrent.for(TIERS)('$what: public connections show', async ({ flags, options }) => {
    await using lab = await makeHost();
    const kubelet = await lab.startClient('kubelet');
    await kubelet.program.listen({ addresses: ['::'], port: 10250 });
    const old = await kubelet.connect(PUBLIC[0]);
    const agent = await lab.startAgent([...FLAGS, ...flags, `--endpoint=${lab.hostname}`], options);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectAttribution(view, 'address');
      expectConnections(view, 'unattributed', { routes: { public: 1 }, stale: 0 });
      expect(codesOf(view)).not.toContain('ClientMissing');
      expect(view.status.evaluated).not.toContain('ClientMissing');
      expectGate(view, 'public-free', 'false');
    });
    await lab.flipDns(X_ENI);
    await kubelet.connect(X_ENI[0]);
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectConnections(view, 'unattributed', { routes: { 'x-eni': 1, public: 1 }, stale: 1 });
    });
    await kubelet.program.close(old);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expectConnections(view, 'unattributed', { routes: { 'x-eni': 1 }, stale: 0 });
    });
    // Its own probes are nobody's connections, also while they hang.
    await lab.network.silence(X_ENI[1]);
    await agent.during(8, (view) => {
      expectRoute(view, 'unknown');
      expect(connectionsOf(view)).toHaveLength(1);
      expect(view.metrics.get('connecting', { client: 'unattributed' })).toBe(0);
      expect(view.metrics.get('gate', { gate: 'public-free', state: 'true' })).toBe(0);
    });
    await agent.eventually((view) => expectRaised(view, 'XEniUnreachable'));
    expectNeverXEni(agent);
  });

  test.concurrent.for(TIERS)('$what: no connection is no answer', async ({ flags, options }) => {
    await using lab = await makeHost(X_ENI);
    const kubelet = await lab.startClient('kubelet');
    await kubelet.program.listen({ addresses: ['::'], port: 10250 });
    await lab.far.connect({ host: NODE, port: 10250, localAddress: X_ENI[0] });
    const agent = await lab.startAgent([...FLAGS, ...flags, `--endpoint=${lab.hostname}`], options);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expectAttribution(view, 'address');
      expect(connectionsOf(view)).toEqual([]);
    });
    await agent.during(3, (view) => expectRoute(view, 'unknown'));
  });

  test.concurrent("strangers' sockets are nobody's, and nobody asks who they are", async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI, others: [STRANGER] });
    await lab.servers.start([STRANGER]);
    const kubelet = await lab.startClient('kubelet');
    await kubelet.program.listen({ addresses: ['::'], port: 10250 });
    await kubelet.connect(X_ENI[0]);
    await kubelet.connect(STRANGER);
    const agent = await lab.startAgent([...FLAGS, '--attribution=address', `--endpoint=${lab.hostname}`]);
    await agent.eventually((view) => {
      expectAttribution(view, 'address');
      expectConnections(view, 'unattributed', { routes: { 'x-eni': 1 }, stale: 0 });
    });
    await agent.during(4, (view) => expectRoute(view, 'unknown'));
    expect((await lab.servers.tally(STRANGER)).accepted).toBe(1);
  });

  test.concurrent('the owners could not be read: that is Blind', async () => {
    await using lab = await makeHost();
    const kubelet = await lab.startClient('kubelet');
    await kubelet.program.listen({ addresses: ['::'], port: 10250 });
    await kubelet.connect();
    const agent = await lab.startAgent([...FLAGS, `--endpoint=${lab.hostname}`], WITHOUT_PTRACE);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectAttribution(view, 'address');
      expectRaised(view, 'Blind');
      expect(view.metrics.get('proc_read_errors_total', { reason: 'EACCES' })).toBeGreaterThan(0);
    });
    const check = await lab.run(['check', ...FLAGS, `--endpoint=${lab.hostname}`], WITHOUT_PTRACE);
    expect(check.code, check.stdout + check.stderr).toBe(1);
  });

  test.concurrent("without a listener on 10250 the table is not the host's: none", async () => {
    await using lab = await makeHost();
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent([...FLAGS, '--attribution=address', `--endpoint=${lab.hostname}`]);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expectAttribution(view, 'none');
      expect(view.status.routeReason).toContain('10250');
    });
    await agent.during(2, (view) => expectRoute(view, 'unknown'));
  });
});

function makeHost(answer: readonly string[] = PUBLIC): Promise<Lab> {
  return makeCluster({ answer, slice: X_ENI });
}

function expectAttribution({ status, metrics }: View, attribution: Attribution): void {
  expect(status.attribution).toBe(attribution);
  for (const mode of ATTRIBUTIONS) {
    expect(metrics.get('attribution', { mode }), mode).toBe(mode === attribution ? 1 : 0);
  }
}
