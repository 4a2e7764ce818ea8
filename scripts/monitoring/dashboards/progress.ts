/** The migration over hours: from recording rules, for the exporters' own series are too many for that. */
import type { GateName } from '../../../src/model/status.ts';
import { bars, lines, type Panel } from './panels.ts';
import { FLEET } from './queries.ts';
import { NO_ANSWER } from './words.ts';

const NO_RULES = 'no recorded series in this time: load the recording rules, or see that exporters answer';

/** Long enough for every usual scrape interval. */
const LATELY = '15m';

export function progress(): readonly Panel[] {
  const size = { width: 12, height: 9, noValue: NO_RULES } as const;
  const gate = (name: GateName) => `cluster_gate_state:eks_endpoint_gate:sum{${FLEET},gate="${name}"}`;
  return [
    lines({
      ...size,
      title: 'Nodes by route',
      description: `From the recording rules. "${NO_ANSWER}": targets of the scrape that do not answer; nodes without a target are not seen here.`,
      stacked: true,
      queries: [
        {
          expr: `sum by (route) (cluster_route:eks_endpoint_node_route:sum{${FLEET}})`,
          legend: '{{route}}',
        },
        {
          expr: unanswered(`sum(cluster_route:eks_endpoint_node_route:sum{${FLEET}})`),
          legend: NO_ANSWER,
        },
      ],
    }),
    lines({
      ...size,
      title: 'Share moved',
      description:
        'From the recording rules: of the exporters that ought to answer, those whose node is on the X-ENIs. A line a cluster; no line where nobody answers.',
      unit: 'percentunit',
      queries: [
        {
          expr: `max by (cluster) (cluster:eks_endpoint_x_eni_nodes:ratio{${FLEET}})`,
          legend: '{{cluster}} share moved',
        },
      ],
    }),
    lines({
      ...size,
      title: 'Gate private-ready',
      description: `Nodes by the gate's answer, from the recording rules. Every node has to be true before the switch.`,
      stacked: true,
      queries: [
        { expr: `sum by (state) (${gate('private-ready')})`, legend: '{{state}}' },
        { expr: unanswered(`sum(${gate('private-ready')})`), legend: NO_ANSWER },
      ],
    }),
    lines({
      ...size,
      title: 'Gate public-free',
      description: `Nodes by the gate's answer, from the recording rules. Every node has to be true before public access is turned off.`,
      stacked: true,
      queries: [
        { expr: `sum by (state) (${gate('public-free')})`, legend: '{{state}}' },
        { expr: unanswered(`sum(${gate('public-free')})`), legend: NO_ANSWER },
      ],
    }),
    lines({
      ...size,
      title: 'Stale connections by client',
      description:
        'Established connections on a route that DNS no longer gives, from the recording rules. They rise when DNS flips and fall as clients reconnect. No line: it cannot be told (no DNS answer, owners not read), which is not 0.',
      queries: [
        {
          expr: `sum by (client) (cluster_client:eks_endpoint_stale_connections:sum{${FLEET}})`,
          legend: '{{client}}',
        },
      ],
    }),
    bars({
      ...size,
      title: `Connections opened in the last ${LATELY}, by route`,
      description:
        'Where clients go when they reconnect: before the flip public, after it x-eni. Openings that the agents saw, of all nodes; short ones between two looks are missed.',
      noValue: 'no exporter answers, or none has told openings for as long',
      queries: [
        {
          expr: `sum by (route) (increase(eks_endpoint_connection_opens_total{${FLEET}}[${LATELY}]))`,
          legend: '{{route}}',
        },
      ],
    }),
  ];
}

/** Exporters that ought to answer without those that are counted. */
function unanswered(answers: string): string {
  const expected = `sum(cluster:eks_endpoint_exporters:count{${FLEET}})`;
  return `${expected} - (${answers} or 0 * ${expected})`;
}
