/** What one node's exporter says now, in a word each. */
import { BigValueTextMode } from '@grafana/grafana-foundation-sdk/common';
import { GATES } from '../../../src/model/status.ts';
import { type Panel, tiles } from './panels.ts';
import { DNS_STATE, LAST_LOOK, NO_ANSWER_OF_NODE, NODE, ROUTE_STATE, stateOf } from './queries.ts';
import {
  ACCESS_MODE_STATES,
  ALL_STATES,
  ATTRIBUTION_STATES,
  BAD,
  GATE_STATE_STATES,
  HALF,
  mappingOf,
  NODE_ROUTE_STATES,
  rangeMap,
  UNKNOWN,
} from './words.ts';

/** A look cannot end after now: an age below zero says nothing of it. */
const IN_THE_FUTURE = rangeMap([-1e10, -10], { text: 'not known: the clocks differ', color: UNKNOWN });

export function nodeNow(): readonly Panel[] {
  const size = { width: 4, height: 4, noValue: NO_ANSWER_OF_NODE } as const;
  return [
    tiles({
      ...size,
      title: 'Exporters of this name',
      description:
        'Targets of the scrape for this node. More than one: the name stands for nodes of several clusters, and everything below is mixed; choose a cluster.',
      noValue: 'none: Prometheus has no target for this node',
      steps: [[2, BAD]],
      queries: [{ expr: `count(group by (cluster, instance, node) (up{${NODE}}))`, legend: 'targets' }],
    }),
    tiles({
      ...size,
      title: 'Answers',
      description:
        'Whether the exporter answered the last scrape. Without an answer nothing is known of the node.',
      noValue: 'none: Prometheus has no target for this node',
      mappings: [ALL_STATES],
      queries: [{ expr: `min(up{${NODE}})`, legend: 'answers' }],
    }),
    tiles({
      ...size,
      title: 'Route',
      description:
        'By which route the clients of the node reach the control plane. unknown is not good: the page of the exporter says why (routeReason).',
      mappings: [mappingOf(NODE_ROUTE_STATES)],
      queries: [{ expr: ROUTE_STATE, legend: 'route' }],
    }),
    tiles({
      ...size,
      title: 'Expected route',
      description:
        'What the operator expects (--expect). Without an expectation several findings cannot be raised.',
      noValue: 'none is set, or no answer',
      text: BigValueTextMode.Name,
      queries: [{ expr: `max by (route) (eks_endpoint_expected_route{${NODE}})`, legend: '{{route}}' }],
    }),
    tiles({
      ...size,
      title: 'Access mode',
      description:
        "The cluster's endpoint access as DNS shows it to this node, inside and outside. Without --outside-resolver it is unknown on most nodes.",
      mappings: [mappingOf(ACCESS_MODE_STATES)],
      queries: [
        {
          expr: stateOf('eks_endpoint_access_mode', NODE, { label: 'mode', states: ACCESS_MODE_STATES }),
          legend: 'access mode',
        },
      ],
    }),
    tiles({
      ...size,
      title: 'Sockets told apart by',
      description:
        'process: by their owners. address: by known addresses alone, for want of rights or by choice; the route can then never be x-eni. none: not at all.',
      mappings: [mappingOf(ATTRIBUTION_STATES)],
      queries: [
        {
          expr: stateOf('eks_endpoint_attribution', NODE, { label: 'mode', states: ATTRIBUTION_STATES }),
          legend: 'attribution',
        },
      ],
    }),
    ...GATES.map((gate) =>
      tiles({
        ...size,
        width: 6,
        title: `Gate ${gate}`,
        description:
          gate === 'private-ready'
            ? 'Whether every X-ENI answers this node as this cluster: what has to be true before its clients are moved.'
            : 'Whether DNS gives X-ENIs only and every client is on them: what has to be true before public access is turned off.',
        mappings: [mappingOf(GATE_STATE_STATES)],
        queries: [
          {
            expr: stateOf('eks_endpoint_gate', `${NODE},gate="${gate}"`, {
              label: 'state',
              states: GATE_STATE_STATES,
            }),
            legend: gate,
          },
        ],
      }),
    ),
    tiles({
      ...size,
      width: 6,
      title: 'DNS gives',
      description:
        "The worst address of the last complete answer of the node's resolver. The answer may be old: see the last complete answer below.",
      noValue: 'no complete answer is known',
      mappings: [ALL_STATES],
      queries: [{ expr: DNS_STATE, legend: 'DNS' }],
    }),
    tiles({
      ...size,
      width: 6,
      title: 'Last look',
      description:
        'How long ago the last look at the node ended: its end by the clock of the node, now by that of Prometheus. Older than three scan intervals: the route is unknown. If it is, the route says so; else the clocks differ.',
      unit: 's',
      mappings: [IN_THE_FUTURE],
      steps: [
        [60, HALF],
        [180, BAD],
      ],
      queries: [{ expr: `time() - ${LAST_LOOK}`, legend: 'age' }],
    }),
  ];
}
