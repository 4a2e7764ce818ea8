/** The example scrape configurations, each as Prometheus would be given it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './manifests.ts';

interface RelabelConfig {
  readonly source_labels?: readonly string[];
  readonly regex?: string;
  readonly action?: string;
  readonly target_label?: string;
  readonly replacement?: string;
}

export interface Discovery {
  readonly role: string;
  readonly namespaces?: { readonly names: readonly string[] };
}

export interface ScrapeJob {
  readonly job_name: string;
  readonly kubernetes_sd_configs: readonly Discovery[];
  readonly relabel_configs: readonly RelabelConfig[];
}

export interface ScrapeConfig {
  readonly global: {
    readonly scrape_interval: string;
    readonly scrape_timeout: string;
    readonly external_labels?: Readonly<Record<string, string>>;
  };
  readonly rule_files?: readonly string[];
  readonly scrape_configs: readonly ScrapeJob[];
}

interface Collector {
  readonly spec: {
    readonly config: { readonly receivers: { readonly prometheus: { readonly config: object } } };
  };
}

interface PodMonitor {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly jobLabel: string;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly podMetricsEndpoints: readonly {
      readonly port: string;
      readonly path: string;
      readonly interval: string;
      readonly scrapeTimeout: string;
      readonly relabelings: readonly (
        | {
            readonly action: 'replace';
            readonly sourceLabels: readonly string[];
            readonly targetLabel: string;
          }
        | { readonly action: 'labeldrop'; readonly regex: string }
      )[];
    }[];
  };
}

const FOLDER = join(ROOT, 'deploy/prometheus/scrape');

/** Files below deploy/prometheus/scrape. */
export const EXAMPLES = ['prometheus.yaml', 'amp-scraper.yaml', 'adot.yaml'] as const;

/** What Prometheus, or what reads its configuration, is given of an example. */
export function scrapeConfigOf(example: (typeof EXAMPLES)[number]): ScrapeConfig {
  const text = readFileSync(join(FOLDER, example), 'utf8');
  if (example !== 'adot.yaml') return parse(text);
  const collector: Collector = parse(text);
  // A `$` alone is the collector's: it would put a variable of its environment there.
  const config = JSON.stringify(collector.spec.config.receivers.prometheus.config);
  if (/(?<!\$)\$(?!\$)/.test(config)) throw new SyntaxError(`Cannot take a single "$" in "${example}"`);
  return JSON.parse(config.replaceAll('$$', '$'));
}

/**
 * deploy/podmonitor as a job, as the Prometheus Operator makes one of it (pkg/prometheus/promcfg.go): the pods by label,
 * port and phase, its own labels, then those of the monitor.
 */
export function podMonitorJobs(): readonly (ScrapeJob & { readonly scrape_interval: string })[] {
  const monitor: PodMonitor = parse(readFileSync(join(ROOT, 'deploy/podmonitor/podmonitor.yaml'), 'utf8'));
  const { jobLabel, selector, podMetricsEndpoints } = monitor.spec;
  return podMetricsEndpoints.map(({ port, path, interval, scrapeTimeout, relabelings }, index) => ({
    job_name: `podMonitor/${monitor.metadata.namespace}/${index}`,
    kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: [monitor.metadata.namespace] } }],
    ...{ metrics_path: path, scrape_interval: interval, scrape_timeout: scrapeTimeout },
    relabel_configs: [
      { source_labels: ['__meta_kubernetes_pod_phase'], regex: '(Failed|Succeeded)', action: 'drop' },
      ...Object.entries(selector.matchLabels).map(([label, value]) => ({
        ...{ source_labels: [podLabel(label)], regex: value, action: 'keep' },
      })),
      { source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: port, action: 'keep' },
      { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
      { source_labels: ['__meta_kubernetes_pod_container_name'], target_label: 'container' },
      { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
      { source_labels: [podLabel(jobLabel)], target_label: 'job', regex: '(.+)' },
      { target_label: 'endpoint', replacement: port },
      ...relabelings.map((one) =>
        one.action === 'replace'
          ? { source_labels: one.sourceLabels, target_label: one.targetLabel, action: one.action }
          : one,
      ),
    ],
  }));
}

/** As Prometheus names a label of a pod: what a label of its own may not have becomes `_`. */
function podLabel(label: string): string {
  return `__meta_kubernetes_pod_label_${label.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;
}
