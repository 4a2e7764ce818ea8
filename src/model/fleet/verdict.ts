/** The judgement of a fleet: what was seen of its nodes, and what is wished of them, to the fleet status. Pure. */
import type { GateName } from '../status.ts';
import { compareNames, countNodes, groupBy, named } from './names.ts';
import { endpointOf, freshAnswer, judgeNode, type NodeWishes } from './node-result.ts';
import { notCoveredBy, whoSaysWhichNodes } from './not-covered.ts';
import type { FleetObservation, NodeObservation, NodesFrom } from './observation.ts';
import { formatSelector, selects } from './selector.ts';
import {
  type FleetCounts,
  type FleetStatus,
  type FleetVerdict,
  NODE_VERDICTS,
  type NodeResult,
} from './status.ts';

export interface FleetWishes extends Omit<NodeWishes, 'endpoint'> {
  readonly version: string;
  /** Fewer nodes that pass are no pass; an empty fleet is none in any case. */
  readonly minNodes: number;
  /** Those that the answers of an earlier round were of; empty where there was none. */
  readonly earlierEndpoints: readonly string[];
}

type Endpoints = FleetStatus['endpoints'];
type Told = Pick<FleetStatus, 'verdict' | 'reason'>;

/**
 * A node passes by a fresh answer that says of which endpoint it speaks, and that its gate is true. Answers of more than one
 * endpoint can tell nothing; else one node that fails makes the fleet fail, and one that is unknown makes it unknown.
 */
export function judgeFleet(observation: FleetObservation, wishes: FleetWishes): FleetStatus {
  const byName = groupBy(observation.nodes, ({ node }) => node);
  const endpoints = endpointsOf(byName, wishes.maxAgeMs);
  const endpoint = wishes.earlierEndpoints[0] ?? endpoints[0]?.hostname ?? null;
  const nodes = [...byName.values()]
    .map((seen) => judgeNode(seen, { ...wishes, endpoint }))
    .sort((one, other) => rank(one) - rank(other) || compareNames(one.node, other.node));
  const counts = countsOf(nodes);
  const told = judge({ counts, nodes, endpoints, nodesFrom: observation.nodesFrom }, wishes);
  const passes = told.verdict === 'pass';
  return {
    schemaVersion: 1,
    version: wishes.version,
    at: observation.at,
    source: observation.source,
    nodesFrom: observation.nodesFrom,
    gate: wishes.gate,
    ...told,
    endpoints,
    counts,
    nodes,
    notes: [
      ...observation.notes,
      ...ignoredNote(nodes, wishes),
      ...gateNotes(observation, wishes),
      ...(passes ? [] : [whoSaysWhichNodes(observation.nodesFrom)]),
    ],
    notCovered: passes
      ? notCoveredBy({ nodesFrom: observation.nodesFrom, gates: gatesIn(nodes), ignored: ignoredOf(nodes) })
      : [],
    changes: null,
  };
}

function judge(
  {
    counts,
    nodes,
    endpoints,
    nodesFrom,
  }: {
    readonly counts: FleetCounts;
    readonly nodes: readonly NodeResult[];
    readonly endpoints: Endpoints;
    readonly nodesFrom: NodesFrom;
  },
  wishes: FleetWishes,
): Told {
  const several = severalEndpoints(endpoints, wishes.earlierEndpoints);
  if (several !== null) return { verdict: 'unknown', reason: `${several}; ${oneCluster(nodesFrom)}` };
  const { pass, fail, unknown, ignored } = counts;
  const judged = counts.nodes - ignored;
  const verdict: FleetVerdict =
    fail > 0 ? 'fail' : unknown > 0 || pass < Math.max(1, wishes.minNodes) ? 'unknown' : 'pass';
  if (counts.nodes === 0) return { verdict, reason: 'no node was found: an empty fleet is no pass' };
  if (judged === 0) return { verdict, reason: `${allOf(ignored)} ignored, and none is left that could pass` };
  const gates = gatesOf(nodes);
  if (fail > 0) {
    const more = unknown > 0 ? `, and ${unknown} cannot be told` : '';
    return {
      verdict,
      reason: `${fail} of ${countNodes(judged)} ${fail === 1 ? 'does' : 'do'} not pass ${gates}${more}`,
    };
  }
  if (unknown > 0) {
    const of = judged === 1 ? 'the one node' : `${unknown} of ${judged} nodes`;
    const passes = unknown === 1 ? 'it passes' : 'they pass';
    return { verdict, reason: `it is not known of ${of} whether ${passes} ${gates}` };
  }
  if (verdict === 'unknown')
    return {
      verdict,
      reason: `only ${countNodes(pass)} ${pass === 1 ? 'passes' : 'pass'} ${gates}, and --min-nodes is ${wishes.minNodes}`,
    };
  return {
    verdict,
    reason: `${pass === 1 ? 'the one node there is passes' : `all ${pass} nodes pass`} ${gates}`,
  };
}

/** Which ones, where the answers of this round and of those before are of more than one; else null. */
function severalEndpoints(endpoints: Endpoints, earlier: readonly string[]): string | null {
  const texts = endpoints.map(({ hostname, nodes }) => `${hostname} (${countNodes(nodes)})`);
  if (endpoints.length > 1) return `the answers are of ${endpoints.length} endpoints: ${named(texts)}`;
  const isNew = endpoints.some(({ hostname }) => !earlier.includes(hostname));
  if (earlier.length > 1 || (earlier.length > 0 && isNew))
    return `the answers are of ${named(texts) || 'no endpoint'}, those of an earlier round were of ${named(earlier)}`;
  return null;
}

function oneCluster(nodesFrom: NodesFrom): string {
  switch (nodesFrom) {
    case 'kubernetes':
      return 'see which agents have the endpoint of another cluster (--endpoint)';
    case 'agents':
      return 'name the agents of one cluster only';
    default:
      return `judge one cluster at a time, with --prometheus-matcher such as 'cluster="a"'`;
  }
}

/** Most nodes first; a name under which several answer counts for each of theirs. */
function endpointsOf(byName: ReadonlyMap<string, readonly NodeObservation[]>, maxAgeMs: number): Endpoints {
  const nodes = new Map<string, number>();
  for (const seen of byName.values()) {
    const answers = seen.map((one) => freshAnswer(one, maxAgeMs)).filter((answer) => answer !== null);
    const hostnames = answers.map(endpointOf).filter((hostname) => hostname !== null);
    for (const hostname of new Set(hostnames)) nodes.set(hostname, (nodes.get(hostname) ?? 0) + 1);
  }
  return [...nodes]
    .map(([hostname, number]) => ({ hostname, nodes: number }))
    .sort((one, other) => other.nodes - one.nodes || compareNames(one.hostname, other.hostname));
}

function rank({ verdict }: NodeResult): number {
  return NODE_VERDICTS.indexOf(verdict);
}

function countsOf(nodes: readonly NodeResult[]): FleetCounts {
  const of = (wanted: NodeResult['verdict']) => nodes.filter(({ verdict }) => verdict === wanted).length;
  const [fail, unknown, ignored, pass] = NODE_VERDICTS.map(of);
  return {
    nodes: nodes.length,
    pass: pass ?? 0,
    fail: fail ?? 0,
    unknown: unknown ?? 0,
    ignored: ignored ?? 0,
  };
}

function ignoredOf(nodes: readonly NodeResult[]): readonly string[] {
  return nodes.filter(({ verdict }) => verdict === 'ignored').map(({ node }) => node);
}

function ignoredNote(nodes: readonly NodeResult[], wishes: FleetWishes): readonly string[] {
  const ignored = ignoredOf(nodes);
  if (ignored.length === 0) return [];
  const flags = [
    ...(wishes.ignoreFargate ? ['--ignore-fargate'] : []),
    ...(wishes.ignoreGone ? ['--ignore-gone'] : []),
  ];
  const are = ignored.length === 1 ? 'is' : 'are';
  return [`${countNodes(ignored.length)} ${are} ignored by ${flags.join(' and ')}: ${named(ignored)}.`];
}

function gatesIn(nodes: readonly NodeResult[]): readonly GateName[] {
  return nodes.filter(({ verdict }) => verdict === 'pass').map(({ gate }) => gate);
}

/** A selector that is misspelt must not be one that is forgotten. */
function gateNotes({ nodes }: FleetObservation, { gateFor }: FleetWishes): readonly string[] {
  return gateFor
    .filter(({ selector }) => !nodes.some(({ labels }) => selects(selector, labels)))
    .map(({ selector, gate }) => `--gate-for ${formatSelector(selector)}=${gate} fits no node.`);
}

/** `public-free`, or each with its number of nodes where they have different ones. */
function gatesOf(nodes: readonly NodeResult[]): string {
  const judged = nodes.filter(({ verdict }) => verdict !== 'ignored');
  const byGate = [...groupBy(judged, ({ gate }) => gate)].sort(([one], [other]) => compareNames(one, other));
  const [only] = byGate;
  if (byGate.length === 1 && only !== undefined) return only[0];
  return `their gates (${byGate.map(([gate, its]) => `${gate}: ${its.length}`).join(', ')})`;
}

function allOf(nodes: number): string {
  return nodes === 1 ? 'the one node there is is' : `all ${nodes} nodes are`;
}
