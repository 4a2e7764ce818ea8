/** What the kernel's tables show of connections that do not get through: the same socket, for ten seconds. */
import { expect, test } from 'vitest';
import { makeCluster, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { expectClear, expectRaised, expectRoute } from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR, '--probe-interval=1h'];
const [HEALTHY, LAST] = X_ENI;
const SECONDS = 1000;

describeOnSockets('passive signs', () => {
  test.concurrent('ConnectStuck: a connection that nobody answers', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(HEALTHY);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectClear(view, 'ConnectStuck');
    });
    await lab.network.silence(LAST);
    const since = performance.now();
    const id = await kubelet.program.begin({ host: LAST, port: 443 });
    await agent.eventually((view) => {
      expect(view.metrics.get('connecting', { client: 'kubelet' })).toBe(1);
      expectClear(view, 'ConnectStuck');
    });
    await agent.eventually((view) =>
      expect(expectRaised(view, 'ConnectStuck')).toMatchObject({
        ...{ severity: 'warning', client: 'kubelet', address: LAST },
      }),
    );
    expect(performance.now() - since).toBeGreaterThan(10 * SECONDS);
    await kubelet.program.close({ id });
    await agent.eventually((view) => {
      expect(view.metrics.get('connecting', { client: 'kubelet' })).toBe(0);
      expectClear(view, 'ConnectStuck');
    });
  });

  test.concurrent('several short attempts are not one long one', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(HEALTHY);
    await lab.network.silence(LAST);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expectClear(view, 'ConnectStuck'));
    let connecting = 0;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const id = await kubelet.program.begin({ host: LAST, port: 443 });
      await agent.during(3, (view) => {
        expectClear(view, 'ConnectStuck');
        connecting += view.metrics.get('connecting', { client: 'kubelet' }) ?? 0;
      });
      await kubelet.program.close({ id });
    }
    expect(connecting).toBeGreaterThan(0);
  });

  test.concurrent('Retransmitting: a connection whose peer does not answer any more', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(HEALTHY);
    const held = await kubelet.connect(LAST);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectClear(view, 'Retransmitting');
    });
    await lab.network.silence(LAST);
    const since = performance.now();
    await kubelet.program.write(held, 'heartbeat');
    await agent.eventually((view) =>
      expect(expectRaised(view, 'Retransmitting')).toMatchObject({
        ...{ severity: 'warning', client: 'kubelet', address: LAST },
      }),
    );
    expect(performance.now() - since).toBeGreaterThan(10 * SECONDS);
    await agent.eventually((view) => {
      expect(view.metrics.get('retransmitting_connections', { client: 'kubelet' })).toBe(1);
      expect(
        view.status.clients[0]?.connections?.find(({ local }) => local === held.local)?.retransmits,
      ).toBeGreaterThan(1);
    });
    await lab.network.restore(LAST);
    await agent.eventually((view) => {
      expectClear(view, 'Retransmitting');
      expect(view.metrics.get('retransmitting_connections', { client: 'kubelet' })).toBe(0);
    });
  });
});
