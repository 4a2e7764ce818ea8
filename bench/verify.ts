/**
 * What `verify --prometheus` costs: the built program beside a real Prometheus with its defaults, over made fleets that all pass and
 * that all fail. All on loopback; the machine does the work of both sides.
 *
 *   node bench/verify.ts [--nodes 1000,5000,10000] [--times 5] [--release 2.42,3]
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { makeQueries } from '../src/fleet/prometheus/queries.ts';
import { type Programs, programs, RELEASES } from '../test/prometheus/lib/programs.ts';
import { Prometheus } from '../test/prometheus/lib/server.ts';
import { Fleet } from './fleet/fleet.ts';
import { writeHistory } from './fleet/history.ts';
import { backfill } from './fleet/past.ts';
import { median, printHeading, printTable } from './support.ts';

const PROGRAM = join(import.meta.dirname, '..', 'dist', 'main.js');
const STORY_MS = 20 * 3_600_000;
/** Of the story: after DNS has flipped and before the first node moves, every node has stale connections and findings. */
const SHARES = { pass: 0.97, fail: 0.215 };
/** To make the scrape of a node. It is to be fresh when it is asked for: Prometheus looks back five minutes. */
const MS_PER_NODE = 8;
const MIB = 1024 * 1024;

/** Nothing but what a process says of itself at its end. */
const TELL_PEAK = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, writeSync } from 'node:fs';
process.on('exit', () => writeSync(3, /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]));
`)}`;

interface Run {
  readonly ms: number;
  readonly peakMib: number;
}

interface Result {
  readonly nodes: number;
  readonly state: keyof typeof SHARES;
  readonly version: string;
  readonly verify: readonly Run[];
  readonly curl: readonly { readonly ms: number; readonly bytes: number }[];
}

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000,5000,10000' },
    times: { type: 'string', default: '5' },
    release: { type: 'string', default: '2.42' },
  },
});
const times = Number(values.times);
const results: Result[] = [];
for (const name of values.release.split(',')) {
  const release = RELEASES.find((one) => one.name === name);
  if (release === undefined)
    throw new RangeError(
      `Cannot measure with release "${name}": there are ${RELEASES.map((one) => one.name)}`,
    );
  for (const nodes of values.nodes.split(',').map(Number)) {
    for (const state of ['pass', 'fail'] as const)
      results.push(await measure(await programs(release), nodes, state));
  }
}
const bare = await repeat(() => runNode(['-e', '0'], 0));
printHeading(`verify --prometheus, medians of ${times}; a bare \`node -e 0\` takes ${runText(bare)}`);
printTable([
  ['Prometheus', ...results.map(({ version }) => version)],
  ['nodes', ...results.map(({ nodes }) => String(nodes))],
  ['all of them', ...results.map(({ state }) => state)],
  ['verify: time, ms', ...results.map(({ verify }) => whole(verify.map(({ ms }) => ms)))],
  ['verify: slowest, ms', ...results.map(({ verify }) => Math.max(...verify.map(({ ms }) => ms)).toFixed(0))],
  ['verify: peak resident, MiB', ...results.map(({ verify }) => whole(verify.map(({ peakMib }) => peakMib)))],
  ['curl of the same queries: time, ms', ...results.map(({ curl }) => whole(curl.map(({ ms }) => ms)))],
  [
    'bytes fetched, MB',
    ...results.map(({ curl }) => (median(curl.map(({ bytes }) => bytes)) / 1e6).toFixed(1)),
  ],
]);

async function measure(using: Programs, nodes: number, state: Result['state']): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'eks-bench-verify-'));
  console.error(`Prometheus ${using.version}, ${nodes} nodes, all ${state}`);
  try {
    const data = join(folder, 'data');
    const atMs = Date.now() + nodes * MS_PER_NODE;
    const startMs = atMs - SHARES[state] * STORY_MS;
    const fleet = new Fleet({ nodes, startMs, durationMs: STORY_MS, specials: false });
    await backfill(using, data, writeHistory(fleet, { startMs: atMs, endMs: atMs, stepMs: 1 }));
    await sleep(Math.max(0, atMs - Date.now()));
    await using prometheus = await Prometheus.start(using, { config: {}, data });
    const { url } = prometheus.daemon;
    const flags = [`--prometheus=${url}`, '--ignore-fargate', '--max-age=10m'];
    const code = state === 'pass' ? 0 : 1;
    const verify = await repeat(() => runNode([PROGRAM, 'verify', ...flags], code));
    const curl = await repeat(() => askWithCurl(url));
    return { nodes, state, version: using.version, verify, curl };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function repeat<Value>(measureOnce: () => Promise<Value>): Promise<readonly Value[]> {
  const all: Value[] = [];
  for (let time = 0; time < times; time++) all.push(await measureOnce());
  return all;
}

/** Of a verdict that is not the expected one the time says nothing. */
async function runNode(args: readonly string[], expectedCode: number): Promise<Run> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['--import', TELL_PEAK, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const peak = child.stdio[3];
  if (peak === null || peak === undefined || !('read' in peak))
    throw new TypeError('there is no fourth pipe');
  const [[code], kib] = await Promise.all([once(child, 'close'), text(peak)]);
  const ms = performance.now() - startedMs;
  if (code !== expectedCode) throw new Error(`Cannot measure: "${args.join(' ')}" ends with ${code}`);
  return { ms, peakMib: (Number(kib) * 1024) / MIB };
}

/** One after the other, as they come to be asked where nothing is amiss. */
async function askWithCurl(url: string): Promise<{ readonly ms: number; readonly bytes: number }> {
  const queries = makeQueries([]);
  const { now, answers, findings, connections, versions, silent, gone, nodes, nodesGone, nodeLabels } =
    queries;
  const startedMs = performance.now();
  let bytes = 0;
  for (const query of [
    now,
    answers,
    findings,
    connections,
    versions,
    silent,
    gone,
    nodes,
    nodesGone,
    nodeLabels,
  ]) {
    const args = ['-sS', '-o', '/dev/null', '-w', '%{size_download}', '--data-urlencode', `query=${query}`];
    const { stdout } = await promisify(execFile)('curl', [...args, `${url}/api/v1/query`]);
    bytes += Number(stdout);
  }
  return { ms: performance.now() - startedMs, bytes };
}

function whole(numbers: readonly number[]): string {
  return median(numbers).toFixed(0);
}

function runText(runs: readonly Run[]): string {
  return `${whole(runs.map(({ ms }) => ms))} ms and ${whole(runs.map(({ peakMib }) => peakMib))} MiB`;
}
