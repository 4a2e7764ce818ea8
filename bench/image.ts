/**
 * The image on a node: its size beside its base's, from start to ready, and what the agent holds and costs under a
 * scrape each 15 s, with V8's flags as the Dockerfile has them beside others, all in the same minutes. Everything is
 * real but the node: the built image, podman, daemonset.yaml's rights, sockets, DNS, TLS, EndpointSlice, probes.
 *
 *   node bench/image.ts [--minutes 10] [--sockets 300]        as root on Linux; test/image says what else it needs
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeCluster, X_ENI } from '../test/e2e/lib/cluster.ts';
import { ENVIRONMENT, within } from '../test/e2e/lib/command.ts';
import type { Lab } from '../test/e2e/lib/lab.ts';
import { Program } from '../test/e2e/lib/program.ts';
import { Container } from '../test/image/lib/container.ts';
import { argument } from '../test/image/lib/dockerfile.ts';
import { podman } from '../test/image/lib/engine.ts';
import { builtImage } from '../test/image/lib/image.ts';
import { readPod } from '../test/image/lib/manifest.ts';
import { type Usage, usageOf } from '../test/image/lib/usage.ts';
import { median, printHeading, printTable } from './support.ts';

const NODE = '/nodejs/bin/node';
const MAIN = '/app/main.js';
/** Beside those of the Dockerfile. */
const OTHER_FLAGS: readonly (readonly string[])[] = [
  [],
  ['--max-old-space-size=64'],
  ['--optimize-for-size', '--single-threaded'],
  ['--lite-mode'],
];
const STARTS = 5;
const SCRAPE_SECONDS = 15;
/** Beside the clients: about what a small node runs. */
const OTHER_PROCESSES = 200;
/** As a real kubelet was seen to hold, and beside them probes of pods. */
const ENDPOINT_CONNECTIONS = 6;
const KUBELET_SOCKETS = 300;
/** Of one process: fewer than its limit of descriptors. */
const AT_MOST = 15_000;
const POD_ADDRESS = '192.168.7.7';
const FIRST_PORT = 10_943;
const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, sockets: { type: 'string', default: '300' } },
});
const image = await builtImage();
const committed = await entrypointFlags();
await using lab = await makeNode(Number(values.sockets));
await printSizes();
await printStarts(lab);
await printUsage(lab, Number(values.minutes));

/** A node on the X-ENIs with so many sockets: the kubelet holds as many as on a small node, others the rest. */
async function makeNode(sockets: number): Promise<Lab> {
  const lab = await makeCluster({ answer: X_ENI, slice: X_ENI, others: [POD_ADDRESS], ttlSeconds: 60 });
  const kubelet = await lab.startClient('kubelet');
  await kubelet.program.listen({ addresses: ['::'], port: 10250 });
  for (let count = 0; count < ENDPOINT_CONNECTIONS; count++) await kubelet.connect();
  await (await lab.startClient('kube-proxy')).connect();
  const first = Math.min(sockets, KUBELET_SOCKETS);
  await hold(lab, kubelet.program, { port: 8080, count: first - ENDPOINT_CONNECTIONS });
  for (let left = sockets - first, port = 8081; left > 0; left -= AT_MOST, port++) {
    await hold(lab, await Program.start(lab.network.node), { port, count: Math.min(left, AT_MOST) });
  }
  const script = `for i in $(seq ${OTHER_PROCESSES}); do sleep infinity & done; wait`;
  const [program, args] = within(lab.network.node, ['sh', '-c', script]);
  spawn(program, args, { env: ENVIRONMENT, stdio: 'ignore' });
  return lab;
}

async function hold(
  lab: Lab,
  program: Program,
  { port, count }: { readonly port: number; readonly count: number },
): Promise<void> {
  const far = await Program.start(lab.network.far);
  await far.listen({ addresses: [POD_ADDRESS], port });
  for (let held = 0; held < count; held++) await program.connect({ host: POD_ADDRESS, port });
}

async function printSizes(): Promise<void> {
  const sizes = await Promise.all([argument('RUNTIME_IMAGE'), image.name].map(sizeOf));
  const [base = Number.NaN, whole = Number.NaN] = sizes;
  printHeading('Size of the image, unpacked (the base is the stand-in that test/image makes)');
  printTable([
    ['base: Node and its libraries', mebibytes(base)],
    ['image', mebibytes(whole)],
    ['over base', mebibytes(whole - base)],
  ]);
}

async function sizeOf(name: string): Promise<number> {
  return Number(await podman('image', 'inspect', '--format={{.Size}}', name));
}

/** From podman's start to the first answer: of a bare server in the base, and of the agent (its first look has ended). */
async function printStarts(lab: Lab): Promise<void> {
  const bare = "require('node:http').createServer((q, r) => r.end('ready')).listen(10943)";
  const starts = [
    { title: 'bare node:http server answers', options: entrypoint(NODE, '-e', bare), args: [] },
    { title: 'agent is ready', options: [], args: ['agent'] },
  ];
  const times = starts.map((): number[] => []);
  for (let run = 0; run < STARTS; run++) {
    for (const [index, start] of starts.entries()) times[index]?.push(await timeToReady(lab, start));
  }
  printHeading(`From "podman run" to ready (medians of ${STARTS})`);
  printTable(starts.map(({ title }, index) => [title, `${median(times[index] ?? []).toFixed(0)} ms`]));
}

async function timeToReady(
  lab: Lab,
  { options, args }: { readonly options: readonly string[]; readonly args: readonly string[] },
): Promise<number> {
  const start = performance.now();
  const starting = Container.start(lab, { pod: readPod(), options, args });
  try {
    await untilReady(lab, FIRST_PORT);
    return performance.now() - start;
  } finally {
    await (await starting)[Symbol.asyncDispose]();
  }
}

async function untilReady(lab: Lab, port: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const answer = await fetchFrom(lab, port, '/-/ready').catch(() => null);
    if (answer?.status === 200) return;
    await sleep(5);
  }
  throw new Error(`Nobody is ready on port ${port}`);
}

/** Every variant at once, each in a container of its own, on a port of its own. */
async function printUsage(lab: Lab, minutes: number): Promise<void> {
  await using containers = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const [index, flags] of [committed, ...OTHER_FLAGS].entries()) {
    const port = FIRST_PORT + index;
    const options = entrypoint(NODE, ...flags, MAIN);
    const args = ['agent', `--web.listen-address=:${port}`, '--log.level=error'];
    const container = containers.use(await Container.start(lab, { pod: readPod(), options, args }));
    await untilReady(lab, port);
    running.push({ flags, port, container, before: usageOf(container.pid) });
  }
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    const next = performance.now() + SCRAPE_SECONDS * 1000;
    for (const { port, container } of running) {
      if (!isAlive(container)) continue;
      const { status } = await fetchFrom(lab, port, '/metrics');
      if (status !== 200) throw new Error(`The agent on port ${port} answers ${status}`);
    }
    await sleep(Math.max(0, Math.min(next, end) - performance.now()));
  }
  printHeading(
    `The agent after ${minutes} minutes of a scrape each ${SCRAPE_SECONDS} s, ${values.sockets} sockets`,
  );
  const rows = running.map(row);
  printTable([['', 'resident', 'anonymous', 'peak', 'cgroup', 'cgroup anon', 'CPU', 'start-up'], ...rows]);
  console.log(
    '\ncgroup: with the page cache, of which the container that reads a file first bears the whole.',
  );
}

interface Running {
  readonly flags: readonly string[];
  readonly port: number;
  readonly container: Container;
  /** When it was ready. */
  readonly before: Usage;
}

/** One that did not live through it says why below its row. */
function row({ flags, container, before }: Running): readonly string[] {
  const isCommitted = flags.join(' ') === committed.join(' ');
  const title = `${flags.join(' ') || 'no flags'}${isCommitted ? ' (Dockerfile)' : ''}`;
  if (!isAlive(container)) return [title, `ended: ${container.unreadLog.slice(0, 300)}`];
  const after = usageOf(container.pid);
  return [
    title,
    mebibytes(after.residentBytes),
    mebibytes(after.anonymousBytes),
    mebibytes(after.peakBytes),
    mebibytes(after.cgroupBytes),
    mebibytes(after.cgroupAnonymousBytes),
    `${(after.cpuSeconds - before.cpuSeconds).toFixed(2)} s`,
    `${before.cpuSeconds.toFixed(2)} s`,
  ];
}

function isAlive({ pid }: Container): boolean {
  return existsSync(`/proc/${pid}`);
}

/** As Prometheus does: compressed where the server can. */
function fetchFrom(lab: Lab, port: number, path: string) {
  return lab.window.fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'accept-encoding': 'gzip' } });
}

/** Node's flags in the image: what is between the program and the script. */
async function entrypointFlags(): Promise<readonly string[]> {
  const text = await podman('image', 'inspect', '--format={{json .Config.Entrypoint}}', image.name);
  const words: readonly string[] = JSON.parse(text);
  return words.slice(1, -1);
}

function entrypoint(...words: readonly string[]): readonly string[] {
  return [`--entrypoint=${JSON.stringify(words)}`];
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
