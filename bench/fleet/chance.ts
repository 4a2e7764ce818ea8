/** Chance that can be repeated: the same seed and the same numbers give the same result, in whatever order one asks. */

/** From 0 up to, and never, 1. */
export function chance(...numbers: readonly number[]): number {
  let mixed = 0x9e3779b9;
  for (const number of numbers) {
    mixed = Math.imul(
      mixed ^ (number >>> 0) ^ Math.imul(Math.floor(number / 2 ** 32), 0x27d4eb2d),
      0x85ebca6b,
    );
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return (mixed >>> 0) / 2 ** 32;
}

/** What of a node is left to chance; each has a number of its own. */
export const CHANCES = {
  move: 1,
  between: 2,
  restart: 3,
  role: 4,
  firstLookup: 5,
  lookupTime: 6,
  stageTime: 7,
  probeTime: 8,
  uptime: 9,
  sockets: 10,
  cpu: 11,
  memory: 12,
  offset: 13,
} as const;
