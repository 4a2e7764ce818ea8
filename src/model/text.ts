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

/** JSON that no terminal obeys: it leaves DEL, the C1 controls, the Unicode line ends and the direction marks as they are. */
export function escapeInvisible(json: string): string {
  return json.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** A value as JSON on lines of its own, that no terminal obeys. */
export function printableJson(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split('\n');
  return `${lines.map(escapeInvisible).join('\n')}\n`;
}
