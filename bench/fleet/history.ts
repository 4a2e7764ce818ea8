/**
 * The past of a made fleet as Prometheus would have scraped it, for `promtool tsdb create-blocks-from openmetrics`.
 *
 * In the order of time, a scrape after the other, because a fleet's past does not fit into memory family by family.
 * promtool does not mind; it needs no metadata either, which would have to be said before each family's samples.
 */
import { JOB } from '../../scripts/monitoring/rules.ts';
import type { Fleet } from './fleet.ts';

export interface HistoryOptions {
  readonly startMs: number;
  readonly endMs: number;
  /** From scrape to scrape. The fewer, the smaller; queries look back five minutes. */
  readonly stepMs: number;
  /** Of these nodes alone; without it of all. */
  readonly indexes?: readonly number[];
  /** Further labels of every series, `cluster` for example. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether kube-state-metrics is scraped too. It is, unless said otherwise. */
  readonly kubeStateMetrics?: boolean;
}

/** The lines, scrape by scrape. */
export async function* writeHistory(
  fleet: Fleet,
  {
    startMs,
    endMs,
    stepMs,
    indexes = fleet.nodes.map((_, index) => index),
    labels = {},
    kubeStateMetrics = true,
  }: HistoryOptions,
): AsyncGenerator<string> {
  for (let atMs = startMs; atMs <= endMs; atMs += stepMs) {
    for (const index of indexes) {
      const node = fleet.nodes[index];
      if (node === undefined) continue;
      const target = { ...labels, job: JOB, instance: node.instance, node: node.name };
      yield scrape(await fleet.metricsOf(index, atMs), target, atMs);
    }
    const target = { ...labels, job: 'kube-state-metrics', instance: '10.0.40.30:8080' };
    if (kubeStateMetrics) yield scrape(fleet.kubeStateMetrics(), target, atMs);
  }
  yield '# EOF\n';
}

/** What Prometheus stores of one scrape; null: the target did not answer. */
function scrape(exposition: string | null, target: Readonly<Record<string, string>>, atMs: number): string {
  const labels = Object.entries(target)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',');
  const seconds = atMs / 1000;
  const samples = (exposition ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const lines = samples.map((line) =>
    // The first space or brace ends the name; a space in a label's value comes later.
    /^\w+\{/.test(line) ? line.replace('{', `{${labels},`) : line.replace(' ', `{${labels}} `),
  );
  const own = [
    ['up', exposition === null ? 0 : 1],
    ['scrape_duration_seconds', 0.004],
    ['scrape_samples_scraped', samples.length],
    ['scrape_samples_post_metric_relabeling', samples.length],
    ['scrape_series_added', 0],
  ].map(([name, value]) => `${name}{${labels}} ${value}`);
  return [...lines, ...own].map((line) => `${line} ${seconds}\n`).join('');
}
