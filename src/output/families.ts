/**
 * The metrics: one table of definitions, each a function of a node status. A family without samples is absent:
 * what is unknown is never 0.
 */
import { FINDING_CODES, severityOf } from '../model/findings.ts';
import { DNS_FAILURES } from '../model/observation.ts';
import {
  ACCESS_MODES,
  ATTRIBUTIONS,
  type ConnectionStatus,
  GATE_STATES,
  NODE_ROUTES,
  type NodeStatus,
  type ProbeStatus,
  ROUTES,
  UNATTRIBUTED,
} from '../model/status.ts';
import { MAX_PROBED } from '../model/x-enis-known.ts';

/** What the agent knows of itself. */
export interface SelfUsage {
  readonly revision: string;
  readonly nodeVersion: string;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Null where the system does not tell. */
  readonly openFds: number | null;
  readonly startTimeSeconds: number;
}

interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Family {
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: (status: NodeStatus, self: SelfUsage) => readonly Sample[];
}

/** Peers that get a series of their own. */
const MAX_PEERS = 16;

/** The routes to an address; `proxy` is one of a client. */
const ADDRESS_ROUTES = ROUTES.filter((route) => route !== 'proxy');

const PREFIX = 'eks_endpoint_';

/** Every metric, in the order of the interface. */
export const FAMILIES: readonly Family[] = [
  gauge('node_route', 'The route of the node to its control plane', ['route'], ({ route }) =>
    oneHot('route', NODE_ROUTES, route),
  ),
  gauge('expected_route', 'The route that the operator expects', ['route'], ({ expectedRoute }) =>
    expectedRoute === 'any' ? [] : [{ value: 1, labels: { route: expectedRoute } }],
  ),
  gauge('gate', 'Answers to the questions before a switch', ['gate', 'state'], ({ gates }) =>
    gates.flatMap(({ gate: name, state }) =>
      oneHot('state', GATE_STATES, state).map(({ value, labels }) => ({
        value,
        labels: { gate: name, ...labels },
      })),
    ),
  ),
  gauge(
    'finding',
    'Whether a finding is raised; absent while it cannot be evaluated',
    ['code', 'severity'],
    ({ findings, evaluated }) =>
      FINDING_CODES.filter((code) => evaluated.includes(code)).map((code) => ({
        value: findings.some((raised) => raised.code === code) ? 1 : 0,
        labels: { code, severity: severityOf(code) },
      })),
  ),
  gauge('connections', 'Established endpoint connections', ['client', 'route'], (status) =>
    readClients(status).flatMap(({ client, connections }) =>
      ROUTES.map((route) => ({
        value: connections.filter((one) => isEstablished(one) && one.route === route).length,
        labels: { client, route },
      })),
    ),
  ),
  gauge(
    'stale_connections',
    'Established endpoint connections on a route that DNS no longer gives',
    ['client'],
    (status) =>
      staleClients(status).map(({ client, connections }) => ({
        value: connections.filter(({ stale }) => stale).length,
        labels: { client },
      })),
  ),
  gauge(
    'stale_connection_oldest_timestamp_seconds',
    'Since when the oldest stale connection is stale; absent when there is none',
    ['client'],
    (status) =>
      staleClients(status).flatMap(({ client, connections }) => {
        const since = connections.flatMap(({ staleSince }) =>
          staleSince === null ? [] : [seconds(staleSince)],
        );
        return since.length === 0 ? [] : [{ value: Math.min(...since), labels: { client } }];
      }),
  ),
  gauge('connecting', 'Endpoint connections that are being opened (SYN_SENT)', ['client'], (status) =>
    readClients(status).map(({ client, connections }) => ({
      value: connections.filter(({ state }) => state === 'syn-sent').length,
      labels: { client },
    })),
  ),
  gauge(
    'retransmitting_connections',
    'Established endpoint connections with unrecovered retransmission time-outs',
    ['client'],
    (status) =>
      readClients(status).map(({ client, connections }) => ({
        value: connections.filter((one) => isEstablished(one) && one.retransmits > 0).length,
        labels: { client },
      })),
  ),
  counter(
    'connection_opens_total',
    'Endpoint connections that this agent saw open; those of its first look do not count',
    ['client', 'route'],
    ({ clients }) =>
      clients.flatMap(({ client, opens }) =>
        opens === null ? [] : ROUTES.map((route) => ({ value: opens[route], labels: { client, route } })),
      ),
  ),
  gauge(
    'peer_info',
    'Peers of established endpoint connections, public ones first, at most 16',
    ['client', 'address', 'route'],
    (status) =>
      peers(status)
        .slice(0, MAX_PEERS)
        .map((labels) => ({ value: 1, labels })),
  ),
  gauge('peers_left_out', 'Peers without a series in peer_info', [], (status) =>
    readClients(status).length === 0 ? [] : [{ value: Math.max(0, peers(status).length - MAX_PEERS) }],
  ),
  gauge(
    'client_found',
    'Whether a process of the client runs as root in the network namespace of the node',
    ['client'],
    (status) =>
      stageSucceeded(status, 'owners')
        ? status.clients.flatMap(({ client, found }) =>
            found === null ? [] : [{ value: Number(found), labels: { client } }],
          )
        : [],
  ),
  gauge('client_start_time_seconds', 'Start of the oldest process of the client', ['client'], (status) =>
    stageSucceeded(status, 'owners')
      ? status.clients.flatMap(({ client, startedAt }) =>
          startedAt === null ? [] : [{ value: seconds(startedAt), labels: { client } }],
        )
      : [],
  ),
  gauge('clients_left_out', "Processes of a client's name that are not taken for it", [], (status) =>
    stageSucceeded(status, 'owners') ? known(status.scan.clientsLeftOut) : [],
  ),
  gauge(
    'inbound_connections',
    "Connections to the kubelet's port 10250 from other machines",
    ['route'],
    (status) => {
      const { inbound } = status;
      return inbound === null || !stageSucceeded(status, 'sockets')
        ? []
        : ADDRESS_ROUTES.map((route) => ({
            value: sum(inbound.filter((peer) => peer.route === route).map(({ connections }) => connections)),
            labels: { route },
          }));
    },
  ),
  gauge(
    'info',
    'The endpoint, and where its name was found',
    ['hostname', 'port', 'source'],
    ({ endpoint }) =>
      endpoint === null
        ? []
        : [
            {
              value: 1,
              labels: {
                hostname: endpoint.hostname.toLowerCase(),
                port: String(endpoint.port),
                source: endpoint.source,
              },
            },
          ],
  ),
  gauge('dns_addresses', 'Addresses in the last complete DNS answer', ['route'], ({ dns }) => {
    const addresses = dns?.addresses;
    return !addresses
      ? []
      : ADDRESS_ROUTES.map((route) => ({
          value: addresses.filter((address) => address.route === route).length,
          labels: { route },
        }));
  }),
  gauge('dns_success', 'Whether the last lookup gave a complete answer', [], ({ dns }) =>
    known(dns?.success, Number),
  ),
  gauge('dns_ttl_seconds', 'Shortest TTL of the last complete answer', [], ({ dns }) =>
    known(dns?.ttlSeconds),
  ),
  gauge('dns_duration_seconds', 'Duration of the last lookup', [], ({ dns }) => known(dns?.durationSeconds)),
  gauge('dns_last_success_timestamp_seconds', 'Time of the last complete answer', [], ({ dns }) =>
    known(dns?.resolvedAt, seconds),
  ),
  gauge(
    'dns_last_change_timestamp_seconds',
    'When the DNS answer last changed before the eyes of this agent',
    [],
    ({ dns }) => known(dns?.changedAt, seconds),
  ),
  counter('dns_lookups_total', 'Lookups of the endpoint, of both families together', [], ({ dns }) =>
    known(dns?.lookups),
  ),
  counter('dns_changes_total', 'Changes of the DNS answer', [], ({ dns }) => known(dns?.changes)),
  counter('dns_failures_total', 'Lookups without a complete answer', ['reason'], ({ dns }) =>
    dns === null ? [] : DNS_FAILURES.map((reason) => ({ value: dns.failures[reason], labels: { reason } })),
  ),
  gauge('x_eni_addresses', 'Distinct addresses known as X-ENIs', [], ({ xEni }) =>
    known(xEni?.addresses.length),
  ),
  gauge(
    'x_eni_source_addresses',
    'Addresses known as X-ENIs, by how they are known',
    ['source'],
    ({ xEni }) =>
      xEni === null
        ? []
        : xEni.sources.map((source) => ({
            value: xEni.addresses.filter(({ sources }) => sources.includes(source)).length,
            labels: { source },
          })),
  ),
  gauge(
    'access_mode',
    "The cluster's endpoint access, as DNS shows it inside the VPC and outside",
    ['mode'],
    ({ accessMode }) => oneHot('mode', ACCESS_MODES, accessMode),
  ),
  gauge(
    'probe_success',
    'Whether the address answered the last probe, TCP and TLS, as this cluster',
    ['address'],
    ({ probes }) => ofProbes(probes, ({ success }) => Number(success)),
  ),
  gauge('probe_duration_seconds', 'Duration of the last probe', ['address'], ({ probes }) =>
    ofProbes(probes, ({ durationSeconds }) => durationSeconds),
  ),
  gauge('attribution', 'How sockets are told apart', ['mode'], ({ attribution }) =>
    oneHot('mode', ATTRIBUTIONS, attribution),
  ),
  gauge('scan_success', 'Whether the stage last succeeded', ['stage'], ({ stages }) =>
    stages.map(({ stage, success }) => ({ value: Number(success), labels: { stage } })),
  ),
  gauge('scan_duration_seconds', 'How long the stage last took', ['stage'], ({ stages }) =>
    stages.map(({ stage, durationSeconds }) => ({ value: durationSeconds, labels: { stage } })),
  ),
  gauge('scan_sockets', 'Rows of the TCP tables, of all processes in every state', [], (status) =>
    stageSucceeded(status, 'sockets') ? known(status.scan.sockets) : [],
  ),
  gauge('scan_rejected_rows', 'Rows of the TCP tables that did not parse', [], (status) =>
    stageSucceeded(status, 'sockets') ? known(status.scan.rejectedRows) : [],
  ),
  gauge('scan_ignored_connections', "Clients' connections that are not to the endpoint", [], (status) =>
    stageSucceeded(status, 'sockets') ? known(status.scan.ignoredConnections) : [],
  ),
  gauge('last_scan_timestamp_seconds', 'End of the last look', [], ({ observedAt }) => [
    { value: seconds(observedAt) },
  ]),
  counter('scans_total', 'Looks at the node', [], ({ scan }) => [{ value: scan.scans }]),
  counter(
    'proc_read_errors_total',
    'Refused or failed reads below /proc; vanished processes do not count',
    ['reason'],
    ({ scan }) =>
      Object.entries(scan.procReadErrors).map(([reason, value]) => ({ value, labels: { reason } })),
  ),
  gauge(
    'machine_info',
    'The machine; what is unknown is empty',
    ['nodename', 'kernel', 'arch', 'vendor', 'model'],
    ({ node, machine }) => [
      {
        value: 1,
        labels: {
          nodename: node,
          kernel: machine.kernel ?? '',
          arch: machine.arch ?? '',
          vendor: machine.vendor ?? '',
          model: machine.model ?? '',
        },
      },
    ],
  ),
  gauge(
    'exporter_build_info',
    'The version of this exporter',
    ['version', 'revision', 'node_version'],
    ({ version }, { revision, nodeVersion }) => [
      { value: 1, labels: { version, revision, node_version: nodeVersion } },
    ],
  ),
  ofSelf('counter', 'cpu_seconds_total', 'CPU time of this exporter', ({ cpuSeconds }) => cpuSeconds),
  ofSelf(
    'gauge',
    'resident_memory_bytes',
    'Resident memory of this exporter',
    ({ residentBytes }) => residentBytes,
  ),
  ofSelf('gauge', 'open_fds', 'Open descriptors of this exporter', ({ openFds }) => openFds),
  ofSelf('gauge', 'start_time_seconds', 'Start of this exporter', ({ startTimeSeconds }) => startTimeSeconds),
];

function gauge(name: string, help: string, labels: readonly string[], samples: Family['samples']): Family {
  return { name: PREFIX + name, kind: 'gauge', help, labels, samples };
}

function counter(name: string, help: string, labels: readonly string[], samples: Family['samples']): Family {
  return { name: PREFIX + name, kind: 'counter', help, labels, samples };
}

/** Those of Prometheus' standard process metrics that tell what the exporter costs. */
function ofSelf(
  kind: Family['kind'],
  name: string,
  help: string,
  value: (self: SelfUsage) => number | null,
): Family {
  return { name: `process_${name}`, kind, help, labels: [], samples: (_, self) => known(value(self)) };
}

function oneHot(label: string, values: readonly string[], current: string): readonly Sample[] {
  return values.map((value) => ({ value: Number(value === current), labels: { [label]: value } }));
}

function ofProbes(probes: NodeStatus['probes'], toNumber: (probe: ProbeStatus) => number): readonly Sample[] {
  return (probes ?? [])
    .slice(0, MAX_PROBED)
    .map((probe) => ({ value: toNumber(probe), labels: { address: probe.address } }));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** One sample of what is known, none of what is not. */
function known(value: number | null | undefined): readonly Sample[];
function known<T>(value: T | null | undefined, toNumber: (value: T) => number): readonly Sample[];
function known<T>(value: T | null | undefined, toNumber: (value: T) => number = Number): readonly Sample[] {
  return value === null || value === undefined ? [] : [{ value: toNumber(value) }];
}

/** The clients whose endpoint connections are known; where owners are not told apart, nobody's. */
function readClients(status: NodeStatus): readonly ToldClient[] {
  if (!stageSucceeded(status, 'sockets')) return [];
  const ownersRead = stageSucceeded(status, 'owners');
  return status.clients.flatMap(({ client, found, connections }) =>
    connections !== null && (client === UNATTRIBUTED || (found && ownersRead))
      ? [{ client, connections }]
      : [],
  );
}

interface ToldClient {
  readonly client: string;
  readonly connections: readonly ConnectionStatus[];
}

/** Those of them whose connections could be held against a DNS answer. */
function staleClients(status: NodeStatus): readonly ToldClient[] {
  if (!status.dns?.addresses) return [];
  return readClients(status).filter(({ connections }) =>
    connections.every((connection) => !isEstablished(connection) || connection.stale !== null),
  );
}

function peers(status: NodeStatus): readonly { client: string; address: string; route: string }[] {
  const distinct = new Map<string, { client: string; address: string; route: string }>();
  for (const { client, connections } of readClients(status)) {
    for (const connection of connections.filter(isEstablished)) {
      const address = connection.peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      distinct.set(`${client} ${address}`, { client, address, route: connection.route });
    }
  }
  const all = [...distinct.values()];
  return [...all.filter(({ route }) => route === 'public'), ...all.filter(({ route }) => route !== 'public')];
}

function isEstablished({ state }: ConnectionStatus): boolean {
  return state === 'established';
}

function stageSucceeded({ stages }: NodeStatus, name: string): boolean {
  return stages.some(({ stage, success }) => stage === name && success);
}

/** An ISO time to Unix seconds. */
function seconds(time: string): number {
  return Date.parse(time) / 1000;
}
