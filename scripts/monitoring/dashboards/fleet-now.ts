/** The nodes of a fleet now, each counted once, those included that do not answer. */
import { bars, type Panel } from './panels.ts';
import {
  ANSWERING_COUNT,
  countOf,
  DNS_NODES,
  DNS_UNKNOWN_COUNT,
  EXPECTED_COUNT,
  FLEET,
  KUBERNETES_COUNT,
  NOBODY,
  perNode,
  UNANSWERED_COUNT,
} from './queries.ts';
import { DNS_STATES, NO_ANSWER } from './words.ts';

export function fleetNow(): readonly Panel[] {
  const size = { width: 6, height: 8, noValue: NOBODY } as const;
  return [
    bars({
      ...size,
      title: 'Nodes by route',
      description: `Each expected node once. "unknown": its exporter answers and cannot tell; "${NO_ANSWER}": nothing is known of it. Neither is good.`,
      queries: [
        {
          expr: `sum by (route) (${perNode(`eks_endpoint_node_route{${FLEET}}`, ['route'])})`,
          legend: '{{route}}',
        },
        { expr: UNANSWERED_COUNT, legend: NO_ANSWER },
      ],
    }),
    bars({
      ...size,
      title: 'Nodes by gate',
      description:
        'private-ready: every X-ENI answers this node as this cluster. public-free: DNS gives X-ENIs only and every client is on them. Unknown is not true; the nodes that do not answer are for both gates beside.',
      queries: [
        {
          expr: `sum by (gate, state) (${perNode(`eks_endpoint_gate{${FLEET}}`, ['gate', 'state'])})`,
          legend: '{{gate}}: {{state}}',
        },
        { expr: UNANSWERED_COUNT, legend: NO_ANSWER },
      ],
    }),
    bars({
      ...size,
      title: 'Nodes by what DNS gives them',
      description: `By the last complete answer of the node's own resolver, the worst address counts. A node without a complete answer, or that does not answer itself, is "${NO_ANSWER}". Where the last lookup failed, the answer before it is shown: those nodes are counted a second time, at the end.`,
      queries: [
        { expr: countOf(DNS_NODES['x-eni']), legend: DNS_STATES['x-eni'].text },
        { expr: countOf(DNS_NODES.public), legend: DNS_STATES.public.text },
        { expr: countOf(DNS_NODES.other), legend: DNS_STATES.other.text },
        { expr: DNS_UNKNOWN_COUNT, legend: NO_ANSWER },
        {
          expr: countOf(`${perNode(`eks_endpoint_dns_success{${FLEET}}`)} == 0`),
          legend: 'of these: last lookup failed',
        },
      ],
    }),
    bars({
      ...size,
      title: 'Exporters',
      description:
        'Expected: the targets of the scrape and the nodes of Kubernetes together, those of Fargate and with Windows left out. "nodes of Kubernetes" is there only where kube-state-metrics is scraped into the same data source; without it a node that is no target of the scrape is not missed. Twice as many expected as there are: the scrape gives its series no label node, or the two jobs differ in the label cluster.',
      queries: [
        { expr: EXPECTED_COUNT, legend: 'expected' },
        { expr: ANSWERING_COUNT, legend: 'answering' },
        { expr: UNANSWERED_COUNT, legend: NO_ANSWER },
        { expr: KUBERNETES_COUNT, legend: 'nodes of Kubernetes' },
      ],
    }),
  ];
}
