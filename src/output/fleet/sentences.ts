/** What every form of the report says in words. */
import { countNodes, named } from '../../model/fleet/names.ts';
import type {
  FleetChanges,
  FleetCounts,
  FleetStatus,
  FleetVerdict,
  NodeConnection,
  NodeResult,
} from '../../model/fleet/status.ts';
import { duration } from '../../model/text.ts';
import { printable } from '../terminal.ts';

export const VERDICT_WORDS: Readonly<Record<FleetVerdict, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  unknown: 'CANNOT TELL',
};

/** Nodes that changed, of which each has a line. */
const MAX_CHANGES = 100;

/** `FAIL: 1 of 3 nodes does not pass public-free.` */
export function verdictText({ verdict, reason }: Pick<FleetStatus, 'verdict' | 'reason'>): string {
  return `${VERDICT_WORDS[verdict]}: ${printable(reason)}.`;
}

/** `12 nodes: 2 fail, 1 unknown, 1 ignored, 8 pass` */
export function countsText({ nodes, fail, unknown, ignored, pass }: FleetCounts): string {
  const parts = [
    ...(fail > 0 ? [`${fail} fail`] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(ignored > 0 ? [`${ignored} ignored`] : []),
    `${pass} pass`,
  ];
  return `${countNodes(nodes)}: ${parts.join(', ')}`;
}

/** Those that do not pass, which stand first. */
export function notPassing({ nodes }: FleetStatus): readonly NodeResult[] {
  return nodes.filter(({ verdict }) => verdict !== 'pass');
}

export function staleText({ staleSeconds }: NodeConnection): string {
  return staleSeconds === null ? '' : duration(staleSeconds * 1000);
}

/** Between a connection and what follows; empty where it is not stale. */
export function staleClause(connection: NodeConnection): string {
  const text = staleText(connection);
  return text === '' ? '' : `, stale for ${text}`;
}

/** Each a line: a head, then what changed. A fleet that moved is many nodes. */
export function changesText({
  since,
  verdict,
  nodes,
  added,
  removed,
  notes,
}: FleetChanges): readonly string[] {
  const more = nodes.length - MAX_CHANGES;
  const changed = nodes.length + added.length + removed.length > 0;
  return [
    `Since ${since}: ${verdict[0] === verdict[1] ? `still ${verdict[1]}` : `${verdict[0]} -> ${verdict[1]}`}${changed ? '' : ', no node changed'}`,
    ...nodes.slice(0, MAX_CHANGES).map(
      (change) =>
        `${change.node}: ${[change.verdict, change.route]
          .filter(([then, now]) => then !== now)
          .map(([then, now]) => `${then ?? 'route not told'} -> ${now ?? 'route not told'}`)
          .join(', ')}`,
    ),
    ...(more > 0 ? [`And ${more} more: --output json has them all.`] : []),
    ...(added.length > 0 ? [`New: ${countNodes(added.length)}: ${named(added)}`] : []),
    ...(removed.length > 0 ? [`No more there: ${countNodes(removed.length)}: ${named(removed)}`] : []),
    ...notes,
  ];
}
