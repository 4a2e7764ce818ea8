/** One observation and the history before it -> the node status, and the history for the next look. */

import { accessModeOf } from './access-mode.ts';
import { formatEndpoint } from './address.ts';
import { isHosts, type Tier, tierOf } from './attribution.ts';
import { type ClientView, viewClients } from './clients.ts';
import type { EndpointConnection } from './connections.ts';
import { eventsBetween } from './events.ts';
import { judgeFindings } from './findings.ts';
import { judgeGates } from './gates.ts';
import {
  type History,
  noOpens,
  recordConnections,
  recordMet,
  type TrackedSocket,
  trackSockets,
} from './history.ts';
import { identitiesOf } from './identities.ts';
import { confirm, OUTDATED_AFTER_INTERVALS, routeOfLook } from './node-route.ts';
import type { Moment, Observation } from './observation.ts';
import { type Knowledge, knowledgeOf, knownXEnis, routeOf } from './route.ts';
import type { Settings } from './settings.ts';
import {
  type ClientStatus,
  type ConnectionStatus,
  type DnsStatus,
  type InboundStatus,
  type NodeStatus,
  type ProbeStatus,
  type ScanStatus,
  type StatusEvent,
  UNATTRIBUTED,
  type XEniSource,
  type XEniStatus,
} from './status.ts';
import { probeTargets, type Stranger, strangersOf, type Target } from './targets.ts';
import { recordLook, type TimelineLook, timelineOf } from './timeline.ts';
import { recordXEnis } from './x-eni-history.ts';

/** Most events that a status keeps. */
const MAX_EVENTS = 100;

/** What a look leaves: its status and what the next look must know. */
export interface Look {
  readonly status: NodeStatus;
  readonly history: History;
  /** Whom the agent should ask for a certificate: peers that nobody knows. */
  readonly strangers: readonly Stranger[];
}

/** Judges one look. Pure: neither argument is changed, and time is the observation's. */
export function judge(observation: Observation, before: History, settings: Settings): Look {
  const { at, endpoint, dns } = observation;
  const xEnis = recordXEnis(before.xEnis, knowledgeOf(settings, observation));
  const known = knowledgeOf(settings, observation, xEnis.former);
  const tracked = trackSockets(before, observation);
  const tier = tierOf(settings, observation);
  const { clients, met } = meet(viewSockets(observation, tracked, { tier, known, settings }), before.met, at);
  const recorded = recordConnections(
    tracked,
    clients.flatMap(({ connections }) => connections),
    { dnsChangedAt: dns?.changedAt ?? null, baselines: baselinesOf(clients, tier, at) },
  );

  const verdict = confirm(
    routeOfLook(clients, observation, tier),
    () => {
      // It is the sockets of the look before that must agree, by what is known now.
      const last = before.lastLook && { ...observation, ...socketsOf(before.lastLook) };
      if (last === null) return null;
      const lastTier = tierOf(settings, last);
      return routeOfLook(viewSockets(last, before, { tier: lastTier, known, settings }), last, lastTier);
    },
    settings.scanIntervalMs,
  );
  const asExpected = settings.expect === 'any' || verdict.route === settings.expect;
  const outdatedAfterMs = OUTDATED_AFTER_INTERVALS * settings.scanIntervalMs;
  const isGap = before.lastLook !== null && at.monotonicMs - before.lastLook.at.monotonicMs > outdatedAfterMs;
  const isSameRoute = before.lastStatus?.route === verdict.route && !isGap;
  const history: History = {
    ...recorded,
    looks: before.looks + 1,
    lastLook: observation,
    routeSince: isSameRoute ? before.routeSince : at,
    unexpectedSince: asExpected ? null : (before.unexpectedSince ?? at),
    xEniSince: verdict.route === 'x-eni' ? (before.xEniSince ?? at) : null,
    xEnis,
    met,
  };
  const facts = { settings, observation, known, attribution: tier.attribution, verdict };
  const status: NodeStatus = {
    schemaVersion: 1,
    version: settings.version,
    node: settings.nodeName,
    observedAt: iso(at),
    observedSince: iso(before.since),
    route: verdict.route,
    routeReason: verdict.reason,
    routeSince: iso(history.routeSince),
    expectedRoute: settings.expect,
    attribution: tier.attribution,
    accessMode: accessModeOf(observation, known),
    gates: judgeGates({ ...facts, clients, xEniSince: history.xEniSince }),
    ...judgeFindings({
      ...facts,
      tier,
      clients,
      tracked: recorded.sockets,
      observedSince: before.since,
      unexpectedSince: history.unexpectedSince,
    }),
    endpoint: endpoint && { hostname: endpoint.hostname, port: endpoint.port, source: endpoint.source },
    dns: dnsStatus(observation, known),
    xEni: xEniStatus(observation, known),
    clients: clients.map((client) => clientStatus(client, history, endpoint !== null)),
    inbound: inboundStatus(observation, known),
    probes: probeStatus(observation, known),
    stages: observation.stages.map((stage) => ({ ...stage, at: iso(stage.at) })),
    scan: scanStatus(observation, clients, { tier, scans: history.looks }),
    events: [],
    timeline: [],
    machine: observation.machine,
  };
  const newEvents = eventsBetween(before.lastStatus, status);
  const minutes = recordLook(before.minutes, lookOf(status, newEvents, { at, before }), outdatedAfterMs);
  const complete = {
    ...status,
    events: [...newEvents, ...(before.lastStatus?.events ?? [])].slice(0, MAX_EVENTS),
    timeline: timelineOf(minutes, (ms) => new Date(at.wallMs - at.monotonicMs + ms).toISOString()),
  };
  const strangers = tier.attribution === 'process' ? strangersOf(clients, at) : [];
  return { status: complete, history: { ...history, minutes, lastStatus: complete }, strangers };
}

/** What the timeline keeps of a look. */
function lookOf(
  { route, dns }: NodeStatus,
  events: readonly StatusEvent[],
  { at, before }: { readonly at: Moment; readonly before: History },
): TimelineLook {
  const count = (name: StatusEvent['event']) => events.filter(({ event }) => event === name).length;
  return {
    atMs: at.monotonicMs,
    route,
    dnsChanges: Math.max(0, (dns?.changes ?? 0) - (before.lastStatus?.dns?.changes ?? 0)),
    opened: count('connection-opened'),
    closed: count('connection-closed'),
  };
}

/** The addresses that the agent should probe, by the newest of what the sources know. */
export function targetsOf(settings: Settings, sources: Parameters<typeof knowledgeOf>[1]): readonly Target[] {
  return sources.endpoint === null ? [] : probeTargets(sources.endpoint, knowledgeOf(settings, sources));
}

/** The parts of an observation that were seen in that very look. */
function socketsOf({ at, owners, tables, stages, procReadErrors }: Observation) {
  return { at, owners, tables, stages, procReadErrors };
}

function viewSockets(
  observation: Observation,
  { sockets }: History,
  { tier, known, settings }: { tier: Tier; known: Knowledge; settings: Settings },
): readonly ClientView[] {
  const { endpoint, at, nodeConfig } = observation;
  const { clients, service, probeIntervalMs } = settings;
  const identities = identitiesOf(observation, known, probeIntervalMs);
  const proxies = nodeConfig?.proxies ?? [];
  const byClient = new Map<string, TrackedSocket[]>();
  for (const socket of sockets.values()) {
    const { client } = socket.process;
    const list = byClient.get(client);
    if (list === undefined) byClient.set(client, [socket]);
    else list.push(socket);
  }
  return viewClients(clients, observation, {
    attribution: tier.attribution,
    sockets: byClient,
    facts: endpoint && { endpoint, known, service, identities, proxies, now: at },
  });
}

/** The clients, each stranger of theirs since it was first met, on this socket or an earlier one. */
function meet(
  views: readonly ClientView[],
  before: History['met'],
  at: Moment,
): { clients: readonly ClientView[]; met: History['met'] } {
  const keyOf = (client: string, { address, port }: Target) => `${client} ${address.key} ${port}`;
  const strangers = views.flatMap(({ client, strangers }) =>
    strangers.map((stranger) => ({ key: keyOf(client, stranger), firstSeenAt: stranger.firstSeenAt })),
  );
  const met = recordMet(before, strangers, at);
  const clients = views.map((view) => ({
    ...view,
    strangers: view.strangers.map((stranger) => ({
      ...stranger,
      firstSeenAt: met.get(keyOf(view.client, stranger))?.firstSeenAt ?? stranger.firstSeenAt,
    })),
  }));
  return { clients, met };
}

/** The clients whose sockets this look knows, each with the inodes that it holds. Nobody's are not known as held. */
function baselinesOf(
  clients: readonly ClientView[],
  { attribution }: Tier,
  at: Moment,
): History['baselines'] {
  return new Map(
    attribution === 'address'
      ? []
      : clients
          .filter(({ found, readable }) => found !== null && readable !== false)
          .map(({ client, processes }) => [
            client,
            { at, inodes: new Set(processes.flatMap(({ socketInodes }) => [...(socketInodes ?? [])])) },
          ]),
  );
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

/** The X-ENIs that are known, and the sources that could name one; null where there is none. */
function xEniStatus({ endpointSlice }: Observation, known: Knowledge): XEniStatus | null {
  const sources: XEniSource[] = [];
  if (endpointSlice?.answer) sources.push('endpointslice');
  const hasSingle = known.xEnis.some(({ octets, prefixLength }) => prefixLength === octets.length * 8);
  if (hasSingle || (known.xEnis.length > 0 && known.dns !== null)) sources.push('config');
  if (known.vpcCidrs.length > 0 && known.dns !== null) sources.push('dns');
  if (sources.length === 0) return null;
  const addresses = knownXEnis(known).map(({ address, sources }) => ({ address: address.text, sources }));
  return { sources, addresses };
}

/** Who is connected to the kubelet, by number of connections; null where the tables are not the node's. */
function inboundStatus({ tables }: Observation, known: Knowledge): readonly InboundStatus[] | null {
  const hosts = tables?.filter(isHosts) ?? [];
  if (hosts.length === 0) return null;
  return hosts
    .flatMap(({ inbound }) => inbound)
    .map(({ peer, connections }) => ({ peer: peer.text, route: routeOf(peer, known), connections }))
    .sort((a, b) => b.connections - a.connections);
}

function probeStatus({ probes }: Observation, known: Knowledge): readonly ProbeStatus[] | null {
  return (
    probes?.map(({ address, port, at, ...result }) => ({
      address: address.text,
      port,
      route: routeOf(address, known),
      ...result,
      at: iso(at),
    })) ?? null
  );
}

function clientStatus(
  view: ClientView,
  { sockets, opens, baselines }: History,
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
    opens: endpointKnown && baselines.has(client) ? (opens.get(client) ?? noOpens()) : null,
  };
}

function connectionStatus(
  { key, client, socket, pid, route, evidence, stale, firstSeenAt }: EndpointConnection,
  sockets: History['sockets'],
): ConnectionStatus {
  const staleSince = sockets.get(key)?.staleSince ?? null;
  return {
    pid: client === UNATTRIBUTED ? null : pid,
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

function scanStatus(
  observation: Observation,
  clients: readonly ClientView[],
  { tier, scans }: { tier: Tier; scans: number },
): ScanStatus {
  const { tables, owners, endpoint, procReadErrors } = observation;
  return {
    scans,
    sockets: tables && sum(tables.map(({ rows }) => rows)),
    rejectedRows: tables && sum(tables.map(({ rejectedRows }) => rejectedRows)),
    ignoredConnections:
      tier.attribution !== 'none' && endpoint ? sum(clients.map(({ ignored }) => ignored)) : null,
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
