/**
 * The metrics: one table of definitions, each a function of a node status. A family without samples is absent:
 * what is unknown is never 0. docs/metrics.md is made of it.
 */
import { FINDING_CODES, severityOf } from '../model/findings.ts';
import { DNS_FAILURES, ENDPOINT_SOURCES, type StageName } from '../model/observation.ts';
import { EXPECTATIONS } from '../model/settings.ts';
import {
  ACCESS_MODES,
  ATTRIBUTIONS,
  type ConnectionStatus,
  GATE_STATES,
  GATES,
  NODE_ROUTES,
  type NodeStatus,
  type ProbeStatus,
  ROUTES,
  type Severity,
  type XEniSource,
} from '../model/status.ts';
import { MAX_PROBED } from '../model/x-enis-known.ts';
import { counter, type Family, gauge, known, ofProcess, oneHot, type Sample } from './family.ts';
import { isEstablished, peers, readClients, stageSucceeded, staleClients } from './told.ts';

/** Families that answer one kind of question. */
interface Section {
  readonly title: string;
  readonly families: readonly Family[];
}

/** Peers that get a series of their own. */
const MAX_PEERS = 16;

/** The routes to an address; `proxy` is one of a client. */
const ADDRESS_ROUTES = ROUTES.filter((route) => route !== 'proxy');

const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];
const X_ENI_SOURCES: readonly XEniSource[] = ['endpointslice', 'config', 'dns'];
const STAGES: readonly StageName[] = [
  ...(['sockets', 'owners', 'endpoint', 'dns'] as const),
  ...(['endpointslice', 'imds', 'probe', 'facts'] as const),
];

/** What open labels hold. */
const CLIENT = 'kubelet, kube-proxy and those of `--client`';
const OF_CLIENT = { client: `${CLIENT}; \`unattributed\` where owners are not told apart` };
const ADDRESS = 'IPv4 or IPv6 address';
const TEXT = 'empty where it is not known';

/** Why a family is absent. */
const NO_CONNECTIONS_KNOWN = 'for a client that is not there, or whose connections are not known';
const NO_OWNERS = 'where the processes of the node cannot be told';
const NO_TABLES = 'while the TCP tables cannot be read';
const NO_NAME = 'while there is no name to look up: the endpoint is not known, or is an address';
const NO_LOOKUP = 'before the first lookup has ended';
const NO_ANSWER = 'before the first complete answer';
const TOO_OLD = 'while the last look is too old';

/** What holds of most that is told of a client's connections. */
const PER_CLIENT = { labels: OF_CLIENT, absent: NO_CONNECTIONS_KNOWN };

const ROUTE: readonly Family[] = [
  gauge(
    'node_route',
    'The route of the node to its control plane',
    oneHot('route', NODE_ROUTES, ({ route }) => route),
  ),
  gauge('expected_route', 'The route that the operator expects', {
    unit: '1',
    labels: { route: EXPECTATIONS.filter((route) => route !== 'any') },
    absent: 'where any route is as expected (`--expect=any`)',
    samples: ({ expectedRoute }) =>
      expectedRoute === 'any' ? [] : [{ value: 1, labels: { route: expectedRoute } }],
  }),
  gauge('gate', 'Answers to the questions before a switch', {
    unit: 'one-hot',
    labels: { gate: GATES, state: GATE_STATES },
    samples: ({ gates }) =>
      gates.flatMap(({ gate, state }) =>
        GATE_STATES.map((each) => ({ value: Number(each === state), labels: { gate, state: each } })),
      ),
  }),
  gauge('finding', 'Whether a finding is raised; absent while it cannot be evaluated', {
    unit: '0 or 1',
    labels: { code: FINDING_CODES, severity: SEVERITIES },
    absent: 'for a finding that cannot be evaluated: what it needs is off or not known',
    samples: ({ findings, evaluated }) =>
      FINDING_CODES.filter((code) => evaluated.includes(code)).map((code) => ({
        value: findings.some((raised) => raised.code === code) ? 1 : 0,
        labels: { code, severity: severityOf(code) },
      })),
  }),
];

const CONNECTIONS: readonly Family[] = [
  gauge('connections', 'Established endpoint connections', {
    labels: { ...OF_CLIENT, route: ROUTES },
    absent: NO_CONNECTIONS_KNOWN,
    samples: (status) =>
      readClients(status).flatMap(({ client, connections }) =>
        ROUTES.map((route) => ({
          value: connections.filter((one) => isEstablished(one) && one.route === route).length,
          labels: { client, route },
        })),
      ),
  }),
  gauge('stale_connections', 'Established endpoint connections on a route that DNS no longer gives', {
    labels: OF_CLIENT,
    absent: `${NO_CONNECTIONS_KNOWN}, or without a DNS answer to hold them against`,
    samples: (status) =>
      staleClients(status).map(({ client, connections }) => ({
        value: connections.filter(({ stale }) => stale).length,
        labels: { client },
      })),
  }),
  gauge(
    'stale_connection_oldest_timestamp_seconds',
    'Since when the oldest stale connection is stale; absent when there is none',
    {
      labels: OF_CLIENT,
      absent: 'as `eks_endpoint_stale_connections`, and where that is 0',
      samples: (status) =>
        staleClients(status).flatMap(({ client, connections }) => {
          const since = connections.flatMap(({ staleSince }) =>
            staleSince === null ? [] : [seconds(staleSince)],
          );
          return since.length === 0 ? [] : [{ value: Math.min(...since), labels: { client } }];
        }),
    },
  ),
  gauge('connecting', 'Endpoint connections that are being opened (SYN_SENT)', {
    ...PER_CLIENT,
    samples: countOf(({ state }) => state === 'syn-sent'),
  }),
  gauge(
    'retransmitting_connections',
    'Established endpoint connections with unrecovered retransmission time-outs',
    {
      ...PER_CLIENT,
      samples: countOf((one) => isEstablished(one) && one.retransmits > 0),
    },
  ),
  counter(
    'connection_opens_total',
    'Endpoint connections that this agent saw open; those of its first look do not count',
    {
      labels: { client: CLIENT, route: ROUTES },
      absent: 'until the sockets of the client have been read once, and while the endpoint is not known',
      samples: ({ clients }) =>
        clients.flatMap(({ client, opens }) =>
          opens === null ? [] : ROUTES.map((route) => ({ value: opens[route], labels: { client, route } })),
        ),
    },
  ),
  gauge('peer_info', 'Peers of established endpoint connections, public ones first, at most 16', {
    unit: '1',
    labels: { ...OF_CLIENT, address: ADDRESS, route: ROUTES },
    absent: `${NO_CONNECTIONS_KNOWN}; the 17th peer and later ones`,
    samples: (status) =>
      peers(status)
        .slice(0, MAX_PEERS)
        .map((labels) => ({ value: 1, labels })),
  }),
  gauge('peers_left_out', 'Peers without a series in peer_info', {
    absent: 'while no connections of any client are known',
    samples: (status) =>
      readClients(status).length === 0 ? [] : [{ value: Math.max(0, peers(status).length - MAX_PEERS) }],
  }),
];

const CLIENTS: readonly Family[] = [
  gauge('client_found', 'Whether a process of the client runs as root in the network namespace of the node', {
    unit: '0 or 1',
    labels: { client: CLIENT },
    absent: NO_OWNERS,
    samples: (status) =>
      stageSucceeded(status, 'owners')
        ? status.clients.flatMap(({ client, found }) =>
            found === null ? [] : [{ value: Number(found), labels: { client } }],
          )
        : [],
  }),
  gauge('client_start_time_seconds', 'Start of the oldest process of the client', {
    labels: { client: CLIENT },
    absent: `${NO_OWNERS}, and for a client that is not there`,
    samples: (status) =>
      stageSucceeded(status, 'owners')
        ? status.clients.flatMap(({ client, startedAt }) =>
            startedAt === null ? [] : [{ value: seconds(startedAt), labels: { client } }],
          )
        : [],
  }),
  gauge('clients_left_out', "Processes of a client's name that are not taken for it", {
    absent: NO_OWNERS,
    samples: (status) => (stageSucceeded(status, 'owners') ? known(status.scan.clientsLeftOut) : []),
  }),
  gauge('inbound_connections', "Connections to the kubelet's port 10250 from other machines", {
    labels: { route: ADDRESS_ROUTES },
    absent: `${NO_TABLES}, or are not the node's`,
    samples: (status) => {
      const { inbound } = status;
      return inbound === null || !stageSucceeded(status, 'sockets')
        ? []
        : ADDRESS_ROUTES.map((route) => ({
            value: sum(inbound.filter((peer) => peer.route === route).map(({ connections }) => connections)),
            labels: { route },
          }));
    },
  }),
];

const DNS: readonly Family[] = [
  gauge('info', 'The endpoint, and where its name was found', {
    unit: '1',
    labels: { hostname: 'lower case', port: 'number', source: ENDPOINT_SOURCES },
    absent: 'while the endpoint is not known',
    samples: ({ endpoint }) =>
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
  }),
  gauge('dns_addresses', 'Addresses in the last complete DNS answer', {
    labels: { route: ADDRESS_ROUTES },
    absent: `${NO_ANSWER}, and ${TOO_OLD}`,
    samples: ({ dns }) => {
      const addresses = dns?.addresses;
      return !addresses
        ? []
        : ADDRESS_ROUTES.map((route) => ({
            value: addresses.filter((address) => address.route === route).length,
            labels: { route },
          }));
    },
  }),
  gauge('dns_success', 'Whether the last lookup gave a complete answer', {
    unit: '0 or 1',
    absent: `${NO_LOOKUP}, and ${TOO_OLD}`,
    samples: ({ dns }) => known(dns?.success, Number),
  }),
  gauge('dns_ttl_seconds', 'Shortest TTL of the last complete answer', {
    absent: NO_ANSWER,
    samples: ({ dns }) => known(dns?.ttlSeconds),
  }),
  gauge('dns_duration_seconds', 'Duration of the last lookup', {
    absent: NO_LOOKUP,
    samples: ({ dns }) => known(dns?.durationSeconds),
  }),
  gauge('dns_last_success_timestamp_seconds', 'Time of the last complete answer', {
    absent: NO_ANSWER,
    samples: ({ dns }) => known(dns?.resolvedAt, seconds),
  }),
  gauge(
    'dns_last_change_timestamp_seconds',
    'When the DNS answer last changed before the eyes of this agent',
    {
      absent: 'until it has changed once',
      samples: ({ dns }) => known(dns?.changedAt, seconds),
    },
  ),
  counter('dns_lookups_total', 'Lookups of the endpoint, of both families together', {
    absent: NO_NAME,
    samples: ({ dns }) => known(dns?.lookups),
  }),
  counter('dns_changes_total', 'Changes of the DNS answer', {
    absent: NO_NAME,
    samples: ({ dns }) => known(dns?.changes),
  }),
  counter('dns_failures_total', 'Lookups without a complete answer', {
    labels: { reason: DNS_FAILURES },
    absent: NO_NAME,
    samples: ({ dns }) =>
      dns === null ? [] : DNS_FAILURES.map((reason) => ({ value: dns.failures[reason], labels: { reason } })),
  }),
];

const X_ENIS: readonly Family[] = [
  gauge('x_eni_addresses', 'Distinct addresses known as X-ENIs', {
    absent: `while no source could name one, and ${TOO_OLD}`,
    samples: ({ xEni }) => known(xEni?.addresses.length),
  }),
  gauge('x_eni_source_addresses', 'Addresses known as X-ENIs, by how they are known', {
    labels: { source: X_ENI_SOURCES },
    absent: `for a source that could not name one, and ${TOO_OLD}`,
    samples: ({ xEni }) =>
      xEni === null
        ? []
        : xEni.sources.map((source) => ({
            value: xEni.addresses.filter(({ sources }) => sources.includes(source)).length,
            labels: { source },
          })),
  }),
  gauge(
    'access_mode',
    "The cluster's endpoint access, as DNS shows it inside the VPC and outside",
    oneHot('mode', ACCESS_MODES, ({ accessMode }) => accessMode),
  ),
  gauge('probe_success', 'Whether the address answered the last probe, TCP and TLS, as this cluster', {
    unit: '0 or 1',
    labels: { address: ADDRESS },
    absent: `for an address that has not been probed, with \`--no-probe\`, and ${TOO_OLD}; the 17th and later ones`,
    samples: ({ probes }) => ofProbes(probes, ({ success }) => Number(success)),
  }),
  gauge('probe_duration_seconds', 'Duration of the last probe', {
    labels: { address: ADDRESS },
    absent: 'as `eks_endpoint_probe_success`',
    samples: ({ probes }) => ofProbes(probes, ({ durationSeconds }) => durationSeconds),
  }),
];

const LOOK: readonly Family[] = [
  gauge(
    'attribution',
    'How sockets are told apart',
    oneHot('mode', ATTRIBUTIONS, ({ attribution }) => attribution),
  ),
  gauge('scan_success', 'Whether the stage last succeeded', {
    unit: '0 or 1',
    labels: { stage: STAGES },
    absent: 'for a stage that is off, or has not ended yet',
    samples: ({ stages }) =>
      stages.map(({ stage, success }) => ({ value: Number(success), labels: { stage } })),
  }),
  gauge('scan_duration_seconds', 'How long the stage last took', {
    labels: { stage: STAGES },
    absent: 'as `eks_endpoint_scan_success`',
    samples: ({ stages }) =>
      stages.map(({ stage, durationSeconds }) => ({ value: durationSeconds, labels: { stage } })),
  }),
  gauge('scan_sockets', 'Rows of the TCP tables, of all processes in every state', {
    absent: NO_TABLES,
    samples: ofTables('sockets'),
  }),
  gauge('scan_rejected_rows', 'Rows of the TCP tables that did not parse', {
    absent: NO_TABLES,
    samples: ofTables('rejectedRows'),
  }),
  gauge('scan_ignored_connections', "Clients' connections that are not to the endpoint", {
    absent: `${NO_TABLES}, while sockets are not told apart, and while the endpoint is not known`,
    samples: ofTables('ignoredConnections'),
  }),
  gauge('last_scan_timestamp_seconds', 'End of the last look', {
    samples: ({ observedAt }) => [{ value: seconds(observedAt) }],
  }),
  counter('scans_total', 'Looks at the node', {
    samples: ({ scan }) => [{ value: scan.scans }],
  }),
  counter('proc_read_errors_total', 'Refused or failed reads below /proc; vanished processes do not count', {
    labels: { reason: "the kernel's name of the error" },
    absent: 'for an error that has not occurred; `EACCES` is there from the first look on',
    samples: ({ scan }) =>
      Object.entries(scan.procReadErrors).map(([reason, value]) => ({ value, labels: { reason } })),
  }),
];

const EXPORTER: readonly Family[] = [
  gauge('machine_info', 'The machine; what is unknown is empty', {
    unit: '1',
    labels: {
      nodename: "the agent's `--node-name`",
      kernel: TEXT,
      arch: TEXT,
      vendor: TEXT,
      model: TEXT,
    },
    samples: ({ node, machine: { kernel, arch, vendor, model } }) => [
      {
        value: 1,
        labels: {
          nodename: node,
          kernel: kernel ?? '',
          arch: arch ?? '',
          vendor: vendor ?? '',
          model: model ?? '',
        },
      },
    ],
  }),
  gauge('exporter_build_info', 'The version of this exporter', {
    unit: '1',
    labels: { version: 'x.y.z', revision: 'commit', node_version: "Node's" },
    samples: ({ version }, { revision, nodeVersion }) => [
      { value: 1, labels: { version, revision, node_version: nodeVersion } },
    ],
  }),
  // What the exporter costs; the rest of the standard process metrics says nothing of that.
  ofProcess('cpu_seconds_total', 'CPU time of this exporter', {
    of: ({ cpuSeconds }) => cpuSeconds,
  }),
  ofProcess('resident_memory_bytes', 'Resident memory of this exporter', {
    of: ({ residentBytes }) => residentBytes,
  }),
  ofProcess('open_fds', 'Open descriptors of this exporter', {
    absent: 'where the system does not tell',
    of: ({ openFds }) => openFds,
  }),
  ofProcess('start_time_seconds', 'Start of this exporter', {
    of: ({ startTimeSeconds }) => startTimeSeconds,
  }),
];

/** Every metric, by what it tells of; in the order of /metrics. */
export const SECTIONS: readonly Section[] = [
  { title: 'Route, gates and findings', families: ROUTE },
  { title: 'Connections', families: CONNECTIONS },
  { title: 'Clients', families: CLIENTS },
  { title: 'Endpoint and DNS', families: DNS },
  { title: 'X-ENIs and probes', families: X_ENIS },
  { title: 'The look', families: LOOK },
  { title: 'The exporter', families: EXPORTER },
];

export const FAMILIES: readonly Family[] = SECTIONS.flatMap(({ families }) => families);

/** Those of each client's endpoint connections that are so. */
function countOf(isSo: (connection: ConnectionStatus) => boolean): Family['samples'] {
  return (status) =>
    readClients(status).map(({ client, connections }) => ({
      value: connections.filter(isSo).length,
      labels: { client },
    }));
}

function ofTables(count: 'sockets' | 'rejectedRows' | 'ignoredConnections'): Family['samples'] {
  return (status) => (stageSucceeded(status, 'sockets') ? known(status.scan[count]) : []);
}

function ofProbes(probes: NodeStatus['probes'], toNumber: (probe: ProbeStatus) => number): readonly Sample[] {
  return (probes ?? [])
    .slice(0, MAX_PROBED)
    .map((probe) => ({ value: toNumber(probe), labels: { address: probe.address } }));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** An ISO time to Unix seconds. */
function seconds(time: string): number {
  return Date.parse(time) / 1000;
}
