/** One observation and the history before it -> the node status, and the history for the next look. */

import { addressFromOctets, formatEndpoint } from './address.ts';
import { type ClientView, viewClient } from './clients.ts';
import type { EndpointConnection } from './connections.ts';
import { eventsBetween } from './events.ts';
import { judgeFindings } from './findings.ts';
import { judgeGates } from './gates.ts';
import { type History, noOpens, recordConnections, type TrackedSocket, trackSockets } from './history.ts';
import { confirm, routeOfLook } from './node-route.ts';
import type { Moment, Observation } from './observation.ts';
import { type Knowledge, knowledgeOf, routeOf, xEniSources } from './route.ts';
import type { Settings } from './settings.ts';
import type {
  Attribution,
  ClientStatus,
  ConnectionStatus,
  DnsStatus,
  NodeStatus,
  ScanStatus,
  XEniSource,
  XEniStatus,
} from './status.ts';

/** Most events that a status keeps. */
const MAX_EVENTS = 100;

/** What a look leaves: its status and what the next look must know. */
export interface Look {
  readonly status: NodeStatus;
  readonly history: History;
}

/** Judges one look. Pure: neither argument is changed, and time is the observation's. */
export function judge(observation: Observation, before: History, settings: Settings): Look {
  const { at, endpoint, dns } = observation;
  const known = knowledgeOf(settings, observation);
  const tracked = trackSockets(before, observation);
  const view = { known, settings };
  const clients = viewClients(observation, tracked, view);
  const recorded = recordConnections(
    tracked,
    clients.flatMap(({ connections }) => connections),
    {
      dnsChangedAt: dns?.changedAt ?? null,
      readable: clients
        .filter(({ found, readable }) => found !== null && readable !== false)
        .map(({ client }) => client),
    },
  );

  const verdict = confirm(
    routeOfLook(clients, observation),
    () => {
      const last = before.lastLook && { ...before.lastLook, endpoint, dns };
      return last && routeOfLook(viewClients(last, before, view), last);
    },
    settings.scanIntervalMs,
  );
  const asExpected = settings.expect === 'any' || verdict.route === settings.expect;
  const unexpectedSince = asExpected ? null : (before.unexpectedSince ?? at);
  const circumstances = {
    settings,
    observation,
    known,
    clients,
    tracked: recorded.sockets,
    verdict,
    unexpectedSince,
  };

  const history: History = {
    ...recorded,
    looks: before.looks + 1,
    lastLook: observation,
    unexpectedSince,
  };
  const status: NodeStatus = {
    schemaVersion: 1,
    version: settings.version,
    node: settings.nodeName,
    observedAt: iso(at),
    observedSince: iso(before.since),
    route: verdict.route,
    routeReason: verdict.reason,
    expectedRoute: settings.expect,
    attribution: attributionOf(clients, observation),
    accessMode: 'unknown',
    gates: judgeGates(),
    ...judgeFindings(circumstances),
    endpoint: endpoint && { hostname: endpoint.hostname, port: endpoint.port, source: endpoint.source },
    dns: dnsStatus(observation, known),
    xEni: xEniStatus(known),
    clients: clients.map((client) => clientStatus(client, history, endpoint !== null)),
    inbound: null,
    probes: null,
    stages: observation.stages.map((stage) => ({ ...stage, at: iso(stage.at) })),
    scan: scanStatus(observation, clients, history.looks),
    events: [],
    machine: settings.machine,
  };
  const events = [...eventsBetween(before.lastStatus, status), ...(before.lastStatus?.events ?? [])];
  const complete = { ...status, events: events.slice(0, MAX_EVENTS) };
  return { status: complete, history: { ...history, lastStatus: complete } };
}

function viewClients(
  observation: Observation,
  { sockets }: History,
  { known, settings: { clients, service } }: { known: Knowledge; settings: Settings },
): readonly ClientView[] {
  const { endpoint, at } = observation;
  const facts = endpoint && { endpoint, known, service, now: at };
  const byClient = new Map<string, TrackedSocket[]>(clients.map(({ name }) => [name, []]));
  for (const socket of sockets.values()) byClient.get(socket.process.client)?.push(socket);
  return clients.map((client) =>
    viewClient(client, observation, { sockets: byClient.get(client.name) ?? [], facts }),
  );
}

/** `process` only where the owner of every socket could be told. */
function attributionOf(clients: readonly ClientView[], { owners, tables }: Observation): Attribution {
  const whole = owners !== null && tables !== null && owners.unreadable === 0;
  return whole && clients.every(({ readable }) => readable !== false) ? 'process' : 'none';
}

function dnsStatus({ dns }: Observation, known: Knowledge): DnsStatus | null {
  if (dns === null) return null;
  const { success, answer, changedAt, durationSeconds, lookups, changes, failures, servers } = dns;
  const asked = lookups > 0;
  return {
    success: asked ? success : null,
    addresses:
      answer?.addresses.map((address) => ({ address: address.text, route: routeOf(address, known) })) ?? null,
    ttlSeconds: answer?.ttlSeconds ?? null,
    resolvedAt: answer && iso(answer.at),
    changedAt: changedAt && iso(changedAt),
    durationSeconds: asked ? durationSeconds : null,
    lookups,
    changes,
    failures,
    servers,
  };
}

/** Single addresses that are X-ENIs, and the sources that could name one; null where there is none. */
function xEniStatus(known: Knowledge): XEniStatus | null {
  const single = known.xEnis
    .filter(({ octets, prefixLength }) => prefixLength === octets.length * 8)
    .map(({ octets }) => addressFromOctets(octets));
  const sources: XEniSource[] = [];
  if (single.length > 0 || (known.xEnis.length > 0 && known.dns !== null)) sources.push('config');
  if (known.vpcCidrs.length > 0 && known.dns !== null) sources.push('dns');
  if (sources.length === 0) return null;
  const candidates = new Map([...single, ...(known.dns ?? [])].map((address) => [address.key, address]));
  const addresses = [...candidates.values()]
    .map((address) => ({ address: address.text, sources: xEniSources(address, known) }))
    .filter((xEni) => xEni.sources.length > 0);
  return { sources, addresses };
}

function clientStatus(
  view: ClientView,
  { sockets, opens, baselined }: History,
  endpointKnown: boolean,
): ClientStatus {
  const { client, required, found, readable, processes } = view;
  const started = processes.map(({ startedAtMs }) => startedAtMs);
  return {
    client,
    required,
    found,
    readable,
    pids: processes.map(({ pid }) => pid),
    startedAt: started.length === 0 ? null : new Date(Math.min(...started)).toISOString(),
    connections: view.told
      ? view.connections.map((connection) => connectionStatus(connection, sockets))
      : null,
    // What is not told apart from other sockets is not counted either.
    opens: endpointKnown && baselined.has(client) ? (opens.get(client) ?? noOpens()) : null,
  };
}

function connectionStatus(
  { key, socket, pid, route, evidence, stale, firstSeenAt }: EndpointConnection,
  sockets: History['sockets'],
): ConnectionStatus {
  const staleSince = sockets.get(key)?.staleSince ?? null;
  return {
    pid,
    local: formatEndpoint(socket.local, socket.localPort),
    peer: formatEndpoint(socket.peer, socket.peerPort),
    state: socket.state,
    route,
    evidence,
    stale,
    staleSince: staleSince && iso(staleSince),
    retransmits: socket.retransmits,
    firstSeenAt: iso(firstSeenAt),
  };
}

function scanStatus(observation: Observation, clients: readonly ClientView[], scans: number): ScanStatus {
  const { tables, owners, endpoint, procReadErrors } = observation;
  const told = attributionOf(clients, observation) === 'process';
  return {
    scans,
    sockets: tables && sum(tables.map(({ rows }) => rows)),
    rejectedRows: tables && sum(tables.map(({ rejectedRows }) => rejectedRows)),
    ignoredConnections: told && endpoint ? sum(clients.map(({ ignored }) => ignored)) : null,
    clientsLeftOut: owners !== null && owners.unreadable === 0 ? owners.leftOut.length : null,
    procReadErrors,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function iso({ wallMs }: Moment): string {
  return new Date(wallMs).toISOString();
}
