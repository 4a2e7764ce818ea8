/** What the panels say of nodes and clusters that the made fleet has not got, by series that are made for each. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../e2e/lib/command.ts';
import { asAsked, DASHBOARDS, queriesOf } from '../support/promql.ts';
import { programs, RELEASES } from './lib/programs.ts';
import { describeWithPrometheus } from './lib/tools.ts';

const EXPOSITION = join(import.meta.dirname, '..', 'golden', 'flipped-not-moved.metrics.txt');
const JOB = 'eks-endpoint-exporter';
const VALUES = { cluster: '.*', job: JOB, node: 'a', rateInterval: '4m' };
const QUERIES = DASHBOARDS.flatMap(queriesOf);

/** One each minute, in promtool's form; asked after ten. */
type SeriesMade = Readonly<Record<string, string>>;

interface Check {
  readonly expr: string;
  /** By labels. */
  readonly gives: Readonly<Record<string, number>>;
}

describeWithPrometheus('made series', () => {
  describe('every series of a node twice, as two replicas of Prometheus and a restarted pod give them', () => {
    test.each(RELEASES)('every panel has its answer in Prometheus $name', async (release) => {
      const queries = QUERIES.map(({ expr }) => asAsked(expr, VALUES));
      expect(queries.length).toBeGreaterThan(80);
      expect(await complaintOf(await everythingTwice(), queries.map(hasAnAnswer), release)).toBe('');
    });

    test('a query that goes by one series alone is noticed', async () => {
      const query = 'eks_endpoint_info * on (node) group_left (version) eks_endpoint_exporter_build_info';
      expect(await complaintOf(await everythingTwice(), [hasAnAnswer(query)])).toMatch(
        /many-to-many|duplicate series/,
      );
    });
  });

  test('a node whose clock is a day late: a stale connection is as old as the node has it', async () => {
    const node = `job="${JOB}",instance="i",node="a"`;
    const series = {
      [`eks_endpoint_last_scan_timestamp_seconds{${node}}`]: '50000+60x15',
      [`eks_endpoint_stale_connection_oldest_timestamp_seconds{${node},client="kubelet"}`]: '50000x15',
      [`eks_endpoint_peer_info{${node},client="kubelet",address="3.34.148.207",route="public"}`]: '1x15',
    };
    const checks = [
      asks('migration / Stragglers / B', { '{client="kubelet",instance="i",node="a"}': 600 }),
      asks('node / Age of the oldest stale connection / A', { '{client="kubelet"}': 600 }),
    ];
    expect(await complaintOf(series, checks)).toBe('');
  });

  test.each(['public-free', 'private-ready'])(
    'a cluster that nobody tells of any more is not %s beside one that is',
    async (gate) => {
      const answer = `job="${JOB}",cluster="here",instance="i",node="a"`;
      const series = {
        [`up{${answer}}`]: '1x15',
        [`eks_endpoint_gate{${answer},gate="${gate}",state="true"}`]: '1x15',
        [`cluster:eks_endpoint_exporters:count{job="${JOB}",cluster="here"}`]: '1x15',
        [`cluster:eks_endpoint_exporters:count{job="${JOB}",cluster="gone"}`]: '40x3 stale',
      };
      const checks = [
        asks(`migration / Nodes not yet ${gate} / A`, { '{all="1",cluster="here",passing="1"}': 0 }),
        asks(`migration / Nodes not yet ${gate} / B`, { '{cluster="gone"}': 40 }),
      ];
      expect(await complaintOf(series, checks)).toBe('');
    },
  );

  test('no alert is not good news of a cluster whose rules are not evaluated', async () => {
    const series = {
      [`up{job="${JOB}",cluster="with",instance="i",node="a"}`]: '1x15',
      [`up{job="${JOB}",cluster="without",instance="j",node="b"}`]: '1x15',
      [`cluster:eks_endpoint_exporters:count{job="${JOB}",cluster="with"}`]: '1x15',
    };
    const row = '{alertname="the rules have no result here",alertstate="not known",cluster="without"}';
    expect(await complaintOf(series, [asks('migration / Alerts / A', { [row]: 1 })])).toBe('');
  });
});

function asks(where: string, gives: Check['gives']): Check {
  const found = QUERIES.find(({ dashboard, panel, refId }) => `${dashboard} / ${panel} / ${refId}` === where);
  if (found === undefined) throw new Error(`Cannot find "${where}" in the dashboards`);
  return { expr: asAsked(found.expr, VALUES), gives };
}

/** Whatever the answer is, one sample is made of it; an error stays one. */
function hasAnAnswer(query: string): Check {
  return { expr: `0 * count(${query}) or vector(0)`, gives: { '{}': 0 } };
}

/** What promtool says of the checks that do not hold; by the oldest release unless another is given. */
async function complaintOf(
  series: SeriesMade,
  checks: readonly Check[],
  release = RELEASES[0],
): Promise<string> {
  const tests = [
    {
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: checks.map(({ expr, gives }) => ({
        expr,
        eval_time: '10m',
        exp_samples: Object.entries(gives).map(([labels, value]) => ({ labels, value })),
      })),
    },
  ];
  const { promtool } = await programs(release);
  const folder = await mkdtemp(join(tmpdir(), 'eks-panels-'));
  try {
    const file = join(folder, 'test.json');
    await writeFile(file, JSON.stringify({ tests }));
    const { code, stdout, stderr } = await run(promtool, ['test', 'rules', file]);
    return code === 0 ? '' : `${stdout}${stderr}` || `exit code ${code}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What an agent says, and Prometheus of its scrape. */
async function everythingTwice(): Promise<SeriesMade> {
  const lines = (await readFile(EXPOSITION, 'utf8')).split('\n');
  const samples = [
    ...lines.filter((line) => line !== '' && !line.startsWith('#')),
    ...['up 1', 'scrape_duration_seconds 1', 'scrape_samples_scraped 1'],
  ];
  return Object.fromEntries(
    samples.flatMap((sample) => {
      const [, name = '', own = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(sample) ?? [];
      return ['0', '1'].map((nth) => {
        const target = `job="${JOB}",instance="i",node="a",replica="${nth}",pod="pod-${nth}"`;
        return [`${name}{${own === '' ? target : `${target},${own}`}}`, `${value}x15`];
      });
    }),
  );
}
