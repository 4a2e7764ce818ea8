/** The tests' own parts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { HASTE, hasten } from './lib/haste.ts';
import { programs, RELEASES } from './lib/programs.ts';
import { describeWithPrometheus } from './lib/tools.ts';

const RULES = readFileSync(
  join(import.meta.dirname, '..', '..', 'deploy', 'prometheus', 'rules.yaml'),
  'utf8',
);

test('the rules in haste differ from the shipped ones in their durations, and in nothing else', () => {
  const wordsOf = (text: string) => JSON.stringify(parse(text), null, 1).split(/(?=[^\w.])|(?<=[^\w.])/);
  const [before, after] = [wordsOf(RULES), wordsOf(hasten(RULES, HASTE))];
  expect(after.length).toBe(before.length);
  const changes = before.flatMap((word, index) =>
    word === after[index] ? [] : [`${word} -> ${after[index]}`],
  );
  const known = [
    '5m -> 2s',
    '10m -> 4s',
    '15m -> 6s',
    '1h -> 24s',
    '1d -> 576s',
    '30d -> 17280s',
    '600 -> 4',
  ];
  expect(changes.filter((change) => !known.includes(change))).toEqual([]);
  const count = (text: string, what: RegExp) => text.match(what)?.length ?? 0;
  // Every `for`, range and offset there is, and the age from which a stale connection is one.
  const durations = /(for: |\[|offset )\d+[smhd]/g;
  expect(changes.length).toBe(count(RULES, durations) + 1);
});

test('what cannot be shortened is an error', () => {
  const rules = (expr: string) => `groups: [{name: a, rules: [{record: b, expr: '${expr}'}]}]`;
  expect(hasten(rules('rate(a_5m[5m])'), 60)).toContain('rate(a_5m[5s])');
  expect(() => hasten(rules('rate(a[1h30m])'), 60)).toThrow('1h30');
  expect(() => hasten(rules('rate(a[1w])'), 60)).toThrow('1w');
});

describeWithPrometheus('the releases', () => {
  test('are two of Prometheus 2 and one of Prometheus 3, by what they say themselves', async () => {
    const versions = await Promise.all(RELEASES.map(async (release) => (await programs(release)).version));
    expect(versions.map((version) => version.split('.')[0])).toEqual(['2', '2', '3']);
    expect(new Set(versions).size).toBe(3);
  });
});
