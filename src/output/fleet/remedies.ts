/** What to do, once for all nodes of one cause that are told the same. */
import { groupBy } from '../../model/fleet/names.ts';
import type { NodeResult } from '../../model/fleet/status.ts';
import { printable, wrap } from '../terminal.ts';
import { indented, type Sheet } from './sheet.ts';

/** Causes, and remedies of a cause, that are shown. */
const MAX_CAUSES = 20;
const MAX_REMEDIES = 3;

export interface RemedyGroup {
  /** From 1, as the nodes refer to it. */
  readonly number: number;
  /** The first cause of its nodes. */
  readonly cause: string;
  readonly nodes: readonly NodeResult[];
  /** An agent's own words name its addresses and connections: one cause may have many. */
  readonly told: readonly { readonly remedies: readonly string[]; readonly nodes: readonly NodeResult[] }[];
}

/** Of nodes that do not pass, those of most nodes first; nodes without a remedy are in none. */
export function remedyGroups(nodes: readonly NodeResult[]): readonly RemedyGroup[] {
  const told = nodes.filter(({ verdict, remedy }) => verdict !== 'pass' && remedy !== null);
  return mostFirst(groupBy(told, ({ causes }) => causes[0] ?? '')).map(([cause, its], index) => ({
    number: index + 1,
    cause,
    nodes: its,
    told: mostFirst(groupBy(its, ({ remedies }) => JSON.stringify(remedies))).map(([, same]) => ({
      remedies: same[0]?.remedies ?? [],
      nodes: same,
    })),
  }));
}

/** In full, by cause, once for all nodes that are told the same. */
export function remedyLines(groups: readonly RemedyGroup[], { paint, width }: Sheet): readonly string[] {
  const left = groups.length - MAX_CAUSES;
  const lines = groups.slice(0, MAX_CAUSES).flatMap((group) => {
    const head = `(${group.number}) ${printable(group.cause)}, ${onNodes(group.nodes)}`;
    const more = group.told.length - MAX_REMEDIES;
    return [
      ...wrap(head, width).map((line) => paint('bold', line)),
      ...group.told.slice(0, MAX_REMEDIES).flatMap((one) => linesOf(one, { group, width })),
      ...(more > 0 ? indented(`And ${more} more: --output json has that of each node.`, width) : []),
    ];
  });
  const rest = `And ${left} more causes: --output json has them all.`;
  return left > 0 ? [...lines, ...wrap(rest, width)] : lines;
}

function linesOf(
  { remedies, nodes: its }: RemedyGroup['told'][number],
  { group, width }: { readonly group: RemedyGroup; readonly width: number },
): readonly string[] {
  const [first] = its;
  const isSame = group.nodes.every(({ reason }) => reason === first?.reason);
  const why = `${isSame ? 'Why' : `Why, on ${printable(first?.node ?? '')}`}: ${printable(first?.reason ?? '')}.`;
  const what = group.told.length === 1 ? 'What to do' : `What to do, on ${onNodes(its)}`;
  return [
    ...(first?.reason == null ? [] : indented(why, width)),
    ...remedies.flatMap((remedy, index) =>
      indented(`${index === 0 ? what : 'And'}: ${printable(remedy)}.`, width),
    ),
  ];
}

function onNodes(its: readonly NodeResult[]): string {
  return its.length === 1 ? printable(its[0]?.node ?? '') : `${its.length} nodes`;
}

function mostFirst<T>(
  groups: ReadonlyMap<string, readonly T[]>,
): readonly (readonly [string, readonly T[]])[] {
  return [...groups].sort(([, one], [, other]) => other.length - one.length);
}
