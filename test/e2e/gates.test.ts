/** The gates of a switch, on a node that moves and moves back. */
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { expectGate, expectRoute } from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR];

describeOnSockets('gates', () => {
  test.concurrent('public-free needs ten seconds on the X-ENIs, and one public connection ends it', async () => {
    await using lab = await makeCluster({ slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    const old = await kubelet.connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'false');
    });
    await lab.flipDns(X_ENI);
    await kubelet.connect();
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectGate(view, 'public-free', 'false');
    });
    await kubelet.program.close(old);
    const moved = performance.now();
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectGate(view, 'public-free', 'unknown');
    });
    await agent.eventually((view) => expectGate(view, 'public-free', 'true'));
    expect(performance.now() - moved).toBeGreaterThan(10_000);
    const back = await kubelet.connect(PUBLIC[0]);
    await agent.eventually((view) => {
      expectRoute(view, 'mixed');
      expectGate(view, 'public-free', 'false');
      expectGate(view, 'private-ready', 'true');
    });
    await kubelet.program.close(back);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectGate(view, 'public-free', 'unknown');
    });
    expect((await lab.slice.statuses()).length).toBeGreaterThan(0);
  });

  test.concurrent('public-free is false while DNS gives a public address, wherever the connections are', async () => {
    await using lab = await makeCluster({ slice: X_ENI });
    await (await lab.startClient('kubelet')).connect(X_ENI[0]);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'false');
    });
  });

  test.concurrent('nothing is known of X-ENIs: private-ready is unknown', async () => {
    await using lab = await makeCluster();
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expect(view.metrics.get('probe_success', { address: PUBLIC[0] })).toBe(1);
    });
    await agent.during(2, (view) => {
      expectGate(view, 'private-ready', 'unknown');
      expectGate(view, 'public-free', 'false');
    });
  });
});
