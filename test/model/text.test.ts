import { expect, test } from 'vitest';
import { duration, list } from '../../src/model/text.ts';

test.each<[readonly string[], string]>([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c'], 'a, b and c'],
  [['a', 'b', 'c', 'd'], 'a, b, c and d'],
])('%j are listed as people do: %j', (names, text) => {
  expect(list(names)).toBe(text);
});

test.each([
  [0, '0 s'],
  [999, '0 s'],
  [1000, '1 s'],
  [119_999, '119 s'],
  [120_000, '2 min'],
  [7_199_999, '119 min'],
  [7_200_000, '2 h'],
  [86_400_000, '24 h'],
])('%d ms are, for people, %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
