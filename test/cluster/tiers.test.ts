/** With fewer rights than daemonset.yaml gives, in a real cluster: what the agent then says, and what it never says. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { X_ENI } from '../e2e/lib/cluster.ts';
import { expectGate, expectNeverXEni, expectRaised, expectRoute } from '../e2e/lib/expect.ts';
import { Cluster } from './lib/cluster.ts';
import { Exporter } from './lib/exporter.ts';
import { describeOnCluster } from './lib/tools.ts';

describeOnCluster('the DaemonSet with fewer rights', () => {
  let cluster: Cluster;
  let exporter: Exporter;

  beforeAll(async () => {
    cluster = await Cluster.make();
    exporter = await Exporter.prepare(cluster);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  test('deploy/address as it is ends at once and says what is to be filled in', async () => {
    await exporter.apply({ components: ['deploy/address'] });
    const exitCode =
      '--output=jsonpath={.items[*].status.containerStatuses[*].lastState.terminated.exitCode}';
    await cluster.eventually('the agent has refused its flags', async () => {
      return (await exporter.kubectl('get', 'pods', exitCode)) === '64';
    });
    expect(await exporter.log()).toContain('<fill in the endpoint of the cluster>');
  });

  test('deploy/address with the endpoint knows public connections, without any capability', async () => {
    const env = { EKS_ENDPOINT_ENDPOINT: `https://${cluster.hostname}` };
    await exporter.apply({ components: ['deploy/address'], env });
    await exporter.rolledOut();
    const { status } = await exporter.eventually((view) => {
      expectRoute(view, 'public');
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'false');
      expect(view.status.attribution).toBe('address');
    });
    expect(status.findings).toEqual([]);
    expect(status.xEni?.sources).toEqual(['endpointslice']);
    const fields = await exporter.process();
    expect(fields.get('Uid')?.split('\t')).toEqual(['65532', '65532', '65532', '65532']);
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) expect(fields.get(set), set).toBe('0000000000000000');
  });

  test('there it follows the migration until nothing is public, and never says x-eni', async () => {
    await cluster.flipDns(X_ENI);
    await cluster.kubelet.restart();
    await exporter.eventually((view) => {
      expectRoute(view, 'mixed');
      expectGate(view, 'public-free', 'false');
    });
    await cluster.rolloutKubeProxy();
    await exporter.eventually((view) => {
      expectRoute(view, 'unknown');
      expect(view.metrics.get('connections', { client: 'unattributed', route: 'x-eni' })).toBeGreaterThan(1);
      expectGate(view, 'private-ready', 'true');
      expectGate(view, 'public-free', 'unknown');
    });
    expectNeverXEni(exporter);
  });

  test('another uid is given no capability by Kubernetes: the agent says that it is blind, and what it needs', async () => {
    await exporter.applyManifest();
    await exporter.eventually((view) => expectRoute(view, 'x-eni'));
    const user = { runAsUser: 65532, runAsGroup: 65532, runAsNonRoot: true };
    const container = { name: 'exporter', securityContext: user };
    const patch = JSON.stringify({ spec: { template: { spec: { containers: [container] } } } });
    await exporter.kubectl('patch', 'daemonset', 'eks-endpoint-exporter', `--patch=${patch}`);
    await exporter.rolledOut();
    const view = await exporter.eventually((each) => {
      expectRoute(each, 'unknown');
      expectRaised(each, 'Blind');
    });
    expect(expectRaised(view, 'Blind').remedy).toContain('SYS_PTRACE');
    const fields = await exporter.process();
    expect(fields.get('CapEff')).toBe('0000000000000000');
    // It is in the bounding set, so that the manifest did ask for it.
    expect(fields.get('CapBnd')).toBe('0000000000080000');
  });
});
