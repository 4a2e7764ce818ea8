/** The agent connects to every X-ENI itself: the trap of a switch is seen before the switch. */
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import {
  connectionsOf,
  expectClear,
  expectFindings,
  expectGate,
  expectRaised,
  expectRoute,
} from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const INTERVAL_SECONDS = 2;
const FLAGS = ['--expect=x-eni', VPC_CIDR, `--probe-interval=${INTERVAL_SECONDS}s`];
const [, LAST] = X_ENI;

describeOnSockets('probes', () => {
  test.concurrent('an X-ENI falls silent while the stale connection still works', async () => {
    await using lab = await makeCluster({ slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    const stale = await kubelet.connect();
    const agent = await lab.startAgent(FLAGS);
    await lab.flipDns(X_ENI);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'false');
      expectClear(view, 'XEniUnreachable');
      for (const address of X_ENI) expect(view.metrics.get('probe_success', { address })).toBe(1);
    });

    const silentSince = performance.now();
    await lab.network.silence(LAST);
    const view = await agent.eventually((now) => expectGate(now, 'private-ready', 'false'));
    expect((performance.now() - silentSince) / 1000).toBeLessThan(INTERVAL_SECONDS + 10);
    const finding = expectRaised(view, 'XEniUnreachable');
    expect(finding).toMatchObject({ severity: 'critical', address: LAST });
    expect(finding.remedy).toMatch(/security group/i);
    expect(finding.remedy).toContain('443');
    expect(view.status.findings.filter(({ code }) => code === 'XEniUnreachable').length).toBe(1);
    expect(view.status.gates.find(({ gate }) => gate === 'private-ready')?.reason).toContain(LAST);
    expect(view.status.probes?.find(({ address }) => address === LAST)).toMatchObject({
      ...{ success: false, failedStage: 'tcp', route: 'x-eni' },
    });
    expect(view.metrics.get('probe_success', { address: LAST })).toBe(0);
    expect(view.metrics.get('probe_success', { address: X_ENI[0] })).toBe(1);
    // The node looks healthy: that is the trap.
    expect(await kubelet.program.exchange(stale, 'heartbeat')).toBe('heartbeat');
    expectRoute(view, 'public');
    await expect(kubelet.connect(LAST)).rejects.toThrow();

    await lab.network.restore(LAST);
    await agent.eventually((now) => {
      expectGate(now, 'private-ready', 'true');
      expectClear(now, 'XEniUnreachable');
    });
  });

  test.concurrent('an X-ENI that refuses, and one that speaks no TLS', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect(X_ENI[0]);
    await lab.servers.stop(LAST);
    const agent = await lab.startAgent(FLAGS);
    const stageOf = (stage: string) =>
      agent.eventually((view) => {
        expectGate(view, 'private-ready', 'false');
        expect(expectRaised(view, 'XEniUnreachable').address).toBe(LAST);
        // What shows no certificate has not shown the right one.
        expect(view.status.evaluated).not.toContain('XEniIdentityMismatch');
        expect(view.status.probes?.find(({ address }) => address === LAST)?.failedStage).toBe(stage);
      });
    await stageOf('tcp');
    await lab.servers.start([LAST], 'plain');
    await stageOf('tls');
    await lab.servers.replace(LAST, 'cluster');
    await agent.eventually((view) => expectGate(view, 'private-ready', 'true'));
  });

  test.concurrent("another cluster's API server at an X-ENI's address", async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect(X_ENI[0]);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectGate(view, 'private-ready', 'true');
      expectClear(view, 'XEniIdentityMismatch');
    });
    await lab.servers.replace(LAST, 'other');
    const view = await agent.eventually((now) => {
      expectGate(now, 'private-ready', 'false');
      expectGate(now, 'public-free', 'false');
      expectClear(now, 'XEniUnreachable');
      expect(expectRaised(now, 'XEniIdentityMismatch')).toMatchObject({
        severity: 'critical',
        address: LAST,
      });
    });
    expect(view.status.probes?.find(({ address }) => address === LAST)?.failedStage).toBe('identity');
    await lab.servers.replace(LAST, 'cluster');
    await agent.eventually((now) => {
      expectGate(now, 'private-ready', 'true');
      expectClear(now, 'XEniIdentityMismatch');
    });
  });

  test.concurrent('are one whole handshake each, and no connection of a client', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI[0]);
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR, '--probe-interval=1s']);
    await agent.eventually((view) => expectGate(view, 'private-ready', 'true'));
    await agent.during(5, (view) => {
      expect(connectionsOf(view)).toHaveLength(1);
      expect(view.metrics.get('connection_opens_total', { client: 'kubelet', route: 'x-eni' })).toBe(0);
    });
    await lab.servers.replace(LAST, 'other');
    await agent.eventually((view) => expectGate(view, 'private-ready', 'false'));
    await agent.stop();
    // An API server writes a line for each handshake that is cut short.
    for (const address of X_ENI) {
      const { accepted, handshakes, ...broken } = await lab.servers.tally(address);
      expect(broken, address).toEqual({ brokenHandshakes: 0, broken: 0 });
      expect(handshakes, address).toBe(accepted);
      expect(handshakes, address).toBeGreaterThan(1);
    }
  });

  test.concurrent('also go to the public addresses that DNS gives, which are no X-ENIs', async () => {
    await using lab = await makeCluster({ slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    await lab.servers.stop(PUBLIC[0]);
    const agent = await lab.startAgent(FLAGS);
    const { status } = await agent.eventually((view) => {
      expectGate(view, 'private-ready', 'true');
      expect(view.metrics.get('probe_success', { address: PUBLIC[0] })).toBe(0);
      expect(view.metrics.get('probe_success', { address: PUBLIC[1] })).toBe(1);
      expectFindings(view, ['DnsPublic warning']);
    });
    expect(status.probes?.length).toBe(4);
  });

  test.concurrent('are off with --no-probe: no answer instead of a guess', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent([...FLAGS, '--no-probe']);
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
    await agent.during(2, (view) => {
      expect(view.status.probes).toBeNull();
      expect(view.metrics.text).not.toMatch(/^eks_endpoint_probe_/m);
      expect(view.metrics.get('scan_success', { stage: 'probe' })).toBeUndefined();
      expect(view.status.evaluated).not.toContain('XEniUnreachable');
      expectGate(view, 'private-ready', 'unknown');
      expectGate(view, 'public-free', 'unknown');
    });
    expect((await lab.servers.tally(LAST)).accepted + (await lab.servers.tally(X_ENI[0])).accepted).toBe(1);
  });

  test.concurrent('check probes once, and leaves the ten seconds to others', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const check = async () => {
      const { stdout, stderr } = await lab.run(['check', '--output=json', ...FLAGS]);
      const status: {
        readonly gates: readonly { readonly gate: string; readonly state: string; readonly reason: string }[];
      } = JSON.parse(stdout || stderr);
      return new Map(status.gates.map(({ gate, ...rest }) => [gate, rest]));
    };
    const good = await check();
    expect(good.get('private-ready')?.state).toBe('true');
    expect(good.get('public-free')).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/10 s|ten seconds|seconds/),
    });
    await lab.network.silence(LAST);
    const bad = await check();
    expect(bad.get('private-ready')).toMatchObject({ state: 'false', reason: expect.stringContaining(LAST) });
    expect(bad.get('public-free')?.state).toBe('false');
  });
});
