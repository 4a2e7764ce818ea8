import { expect, test } from 'vitest';
import { compareNames, countNodes, groupBy, named } from '../../../src/model/fleet/names.ts';

test('many names are the first few and a number', () => {
  expect(named(['a', 'b'])).toBe('a, b');
  expect(named(['a', 'b', 'c', 'd'])).toBe('a, b, c, d');
  expect(named(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('a, b, c, d and 2 more');
});

test('the order of names is that of their code units', () => {
  expect(['b', 'a', 'B', 'ä', 'a'].sort(compareNames)).toEqual(['B', 'a', 'a', 'b', 'ä']);
});

test('one node is no nodes', () => {
  expect([0, 1, 2].map(countNodes)).toEqual(['0 nodes', '1 node', '2 nodes']);
});

test('groups stand in the order in which they are met, whatever they are called', () => {
  const groups = groupBy(['b1', '__proto__', 'a1', 'b2'], (text) => text[0]);
  expect([...groups]).toEqual([
    ['b', ['b1', 'b2']],
    ['_', ['__proto__']],
    ['a', ['a1']],
  ]);
});
