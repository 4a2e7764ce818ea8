/**
 * Writes a directory that looks like /proc, for the demo on machines that have none, and for tests. What the
 * files hold is what the kernel prints (proc_pid_stat(5), Documentation/networking/proc_net_tcp.rst).
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type Address, parseAddress } from '../model/address.ts';
import { TCP_STATES, type TcpState } from '../model/observation.ts';

export interface ProcTree {
  /** Beside these there is always a pid 1, and a process for every `pid` that only a socket names. */
  readonly processes?: readonly TreeProcess[];
  readonly sockets?: readonly TreeSocket[];
  /** The pid that `self` is; 1 where not given. */
  readonly self?: number;
  readonly bootTimeSeconds?: number;
}

export interface TreeProcess {
  readonly pid: number;
  readonly comm: string;
  /** Real and effective; 0 where not given. */
  readonly uid?: number | { readonly real: number; readonly effective: number };
  /** Ticks (10 ms) after the boot; one second for each pid where not given. */
  readonly startTicks?: number;
  readonly cmdline?: readonly string[];
  /** Without it there is no file `environ`. */
  readonly environ?: Readonly<Record<string, string>>;
  readonly netns?: string;
  readonly cwd?: string;
  /** Path under its root directory to content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Path under its root directory to the target of a symbolic link. */
  readonly links?: Readonly<Record<string, string>>;
}

export interface TreeSocket {
  /** Its owner; a socket without one is a row that belongs to nobody the tree shows. */
  readonly pid?: number;
  /** The owner's comm, for an owner that `processes` does not list. */
  readonly process?: string;
  /** `address:port`, IPv6 as `[address]:port`; IPv6 text, `[::ffff:192.0.2.1]:443` too, makes a row of tcp6. */
  readonly local: string;
  /** The unspecified address and port 0 where not given. */
  readonly peer?: string;
  readonly state: TcpState;
  /** Made from its place in the list where not given: 20001 for the first. */
  readonly inode?: number;
  readonly sendQueueBytes?: number;
  readonly retransmits?: number;
  /** Of whoever made the socket; 0 where not given. */
  readonly uid?: number;
  /** Where it has no owner; the node's where not given. */
  readonly netns?: string;
}

export const NODE_NETNS = 'net:[4026531840]';

const BOOT_TIME_SECONDS = 1_790_000_000;
const FIRST_INODE = 20_001;
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const NAT64_PREFIX = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

/** What is at a path of the tree. */
type Entry = { readonly content: string } | { readonly link: string } | 'directory';

/**
 * Makes `root` show `tree`, also where it shows another one: every file is replaced at once, so that a reader
 * sees the old or the new one, and processes and descriptors that `tree` does not have are removed.
 * SyntaxError for an address that is none.
 */
export function writeProcTree(root: string, tree: ProcTree): void {
  const entries = entriesOf(tree);
  fs.mkdirSync(root, { recursive: true });
  for (const [path, entry] of entries) put(root, path, entry);
  for (const name of fs.readdirSync(root)) {
    // Only what this function made: nothing else is removed if `root` is a wrong directory.
    if (/^(?:\d+|netns-.*)$/.test(name)) prune(root, name, entries);
  }
}

function entriesOf(tree: ProcTree): Map<string, Entry> {
  const processes = allProcesses(tree);
  const netnsOfPid = new Map(processes.map(({ pid, netns = NODE_NETNS }) => [pid, netns]));
  const sockets = (tree.sockets ?? []).map((socket, index) => ({
    ...socket,
    inode: socket.inode ?? FIRST_INODE + index,
    netns: netnsOfPid.get(socket.pid ?? 0) ?? socket.netns ?? NODE_NETNS,
  }));
  const entries = new Map<string, Entry>();
  entries.set('stat', {
    content: `cpu  0 0 0 0 0 0 0 0 0 0\nbtime ${tree.bootTimeSeconds ?? BOOT_TIME_SECONDS}\n`,
  });
  for (const netns of new Set(netnsOfPid.values())) {
    const rows = sockets.filter((socket) => socket.netns === netns);
    entries.set(`${netnsDirectory(netns)}/tcp`, { content: tcpTable(rows.filter((row) => !isIpv6(row))) });
    entries.set(`${netnsDirectory(netns)}/tcp6`, { content: tcp6Table(rows.filter(isIpv6)) });
  }
  for (const process of processes) {
    const inodes = sockets.filter(({ pid }) => pid === process.pid).map(({ inode }) => inode);
    for (const [name, entry] of processEntries(process, inodes)) entries.set(`${process.pid}/${name}`, entry);
  }
  entries.set('self', { link: String(tree.self ?? 1) });
  return entries;
}

function allProcesses({ processes = [], sockets = [] }: ProcTree): TreeProcess[] {
  const byPid = new Map<number, TreeProcess>([[1, { pid: 1, comm: 'systemd' }]]);
  for (const { pid, process } of sockets) {
    if (pid !== undefined && process !== undefined) byPid.set(pid, { pid, comm: process });
  }
  for (const process of processes) byPid.set(process.pid, process);
  return [...byPid.values()];
}

/** The name comes last: until it is there, a reader takes the process for one that has not begun. */
function* processEntries(process: TreeProcess, inodes: readonly number[]): Generator<[string, Entry]> {
  const { pid, uid = 0, netns = NODE_NETNS, startTicks = pid * 100 } = process;
  const comm = Buffer.from(process.comm).subarray(0, 15).toString();
  const { real, effective } = typeof uid === 'number' ? { real: uid, effective: uid } : uid;
  yield ['ns/net', { link: netns }];
  yield ['net', { link: `../${netnsDirectory(netns)}` }];
  yield ['fd', 'directory'];
  for (const [index, inode] of inodes.entries()) yield [`fd/${index + 3}`, { link: `socket:[${inode}]` }];
  yield ['root', 'directory'];
  for (const [path, content] of Object.entries(process.files ?? {})) yield [join('root', path), { content }];
  for (const [path, link] of Object.entries(process.links ?? {})) yield [join('root', path), { link }];
  yield ['cwd', { link: process.cwd ?? '/' }];
  yield ['cmdline', { content: (process.cmdline ?? [comm]).map((argument) => `${argument}\0`).join('') }];
  if (process.environ !== undefined) {
    const variables = Object.entries(process.environ).map(([name, value]) => `${name}=${value}\0`);
    yield ['environ', { content: variables.join('') }];
  }
  yield [
    'stat',
    { content: `${pid} (${comm}) S 1 ${pid} ${pid} 0 -1 4194560${' 0'.repeat(12)} ${startTicks} 0 0\n` },
  ];
  const uids = [real, effective, effective, effective].join('\t');
  yield ['status', { content: `Name:\t${comm}\nState:\tS (sleeping)\nPid:\t${pid}\nUid:\t${uids}\n` }];
  yield ['comm', { content: `${comm}\n` }];
}

function netnsDirectory(netns: string): string {
  return `netns-${netns.replaceAll(/\D/g, '')}`;
}

type Row = TreeSocket & { readonly inode: number };

function isIpv6({ local }: TreeSocket): boolean {
  return local.startsWith('[');
}

/** The kernel fills every line of tcp, not of tcp6, with blanks to 149 characters. */
function tcpTable(rows: readonly Row[]): string {
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  return [header, ...rows.map((row, sl) => formatRow(row, sl))]
    .map((line) => `${line.padEnd(149)}\n`)
    .join('');
}

function tcp6Table(rows: readonly Row[]): string {
  const header =
    '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  return [header, ...rows.map((row, sl) => formatRow(row, sl))].map((line) => `${line}\n`).join('');
}

function formatRow(row: Row, sl: number): string {
  const { local, state, inode, sendQueueBytes = 0, retransmits = 0, uid = 0 } = row;
  const peer = row.peer ?? (isIpv6(row) ? '[::]:0' : '0.0.0.0:0');
  const st = hex(TCP_STATES.indexOf(state) + 1, 2);
  const queues = `${hex(sendQueueBytes, 8)}:00000000 00:00000000 ${hex(retransmits, 8)}`;
  const begin = `${String(sl).padStart(4)}: ${hexEndpoint(local)} ${hexEndpoint(peer)} ${st} ${queues}`;
  // The kernel no longer knows who held a connection in TIME_WAIT.
  if (state === 'time-wait') return `${begin}     0        0 0 3 ${hex(FIRST_INODE + sl, 16)}`;
  return `${begin} ${String(uid).padStart(5)}        0 ${inode} 1 ${hex(inode, 16)} 20 4 30 10 -1`;
}

/** `address:port` as the kernel prints it: 32-bit words in little-endian byte order. */
function hexEndpoint(text: string): string {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([\d.]+)):(\d+)$/.exec(text) ?? [];
  const address = parseAddress(bracketed ?? plain ?? '');
  if (address === null || Number(port) > 0xffff) {
    throw new SyntaxError(`Cannot write the endpoint "${text}": it is not address:port or [address]:port`);
  }
  const octets = bracketed === undefined ? address.octets : ipv6Octets(address);
  let digits = '';
  for (let word = 0; word < octets.length; word += 4) {
    for (const octet of octets.slice(word, word + 4).reverse()) digits += hex(octet, 2);
  }
  return `${digits}:${hex(Number(port), 4)}`;
}

/** All 16 octets, also where the address is judged by the IPv4 address inside. */
function ipv6Octets({ octets, text, key }: Address): readonly number[] {
  if (octets.length === 16) return octets;
  return [...(text === key ? MAPPED_PREFIX : NAT64_PREFIX), ...octets];
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

function put(root: string, path: string, entry: Entry): void {
  const target = join(root, path);
  if (entry === 'directory') {
    fs.mkdirSync(target, { recursive: true });
    return;
  }
  const stats = fs.lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined) fs.mkdirSync(dirname(target), { recursive: true });
  else if (isAlready(target, stats, entry)) return;
  const temporary = join(root, '.new');
  if ('link' in entry) fs.symlinkSync(entry.link, temporary);
  else fs.writeFileSync(temporary, entry.content);
  fs.renameSync(temporary, target);
}

function isAlready(target: string, stats: fs.Stats, entry: Exclude<Entry, 'directory'>): boolean {
  if (stats.isSymbolicLink()) return 'link' in entry && fs.readlinkSync(target) === entry.link;
  return 'content' in entry && fs.readFileSync(target, 'utf8') === entry.content;
}

/** Removes from the directory `path` what is not among the entries; true where nothing is left and it is gone. */
function prune(root: string, path: string, entries: ReadonlyMap<string, Entry>): boolean {
  let left = 0;
  for (const found of fs.readdirSync(join(root, path), { withFileTypes: true })) {
    const inside = join(path, found.name);
    if (found.isDirectory()) left += prune(root, inside, entries) ? 0 : 1;
    else if (entries.has(inside)) left += 1;
    else fs.unlinkSync(join(root, inside));
  }
  if (left > 0 || entries.has(path)) return false;
  fs.rmdirSync(join(root, path));
  return true;
}
