import { describe, expect, test } from 'vitest';
import { formatEta, progressOf } from '../../../src/model/fleet/progress.ts';

/** A round each minute, with so many nodes that pass of so many. */
function rounds(...counts: readonly (readonly [pass: number, total: number])[]) {
  return counts.map(([pass, total], index) => ({ atMs: index * 60_000, pass, total }));
}

describe('the rate', () => {
  test('is that of the rounds so far', () => {
    expect(progressOf(rounds([0, 100], [10, 100], [20, 100]))).toEqual({ perMinute: 10, etaMs: 8 * 60_000 });
  });

  test('counts what remains, where nodes come', () => {
    expect(progressOf(rounds([0, 100], [20, 110], [40, 120]))).toEqual({ perMinute: 10, etaMs: 8 * 60_000 });
  });

  test.each([
    ['too few rounds', rounds([0, 100], [50, 100])],
    ['no rounds', []],
    ['rounds in which nothing moves', rounds([5, 100], [5, 100], [5, 100])],
    ['rounds that go back', rounds([50, 100], [40, 100], [30, 100])],
    ['a fleet that is there', rounds([0, 100], [50, 100], [100, 100])],
    ['rounds at one time', rounds([0, 9], [1, 9], [2, 9]).map((round) => ({ ...round, atMs: 0 }))],
  ])('is not known of %s', (_, made) => {
    expect(progressOf(made)).toEqual({ perMinute: null, etaMs: null });
  });

  test('forgets what was long ago', () => {
    const still = Array.from({ length: 100 }, (): [number, number] => [0, 100]);
    const moving = Array.from({ length: 20 }, (_, index): [number, number] => [index * 2, 100]);
    expect(progressOf(rounds(...still, ...moving)).perMinute).toBeCloseTo(2);
  });
});

test.each([
  [0, 'about 10 s'],
  [34_000, 'about 40 s'],
  [89_000, 'about 90 s'],
  [100_000, 'about 2 min'],
  [12.4 * 60_000, 'about 12 min'],
  [3 * 3_600_000, 'about 3 h'],
])('%d ms are %s', (ms, text) => {
  expect(formatEta(ms)).toBe(text);
});
