/** The endpoint's name comes from the kubelet's kubeconfig; while that cannot be used, the node is `unknown`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Agent } from './lib/agent.ts';
import { makeCluster, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { expectNeverXEni, expectRoute } from './lib/expect.ts';
import type { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';
import type { View } from './lib/views.ts';

const BROKEN = [
  { what: 'missing', text: null, reason: 'ENOENT' },
  { what: 'no YAML', text: 'clusters: [}', reason: 'YAML' },
  { what: 'without a server', text: 'apiVersion: v1\nkind: Config\nclusters: []\n', reason: 'kubeconfig' },
] as const;

describeOnSockets('a kubeconfig that cannot be used', () => {
  test.concurrent.for(BROKEN)(
    '$what: the stage says so, and recovers once the file is mended',
    async (broken) => {
      await using lab = await makeCluster({ answer: X_ENI });
      const agent = await startWith(lab, broken, '1s');
      await writeFile(pathIn(lab), lab.kubeconfigText());
      await agent.eventually(expectRecovered);
    },
  );

  test.concurrent('recovers also while it is scraped more often than it looks by itself', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    const agent = await startWith(lab, BROKEN[0], '5s');
    await writeFile(pathIn(lab), lab.kubeconfigText());
    await agent.eventually(expectRecovered);
  });

  test.concurrent('recovers at once on SIGHUP', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    // The agent's own next look is further away than this test is patient.
    const agent = await startWith(lab, BROKEN[0], '60s');
    await writeFile(pathIn(lab), lab.kubeconfigText());
    agent.signal('SIGHUP');
    await agent.eventually(expectRecovered);
  });
});

async function startWith(lab: Lab, broken: (typeof BROKEN)[number], interval: string): Promise<Agent> {
  if (broken.text !== null) await writeFile(pathIn(lab), broken.text);
  const kubelet = await lab.startClient('kubelet', { kubeconfig: pathIn(lab) });
  await kubelet.connect();
  const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR, `--scan-interval=${interval}`]);
  const { status } = await agent.eventually((view) => {
    expectRoute(view, 'unknown');
    expect(view.metrics.get('scan_success', { stage: 'endpoint' })).toBe(0);
    expect(view.metrics.get('scan_success', { stage: 'sockets' })).toBe(1);
    expect(view.status.endpoint).toBeNull();
  });
  const error = status.stages.find(({ stage }) => stage === 'endpoint')?.error;
  expect(error).toContain(pathIn(lab));
  expect(error).toContain(broken.reason);
  expect(status.routeReason).toContain(pathIn(lab));
  expectNeverXEni(agent);
  const check = await lab.run(['check', '--expect=x-eni', VPC_CIDR]);
  expect(check.code, check.stdout + check.stderr).toBe(2);
  return agent;
}

function expectRecovered(view: View): void {
  expectRoute(view, 'x-eni');
  expect(view.metrics.get('scan_success', { stage: 'endpoint' })).toBe(1);
  expect(view.status.endpoint?.source).toBe('kubelet-kubeconfig');
}

function pathIn(lab: Lab): string {
  return join(lab.folder, 'kube', 'other');
}
