/**
 * What one look at the node costs, on the live kernel, beside what the kernel takes to print the same tables: to
 * `cat`, and to a loop in this process that reads them and does nothing. All in one run, round by round.
 */

import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { scan } from '../src/agent/scan.ts';
import { parseCommandLine } from '../src/command-line.ts';
import { parseAddress } from '../src/model/address.ts';
import { recordLookup, unasked } from '../src/model/dns.ts';
import { emptyHistory } from '../src/model/history.ts';
import { judge } from '../src/model/judge.ts';
import type { Clock } from '../src/model/observation.ts';
import type { Settings } from '../src/model/settings.ts';
import { Proc } from '../src/procfs/proc.ts';
import { TcpTableParser } from '../src/procfs/tcp.ts';
import { nodeConfigOf } from '../test/support/invocation.ts';
import type { Order } from './holder.ts';
import { inOwnNamespaces, ip, median, printHeading, printTable } from './support.ts';

/** Rows of the TCP tables, and how many rounds are measured there. */
const SIZES = [
  { sockets: 300, rounds: 200 },
  { sockets: 10_000, rounds: 50 },
];
/** Rounds that do not count: the engine compiles what it runs often. */
const WARM_UP_ROUNDS = 20;
/** One socket in so many is held by the kubelet: at the largest size 2,000 descriptors to read. */
const KUBELET_HOLDS_ONE_IN = 5;
/** As many as a real kubelet was seen to hold. Its other sockets are probes of pods. */
const ENDPOINT_CONNECTIONS = 6;
/** Beside the clients: about what a small node runs. Each costs a look one read. */
const OTHER_PROCESSES = 200;
/** A public address of the endpoint, and a pod's; here they are lo's. */
const ENDPOINT_ADDRESS = '3.34.148.207';
const POD_ADDRESS = '192.168.7.7';
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];

const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: performance.now() });
const buffer = Buffer.alloc(64 * 1024);

await inOwnNamespaces(import.meta.filename, async () => {
  printHeading('One look at the node (medians)');
  for (const address of [ENDPOINT_ADDRESS, POD_ADDRESS]) ip('address', 'add', `${address}/32`, 'dev', 'lo');
  for (let count = 0; count < OTHER_PROCESSES; count++) spawn('sleep', ['infinity'], { stdio: 'ignore' });
  const others = startHolder();
  const kubelet = startHolder();
  await tell(kubelet, { comm: 'kubelet' });
  await tell(others, { listen: [ENDPOINT_ADDRESS, POD_ADDRESS], port: 443 });
  await tell(kubelet, { connect: ENDPOINT_ADDRESS, port: 443, count: ENDPOINT_CONNECTIONS });

  const columns: Measured[] = [];
  let before = { connections: ENDPOINT_CONNECTIONS, ofKubelet: ENDPOINT_CONNECTIONS };
  for (const { sockets, rounds } of SIZES) {
    // A connection within the machine is two rows. Only the additional ones are made: closed ones would linger.
    const all = { connections: sockets / 2, ofKubelet: sockets / KUBELET_HOLDS_ONE_IN };
    const ofKubelet = all.ofKubelet - before.ofKubelet;
    const ofOthers = all.connections - before.connections - ofKubelet;
    await tell(kubelet, { connect: POD_ADDRESS, port: 443, count: ofKubelet });
    await tell(others, { connect: POD_ADDRESS, port: 443, count: ofOthers });
    columns.push(await measure(rounds));
    before = all;
  }
  print(columns);
  measureParser();
});

function startHolder(): ChildProcess {
  return fork(new URL('./holder.ts', import.meta.url));
}

async function tell(holder: ChildProcess, order: Order): Promise<void> {
  holder.send(order);
  await once(holder, 'message');
}

/** Of one size: counts, and medians in milliseconds. */
interface Measured {
  readonly rows: number;
  readonly descriptors: number;
  readonly processes: number;
  readonly look: number;
  readonly owners: number;
  readonly sockets: number;
  readonly judge: number;
  readonly cat: number;
  readonly read: number;
}

async function measure(rounds: number): Promise<Measured> {
  const settings = defaultSettings();
  const proc = new Proc('/proc');
  const background = makeBackground();
  const times = { look: [0], owners: [0], sockets: [0], judge: [0], cat: [0], read: [0] };
  let history = emptyHistory(clock());
  let rows = 0;
  let descriptors = 0;

  async function look(): Promise<void> {
    const startMs = performance.now();
    const observation = await scan({ proc, settings, clock }, () => background);
    const judgeMs = timed(() => {
      history = judge(observation, history, settings).history;
    });
    times.look.push(performance.now() - startMs);
    times.judge.push(judgeMs);
    for (const { stage, success, error, durationSeconds } of observation.stages) {
      if (!success) throw new Error(`The stage ${stage} failed: ${error}`);
      if (stage === 'owners' || stage === 'sockets') times[stage].push(durationSeconds * 1000);
    }
    rows = observation.tables?.[0]?.rows ?? 0;
    descriptors = observation.owners?.processes[0]?.socketInodes?.size ?? 0;
  }

  const contestants = [
    look,
    () => times.cat.push(timed(() => spawnSync('cat', TABLES, { stdio: 'ignore' }))),
    () => times.read.push(timed(readTables)),
  ];
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    if (round === WARM_UP_ROUNDS) for (const list of Object.values(times)) list.length = 0;
    // Each in turn is the first: who comes later finds the kernel's hash table in the processor's cache.
    const first = round % contestants.length;
    for (const run of [...contestants.slice(first), ...contestants.slice(0, first)]) await run();
  }
  return {
    rows,
    descriptors,
    processes: [...proc.pids()].length,
    look: median(times.look),
    owners: median(times.owners),
    sockets: median(times.sockets),
    judge: median(times.judge),
    cat: median(times.cat),
    read: median(times.read),
  };
}

function defaultSettings(): Settings {
  const machine = { kernel: null, arch: null, vendor: null, model: null };
  const invocation = parseCommandLine(
    ['agent'],
    {},
    { hostname: 'bench', machine, onEc2: false, version: '0' },
  );
  return nodeConfigOf(invocation).settings;
}

/** What DNS and discovery would have found. */
function makeBackground() {
  const at = clock();
  const address = parseAddress(ENDPOINT_ADDRESS);
  if (address === null) throw new SyntaxError(`Cannot read address "${ENDPOINT_ADDRESS}"`);
  const hostname = 'endpoint.invalid';
  const result = { answer: { addresses: [address], ttlSeconds: 60, at } };
  const dns = recordLookup(unasked(hostname), { at, durationSeconds: 0, servers: [], result });
  const endpoint = { hostname, port: 443, source: 'flag' } as const;
  const nodeConfig = { hosts: [], resolvers: [], proxies: [], at };
  const machine = { kernel: null, arch: null, vendor: null, model: null };
  const off = { outsideDns: null, endpointSlice: null, imds: null, identities: null, probes: null };
  return { ...off, endpoint, dns, nodeConfig, machine, stages: [] };
}

/** Reads both tables and throws the bytes away: the kernel's share, with as many system calls as a look makes. */
function readTables(): void {
  for (const path of TABLES) {
    const file = openSync(path, 'r');
    while (readSync(file, buffer, 0, buffer.length, null) > 0);
    closeSync(file);
  }
}

function timed(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

function print(columns: readonly Measured[]): void {
  const row = (title: string, value: (column: Measured) => string) => [title, ...columns.map(value)];
  const ms = (key: keyof Measured) => (column: Measured) => `${column[key].toFixed(2)} ms`;
  const ratio = (over: keyof Measured, under: keyof Measured) => (column: Measured) =>
    (column[over] / column[under]).toFixed(2);
  printTable([
    row('sockets (rows of tcp and tcp6)', ({ rows }) => String(rows)),
    row('sockets of kubelet', ({ descriptors }) => String(descriptors)),
    row('processes', ({ processes }) => String(processes)),
    row('look: scan and judge', ms('look')),
    row('  owners', ms('owners')),
    row('  sockets', ms('sockets')),
    row('  judge', ms('judge')),
    row('cat of both tables', ms('cat')),
    row('read of both tables, nothing else', ms('read')),
    row('look / cat', ratio('look', 'cat')),
    row('look / read', ratio('look', 'read')),
    row('sockets / read', ratio('sockets', 'read')),
  ]);
}

/** The parser alone, fed as the kernel does: in pieces that do not end with a row. */
function measureParser(): void {
  const ROWS = 100_000;
  const PIECE_BYTES = 4096;
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  const lines = [header, ...Array.from({ length: ROWS }, (_, sl) => makeRow(sl))];
  const table = Buffer.from(lines.map((line) => `${line.padEnd(149)}\n`).join(''));
  const runs = Array.from({ length: 30 }, () =>
    timed(() => {
      const parser = new TcpTableParser(() => {});
      for (let at = 0; at < table.length; at += PIECE_BYTES) {
        parser.push(table.subarray(at, at + PIECE_BYTES));
      }
      const { rows, rejectedRows } = parser.end();
      if (rows !== ROWS || rejectedRows > 0) throw new Error(`Parsed ${rows}, rejected ${rejectedRows} rows`);
    }),
  );
  const parseMs = median(runs.slice(5));
  console.log(
    `\nparser alone, 100,000 rows: ${parseMs.toFixed(2)} ms, ${(ROWS / parseMs).toFixed(0)} rows/ms`,
  );
}

function makeRow(sl: number): string {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  const local = `${hex((sl * 2_654_435_761) % 2 ** 32, 8)}:${hex(32_768 + (sl % 28_000), 4)}`;
  const peer = `${hex((sl * 40_503) % 2 ** 32, 8)}:01BB`;
  const begin = `${String(sl).padStart(4)}: ${local} ${peer} 01`;
  return `${begin} 00000000:00000000 00:00000000 00000000     0        0 ${20_000 + sl} 1 0000000000000000 20 4 30 10 -1`;
}
