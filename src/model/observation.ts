/**
 * What one look at the node saw: plain data, no judgement. The edges (procfs/, endpoint/) make its parts, the
 * model turns it and the history into a node status.
 *
 * A part that is `null` was not asked for or could not be read; the stage of that name says which.
 */
import type { Address, AddressRange } from './address.ts';
import type { Machine } from './machine.ts';

/**
 * A moment by both clocks: the wall's, for people and timestamps, and the monotonic one, for every age and
 * duration (the wall clock of a node is stepped when it joins its time server).
 */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** What time it is: the one way to ask, so that tests and the demo can answer. */
export type Clock = () => Moment;

/** TCP states of the kernel (include/net/tcp_states.h), as `ss` writes them, in lower case. */
export const TCP_STATES = [
  'established',
  'syn-sent',
  'syn-recv',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'close',
  'close-wait',
  'last-ack',
  'listen',
  'closing',
  'new-syn-recv',
] as const;
export type TcpState = (typeof TCP_STATES)[number];

/** The kernel's tables of TCP sockets: by the family of the socket, not of the addresses (`::ffff:a.b.c.d` is in tcp6). */
export type TcpTableName = 'tcp' | 'tcp6';

/** One row of `net/tcp` or `net/tcp6`. */
export interface Socket {
  readonly table: TcpTableName;
  readonly local: Address;
  readonly localPort: number;
  readonly peer: Address;
  readonly peerPort: number;
  readonly state: TcpState;
  readonly inode: number;
  /** Bytes not yet acknowledged (`tx_queue`). */
  readonly sendQueueBytes: number;
  /** Unrecovered time-outs of the same segment (`retrnsmt`). */
  readonly retransmits: number;
}

/** Stands for a network namespace whose name may not be read. */
export const UNKNOWN_NETNS = '';

/** A socket in LISTEN. */
export interface Listener {
  readonly table: TcpTableName;
  readonly local: Address;
  readonly port: number;
}

export interface InboundPeer {
  readonly peer: Address;
  readonly connections: number;
}

/** Where the kubelet serves; something of root's listens there on every node. */
export const KUBELET_PORT = 10_250;

/** The TCP tables, IPv4 and IPv6, of one network namespace. */
export interface SocketTable {
  /** `net:[4026531840]` */
  readonly netns: string;
  /** The sockets that a client holds, each inode once. */
  readonly sockets: readonly Socket[];
  /**
   * The established and opening sockets to a port of the endpoint that are not the agent's own, whoever holds them;
   * null where owners are told apart.
   */
  readonly unattributed: readonly Socket[] | null;
  /** Of uid 0: nothing else can have accepted a connection that a client holds. */
  readonly listeners: readonly Listener[];
  /** Who is connected to the kubelet's own port (10250), loopback left out. */
  readonly inbound: readonly InboundPeer[];
  /** Rows that parsed, of all processes, in every state. */
  readonly rows: number;
  readonly rejectedRows: number;
}

/** A process that counts as a client: of a client's name, uid 0, in the agent's or pid 1's network namespace. */
export interface ClientProcess {
  readonly client: string;
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat; with the pid it names a process for good. */
  readonly startTicks: number;
  readonly startedAtMs: number;
  readonly netns: string;
  /** Inodes of its sockets; null where its descriptors could not be read. */
  readonly socketInodes: ReadonlySet<number> | null;
  /** Why `socketInodes` is null. */
  readonly error: string | null;
}

/** A process of a client's name that is not taken for the client. */
export interface LeftOutProcess {
  readonly client: string;
  readonly pid: number;
  readonly reason: 'uid' | 'network-namespace';
  readonly uid: number;
}

export interface OwnersSeen {
  readonly processes: readonly ClientProcess[];
  readonly leftOut: readonly LeftOutProcess[];
  /** Processes whose name or uid could not be read: one of them might be a client. */
  readonly unreadable: number;
}

export const ENDPOINT_SOURCES = [
  'flag',
  'kubelet-kubeconfig',
  'kube-proxy-kubeconfig',
  'well-known-kubeconfig',
] as const;
export type EndpointSource = (typeof ENDPOINT_SOURCES)[number];

export interface EndpointSeen {
  /** As written where it was found: compare without case. */
  readonly hostname: string;
  readonly port: number;
  readonly source: EndpointSource;
}

/** Why a lookup gave no complete answer. `no-addresses`: the name exists and has no A and no AAAA record. */
export const DNS_FAILURES = ['timeout', 'nxdomain', 'no-addresses', 'servfail', 'refused', 'other'] as const;
export type DnsFailure = (typeof DNS_FAILURES)[number];

/** A complete answer: both families answered. */
export interface DnsAnswer {
  readonly addresses: readonly Address[];
  /** The shortest TTL of its records. */
  readonly ttlSeconds: number;
  readonly at: Moment;
}

export interface DnsSeen {
  readonly hostname: string;
  /** Whether the last lookup gave a complete answer. */
  readonly success: boolean;
  readonly error: string | null;
  /** The last complete answer, however old. */
  readonly answer: DnsAnswer | null;
  /** When the answer last changed; null while no change was seen. */
  readonly changedAt: Moment | null;
  /** Addresses of earlier answers that the current one does not hold. */
  readonly earlier: readonly Address[];
  /** The first failure since the last complete answer; null while there is none. */
  readonly failingSince: Moment | null;
  readonly durationSeconds: number;
  readonly lookups: number;
  readonly changes: number;
  readonly failures: Readonly<Record<DnsFailure, number>>;
  readonly servers: readonly string[];
}

/** The EndpointSlice `default/kubernetes`: the X-ENIs, in every access mode. */
export interface EndpointSliceSeen {
  /** What was last read, however old; null before. */
  readonly answer: {
    readonly addresses: readonly Address[];
    readonly port: number;
    readonly at: Moment;
  } | null;
  /** The first failure since the last answer; null while there is none. */
  readonly failingSince: Moment | null;
}

/** What the instance metadata service says of the VPC. */
export interface ImdsSeen {
  /** Of every network card, each CIDR once: what was last read, however old; null before. */
  readonly answer: { readonly vpcCidrs: readonly AddressRange[]; readonly at: Moment } | null;
}

/** Whose certificate an address showed when asked for the endpoint's name. */
export interface IdentitySeen {
  readonly address: Address;
  readonly port: number;
  readonly identity: 'cluster' | 'other' | 'no-answer';
  readonly at: Moment;
}

export type ProbeStage = 'tcp' | 'tls' | 'identity';

/** One TCP and TLS connection of the agent's own to an endpoint or X-ENI address. */
export interface ProbeSeen {
  readonly address: Address;
  readonly port: number;
  readonly success: boolean;
  /** How far it did not come. */
  readonly failedStage: ProbeStage | null;
  readonly error: string | null;
  readonly durationSeconds: number;
  readonly at: Moment;
}

/** The proxy that a client is told to use for the endpoint. */
export interface ProxySeen {
  readonly client: string;
  /** As it was given, without user information; null where the client's environment could not be read. */
  readonly url: string | null;
  readonly port: number;
  /** Of its name, now and earlier; none while the name has not been resolved. */
  readonly addresses: readonly Address[];
  /** Why its addresses are not known; null where they are. */
  readonly error: string | null;
}

/** What files of the node, as its clients see them, say of how the endpoint is reached. */
export interface NodeConfigSeen {
  /** Addresses that the hosts file gives the endpoint's name; null where it could not be read. */
  readonly hosts: readonly Address[] | null;
  /** Who is asked for names: resolv.conf, behind systemd-resolved its upstream servers; null where it could not be read. */
  readonly resolvers: readonly Address[] | null;
  /** Of the clients that use one; null while their environment has not been read. */
  readonly proxies: readonly ProxySeen[] | null;
  readonly at: Moment;
}

const STAGES = ['sockets', 'owners', 'endpoint', 'dns', 'endpointslice', 'imds', 'probe', 'facts'] as const;
export type StageName = (typeof STAGES)[number];

/** What the error of a stage of a look says that passed its deadline. */
export const DEADLINE_PASSED = 'not done within';

/** How the error of a stage begins that failed for a reason nobody foresaw: a bug of ours. */
export const UNFORESEEN = 'unforeseen: ';

export interface StageResult {
  readonly stage: StageName;
  readonly success: boolean;
  readonly durationSeconds: number;
  readonly error: string | null;
  readonly at: Moment;
}

export interface Observation {
  readonly at: Moment;
  readonly owners: OwnersSeen | null;
  readonly tables: readonly SocketTable[] | null;
  /** The network namespace in which the agent itself is; null where it could not be read. */
  readonly agentNetns: string | null;
  readonly endpoint: EndpointSeen | null;
  readonly dns: DnsSeen | null;
  /** What a resolver outside the VPC says. */
  readonly outsideDns: DnsSeen | null;
  readonly endpointSlice: EndpointSliceSeen | null;
  readonly imds: ImdsSeen | null;
  readonly nodeConfig: NodeConfigSeen | null;
  readonly identities: readonly IdentitySeen[] | null;
  readonly probes: readonly ProbeSeen[] | null;
  readonly machine: Machine;
  /** Of every stage that is on and has ended at least once. */
  readonly stages: readonly StageResult[];
  /** Refused and failed reads of /proc since the agent started, by errno name; vanished processes are normal. */
  readonly procReadErrors: Readonly<Record<string, number>>;
}
