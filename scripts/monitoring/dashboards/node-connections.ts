/** The connections of a node's clients over time. */
import { bars, lines, type Panel } from './panels.ts';
import { LAST_LOOK, NODE } from './queries.ts';
import { rows } from './tables.ts';
import { ALL_STATES } from './words.ts';

export function nodeConnections(): readonly Panel[] {
  const size = {
    width: 12,
    height: 8,
    noValue: 'not known: no answer, or the sockets of no client could be read',
  } as const;
  return [
    lines({
      ...size,
      title: 'Established endpoint connections',
      description:
        'By client and route. A client whose sockets could not be read has no line; unattributed stands for sockets without a known owner.',
      stacked: true,
      queries: [
        {
          expr: `max by (client, route) (eks_endpoint_connections{${NODE}}) > 0`,
          legend: '{{client}} {{route}}',
        },
      ],
    }),
    lines({
      ...size,
      title: 'Age of the oldest stale connection',
      description:
        'Of each client: for how long a connection has been on a route that DNS does not give. No line: none is stale, or it cannot be told.',
      noValue: 'none is stale, or it cannot be told',
      unit: 's',
      queries: [
        {
          expr: `${LAST_LOOK} - on () group_right min by (client) (eks_endpoint_stale_connection_oldest_timestamp_seconds{${NODE}})`,
          legend: '{{client}}',
        },
      ],
    }),
    lines({
      ...size,
      title: 'Connections opened',
      description:
        'By client and route, as often as the exporter saw it; those of its first look do not count, short ones between two looks are missed.',
      unit: 'cps',
      queries: [
        {
          expr: `max by (client, route) (rate(eks_endpoint_connection_opens_total{${NODE}}[$__rate_interval]))`,
          legend: '{{client}} {{route}}',
        },
      ],
    }),
    lines({
      ...size,
      title: 'Connections in trouble',
      description:
        'Being opened (SYN_SENT), waiting for an acknowledgement after a time-out, and stale ones. More than a moment of the first two: something keeps the way closed.',
      queries: [
        { expr: `max by (client) (eks_endpoint_connecting{${NODE}})`, legend: '{{client}} connecting' },
        {
          expr: `max by (client) (eks_endpoint_retransmitting_connections{${NODE}})`,
          legend: '{{client}} retransmitting',
        },
        { expr: `max by (client) (eks_endpoint_stale_connections{${NODE}})`, legend: '{{client}} stale' },
      ],
    }),
    rows({
      ...size,
      height: 6,
      title: 'Clients',
      description:
        'Whether a process of the client runs as root in the network of the node, and when it was started: a restart opens new connections.',
      queries: [
        { expr: `max by (client) (eks_endpoint_client_found{${NODE}})` },
        { expr: `min by (client) (eks_endpoint_client_start_time_seconds{${NODE}}) * 1000` },
      ],
      columns: {
        client: { title: 'Client' },
        'Value #A': { title: 'Found', mapping: ALL_STATES, background: true },
        'Value #B': { title: 'Started', unit: 'dateTimeFromNow' },
      },
      sortBy: ['Found'],
    }),
    bars({
      ...size,
      height: 6,
      title: 'Who is connected to the kubelet',
      description:
        "Connections from other machines to the kubelet's port 10250 by their route; the control plane comes from X-ENIs. 0 is possible: it connects when it has something to ask.",
      noValue: 'not known',
      queries: [{ expr: `max by (route) (eks_endpoint_inbound_connections{${NODE}})`, legend: '{{route}}' }],
    }),
  ];
}
