/**
 * Parts of the dashboards' queries. A node is told by cluster, instance and node; other labels that a scrape adds
 * (pod, replica ...) are aggregated away. What is expected is the union of the scrape's targets, those included that
 * do not answer, and of Kubernetes' nodes where kube-state-metrics is scraped: a node that is missing counts as one.
 */
import { DAEMON_NODES } from '../rules.ts';
import { CODES, MISSING, NO_FINDING, ROUTE_UNKNOWN, weightOf } from './codes.ts';
import { DNS_STATES, NODE_ROUTE_STATES, type State } from './words.ts';

/** What a node's panel shows where there is nothing. */
export const NO_ANSWER_OF_NODE = 'not known: the exporter of this node does not answer';
/** What is shown where there is nothing to count. */
export const NOBODY = 'no exporter and no node is known for this selection: nothing can be said';

/** The selection of the fleet; `.*` matches also where there is no such label. */
export const FLEET = 'cluster=~"$cluster",job=~"$job"';
/** The selection of a node. */
export const NODE = `${FLEET},node="$node"`;
const KEY = 'cluster, instance, node';

/** Those on which the DaemonSet runs, as EksEndpointExporterMissing has it. */
const KUBERNETES_NODES = `group by (cluster, node) (kube_node_info{cluster=~"$cluster", ${DAEMON_NODES}})`;

const EXPECTED = `(
  group by (${KEY}) (up{${FLEET}})
  or on (cluster, node)
  ${KUBERNETES_NODES}
)`;
export const KUBERNETES_COUNT = `count(${KUBERNETES_NODES})`;
/** Of the one-hot's series every answer has each: one is enough. */
const ANSWERING = `group by (${KEY}) (eks_endpoint_node_route{${FLEET},route="x-eni"})`;
const UNANSWERED = `(${EXPECTED} unless on (${KEY}) ${ANSWERING})`;

/** How many of the nodes; 0 only where there are nodes at all. */
export function countOf(nodes: string): string {
  return `count(${nodes})\nor 0 * count(${EXPECTED})`;
}

export const EXPECTED_COUNT = `count(${EXPECTED})`;
export const ANSWERING_COUNT = countOf(ANSWERING);
export const UNANSWERED_COUNT = countOf(UNANSWERED);

/** One sample a node, whatever else the scrape says of it: `labels` are kept beside the node's. */
export function perNode(selector: string, labels: readonly string[] = []): string {
  return `max by (${[KEY, ...labels].join(', ')}) (${selector})`;
}

/** With the code a second time, for the column that says what to do about it. */
export function advised(query: string): string {
  return `label_replace(${query}, "advice", "$1", "code", "(.*)")`;
}

/** Those that are not yet, of those that are expected, in each cluster; `passing` of `all` are labels, for the legend. */
export function notYet(passing: string): string {
  const all = `count by (cluster) (${EXPECTED})`;
  const some = `(sum by (cluster) (${passing}) or 0 * ${all})`;
  return `(${all} - ${some})
* on (cluster) group_left (passing) count_values by (cluster) ("passing", ${some})
* on (cluster) group_left (all) count_values by (cluster) ("all", ${all})`;
}

/** Exporters of clusters of which nobody tells any more: such a cluster has no tile beside those that are done. */
export const GONE = `max by (cluster) (last_over_time(cluster:eks_endpoint_exporters:count{${FLEET}}[1d]))
unless on (cluster) ${EXPECTED}`;

/** A one-hot family as the number of its state. */
export function stateOf(family: string, matchers: string, { label, states, by = [] }: OneHot): string {
  const terms = states.map(
    ({ value, number }) => `(${family}{${matchers},${label}="${value}"} == 1) * ${number}`,
  );
  return `max${by.length === 0 ? '' : ` by (${by.join(', ')})`} (\n  ${terms.join('\n  or ')}\n)`;
}

interface OneHot {
  readonly label: string;
  readonly states: readonly State[];
  readonly by?: readonly string[];
}

/** Nodes by what DNS gives them. */
export const DNS_NODES: Readonly<Record<keyof typeof DNS_STATES, string>> = {
  public: `group by (${KEY}) (eks_endpoint_dns_addresses{${FLEET},route="public"} > 0)`,
  other: `group by (${KEY}) (eks_endpoint_dns_addresses{${FLEET},route=~"vpc|private"} > 0)
  unless on (${KEY}) eks_endpoint_dns_addresses{${FLEET},route="public"} > 0`,
  'x-eni': `group by (${KEY}) (eks_endpoint_dns_addresses{${FLEET},route="x-eni"} > 0)
  unless on (${KEY}) eks_endpoint_dns_addresses{${FLEET},route!="x-eni"} > 0`,
};
export const DNS_UNKNOWN_COUNT = countOf(
  `${EXPECTED} unless on (${KEY}) eks_endpoint_dns_addresses{${FLEET}} > 0`,
);

/** The last look at a node, by the clock of the node: its other times are held against it. */
export const LAST_LOOK = `max(eks_endpoint_last_scan_timestamp_seconds{${NODE}})`;

/** The route of a node, as the number of its state. */
export const ROUTE_STATE = stateOf('eks_endpoint_node_route', NODE, {
  label: 'route',
  states: NODE_ROUTE_STATES,
});

/** What DNS gives a node, as the number of the worst. */
export const DNS_STATE = `max (
  (eks_endpoint_dns_addresses{${NODE},route="public"} > bool 0) * ${DNS_STATES.public.number}
  or (eks_endpoint_dns_addresses{${NODE},route=~"vpc|private"} > bool 0) * ${DNS_STATES.other.number}
  or (eks_endpoint_dns_addresses{${NODE},route="x-eni"} > bool 0) * ${DNS_STATES['x-eni'].number}
) > 0`;

/**
 * What is to be said first of each node that answers: one series a node, with the code and how much it counts. The
 * comparisons come first: there are sixteen series a node and few that are 1.
 */
const FIRST_OF_NODE = `topk by (${KEY}) (1,
  ${CODES.map((code) => `(eks_endpoint_finding{${FLEET},code="${code}"} == 1) * ${weightOf(code)}`).join('\n  or ')}
  or label_replace((eks_endpoint_node_route{${FLEET},route=~"none|unknown"} == 1) * ${weightOf(ROUTE_UNKNOWN)}, "code", "${ROUTE_UNKNOWN}", "", "")
  or label_replace(${ANSWERING} * ${weightOf(NO_FINDING)}, "code", "${NO_FINDING}", "", "")
)`;

/** The peers that are not X-ENIs. */
const PEERS = `group by (${KEY}, client, address, route) (eks_endpoint_peer_info{${FLEET},route!="x-eni"})`;

/**
 * A row for each node, client and peer off the X-ENIs, with what is to be said first of the node; for a node without
 * such a peer that has a warning or whose route is not known, and for one that does not answer, a row of its own. The
 * value is how much it counts; a peer's row has a thousand more until the nodes' rows that count little are gone. The
 * findings are read once: they are by far the most series here.
 */
export const STRAGGLERS = advised(`
  (
    (${PEERS} * 1000 or on (${KEY}) ${ANSWERING} * 0)
    + on (${KEY}) group_left (code) ${FIRST_OF_NODE}
    >= ${weightOf(ROUTE_UNKNOWN)}
  ) % 1000
  or on (${KEY})
  label_replace(${UNANSWERED} * ${weightOf(MISSING)}, "code", "${MISSING}", "", "")
`);

/**
 * For how long the oldest stale connection of each client of these rows has been stale. Both times are of the node's
 * clock, which may be another than that of Prometheus.
 */
export const STALE_SECONDS = `${perNode(`eks_endpoint_last_scan_timestamp_seconds{${FLEET}}`)}
- on (${KEY}) group_right min by (${KEY}, client) (eks_endpoint_stale_connection_oldest_timestamp_seconds{${FLEET}})
and on (${KEY}, client) eks_endpoint_peer_info{${FLEET},route!="x-eni"}`;
