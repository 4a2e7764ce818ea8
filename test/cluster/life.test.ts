/** The DaemonSet comes, is renewed, and goes: nothing stays behind, neither in the cluster nor on the node. */
import { globSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectRoute } from '../e2e/lib/expect.ts';
import { Cluster } from './lib/cluster.ts';
import { Exporter, NAME } from './lib/exporter.ts';
import { difference, inventory } from './lib/inventory.ts';
import { describeOnCluster } from './lib/tools.ts';

/** For kubelet to clean up behind a pod: it removes dead containers once a minute. */
const PATIENCE_MS = 90_000;

describeOnCluster('the life of the DaemonSet', () => {
  let cluster: Cluster;
  let exporter: Exporter;
  let before: readonly string[];

  beforeAll(async () => {
    cluster = await Cluster.make();
    exporter = await Exporter.prepare(cluster);
    before = await inventory(cluster);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test('it is rolled out, and by another pod when it is restarted', async () => {
    await exporter.applyManifest();
    await exporter.eventually((view) => expectRoute(view, 'public'));
    const first = (await exporter.process()).get('Pid');
    await exporter.kubectl('rollout', 'restart', `daemonset/${NAME}`);
    await exporter.rolledOut();
    await exporter.eventually((view) => expectRoute(view, 'public'));
    expect((await exporter.process()).get('Pid')).not.toBe(first);
    expect(await exporter.kubectl('get', 'pods', '--output=jsonpath={.items[*].status.phase}')).toBe(
      'Running',
    );
  });

  test('what is there of it is what was measured, as long as it is there', async () => {
    const now = (await inventory(cluster)).filter((item) => !before.includes(item));
    expect(now.filter((item) => item.startsWith('DaemonSet '))).toEqual([`DaemonSet ${NAME}/${NAME}`]);
    expect(now.filter((item) => item.startsWith('Role '))).toEqual([`Role default/${NAME}`]);
    for (const kind of ['container', 'cgroup', 'mount', 'process', 'folder']) {
      expect(now.filter((item) => item.startsWith(`${kind} `)).length, kind).toBeGreaterThan(0);
    }
  });

  test('uninstalled, it has left nothing', async () => {
    await exporter.uninstall();
    const deadline = performance.now() + PATIENCE_MS;
    let left = difference(await inventory(cluster), before);
    while (left.length > 0 && performance.now() < deadline) {
      await sleep(1000);
      left = difference(await inventory(cluster), before);
    }
    expect(left).toEqual([]);
  });

  test('and of the cluster of these tests nothing stays on the machine', async () => {
    const { folder, hosts } = cluster;
    expect(globSync(`/sys/fs/cgroup{,/*}${hosts.cgroup}`)).not.toEqual([]);
    await cluster[Symbol.asyncDispose]();
    await expect(access(folder)).rejects.toThrow('ENOENT');
    expect(globSync(`/sys/fs/cgroup{,/*}${hosts.cgroup}`)).toEqual([]);
  });
});
