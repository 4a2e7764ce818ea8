/** Every metric that a query of ours may use: the exporter's own, what the rules record, and a few of others. */
import { ALERTS, exprOf, RECORDING_RULES } from '../../scripts/monitoring/rules.ts';
import { FAMILIES } from '../../src/output/families.ts';
import type { Family } from '../../src/output/family.ts';
import { checkQuery, type Metrics } from './metrics-used.ts';

type LabelsOf = ReadonlyMap<string, readonly string[] | null>;

/** What a scrape gives to every series, by the examples in deploy/prometheus/scrape. */
const TARGET_LABELS = ['cluster', 'job', 'instance', 'node'];

/** Others' metrics, with who gives them and their labels beside the target's. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  // Prometheus itself, of each target.
  up: [],
  scrape_duration_seconds: [],
  scrape_samples_scraped: [],
  // kube-state-metrics; `node` is its own label there.
  kube_node_info: ['os_image'],
};

/** `families` other than the real ones are for the tests of this check itself. */
export function metricsWith(families: readonly Pick<Family, 'name' | 'labels'>[] = FAMILIES): Metrics {
  const metrics = new Map<string, LabelsOf>();
  for (const { name, labels } of families) {
    metrics.set(
      name,
      new Map([
        ...open(TARGET_LABELS),
        ...Object.entries(labels).map(([label, values]): [string, readonly string[] | null] => [
          label,
          typeof values === 'string' ? null : values,
        ]),
      ]),
    );
  }
  for (const [name, labels] of Object.entries(OTHERS)) {
    metrics.set(name, new Map(open([...TARGET_LABELS, ...labels])));
  }
  // The rules can use those above them.
  for (const { record, expr } of RECORDING_RULES) {
    metrics.set(record, labelsMade([...checkQuery(expr, metrics).labels], expr, metrics));
  }
  const ofAlerts = ALERTS.flatMap((alert) => [...checkQuery(exprOf(alert), metrics).labels]);
  metrics.set(
    'ALERTS',
    new Map<string, readonly string[] | null>([
      ...open([...TARGET_LABELS, ...ofAlerts]),
      ['alertname', ALERTS.map(({ name }) => name)],
      ['alertstate', ['pending', 'firing']],
      ['severity', [...new Set(ALERTS.map(({ severity }) => severity))]],
    ]),
  );
  return metrics;
}

/** The labels of what a rule records; their values are those of the metrics that it is made of. */
function labelsMade(labels: readonly string[], expr: string, metrics: Metrics): LabelsOf {
  const sources = [...checkQuery(expr, metrics).metrics].flatMap((name) => metrics.get(name) ?? []);
  return new Map(
    labels.map((label): [string, readonly string[] | null] => {
      const values = sources.flatMap((source) => (source.has(label) ? [source.get(label) ?? null] : []));
      return [label, values.includes(null) ? null : [...new Set(values.flatMap((one) => one ?? []))]];
    }),
  );
}

function open(labels: readonly string[]): [string, readonly string[] | null][] {
  return labels.map((label) => [label, null]);
}
