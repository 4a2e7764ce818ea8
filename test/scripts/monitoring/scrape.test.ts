/** The example scrape configurations: each finds the shipped pods, and gives its series the node and the job's name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { JOB } from '../../../scripts/monitoring/rules.ts';
import { at, ROOT, readManifest } from '../../support/manifests.ts';
import { EXAMPLES, podMonitorJobs, type ScrapeJob, scrapeConfigOf } from '../../support/scrape.ts';

/** The pods of daemonset.yaml. */
const DAEMON_SET = readManifest('daemonset.yaml').find(
  ({ value }) => at(value, 'kind') === 'DaemonSet',
)?.value;
const TEMPLATE = at(DAEMON_SET, 'spec', 'template');
const CONFIGS = EXAMPLES.map((example) => ({ example, config: scrapeConfigOf(example) }));
const JOBS = CONFIGS.map(({ example, config }) => ({
  example,
  job: config.scrape_configs.find(({ job_name: name }) => name === JOB),
}));

/** What Prometheus is told of a pod of the DaemonSet. */
const DISCOVERED: Readonly<Record<string, unknown>> = {
  __meta_kubernetes_pod_label_app_kubernetes_io_name: at(
    TEMPLATE,
    'metadata',
    'labels',
    'app.kubernetes.io/name',
  ),
  __meta_kubernetes_pod_container_port_name: at(TEMPLATE, 'spec', 'containers', 0, 'ports', 0, 'name'),
  __meta_kubernetes_pod_phase: 'Running',
  __meta_kubernetes_pod_node_name: 'node-1',
  __meta_kubernetes_pod_name: 'eks-endpoint-exporter-x1',
};

/** The labels that relabelling gives a target; null where it is dropped. Of the actions those that the examples use. */
function relabel(job: ScrapeJob | undefined, discovered: Readonly<Record<string, unknown>>) {
  let labels: Readonly<Record<string, unknown>> = { job: job?.job_name, ...discovered };
  for (const {
    source_labels: sources = [],
    regex = '.*',
    action,
    target_label: target,
    ...rest
  } of job?.relabel_configs ?? []) {
    const value = sources.map((label) => labels[label] ?? '').join(';');
    const matches = new RegExp(`^(?:${regex})$`).test(value);
    if (action === 'keep' ? !matches : action === 'drop' && matches) return null;
    if (action === 'labeldrop')
      labels = Object.fromEntries(
        Object.entries(labels).filter(([label]) => !new RegExp(`^(?:${regex})$`).test(label)),
      );
    if (target !== undefined && matches) labels = { ...labels, [target]: rest.replacement ?? value };
  }
  return labels;
}

test('every example is looked at', () => {
  const files = readdirSync(join(ROOT, 'deploy/prometheus/scrape')).filter((file) => file.endsWith('.yaml'));
  expect(files.toSorted()).toEqual(EXAMPLES.toSorted());
});

describe.each([...JOBS, { example: 'podmonitor', job: podMonitorJobs()[0] }])('$example', ({ job }) => {
  test('a running pod of the DaemonSet is scraped, with its node, by the name that the rules know', () => {
    expect(relabel(job, DISCOVERED)).toMatchObject({ node: 'node-1', job: JOB });
    const namespaces = job?.kubernetes_sd_configs.flatMap((each) => each.namespaces?.names);
    expect(namespaces).toEqual([at(DAEMON_SET, 'metadata', 'namespace')]);
  });

  test('no label is another one after a roll-out', () => {
    const labels = Object.entries(relabel(job, DISCOVERED) ?? {}).filter(
      ([label]) => !label.startsWith('__'),
    );
    expect(labels.map(([, value]) => value)).not.toContain('eks-endpoint-exporter-x1');
    expect(labels.map(([label]) => label)).toContain('node');
  });

  test.each([
    ['another pod', { __meta_kubernetes_pod_label_app_kubernetes_io_name: 'other' }],
    ['another port', { __meta_kubernetes_pod_container_port_name: 'health' }],
    ['an evicted pod', { __meta_kubernetes_pod_phase: 'Failed' }],
  ])('%s is not', (_, other) => {
    expect(relabel(job, { ...DISCOVERED, ...other })).toBeNull();
  });
});

describe.each(CONFIGS)('$example', ({ example, config }) => {
  test('its jobs are those of the other examples', () => {
    expect(config.scrape_configs).toEqual(CONFIGS[0]?.config.scrape_configs);
  });

  test('kube-state-metrics keeps the label node of its own', () => {
    const job = config.scrape_configs.find(({ job_name: name }) => name === 'kube-state-metrics');
    expect(job?.relabel_configs.map(({ target_label: target }) => target)).not.toContain('node');
    for (const port of ['http', 'http-metrics']) {
      const pod = { __meta_kubernetes_pod_label_app_kubernetes_io_name: 'kube-state-metrics' };
      expect(relabel(job, { ...pod, __meta_kubernetes_pod_container_port_name: port })).not.toBeNull();
    }
  });

  test('scrapes leave the agent time for a look', () => {
    const { scrape_interval: interval, scrape_timeout: timeout } = config.global;
    expect([interval, timeout]).toEqual([example === 'amp-scraper.yaml' ? '30s' : '15s', '10s']);
  });
});

test('the names of the cluster are one label, wherever it is set', () => {
  const collector = readManifest('deploy/prometheus/scrape/adot.yaml')[0]?.value;
  const written = at(collector, 'spec', 'config', 'exporters', 'prometheusremotewrite', 'external_labels');
  const others = CONFIGS.map(({ config }) => config.global.external_labels).filter(Boolean);
  expect([written, ...others]).toEqual(Array.from({ length: 3 }, () => ({ cluster: 'my-cluster' })));
});

test('the rights in rbac.yaml are for the namespaces that are looked into', () => {
  const roles = readManifest('deploy/prometheus/rbac.yaml').map(({ value }) => value);
  const namespaces = roles
    .filter((role) => at(role, 'kind') === 'RoleBinding')
    .map((role) => at(role, 'metadata', 'namespace'));
  const looked = scrapeConfigOf('prometheus.yaml').scrape_configs.flatMap(({ kubernetes_sd_configs: each }) =>
    each.flatMap((discovery) => discovery.namespaces?.names ?? []),
  );
  expect(namespaces).toEqual(looked);
});

test('what README.md names is there, and every example is named', () => {
  const folder = join(ROOT, 'deploy/prometheus/scrape');
  const text = readFileSync(join(folder, 'README.md'), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target);
  for (const target of targets) expect(existsSync(join(folder, target)), target).toBe(true);
  for (const example of EXAMPLES) expect(targets).toContain(example);
});
