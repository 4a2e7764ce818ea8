/** What is another thing than it was at an earlier `verify`. Pure. */
import { compareNames } from './names.ts';
import type { FleetChanges, FleetStatus } from './status.ts';

/** What an earlier fleet status must have, to be held against. */
export type FleetBaseline = Pick<
  FleetStatus,
  'at' | 'source' | 'gate' | 'verdict' | 'endpoints' | 'nodesFrom'
> & { readonly nodes: readonly Pick<FleetStatus['nodes'][number], 'node' | 'verdict' | 'route'>[] };

export function changesSince(before: FleetBaseline, now: FleetStatus): FleetChanges {
  const earlier = new Map(before.nodes.map((node) => [node.node, node]));
  const later = new Map(now.nodes.map((node) => [node.node, node]));
  const nodes = now.nodes.flatMap(({ node, verdict, route }) => {
    const then = earlier.get(node);
    if (then === undefined || (then.verdict === verdict && then.route === route)) return [];
    return [{ node, verdict: [then.verdict, verdict], route: [then.route, route] } as const];
  });
  return {
    since: before.at,
    verdict: [before.verdict, now.verdict],
    nodes: nodes.sort((one, other) => compareNames(one.node, other.node)),
    added: [...later.keys()].filter((node) => !earlier.has(node)).sort(compareNames),
    removed: [...earlier.keys()].filter((node) => !later.has(node)).sort(compareNames),
    notes: notesOn(before, now),
  };
}

/** What makes the two hard to compare. */
function notesOn(before: FleetBaseline, now: FleetStatus): readonly string[] {
  const notes: string[] = [];
  if (before.gate !== now.gate) notes.push(`The gate was ${before.gate} then, and is ${now.gate} now.`);
  const [then, since] = [before, now].map(({ endpoints }) =>
    endpoints
      .map(({ hostname }) => hostname.toLowerCase())
      .sort(compareNames)
      .join(', '),
  );
  if (then !== '' && since !== '' && then !== since)
    notes.push(`The endpoint was ${then} then, and is ${since} now: this may be another cluster.`);
  if (before.source !== now.source) notes.push(`Asked was ${before.source} then, and ${now.source} now.`);
  else if (before.nodesFrom !== now.nodesFrom)
    notes.push(`Which nodes there are said ${before.nodesFrom} then, and ${now.nodesFrom} now.`);
  return notes;
}
