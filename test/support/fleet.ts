/** Fleets as they were seen, made of what a test says. */
import type {
  FleetObservation,
  NoAnswer,
  NoAnswerReason,
  NodeAnswer,
  NodeObservation,
} from '../../src/model/fleet/observation.ts';
import type { FleetStatus } from '../../src/model/fleet/status.ts';
import { type FleetWishes, judgeFleet } from '../../src/model/fleet/verdict.ts';
import type { GateState } from '../../src/model/status.ts';

export const FLEET_ENDPOINT = 'abc.gr7.eu-west-1.eks.amazonaws.com';

export const FLEET_WISHES: FleetWishes = {
  version: '0.1.0',
  gate: 'public-free',
  gateFor: [],
  minNodes: 1,
  maxAgeMs: 120_000,
  ignoreFargate: false,
  ignoreGone: false,
  earlierEndpoints: [],
};

/** Of a node that passes both gates. */
export function answerOfNode(parts: Partial<NodeAnswer> = {}): NodeAnswer {
  return { ...answerWith('true'), ...parts };
}

/** Of one whose gates are so, with their reasons. */
export function answerWith(state: GateState): NodeAnswer {
  return {
    kind: 'answer',
    ageSeconds: 5,
    version: '0.1.0',
    hostname: FLEET_ENDPOINT,
    route: state === 'true' ? 'x-eni' : state === 'false' ? 'public' : 'unknown',
    routeReason: null,
    gates: [
      { gate: 'private-ready', state, reason: `private-ready is ${state} here` },
      { gate: 'public-free', state, reason: `public-free is ${state} here` },
    ],
    findings: [],
    connections: [],
  };
}

export function noAnswerFor(why: NoAnswerReason): NoAnswer {
  return { kind: 'none', why, detail: `nobody speaks for it: ${why}`, remedy: `mend ${why}` };
}

export function nodeSeen(
  node: string,
  seen: NodeObservation['seen'] = answerOfNode(),
  parts: Partial<NodeObservation> = {},
): NodeObservation {
  return { node, origin: `instance="${node}:10943"`, labels: {}, seen, ...parts };
}

export function fleetSeen(
  nodes: readonly NodeObservation[],
  parts: Partial<FleetObservation> = {},
): FleetObservation {
  return {
    source: 'Prometheus at http://127.0.0.1:9090',
    at: '2026-11-21T12:00:00.000Z',
    nodesFrom: 'kubernetes',
    nodes,
    notes: [],
    ...parts,
  };
}

export function fleetStatus(
  nodes: readonly NodeObservation[],
  wishes: Partial<FleetWishes> = {},
): FleetStatus {
  return judgeFleet(fleetSeen(nodes), { ...FLEET_WISHES, ...wishes });
}

/** `a1`, `a2` ...: nodes of which all the same was seen. */
export function manyNodes(
  count: number,
  seen: NodeObservation['seen'] = answerOfNode(),
  prefix = 'n',
): NodeObservation[] {
  return Array.from({ length: count }, (_, index) => nodeSeen(`${prefix}${index + 1}`, seen));
}
