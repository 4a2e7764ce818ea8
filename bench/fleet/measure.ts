/** What a fleet costs a running Prometheus, as that says itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { JOB } from '../../scripts/monitoring/rules.ts';
import type { Prometheus, Range } from '../../test/prometheus/lib/server.ts';
import { median } from '../support.ts';

const POLL_MS = 5_000;
const TIMES = 5;
/** `up` and four `scrape_` series. */
const OF_THE_SCRAPE = 5;
const SELECTOR = `{job="${JOB}"}`;

export interface Query {
  /** What is loaded or evaluated together. */
  readonly group: string;
  /** Where it stands, for people. */
  readonly name: string;
  readonly query: string;
  /** Null: an instant query. */
  readonly range: Range | null;
  /** Whether it may be that nothing comes back. */
  readonly mayBeEmpty: boolean;
}

export interface TimedQuery extends Query {
  readonly medianMs: number;
  readonly maxMs: number;
  readonly series: number;
}

interface Usage {
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly cpuSeconds: number;
  readonly atMs: number;
}

/** Highest and last of what was seen in this time. */
export interface Watched {
  readonly last: Usage;
  readonly peakBytes: number;
  /** Of one core. */
  readonly cpu: number;
}

/** Watches its memory for that long, and says how it goes on. */
export async function watch(
  prometheus: Prometheus,
  forMs: number,
  progress: (usage: Usage, runsMs: number) => void,
): Promise<Watched> {
  const first = await usageOf(prometheus);
  let last = first;
  let peakBytes = first.residentBytes;
  while (last.atMs - first.atMs < forMs) {
    await sleep(POLL_MS);
    last = await usageOf(prometheus);
    peakBytes = Math.max(peakBytes, last.residentBytes);
    progress(last, last.atMs - first.atMs);
  }
  return { last, peakBytes, cpu: (last.cpuSeconds - first.cpuSeconds) / ((last.atMs - first.atMs) / 1000) };
}

async function usageOf(prometheus: Prometheus): Promise<Usage> {
  const own = await ownMetrics(prometheus);
  return {
    residentBytes: sumOf(own, 'process_resident_memory_bytes'),
    heapBytes: sumOf(own, 'go_memstats_heap_inuse_bytes'),
    cpuSeconds: sumOf(own, 'process_cpu_seconds_total'),
    atMs: performance.now(),
  };
}

export interface Cost {
  readonly headSeries: number;
  readonly samplesPerSecond: number;
  /** Of a node, the five of the scrape itself among them. */
  readonly series: { readonly median: number; readonly max: number };
  readonly scrapeSeconds: { readonly median: number; readonly p99: number };
  /** 99th percentile of the time from one scrape of a target to the next. */
  readonly intervalSeconds: number;
  readonly scraped: number;
  readonly silent: number;
  /** Of the scrapes that there should have been of each node in three minutes, the fewest that there were. */
  readonly fewestScrapes: number;
  readonly rulesSeconds: number;
  readonly rulesMissed: number;
  readonly rulesFailed: number;
  readonly byMetric: readonly { readonly name: string; readonly perNode: number }[];
}

export async function costOf(
  prometheus: Prometheus,
  { nodes, intervalSeconds }: { readonly nodes: number; readonly intervalSeconds: number },
): Promise<Cost> {
  const own = await ownMetrics(prometheus);
  const one = async (query: string) => (await prometheus.value(query)) ?? Number.NaN;
  // To count the series themselves takes a minute at 5,000 nodes. Beside a scrape's there are five of its own.
  const ofNode = `scrape_samples_post_metric_relabeling${SELECTOR} + ${OF_THE_SCRAPE}`;
  return {
    headSeries: sumOf(own, 'prometheus_tsdb_head_series'),
    samplesPerSecond: await one(`sum(scrape_samples_scraped${SELECTOR}) / ${intervalSeconds}`),
    series: { median: await one(`quantile(0.5, ${ofNode})`), max: await one(`max(${ofNode})`) },
    scrapeSeconds: {
      median: await one(`quantile(0.5, scrape_duration_seconds${SELECTOR})`),
      p99: await one(`quantile(0.99, scrape_duration_seconds${SELECTOR})`),
    },
    intervalSeconds: Number(
      own.find(({ name }) => /^prometheus_target_interval_length_seconds\{.*quantile="0.99"/.test(name))
        ?.value,
    ),
    scraped: await one(`count(up${SELECTOR})`),
    silent: (await prometheus.value(`count(up${SELECTOR} == 0)`)) ?? 0,
    fewestScrapes: await one(`min(count_over_time(up${SELECTOR}[3m]))`),
    rulesSeconds: sumOf(own, 'prometheus_rule_group_last_duration_seconds'),
    rulesMissed: sumOf(own, 'prometheus_rule_group_iterations_missed_total'),
    rulesFailed: sumOf(own, 'prometheus_rule_evaluation_failures_total'),
    byMetric: await seriesByMetric(prometheus, nodes),
  };
}

/** The names with most series in the head; ten, as the API gives them. */
async function seriesByMetric({ daemon }: Prometheus, nodes: number): Promise<Cost['byMetric']> {
  const { data } = await daemon.json<{
    readonly data: {
      readonly seriesCountByMetricName: readonly { readonly name: string; readonly value: number }[];
    };
  }>('/api/v1/status/tsdb');
  return data.seriesCountByMetricName.map(({ name, value }) => ({ name, perNode: value / nodes }));
}

/** Bytes of one scrape of these nodes: as text, and as they go over the network. */
export async function scrapeBytes(
  url: string,
  indexes: readonly number[],
): Promise<{ readonly plain: readonly number[]; readonly gzip: readonly number[] }> {
  const plain: number[] = [];
  const gzip: number[] = [];
  for (const index of indexes) {
    const reply = await fetch(`${url}/nodes/${index}/metrics`, {
      headers: { 'accept-encoding': 'identity' },
    });
    if (reply.status !== 200) continue;
    const text = await reply.text();
    plain.push(Buffer.byteLength(text));
    gzip.push(gzipSync(text).length);
  }
  return { plain, gzip };
}

/** Runs each a few times, as Grafana would ask it, the slowest first in the result. One that fails ends the measurement. */
export async function timeQueries(
  prometheus: Prometheus,
  queries: readonly Query[],
): Promise<readonly TimedQuery[]> {
  const timed: TimedQuery[] = [];
  for (const query of queries) {
    const times: number[] = [];
    let series = 0;
    for (let time = 0; time < TIMES; time++) {
      const startedMs = performance.now();
      const result =
        query.range === null
          ? await prometheus.query(query.query)
          : await prometheus.queryRange(query.query, query.range);
      times.push(performance.now() - startedMs);
      series = result.length;
    }
    timed.push({ ...query, medianMs: median(times), maxMs: Math.max(...times), series });
  }
  return timed.toSorted((one, other) => other.medianMs - one.medianMs);
}

interface OwnSample {
  /** With its labels. */
  readonly name: string;
  readonly value: number;
}

async function ownMetrics({ daemon }: Prometheus): Promise<readonly OwnSample[]> {
  const text = await (await fetch(`${daemon.url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const end = line.lastIndexOf(' ');
      return { name: line.slice(0, end), value: Number(line.slice(end + 1)) };
    });
}

/** Over all label sets. Not a number where there is none: that was not measured. */
function sumOf(samples: readonly OwnSample[], name: string): number {
  const values = samples
    .filter((sample) => sample.name.replace(/\{.*/s, '') === name)
    .map(({ value }) => value);
  return values.length === 0 ? Number.NaN : values.reduce((total, value) => total + value, 0);
}
