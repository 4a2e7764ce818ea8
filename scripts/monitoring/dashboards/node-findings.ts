/** What is wrong with a node, to whom its clients are connected, and how its states have followed each other. */
import { ADVICE, CODE_WORDS, SEVERITY_WORDS } from './codes.ts';
import { type Panel, timeline } from './panels.ts';
import { advised, DNS_STATE, NO_ANSWER_OF_NODE, NODE, ROUTE_STATE, stateOf } from './queries.ts';
import { rows } from './tables.ts';
import { ALL_STATES, BAD, GATE_STATE_STATES, NEUTRAL, ROUTE_WORDS, valueMap } from './words.ts';

export function nodeFindings(): readonly Panel[] {
  return [
    rows({
      title: 'Findings',
      description:
        'What can be evaluated now, and whether it is raised. A finding that is missing cannot be evaluated: it is neither raised nor clear. What exactly was seen, with the commands for this node, is on the page of the exporter.',
      noValue: NO_ANSWER_OF_NODE,
      width: 14,
      height: 11,
      queries: [
        {
          expr: advised(`max by (code, severity) (eks_endpoint_finding{${NODE}})`),
        },
      ],
      columns: {
        Value: {
          title: 'Raised',
          width: 80,
          mapping: valueMap([
            ['1', 'raised', BAD],
            ['0', 'clear', NEUTRAL],
          ]),
          background: true,
        },
        code: { title: 'Finding', width: 170, mapping: CODE_WORDS },
        severity: { title: 'Severity', width: 90, mapping: SEVERITY_WORDS },
        advice: { title: 'What to do', mapping: ADVICE, wrap: true },
      },
      sortBy: ['Raised'],
    }),
    rows({
      title: 'Peers',
      description: 'The addresses to which clients have endpoint connections, at most 16, public ones first.',
      noValue: 'no peer: no endpoint connection, owners not read, or no answer',
      width: 10,
      height: 11,
      queries: [{ expr: `max by (client, address, route) (eks_endpoint_peer_info{${NODE}})` }],
      columns: {
        client: { title: 'Client' },
        address: { title: 'Peer' },
        route: { title: 'Route', mapping: ROUTE_WORDS, background: true },
      },
      sortBy: ['Route'],
    }),
  ];
}

const GATES_STATE = stateOf('eks_endpoint_gate', NODE, {
  label: 'state',
  states: GATE_STATE_STATES,
  by: ['gate'],
});

export function overTime(): readonly Panel[] {
  return [
    timeline({
      title: 'Route, DNS and gates',
      description:
        'Each state with its beginning and its length, under the pointer. A gap is a time of which nothing is known.',
      noValue: NO_ANSWER_OF_NODE,
      width: 24,
      height: 9,
      mapping: ALL_STATES,
      queries: [
        { expr: ROUTE_STATE, legend: 'route' },
        { expr: DNS_STATE, legend: 'DNS gives' },
        { expr: GATES_STATE, legend: '{{gate}}' },
        { expr: `min(up{${NODE}})`, legend: 'exporter answers' },
      ],
    }),
  ];
}
