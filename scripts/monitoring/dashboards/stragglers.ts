/** Who has not moved, and why, and what to do about it. */
import { ADVICE, CODE_WORDS, SEVERITY_WORDS, WEIGHT_WORDS } from './codes.ts';
import type { Panel } from './panels.ts';
import { advised, EXPECTED_COUNT, FLEET, perNode, STALE_SECONDS, STRAGGLERS } from './queries.ts';
import { rows } from './tables.ts';
import { NODE_UID } from './variables.ts';
import { BAD, HALF, NEUTRAL, ROUTE_WORDS, UNKNOWN, valueMap } from './words.ts';

export function stragglers(): readonly Panel[] {
  return [
    rows({
      title: 'Stragglers',
      description:
        "A row for each node, client and peer that is not an X-ENI, the worst first, with the finding of the node that counts most; and a row for each node that has a warning, whose route is not known, or that does not answer. All that a node has to say is behind its link: there may be more findings than one. 'Route' is the peer's. 'Stale for' is the client's oldest stale connection; empty where none is stale. At most 16 peers of a node are known here.",
      noValue:
        'no row: no node is off the X-ENIs, has a warning or is missing; see above whether nodes are known at all',
      width: 24,
      height: 14,
      queries: [{ expr: STRAGGLERS }, { expr: STALE_SECONDS }],
      columns: {
        'Value #A': {
          title: 'Severity',
          width: 100,
          mapping: WEIGHT_WORDS,
          background: true,
        },
        cluster: { title: 'Cluster', width: 130 },
        node: {
          title: 'Node',
          width: 330,
          link: {
            title: 'What this node says',
            url: `/d/${NODE_UID}?\${datasource:queryparam}&\${job:queryparam}&var-cluster=\${__data.fields.Cluster:percentencode}&var-node=\${__value.raw:percentencode}&\${__url_time_range}`,
          },
        },
        client: { title: 'Client', width: 110 },
        address: { title: 'Peer', width: 140 },
        route: { title: 'Route', width: 90, mapping: ROUTE_WORDS, background: true },
        'Value #B': { title: 'Stale for', width: 110, unit: 's' },
        code: { title: 'Finding', width: 170, mapping: CODE_WORDS },
        advice: { title: 'What to do', mapping: ADVICE, wrap: true },
        instance: { title: 'Exporter', width: 160 },
      },
      sortBy: ['Severity', 'Stale for'],
      pages: true,
    }),
    rows({
      title: 'Findings',
      description:
        'On how many nodes each finding is raised, and on how many it could not be evaluated or nobody answered: there it is neither raised nor clear. A finding that is evaluated nowhere has no row (DnsPublic without --expect=x-eni).',
      noValue: 'no exporter answers: no finding is known',
      width: 24,
      height: 12,
      queries: [
        {
          expr: advised(
            `sum by (code, severity) (${perNode(`eks_endpoint_finding{${FLEET}}`, ['code', 'severity'])})`,
          ),
        },
        {
          expr: advised(
            `scalar(${EXPECTED_COUNT}) - count by (code, severity) (${perNode(`eks_endpoint_finding{${FLEET}}`, ['code', 'severity'])})`,
          ),
        },
      ],
      columns: {
        code: { title: 'Finding', width: 170, mapping: CODE_WORDS },
        severity: { title: 'Severity', width: 90, mapping: SEVERITY_WORDS },
        'Value #A': { title: 'Nodes', width: 70 },
        'Value #B': { title: 'Not known on', width: 110 },
        advice: { title: 'What to do', mapping: ADVICE, wrap: true },
      },
      sortBy: ['Nodes'],
    }),
    rows({
      title: 'Alerts',
      description:
        'The alerts of deploy/prometheus that are pending or firing in this data source. Grafana-managed alert rules are not seen here: they are in Grafana itself. A row says so for each cluster of which the recording rules have no result, for then its alerts are not evaluated either.',
      noValue: 'no alert is pending or firing',
      width: 12,
      height: 7,
      queries: [
        {
          expr: `count by (cluster, alertname, severity, alertstate) (ALERTS{cluster=~"$cluster",alertname=~"EksEndpoint.*"})
or label_replace(label_replace(
  group by (cluster) (up{${FLEET}}) unless on (cluster) cluster:eks_endpoint_exporters:count{${FLEET}}
  or on () absent(cluster:eks_endpoint_exporters:count{${FLEET}}),
"alertname", "the rules have no result here", "", ""), "alertstate", "not known", "", "")`,
        },
      ],
      columns: {
        alertname: { title: 'Alert' },
        alertstate: {
          title: 'State',
          width: 90,
          mapping: valueMap([
            ['firing', 'firing', BAD],
            ['pending', 'pending', HALF],
            ['not known', 'not known', UNKNOWN],
          ]),
          background: true,
        },
        severity: { title: 'Severity', width: 90, mapping: SEVERITY_WORDS },
        cluster: { title: 'Cluster', width: 130 },
        Value: { title: 'Series', width: 70 },
      },
      sortBy: ['Series'],
    }),
    rows({
      title: 'Endpoints and access mode',
      description:
        'The name by which the nodes reach their control plane, and the access mode as DNS shows it to them; without --outside-resolver the mode is unknown on most. One row a cluster is what one wants: nodes that differ are told apart by it.',
      noValue: 'no exporter answers',
      width: 12,
      height: 7,
      queries: [
        {
          expr: `count by (cluster, hostname, mode) (
  ${perNode(`eks_endpoint_info{${FLEET}}`, ['hostname'])}
  * on (cluster, instance, node) group_left (mode) (${perNode(`eks_endpoint_access_mode{${FLEET}}`, ['mode'])} == 1)
)`,
        },
      ],
      columns: {
        cluster: { title: 'Cluster', width: 130 },
        hostname: { title: 'Endpoint' },
        mode: {
          title: 'Access mode',
          width: 150,
          mapping: valueMap([
            ['public', 'public', NEUTRAL],
            ['public-and-private', 'public and private', NEUTRAL],
            ['private', 'private', NEUTRAL],
            ['unknown', 'unknown', UNKNOWN],
          ]),
        },
        Value: { title: 'Nodes', width: 70 },
      },
      sortBy: ['Nodes'],
    }),
  ];
}
