/** Many nodes: their names in one sentence, their order, and groups of them. */

const MAX_NAMED = 4;

/** The first few, and how many more there are. */
export function named(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** By UTF-16 code units: the same order everywhere. */
export function compareNames(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

export function countNodes(nodes: number): string {
  return nodes === 1 ? '1 node' : `${nodes} nodes`;
}

/** In the order in which the keys are met first. */
export function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
