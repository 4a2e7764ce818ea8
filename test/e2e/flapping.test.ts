/** Sources that say one thing and then another, every second: never a false green, and the agent lives. */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, X_ENI } from './lib/cluster.ts';
import { expectNeverXEni, expectRoute } from './lib/expect.ts';
import type { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';

const SECONDS = 20;
const CIDRS = ['192.168.0.0/16'];
const FLAGS = ['--expect=x-eni', '--probe-interval=1s'];

describeOnSockets('every source flaps every second', () => {
  test.concurrent('a public connection is never taken for anything else', async () => {
    await using lab = await makeCluster({ slice: X_ENI, imds: CIDRS });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect(X_ENI[0]);
    await kubelet.connect(PUBLIC[0]);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expect(view.status.clients[0]?.connections?.length).toBe(2));
    const flapping = flap(lab);
    await agent.during(SECONDS, ({ status, metrics }) => {
      expect(['mixed', 'unknown']).toContain(status.route);
      expect(metrics.get('gate', { gate: 'public-free', state: 'true' })).toBe(0);
    });
    await flapping;
    expectNeverXEni(agent);
  });

  test.concurrent('connections to X-ENIs are X-ENIs again as soon as it has ended', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI, imds: CIDRS });
    await (await lab.startClient('kubelet')).connect(X_ENI[0]);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
    const flapping = flap(lab);
    await agent.during(SECONDS, ({ status }) =>
      expect(['x-eni', 'unknown', 'other']).toContain(status.route),
    );
    await flapping;
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.metrics.get('dns_changes_total')).toBeGreaterThan(2);
    });
  });
});

async function flap(lab: Lab): Promise<void> {
  for (let second = 0; second < SECONDS; second += 1) {
    const isGood = second % 2 === 0;
    await lab.dns.answer(isGood ? X_ENI : PUBLIC);
    await (isGood ? lab.slice.give(X_ENI) : lab.slice.reply({ status: 500 }));
    await (isGood ? lab.imds.give(CIDRS) : lab.imds.reply({ status: 200, body: '<html></html>' }));
    await (isGood ? lab.servers.stop(X_ENI[1]) : lab.servers.start([X_ENI[1]]));
    await setTimeout(1000);
  }
  await lab.dns.answer(X_ENI);
}
