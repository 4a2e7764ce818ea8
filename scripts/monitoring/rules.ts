/**
 * The recording rules and the alerts: the one source of the rules for Prometheus, for its operator and for Grafana.
 *
 * An alert is a query, a comparison and how long it must hold, because Grafana keeps query and threshold apart. A
 * query gives a series also where nothing is wrong, wherever there is one to give: nothing at all is then a sign of
 * its own. `ignoring` and `without` let the labels through that the user's scrapes add, whatever their names are.
 */
import { JOB as EXPORTER_JOB } from '../../src/fleet/prometheus/queries.ts';
import { adviceOf } from '../../src/model/findings.ts';
import type { FindingCode } from '../../src/model/status.ts';

export interface RecordingRule {
  /** level:metric:operation, as Prometheus' practices have it. */
  readonly record: string;
  readonly expr: string;
  /** What it says, for the documentation. */
  readonly help: string;
}

export interface Alert {
  /** `EksEndpoint` and the name of its runbook in docs/runbooks. */
  readonly name: string;
  /** The alert is raised where this ... */
  readonly query: string;
  readonly comparison: '>' | '<';
  readonly threshold: number;
  /** ... for so long, in Prometheus' form. */
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  /** Templates of Prometheus: `$labels`, and `$value` where it is used. */
  readonly summary: string;
  readonly description: string;
}

/** What every example of a scrape configuration calls its job. Only what has to see a missing exporter goes by it. */
export const JOB = EXPORTER_JOB;

/** Of kube_node_info: all but the nodes on which the DaemonSet does not run. */
export const DAEMON_NODES = 'node!~"fargate-.*", os_image!~"Windows.*"';

/** Routes by which the clients do not reach the X-ENIs. */
const OFF_THE_X_ENIS = 'public|mixed|other';

/**
 * A gauge as the exporter last gave it: one scrape that fails ends no alert, and begins no time anew. As long as
 * Prometheus itself takes a series that merely stops for current.
 */
function latest(series: string): string {
  return `last_over_time(${series}[5m])`;
}

/** How much of the fleet must have been on the X-ENIs for an hour for its migration to count as finished. */
const FINISHED_SHARE = 0.9;

export const RECORDING_RULES: readonly RecordingRule[] = [
  {
    record: 'cluster_route:eks_endpoint_node_route:sum',
    expr: 'sum by (cluster, job, route) (eks_endpoint_node_route)',
    help: 'Nodes by route',
  },
  {
    record: 'cluster:eks_endpoint_exporters:count',
    expr: `count by (cluster, job) (up{job="${JOB}"})`,
    help: 'Exporters that ought to answer, those included that do not',
  },
  {
    record: 'cluster:eks_endpoint_x_eni_nodes:ratio',
    expr: 'sum by (cluster, job) (eks_endpoint_node_route{route="x-eni"}) / cluster:eks_endpoint_exporters:count',
    help: 'Share moved: of the exporters that ought to answer, those whose node is on the X-ENIs',
  },
  {
    record: 'cluster:eks_endpoint_off_x_eni_nodes:sum',
    expr: `sum by (cluster, job) (eks_endpoint_node_route{route=~"${OFF_THE_X_ENIS}"})`,
    help: 'Nodes that are known not to be on the X-ENIs',
  },
  {
    record: 'cluster_client:eks_endpoint_stale_connections:sum',
    expr: 'sum by (cluster, job, client) (eks_endpoint_stale_connections)',
    help: 'Stale connections by client',
  },
  {
    record: 'cluster_gate_state:eks_endpoint_gate:sum',
    expr: 'sum by (cluster, job, gate, state) (eks_endpoint_gate)',
    help: 'Nodes by gate and its answer',
  },
  {
    record: 'cluster:eks_endpoint_migration_finished:bool',
    expr: `(max_over_time(cluster:eks_endpoint_off_x_eni_nodes:sum[1h]) == bool 0)
* (min_over_time(cluster:eks_endpoint_x_eni_nodes:ratio[1h]) >= bool ${FINISHED_SHARE})
and cluster:eks_endpoint_x_eni_nodes:ratio offset 1h`,
    help: `1 after an hour in which no node was off the X-ENIs and ${FINISHED_SHARE * 100} % or more of all were on them; absent before there is an hour to judge`,
  },
];

const NODE = '{{ with $labels.node }}{{ . }}{{ else }}{{ $labels.instance }}{{ end }}';
const CLUSTER = '{{ with $labels.cluster }} of cluster {{ . }}{{ end }}';

export const ALERTS: readonly Alert[] = [
  {
    name: 'EksEndpointUnexpectedRoute',
    // By the expected route, whatever the actual one is: a node that goes between public and mixed is in one series. And
    // one that is unknown now and then is none that is where it should be.
    query: `${latest('eks_endpoint_expected_route')}
- ${latest('eks_endpoint_node_route')}
and ignoring (route) min_over_time(eks_endpoint_node_route{route="unknown"}[10m]) == 0`,
    comparison: '>',
    threshold: 0,
    for: '15m',
    severity: 'warning',
    summary: `Node ${NODE}${CLUSTER} is not on the expected route to its control plane`,
    description: `The clients of node ${NODE}${CLUSTER} do not reach the control plane by the route {{ $labels.route }} alone, which the operator expects. ${adviceOf('UnexpectedRoute')}`,
  },
  {
    name: 'EksEndpointStaleConnection',
    // Both times are of the node's clock, which may be another than that of Prometheus.
    query: `${latest('eks_endpoint_last_scan_timestamp_seconds')}
- ignoring (client) group_right ${latest('eks_endpoint_stale_connection_oldest_timestamp_seconds')}
and ignoring (client, code, severity) ${latest('eks_endpoint_finding{code="StaleConnection"}')} == 1`,
    comparison: '>',
    threshold: 600,
    for: '5m',
    severity: 'warning',
    summary: `{{ $labels.client }} on node ${NODE}${CLUSTER} holds a stale connection`,
    description: `{{ $labels.client }} on node ${NODE}${CLUSTER} has held a connection on a route that DNS does not give for {{ $value | humanizeDuration }}. ${adviceOf('StaleConnection')}`,
  },
  ofFinding('XEniUnreachable', {
    for: '5m',
    severity: 'critical',
    summary: 'cannot reach an X-ENI',
    description:
      'cannot open a connection to an X-ENI of its cluster: a client that reconnects to it does not come back',
  }),
  ofFinding('XEniIdentityMismatch', {
    for: '5m',
    severity: 'critical',
    summary: "is shown a certificate that is not its cluster's",
    description: "gets a certificate that is not this cluster's from an address that is to be its API server",
  }),
  ofFinding('DnsPublic', {
    for: '15m',
    severity: 'warning',
    summary: 'is given public addresses by DNS',
    description: 'is to be on the X-ENIs, and DNS gives it a public address of the endpoint',
  }),
  ofFinding('DnsFailing', {
    for: '5m',
    severity: 'warning',
    summary: 'gets no DNS answer for its endpoint',
    description: 'gets no complete DNS answer for the name of its endpoint',
  }),
  {
    name: 'EksEndpointBlind',
    query: `max without (code, severity, route) (
  ${latest('eks_endpoint_finding{code="Blind"}')}
  or
  (${latest('eks_endpoint_node_route{route="unknown"}')} and ignoring (route, mode) ${latest('eks_endpoint_attribution{mode="process"}')} == 1)
  or
  (max_over_time(up{job="${JOB}"}[5m]) == 1 unless ignoring (route) ${latest('eks_endpoint_node_route{route="unknown"}')})
)`,
    comparison: '>',
    threshold: 0,
    for: '15m',
    severity: 'warning',
    summary: `The exporter on node ${NODE}${CLUSTER} cannot tell the route`,
    description: `The exporter on node ${NODE}${CLUSTER} answers, and cannot tell by which route its clients reach the control plane: that is not known to be good. Its page and /api/v1/status say why (routeReason). ${adviceOf('Blind')}`,
  },
  {
    name: 'EksEndpointExporterMissing',
    // Over a while: an exporter that crashes again and again answers now and then, and its pod may come and go.
    query: `1 - avg_over_time(up{job="${JOB}"}[15m])
or group by (cluster, node) (${latest(`kube_node_info{${DAEMON_NODES}}`)}) unless on (cluster, node) up{job="${JOB}"}
or group by (cluster, job) (last_over_time(cluster:eks_endpoint_exporters:count[1d])) unless on (cluster) up{job="${JOB}"}
or absent(up{job="${JOB}"})`,
    comparison: '>',
    threshold: 0.5,
    for: '10m',
    severity: 'warning',
    summary: `Nothing is known of {{ if or $labels.node $labels.instance }}node ${NODE}{{ else }}any node{{ end }}${CLUSTER}: no exporter answers`,
    description: `No exporter answers for {{ if or $labels.node $labels.instance }}node ${NODE}{{ else }}any node{{ end }}${CLUSTER}: its route is not known, and no other alert can be raised for it. See that the DaemonSet has a ready pod there ('kubectl -n eks-endpoint-exporter get pods -o wide'), that port 10943 is open to Prometheus, and that the scrape job is called ${JOB} and gives its series the label node.`,
  },
  {
    name: 'EksEndpointDriftedBack',
    // Was off them a while ago, and is not known to have left since: it may be unknown in between.
    query: `max without (route) (max_over_time(eks_endpoint_node_route{route=~"${OFF_THE_X_ENIS}"}[10m]))
unless max without (route) (${latest('eks_endpoint_node_route{route=~"x-eni|none"}')}) == 1
unless ignoring (route) ${latest('eks_endpoint_expected_route{route="public"}')}
and on (cluster) max_over_time(cluster:eks_endpoint_migration_finished:bool[30d]) == 1
or count by (cluster, job) (eks_endpoint_node_route{route="unknown"}) unless on (cluster) cluster:eks_endpoint_off_x_eni_nodes:sum`,
    comparison: '>',
    threshold: 0,
    for: '15m',
    severity: 'warning',
    summary: `{{ if or $labels.node $labels.instance }}Node ${NODE}${CLUSTER} is off the X-ENIs again{{ else }}Whether nodes{{ with $labels.cluster }} of cluster {{ . }}{{ end }} have drifted back cannot be told{{ end }}`,
    description: `{{ if or $labels.node $labels.instance }}The migration was finished, and node ${NODE}${CLUSTER} reaches its control plane off the X-ENIs again. Look at what has changed: the cluster's endpoint access, the node's resolver and hosts file, a new node group. See the node's findings; restart no client before the gate private-ready is true there. If it is meant to be so, set the expectation to public.{{ else }}The recording rules of eks-endpoint-exporter are not evaluated{{ with $labels.cluster }} for cluster {{ . }}{{ end }}: load them from deploy/prometheus.{{ end }}`,
  },
];

/** An alert that is a finding; the node comes first in its texts. */
function ofFinding(
  code: FindingCode,
  { summary, description, ...alert }: Pick<Alert, 'for' | 'severity' | 'summary' | 'description'>,
): Alert {
  return {
    name: `EksEndpoint${code}`,
    query: latest(`eks_endpoint_finding{code="${code}"}`),
    comparison: '>',
    threshold: 0,
    ...alert,
    summary: `Node ${NODE}${CLUSTER} ${summary}`,
    description: `Node ${NODE}${CLUSTER} ${description}. ${adviceOf(code)}`,
  };
}

/** What Prometheus evaluates. */
export function exprOf({ query, comparison, threshold }: Alert): string {
  return `(\n${indent(query)}\n) ${comparison} ${threshold}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
