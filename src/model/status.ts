/**
 * The node status: what the agent says about its node, as plain data, at one moment. Every output is a function
 * of it and reads nothing else. Its JSON form (schemaVersion 1) is public: fields are added, never renamed.
 * What is unknown is null.
 */
import type { Machine } from './machine.ts';
import type { DnsFailure, EndpointSource, ProbeStage, StageName, TcpState } from './observation.ts';
import type { Expectation } from './settings.ts';

/** How a peer is reached. */
export const ROUTES = ['x-eni', 'vpc', 'private', 'public', 'proxy'] as const;
export type Route = (typeof ROUTES)[number];

/** The node's verdict. */
export const NODE_ROUTES = ['x-eni', 'public', 'mixed', 'other', 'none', 'unknown'] as const;
export type NodeRoute = (typeof NODE_ROUTES)[number];

/** Why a socket is taken for an endpoint connection. */
export type Evidence = 'endpointslice' | 'config' | 'dns' | 'dns-history' | 'proxy' | 'tls' | 'presumed';

/** The client that stands for sockets whose owners are not told apart. */
export const UNATTRIBUTED = 'unattributed';

/** The cluster's endpoint access, as its name's addresses inside and outside the VPC show it. */
export const ACCESS_MODES = ['public', 'public-and-private', 'private', 'unknown'] as const;
export type AccessMode = (typeof ACCESS_MODES)[number];

/** How sockets are told apart: by owner, by known addresses alone, or not at all. */
export const ATTRIBUTIONS = ['process', 'address', 'none'] as const;
export type Attribution = (typeof ATTRIBUTIONS)[number];

export const GATES = ['private-ready', 'public-free'] as const;
export type GateName = (typeof GATES)[number];
export const GATE_STATES = ['true', 'false', 'unknown'] as const;
export type GateState = (typeof GATE_STATES)[number];

/** How an X-ENI's address is known. */
export type XEniSource = 'endpointslice' | 'config' | 'dns';

export type FindingCode =
  | 'Blind'
  | 'ClientMissing'
  | 'XEniUnreachable'
  | 'XEniIdentityMismatch'
  | 'DnsPublic'
  | 'DnsFailing'
  | 'CustomResolver'
  | 'HostsFileOverride'
  | 'ConnectionMoving'
  | 'StaleConnection'
  | 'StaleXEni'
  | 'UnexpectedRoute'
  | 'ConnectStuck'
  | 'Retransmitting'
  | 'ViaProxy'
  | 'SliceUnavailable';
export type Severity = 'info' | 'warning' | 'critical';

export interface NodeStatus {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly node: string;
  /** End of the look that this status is made of. */
  readonly observedAt: string;
  /** The agent's first look. */
  readonly observedSince: string;
  readonly route: NodeRoute;
  readonly routeReason: string;
  /** When the present route began, as this agent saw it; null where the status is outdated. */
  readonly routeSince: string | null;
  readonly expectedRoute: Expectation;
  readonly attribution: Attribution;
  readonly accessMode: AccessMode;
  readonly gates: readonly Gate[];
  readonly findings: readonly Finding[];
  readonly evaluated: readonly FindingCode[];
  readonly endpoint: EndpointStatus | null;
  readonly dns: DnsStatus | null;
  readonly xEni: XEniStatus | null;
  readonly clients: readonly ClientStatus[];
  /** Who is connected to the kubelet's port; null where it cannot be told. */
  readonly inbound: readonly InboundStatus[] | null;
  /** Null where nothing is probed. */
  readonly probes: readonly ProbeStatus[] | null;
  readonly stages: readonly StageStatus[];
  readonly scan: ScanStatus;
  /** Newest first. */
  readonly events: readonly StatusEvent[];
  /** The last hour, oldest first, at most 60; a time of which nothing is known is in none of them. */
  readonly timeline: readonly TimelineSpan[];
  readonly machine: Machine;
}

export interface Gate {
  readonly gate: GateName;
  readonly state: GateState;
  readonly reason: string;
}

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly client: string | null;
  readonly address: string | null;
  readonly summary: string;
  readonly remedy: string;
  readonly runbook: string;
}

interface EndpointStatus {
  readonly hostname: string;
  readonly port: number;
  readonly source: EndpointSource;
}

export interface DnsStatus {
  /** Null before the first lookup has ended. */
  readonly success: boolean | null;
  /** Of the last complete answer; null while there was none. */
  readonly addresses: readonly { readonly address: string; readonly route: Route }[] | null;
  readonly ttlSeconds: number | null;
  readonly resolvedAt: string | null;
  readonly changedAt: string | null;
  readonly durationSeconds: number | null;
  readonly lookups: number;
  readonly changes: number;
  readonly failures: Readonly<Record<DnsFailure, number>>;
  readonly servers: readonly string[];
}

export interface XEniStatus {
  /** Those that could name an X-ENI. */
  readonly sources: readonly XEniSource[];
  readonly addresses: readonly { readonly address: string; readonly sources: readonly XEniSource[] }[];
}

export interface InboundStatus {
  readonly peer: string;
  readonly route: Route;
  readonly connections: number;
}

export interface ProbeStatus {
  readonly address: string;
  readonly port: number;
  readonly route: Route;
  readonly success: boolean;
  readonly failedStage: ProbeStage | null;
  readonly error: string | null;
  readonly durationSeconds: number;
  readonly at: string;
}

export interface ClientStatus {
  readonly client: string;
  readonly required: boolean;
  /** Null where the processes could not be listed. */
  readonly found: boolean | null;
  /** Whether all of its sockets could be read; null where there is no process to read. */
  readonly readable: boolean | null;
  readonly pids: readonly number[];
  /** Start of its oldest process. */
  readonly startedAt: string | null;
  /** Established and opening endpoint connections; null where they cannot be told. */
  readonly connections: readonly ConnectionStatus[] | null;
  /** Connections that this agent saw open, by the route they opened on; null until it can tell. */
  readonly opens: Readonly<Record<Route, number>> | null;
}

export interface ConnectionStatus {
  /** The process that holds it; null where owners are not told apart. */
  readonly pid: number | null;
  readonly local: string;
  readonly peer: string;
  readonly state: TcpState;
  readonly route: Route;
  readonly evidence: Evidence;
  /** Null where there is no DNS answer to compare with, or the connection is not established. */
  readonly stale: boolean | null;
  /** Since when it is stale: the DNS change, or first sight where that was not seen. */
  readonly staleSince: string | null;
  readonly retransmits: number;
  readonly firstSeenAt: string;
}

interface StageStatus {
  readonly stage: StageName;
  readonly success: boolean;
  readonly durationSeconds: number;
  readonly error: string | null;
  readonly at: string;
}

export interface ScanStatus {
  readonly scans: number;
  /** Rows of the TCP tables, of all processes; null where they could not be read. */
  readonly sockets: number | null;
  readonly rejectedRows: number | null;
  /** Clients' connections that are not to the endpoint. */
  readonly ignoredConnections: number | null;
  /** Processes of a client's name that are not taken for it. */
  readonly clientsLeftOut: number | null;
  readonly procReadErrors: Readonly<Record<string, number>>;
}

export interface StatusEvent {
  readonly at: string;
  readonly event: 'route' | 'dns' | 'x-eni' | 'connection-opened' | 'connection-closed' | 'client';
  readonly detail: string;
}

/** A time in which this agent looked, and what it said and saw of the node then. */
export interface TimelineSpan {
  readonly from: string;
  readonly until: string;
  /** One where it was the same all the time; else all there were, each once, that at the end last. */
  readonly routes: readonly NodeRoute[];
  readonly dnsChanges: number;
  /** Endpoint connections. */
  readonly opened: number;
  readonly closed: number;
}
