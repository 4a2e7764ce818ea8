import { expect, test } from 'vitest';
import { duration, escapeInvisible, list, printableJson } from '../../src/model/text.ts';

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

test('no terminal obeys JSON, and programs read the same of it', () => {
  const hostile = { name: '\u009b2J\u202e\u2028\u007f' };
  const line = escapeInvisible(JSON.stringify(hostile));
  expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  expect(JSON.parse(line)).toEqual(hostile);
  const lines = printableJson(hostile);
  expect(lines.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  expect(lines).toMatch(/^\{\n {2}"name": .*\n\}\n$/);
  expect(JSON.parse(lines)).toEqual(hostile);
});
