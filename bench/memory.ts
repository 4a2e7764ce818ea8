/**
 * What the agent holds in memory after 1,000 scrapes, beside a bare `node:http` server on the same runtime after
 * 1,000 requests, in one run. The node that it looks at is a tree of files; no packet leaves the namespace.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:tls';
import { type TreeSocket, writeProcTree } from '../src/demo/proc-tree.ts';
import { inOwnNamespaces, ip, median, printHeading, printTable } from './support.ts';

const SCRAPES = 1_000;
/** Each program is started this often; what is printed are medians. */
const RUNS = 3;
const START_PATIENCE_MS = 10_000;
/** 1/USER_HZ seconds, the unit of CPU time in /proc/<pid>/stat. */
const MS_PER_TICK = 10;

const AGENT = join(import.meta.dirname, '..', 'dist', 'main.js');
const URL = 'http://127.0.0.1:10943/metrics';
/** The endpoint as an address: DNS is not asked, and every metric has its samples. */
const ENDPOINT = '3.34.148.207';
/** An X-ENI that the bench serves itself. It is probed far more often than on a node: 30 handshakes in a run. */
const X_ENI = '192.168.1.231';
const TLS = join(import.meta.dirname, '..', 'test', 'fixtures', 'tls');

interface Program {
  readonly title: string;
  /** Arguments of Node. */
  readonly argv: readonly string[];
  /** What makes the agent look anew, so that each scrape shows another look. */
  readonly before: 'SIGHUP' | null;
}

await inOwnNamespaces(import.meta.filename, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eks-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  printHeading(`Memory after ${SCRAPES} scrapes, each of another look (medians of ${RUNS} starts)`);
  await serveXEni();
  const programs = makePrograms(folder);
  const results = programs.map((): Usage[] => []);
  for (let run = 0; run < RUNS; run++) {
    for (const [index, program] of programs.entries()) results[index]?.push(await measure(program));
  }
  print(programs, results);
});

/** An API server on an address of the machine's own, in the namespace of the bench. */
async function serveXEni(): Promise<void> {
  ip('address', 'add', `${X_ENI}/32`, 'dev', 'lo');
  const [cert, key] = ['server.crt', 'server.key'].map((name) => readFileSync(join(TLS, name)));
  const server = createServer({ cert, key }, (socket) => socket.on('error', () => {}).resume());
  server.listen(443, X_ENI).unref();
  await once(server, 'listening');
}

function makePrograms(folder: string): readonly Program[] {
  const bare = join(folder, 'bare.mjs');
  const body = 'x'.repeat(12_000); // about the size of /metrics
  writeFileSync(
    bare,
    `import { createServer } from 'node:http';
createServer((request, response) => response.end('${body}')).listen(10943, '127.0.0.1');`,
  );
  const procfs = join(folder, 'proc');
  writeProcTree(procfs, {
    processes: [
      { pid: 100, comm: 'kubelet' },
      { pid: 101, comm: 'kube-proxy' },
    ],
    sockets: Array.from({ length: 300 }, (_, index) => makeSocket(index)),
  });
  const agent = [
    ...[AGENT, 'agent', `--path.procfs=${procfs}`, `--endpoint=${ENDPOINT}`, '--vpc-cidr=192.168.0.0/16'],
    ...['--expect=x-eni', '--web.listen-address=127.0.0.1:10943', '--log.level=error'],
  ];
  const probing = [`--x-eni=${X_ENI}`, `--ca-file=${join(TLS, 'ca.crt')}`, '--probe-interval=1s'];
  // The first is how it starts by itself, the others are for whoever sets NODE_OPTIONS or Node's flags.
  const variants = [
    [],
    ['--max-old-space-size=32'],
    ['--optimize-for-size'],
    ['--optimize-for-size', '--max-old-space-size=32'],
    ['--lite-mode'],
  ];
  return [
    { title: 'bare node:http server', argv: [bare], before: null },
    { title: 'agent --no-probe', argv: [...agent, '--no-probe'], before: 'SIGHUP' },
    ...variants.map(
      (flags): Program => ({
        title: ['agent', ...flags].join(' '),
        argv: [...flags, ...agent, ...probing],
        before: 'SIGHUP',
      }),
    ),
  ];
}

/** kubelet holds 6 connections to the endpoint and kube-proxy 1, as seen on a real node; the rest is others'. */
function makeSocket(index: number): TreeSocket {
  const local = `192.168.1.204:${30_000 + index}`;
  if (index < 6) return { pid: 100, local, peer: `${ENDPOINT}:443`, state: 'established' };
  if (index === 6) return { pid: 101, local, peer: `${ENDPOINT}:443`, state: 'established' };
  return { local, peer: '192.168.7.7:8080', state: index % 3 === 0 ? 'time-wait' : 'established' };
}

interface Usage {
  readonly residentMb: number;
  readonly anonymousMb: number;
  /** CPU time of one scrape, the look before it included. */
  readonly cpuMs: number;
}

async function measure({ title, argv, before }: Program): Promise<Usage> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    await untilAnswers(title, child);
    const looksBefore = looksIn(await scrape());
    const cpuBefore = cpuMsOf(child);
    let text = '';
    for (let count = 0; count < SCRAPES; count++) {
      if (before !== null) child.kill(before);
      text = await scrape();
    }
    const looks = looksIn(text) - looksBefore;
    if (before !== null && looks < SCRAPES / 2) throw new Error(`${title} looked only ${looks} times`);
    const cpuMs = (cpuMsOf(child) - cpuBefore) / SCRAPES;
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return { residentMb: megabytes(status, 'VmRSS'), anonymousMb: megabytes(status, 'RssAnon'), cpuMs };
  } finally {
    const exited = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGKILL')) await exited;
  }
}

/** As Prometheus does: over a connection that is kept, and compressed where the server can. */
async function scrape(): Promise<string> {
  const response = await fetch(URL, { headers: { 'accept-encoding': 'gzip' } });
  if (!response.ok) throw new Error(`Cannot scrape "${URL}": status ${response.status}`);
  return response.text();
}

async function untilAnswers(title: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_PATIENCE_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    try {
      await scrape();
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`Cannot scrape ${title}: it does not answer`);
}

function looksIn(text: string): number {
  return Number(/^eks_endpoint_scans_total (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** In user and in kernel mode: fields 14 and 15 of /proc/<pid>/stat, behind the name in parentheses. */
function cpuMsOf({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) * MS_PER_TICK;
}

/** A line "VmRSS:   68000 kB" of /proc/<pid>/status. */
function megabytes(status: string, key: string): number {
  const kilobytes = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`Cannot find "${key}" in /proc/<pid>/status`);
  return Number(kilobytes) / 1024;
}

function print(programs: readonly Program[], results: readonly (readonly Usage[])[]): void {
  const medians = results.map((usages) => ({
    residentMb: median(usages.map(({ residentMb }) => residentMb)),
    anonymousMb: median(usages.map(({ anonymousMb }) => anonymousMb)),
    cpuMs: median(usages.map(({ cpuMs }) => cpuMs)),
  }));
  const bareMb = medians[0]?.residentMb ?? Number.NaN;
  printTable([
    ['', 'resident', 'over bare', 'anonymous', 'CPU a scrape'],
    ...medians.map(({ residentMb, anonymousMb, cpuMs }, index) => [
      programs[index]?.title ?? '',
      `${residentMb.toFixed(1)} MiB`,
      index === 0 ? '' : `${(residentMb - bareMb).toFixed(1)} MiB`,
      `${anonymousMb.toFixed(1)} MiB`,
      `${cpuMs.toFixed(2)} ms`,
    ]),
  ]);
}
