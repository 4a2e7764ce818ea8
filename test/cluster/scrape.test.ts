/** A real Prometheus finds the DaemonSet's pod in a real cluster, by the shipped examples and with the shipped rights. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { JOB } from '../../scripts/monitoring/rules.ts';
import { NODE, X_ENI } from '../e2e/lib/cluster.ts';
import { programs, RELEASES } from '../prometheus/lib/programs.ts';
import { Prometheus } from '../prometheus/lib/server.ts';
import { ROOT } from '../support/manifests.ts';
import { type Discovery, podMonitorJobs, type ScrapeConfig, scrapeConfigOf } from '../support/scrape.ts';
import { Cluster } from './lib/cluster.ts';
import { Exporter } from './lib/exporter.ts';
import { describeOnCluster } from './lib/tools.ts';

const RBAC = join(ROOT, 'deploy/prometheus/rbac.yaml');
/** As rbac.yaml has it. */
const NAMESPACE = 'monitoring';
const ACCOUNT = 'prometheus';
const INSTANCE = `${NODE}:10943`;

describeOnCluster('a Prometheus with the shipped scrape configuration', () => {
  let cluster: Cluster;
  let prometheus: Prometheus;

  beforeAll(async () => {
    cluster = await Cluster.make();
    await Exporter.install(cluster);
    await cluster.kubectl(['create', 'namespace', NAMESPACE]);
    await cluster.kubectl(['create', 'serviceaccount', ACCOUNT, `--namespace=${NAMESPACE}`]);
    await cluster.kubectl(['apply', '--validate=strict', `--filename=${RBAC}`]);
    const token = (await cluster.kubectl(['create', 'token', ACCOUNT, `--namespace=${NAMESPACE}`])).trim();
    const [release] = RELEASES.filter(({ name }) => name === '3');
    if (release === undefined) throw new RangeError('Cannot find Prometheus 3');
    prometheus = await Prometheus.start(await programs(release), {
      place: { host: cluster.hosts.node, ask: (url) => cluster.window.fetch(url) },
      config: fromOutside(scrapeConfigOf('prometheus.yaml'), token),
    });
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** The example, and the PodMonitor beside it; it does not run in a pod, which would know the API server and be logged in. */
  function fromOutside({ scrape_configs: jobs, ...config }: ScrapeConfig, token: string): object {
    const logIn = (discovery: Discovery) => ({
      ...discovery,
      ...{ api_server: `https://${X_ENI[0]}`, tls_config: { ca_file: cluster.caFile } },
      authorization: { credentials: token },
    });
    return {
      ...config,
      rule_files: [join(ROOT, 'deploy/prometheus/rules.yaml')],
      scrape_configs: [...jobs, ...podMonitorJobs()].map((job) => ({
        ...job,
        kubernetes_sd_configs: job.kubernetes_sd_configs.map(logIn),
      })),
    };
  }

  test('scrapes the agent as the job that the rules know, with the name of its node', async () => {
    const up = await prometheus.daemon.eventually(async () => {
      const found = await prometheus.query(`up{job="${JOB}",endpoint=""}`);
      expect(found.map(({ value }) => value)).toEqual([1]);
      return found[0]?.labels;
    });
    expect(up).toEqual({ __name__: 'up', job: JOB, instance: INSTANCE, node: cluster.nodeName });
    const routes = await prometheus.query('eks_endpoint_node_route{endpoint=""}');
    expect(routes).toHaveLength(6);
    for (const { labels } of routes) expect(labels).toMatchObject({ job: JOB, node: cluster.nodeName });
  });

  test('by the PodMonitor likewise', async () => {
    const up = await prometheus.daemon.eventually(async () => {
      const found = await prometheus.query(`up{job="${JOB}",endpoint="metrics"}`);
      expect(found.map(({ value }) => value)).toEqual([1]);
      return found[0]?.labels;
    });
    expect(up).toMatchObject({ instance: INSTANCE, node: cluster.nodeName, container: 'exporter' });
    const routes = await prometheus.query('eks_endpoint_node_route{endpoint="metrics"} == 1');
    expect(routes.map(({ labels }) => labels['node'])).toEqual([cluster.nodeName]);
  });

  test('nothing of the agent is left without a node, nor renamed for a label that it has itself', async () => {
    expect(await prometheus.query('{__name__=~"eks_endpoint_.+",node=""}')).toEqual([]);
    const labels = (await prometheus.query(`{job="${JOB}"}`)).flatMap((sample) => Object.keys(sample.labels));
    expect(labels.filter((label) => label.startsWith('exported_'))).toEqual([]);
  });

  test('its rights suffice, and are no more than it looks for', async () => {
    expect(prometheus.daemon.log).not.toContain('forbidden');
    const may = async (namespace: string, ...words: readonly string[]) => {
      const account = `--as=system:serviceaccount:${NAMESPACE}:${ACCOUNT}`;
      const { stdout } = await cluster.tryKubectl([
        'auth',
        'can-i',
        ...words,
        account,
        `--namespace=${namespace}`,
      ]);
      return stdout.trim();
    };
    expect(await may('kube-system', 'list', 'pods')).toBe('yes');
    expect(await may('default', 'list', 'pods')).toBe('no');
    expect(await may('kube-system', 'get', 'secrets')).toBe('no');
    expect(await may('eks-endpoint-exporter', 'create', 'pods/exec')).toBe('no');
  });
});
