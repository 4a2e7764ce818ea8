/** Made observations, and the status that a row of them leads to: no /proc, no network, a clock that is stepped. */
import { type Address, type AddressRange, parseAddress, parseRange } from '../../src/model/address.ts';
import { type Lookup, recordLookup, unasked } from '../../src/model/dns.ts';
import { emptyHistory, type History } from '../../src/model/history.ts';
import { judge } from '../../src/model/judge.ts';
import type { Machine } from '../../src/model/machine.ts';
import type {
  ClientProcess,
  DnsFailure,
  DnsSeen,
  EndpointSeen,
  EndpointSliceSeen,
  IdentitySeen,
  ImdsSeen,
  LeftOutProcess,
  Moment,
  NodeConfigSeen,
  Observation,
  ProbeSeen,
  ProbeStage,
  ProxySeen,
  Socket,
  SocketTable,
  StageResult,
  TcpState,
} from '../../src/model/observation.ts';
import type { Settings } from '../../src/model/settings.ts';
import type { ClientStatus, ConnectionStatus, Finding, NodeStatus } from '../../src/model/status.ts';

export const HOSTNAME = 'ABC.gr7.ap-northeast-2.eks.amazonaws.com';
export const ENDPOINT: EndpointSeen = { hostname: HOSTNAME, port: 443, source: 'kubelet-kubeconfig' };
const NETNS = 'net:[4026531840]';
const START_MS = Date.UTC(2026, 10, 20, 12);

/** So many seconds after noon. The monotonic clock has another origin: taking one for the other shows. */
export function moment(seconds: number): Moment {
  return { wallMs: START_MS + seconds * 1000, monotonicMs: 5_000_000 + seconds * 1000 };
}

export function iso(seconds: number): string {
  return new Date(moment(seconds).wallMs).toISOString();
}

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new SyntaxError(`Cannot read address ${JSON.stringify(text)}`);
  return parsed;
}

export function range(text: string): AddressRange {
  const parsed = parseRange(text);
  if (parsed === null) throw new SyntaxError(`Cannot read range ${JSON.stringify(text)}`);
  return parsed;
}

export const UNKNOWN_MACHINE: Machine = { kernel: null, arch: null, vendor: null, model: null };

/** kubelet (required) and kube-proxy in the VPC 192.168.0.0/16, no expectation, no probes, not on EC2. */
export function settings(overrides: Partial<Settings> = {}): Settings {
  return {
    nodeName: 'ip-192-168-1-204',
    version: '0.1.0',
    clients: [
      { name: 'kubelet', required: true },
      { name: 'kube-proxy', required: false },
    ],
    expect: 'any',
    xEnis: [],
    vpcCidrs: [range('192.168.0.0/16')],
    attribution: 'process',
    probeIntervalMs: null,
    onEc2: false,
    service: { address: address('10.100.0.1'), port: 443 },
    scanIntervalMs: 10_000,
    staleAfterMs: 600_000,
    unexpectedAfterMs: 600_000,
    ...overrides,
  };
}

/** A client's socket, written as in the scenarios. */
export interface SocketText {
  readonly process: string;
  /** Without it the first process of that name. */
  readonly pid?: number;
  readonly local?: string;
  readonly peer: string;
  readonly state?: TcpState;
  readonly inode?: number;
  readonly sendQueueBytes?: number;
  readonly retransmits?: number;
  /** The process holds the descriptor and the table lacks the row. */
  readonly missed?: boolean;
}

interface ProcessText {
  readonly client: string;
  readonly pid: number;
  readonly startTicks?: number;
  readonly readable?: boolean;
}

/** Where the port is left out it is 443; ages are seconds before the look. */
interface IdentityText {
  readonly address: string;
  readonly port?: number;
  readonly identity: IdentitySeen['identity'];
  readonly ageSeconds?: number;
}

interface ProbeText {
  readonly address: string;
  readonly port?: number;
  /** Without it, whether there is no `failedStage`. */
  readonly success?: boolean;
  readonly failedStage?: ProbeStage;
  readonly error?: string;
  readonly ageSeconds?: number;
}

interface ProxyText {
  readonly client: string;
  readonly url?: string | null;
  readonly port?: number;
  readonly addresses?: readonly string[];
  readonly error?: string;
}

/** What a look saw; what is left out is as on a healthy node, and the sources of X-ENIs are off. */
export interface Seen {
  readonly machine?: Machine;
  /** Without it one of each client: kubelet 100, kube-proxy 200. */
  readonly processes?: readonly ProcessText[];
  readonly sockets?: readonly SocketText[];
  /** At every address where none is given. */
  readonly listening?: readonly { readonly local?: string; readonly port: number }[];
  readonly rejectedRows?: number;
  /** Without it the node's. */
  readonly agentNetns?: string | null;
  readonly leftOut?: readonly LeftOutProcess[];
  readonly unreadable?: number;
  /** The stages of a look that failed. */
  readonly failed?: readonly ('owners' | 'sockets')[];
  /** Owners are not asked for. */
  readonly ownersOff?: boolean;
  /** The sockets of the address tier. */
  readonly unattributed?: readonly SocketText[];
  readonly inbound?: readonly { readonly peer: string; readonly connections: number }[];
  readonly endpoint?: EndpointSeen | null;
  readonly dns?: DnsSeen | null;
  /** What a resolver outside the VPC says. */
  readonly outside?: readonly string[];
  /** Without it 1.1.1.1. */
  readonly outsideServers?: readonly string[];
  /** The addresses of the EndpointSlice; null where it is not asked for. */
  readonly slice?: readonly string[] | null;
  readonly slicePort?: number;
  readonly sliceAgeSeconds?: number;
  /** For how long it could not be read. */
  readonly sliceFailingSeconds?: number;
  /** It is asked for and has never been read. */
  readonly sliceUnread?: boolean;
  /** What its stage says. */
  readonly sliceError?: string;
  /** The VPC's CIDRs as IMDS says. */
  readonly imds?: readonly string[];
  readonly imdsAgeSeconds?: number;
  /** Null where the node's files were not looked at. */
  readonly nodeConfig?: null;
  readonly nodeConfigAgeSeconds?: number;
  /** Null where it could not be read. */
  readonly hosts?: readonly string[] | null;
  readonly resolvers?: readonly string[] | null;
  readonly proxies?: readonly ProxyText[];
  readonly identities?: readonly IdentityText[];
  readonly probes?: readonly ProbeText[] | null;
}

const PROCESSES: readonly ProcessText[] = [
  { client: 'kubelet', pid: 100 },
  { client: 'kube-proxy', pid: 200 },
];

/** One look at noon plus so many seconds. */
export function observation(seen: Seen = {}, seconds = 0): Observation {
  const { processes = PROCESSES, sockets = [], failed = [], endpoint = ENDPOINT, dns = null } = seen;
  const rows = sockets.map((text) => ({
    text,
    socket: socket(text),
    pid: text.pid ?? pidOf(text, processes),
  }));
  const owners = processes.map((process): ClientProcess => {
    const inodes = rows.filter(({ pid }) => pid === process.pid).map((row) => row.socket.inode);
    const readable = process.readable ?? true;
    return {
      client: process.client,
      pid: process.pid,
      startTicks: process.startTicks ?? process.pid,
      startedAtMs: START_MS - 3_600_000 + process.pid,
      netns: NETNS,
      socketInodes: readable ? new Set(inodes) : null,
      error: readable ? null : `Cannot read "/proc/${process.pid}/fd": EACCES`,
    };
  });
  const shown = rows.filter(({ text }) => !text.missed).map((row) => row.socket);
  const table: SocketTable = {
    netns: NETNS,
    sockets: shown,
    unattributed: seen.unattributed?.map(socket) ?? null,
    listeners: (seen.listening ?? [{ port: 10_250 }]).flatMap(({ local, port }) =>
      (local === undefined ? ['::', '0.0.0.0'] : [local]).map((text) => ({
        table: tableOf(text),
        local: address(text),
        port,
      })),
    ),
    inbound: (seen.inbound ?? []).map(({ peer, connections }) => ({ peer: address(peer), connections })),
    rows: shown.length + 20,
    rejectedRows: seen.rejectedRows ?? 0,
  };
  const at = moment(seconds);
  const looked = seen.ownersOff ? (['sockets'] as const) : (['sockets', 'owners'] as const);
  const stages = looked.map((stage): StageResult => {
    const success = !failed.includes(stage);
    return { stage, success, durationSeconds: 0.01, error: success ? null : 'it took longer than 5 s', at };
  });
  const { sliceError: error } = seen;
  if (error !== undefined)
    stages.push({ stage: 'endpointslice', success: false, durationSeconds: 0.01, error, at });
  return {
    at,
    owners:
      failed.includes('owners') || seen.ownersOff
        ? null
        : { processes: owners, leftOut: seen.leftOut ?? [], unreadable: seen.unreadable ?? 0 },
    tables: failed.includes('sockets') ? null : [table],
    agentNetns: seen.agentNetns === undefined ? NETNS : seen.agentNetns,
    endpoint,
    dns,
    outsideDns:
      seen.outside === undefined
        ? null
        : { ...dnsSeen(seen.outside, seconds), servers: seen.outsideServers ?? ['1.1.1.1'] },
    endpointSlice: sliceSeen(seen, seconds),
    imds: seen.imds === undefined ? null : imdsSeen(seen.imds, moment(seconds - (seen.imdsAgeSeconds ?? 0))),
    nodeConfig:
      seen.nodeConfig === null
        ? null
        : nodeConfigSeen(seen, moment(seconds - (seen.nodeConfigAgeSeconds ?? 0))),
    identities: seen.identities?.map((text) => identitySeen(text, seconds)) ?? null,
    probes: seen.probes?.map((text) => probeSeen(text, seconds)) ?? null,
    machine: seen.machine ?? UNKNOWN_MACHINE,
    stages,
    procReadErrors: { EACCES: 0 },
  };
}

function sliceSeen(seen: Seen, seconds: number): EndpointSliceSeen | null {
  const { slice = null, slicePort = 443, sliceAgeSeconds = 0, sliceFailingSeconds, sliceUnread } = seen;
  const failingSince = sliceFailingSeconds === undefined ? null : moment(seconds - sliceFailingSeconds);
  if (sliceUnread) return { answer: null, failingSince };
  if (slice === null) return null;
  const at = moment(seconds - sliceAgeSeconds);
  return { answer: { addresses: slice.map(address), port: slicePort, at }, failingSince };
}

function imdsSeen(cidrs: readonly string[], at: Moment): ImdsSeen {
  return { answer: { vpcCidrs: cidrs.map(range), at } };
}

function nodeConfigSeen(seen: Seen, at: Moment): NodeConfigSeen {
  const { hosts = [], resolvers = ['192.168.0.2'], proxies = [] } = seen;
  return {
    hosts: hosts?.map(address) ?? null,
    resolvers: resolvers?.map(address) ?? null,
    proxies: proxies.map(proxySeen),
    at,
  };
}

function proxySeen(text: ProxyText): ProxySeen {
  const { client, url = 'http://proxy.example:3128', port = 3128, addresses = [], error = null } = text;
  return { client, url, port, addresses: addresses.map(address), error };
}

function identitySeen(text: IdentityText, seconds: number): IdentitySeen {
  const { identity, port = 443, ageSeconds = 0 } = text;
  return { address: address(text.address), port, identity, at: moment(seconds - ageSeconds) };
}

function probeSeen(text: ProbeText, seconds: number): ProbeSeen {
  const success = text.success ?? text.failedStage === undefined;
  const failedStage = success ? null : (text.failedStage ?? 'tcp');
  return {
    address: address(text.address),
    port: text.port ?? 443,
    success,
    failedStage,
    error: text.error ?? (failedStage === null ? null : `${failedStage} failed`),
    durationSeconds: 0.004,
    at: moment(seconds - (text.ageSeconds ?? 0)),
  };
}

/** The state of DNS when its last answer is this one. */
export function dnsSeen(addresses: readonly string[], seconds = 0): DnsSeen {
  return recordLookup(unasked(HOSTNAME), answered(addresses, seconds));
}

/** A lookup that ended with these addresses. */
export function answered(addresses: readonly string[], seconds: number): Lookup {
  const answer = { addresses: addresses.map(address), ttlSeconds: 60, at: moment(seconds) };
  return { at: moment(seconds), durationSeconds: 0.003, servers: ['192.168.0.2'], result: { answer } };
}

/** A lookup that failed. */
export function unanswered(failure: DnsFailure, seconds: number): Lookup {
  const result = { failure, error: `the resolver said ${failure}` };
  return { at: moment(seconds), durationSeconds: 5, servers: ['192.168.0.2'], result };
}

/** A look of `Watch`: as `Seen`, and DNS as it answers just before it (nothing: it is not asked again). */
export interface WatchSeen extends Omit<Seen, 'dns'> {
  readonly dns?: readonly string[] | DnsFailure;
}

/** The looks of one agent, one after the other. */
export class Watch {
  readonly #settings: Settings;
  #seconds = 0;
  #dns = unasked(HOSTNAME);
  #history: History = emptyHistory(moment(0));

  constructor(overrides: Partial<Settings> = {}) {
    this.#settings = settings(overrides);
  }

  /** Steps the clock, then looks; the first look is at noon plus the first step. */
  look({ dns, ...seen }: WatchSeen = {}, stepSeconds = 10): NodeStatus {
    this.#seconds += stepSeconds;
    if (dns !== undefined) {
      const lookup = typeof dns === 'string' ? unanswered(dns, this.#seconds) : answered(dns, this.#seconds);
      this.#dns = recordLookup(this.#dns, lookup);
    }
    const asked = this.#dns.lookups > 0 ? this.#dns : null;
    const { status, history } = judge(
      observation({ ...seen, dns: asked }, this.#seconds),
      this.#history,
      this.#settings,
    );
    this.#history = history;
    return status;
  }
}

/** The client of that name in a status. */
export function clientOf(status: NodeStatus, name: string): ClientStatus {
  const client = status.clients.find((candidate) => candidate.client === name);
  if (client === undefined) throw new RangeError(`Cannot find client ${JSON.stringify(name)}`);
  return client;
}

/** The only connection of that client. */
export function onlyConnection(status: NodeStatus, name: string): ConnectionStatus {
  const connections = clientOf(status, name).connections ?? [];
  const [connection, ...more] = connections;
  if (connection === undefined || more.length > 0) {
    throw new RangeError(`Cannot take one of ${connections.length} connections`);
  }
  return connection;
}

/** The only raised finding of that code; null where it is not raised. */
export function findingOf(status: NodeStatus, code: Finding['code']): Finding | null {
  const [finding, ...more] = status.findings.filter((candidate) => candidate.code === code);
  if (more.length > 0) throw new RangeError(`Cannot take one of ${more.length + 1} findings ${code}`);
  return finding ?? null;
}

/** What became of a finding: `raised`, `clear` or `not evaluated`. */
export function stateOf(status: NodeStatus, code: Finding['code']): 'raised' | 'clear' | 'not evaluated' {
  if (status.findings.some((finding) => finding.code === code)) return 'raised';
  return status.evaluated.includes(code) ? 'clear' : 'not evaluated';
}

function socket(text: SocketText): Socket {
  const { process, local = `192.168.1.204:${20_000 + (hash(process + text.peer) % 9_000)}`, peer } = text;
  const [localAddress, localPort] = splitEndpoint(local);
  const [peerAddress, peerPort] = splitEndpoint(peer);
  return {
    table: tableOf(local.replace(/:\d+$/, '')),
    local: localAddress,
    localPort,
    peer: peerAddress,
    peerPort,
    state: text.state ?? 'established',
    inode: text.inode ?? hash(`${process} ${text.pid} ${local} ${peer}`),
    sendQueueBytes: text.sendQueueBytes ?? 0,
    retransmits: text.retransmits ?? 0,
  };
}

/** The table of a socket at an address that is written like this. */
function tableOf(text: string): 'tcp' | 'tcp6' {
  return text.includes(':') ? 'tcp6' : 'tcp';
}

/** `1.2.3.4:443`, `[2001:db8::1]:443` */
function splitEndpoint(text: string): readonly [Address, number] {
  const groups = /^\[?(?<host>[^\]]+?)\]?:(?<port>\d+)$/.exec(text)?.groups;
  return [address(groups?.['host'] ?? ''), Number(groups?.['port'])];
}

function pidOf({ process }: SocketText, processes: readonly ProcessText[]): number | undefined {
  return processes.find(({ client }) => client === process)?.pid;
}

/** FNV-1a: the same socket has the same inode in every look. */
function hash(text: string): number {
  return (
    [...text].reduce((sum, char) => Math.imul(sum ^ char.charCodeAt(0), 16_777_619), 2_166_136_261) >>> 1
  );
}
