/** The cluster's endpoint access, told by what DNS says inside and outside the VPC. */
import { expect, test } from 'vitest';
import { ACCESS_MODES, type AccessMode } from '../../src/model/status.ts';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { OUTSIDE_FLAG } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';
import type { View } from './lib/views.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR, OUTSIDE_FLAG];

describeOnSockets('access mode', () => {
  test.concurrent('public, then both, then private: as an operator switches', async () => {
    await using lab = await makeCluster({ outside: PUBLIC, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expectMode(view, 'public'));
    await lab.flipDns(X_ENI);
    await agent.eventually((view) => expectMode(view, 'public-and-private'));
    await lab.outside.answer(X_ENI);
    await agent.eventually((view) => expectMode(view, 'private'));
    lab.outside.stop();
    await agent.during(3, (view) => expectMode(view, 'private'));
  });

  test.concurrent.for([
    { what: 'without an outside resolver', flags: [VPC_CIDR], resolver: '192.168.0.2' },
    {
      what: 'with a resolver of the own network, as on hybrid nodes',
      flags: [VPC_CIDR, OUTSIDE_FLAG],
      resolver: '10.99.0.53',
    },
    { what: "without the VPC's CIDRs", flags: [OUTSIDE_FLAG], resolver: '192.168.0.2' },
  ])('$what it is unknown', async ({ flags, resolver }) => {
    await using lab = await makeCluster({ outside: PUBLIC, slice: X_ENI, resolver });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(flags);
    await agent.eventually((view) => expect(view.status.route).toBe('public'));
    await agent.during(2, (view) => expectMode(view, 'unknown'));
  });
});

function expectMode({ status, metrics }: View, mode: AccessMode): void {
  expect(status.accessMode).toBe(mode);
  for (const each of ACCESS_MODES) {
    expect(metrics.get('access_mode', { mode: each }), each).toBe(each === mode ? 1 : 0);
  }
}
