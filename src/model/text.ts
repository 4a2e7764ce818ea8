/** What sentences are made of. */

/** `a`, `a and b`, `a, b and c` */
export function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** A duration for people. */
export function duration(ms: number): string {
  const total = Math.floor(ms / 1000);
  if (total < 120) return `${total} s`;
  return total < 7200 ? `${Math.floor(total / 60)} min` : `${Math.floor(total / 3600)} h`;
}
