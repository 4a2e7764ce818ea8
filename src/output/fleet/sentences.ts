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

export const VERDICT_WORDS: Readonly<Record<FleetVerdict, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  unknown: 'CANNOT TELL',
};

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

/** Each a line: a head, then what changed. */
export function changesText({
  since,
  verdict,
  nodes,
  added,
  removed,
  notes,
}: FleetChanges): readonly string[] {
  const changed = nodes.length + added.length + removed.length > 0;
  return [
    `Since ${since}: ${verdict[0] === verdict[1] ? `still ${verdict[1]}` : `${verdict[0]} -> ${verdict[1]}`}${changed ? '' : ', no node changed'}`,
    ...nodes.map(
      (change) =>
        `${change.node}: ${[change.verdict, change.route]
          .filter(([then, now]) => then !== now)
          .map(([then, now]) => `${then ?? 'route not told'} -> ${now ?? 'route not told'}`)
          .join(', ')}`,
    ),
    ...(added.length > 0 ? [`New: ${countNodes(added.length)}: ${named(added)}`] : []),
    ...(removed.length > 0 ? [`No more there: ${countNodes(removed.length)}: ${named(removed)}`] : []),
    ...notes,
  ];
}
