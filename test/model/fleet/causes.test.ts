import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FLAGS } from '../../../src/flags.ts';
import { FINDING_CODES } from '../../../src/model/findings.ts';
import { causeOf, causeWordOf } from '../../../src/model/fleet/causes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const WORDS = [
  ...(['fargate', 'no-exporter', 'gone', 'not-answering', 'unreadable', 'other-node'] as const).map(
    causeWordOf,
  ),
  ...([
    'TooOld',
    'AgeUnknown',
    'Duplicate',
    'NoEndpoint',
    'OtherEndpoint',
    'GateFalse',
    'GateUnknown',
  ] as const),
];

test('every word of the table is looked at here', () => {
  const text = readFileSync(join(ROOT, 'src/model/fleet/causes.ts'), 'utf8');
  const inTable = [...text.matchAll(/^ {2}(\w+): \{/gm)].map(([, word]) => word);
  expect(inTable.length).toBeGreaterThan(5);
  expect(new Set(WORDS)).toEqual(new Set(inTable));
});

test.each(WORDS)('%s is no finding, and has a sentence and a remedy without a period', (word) => {
  const { meaning, remedy } = causeOf(word);
  expect(FINDING_CODES).not.toContain(word);
  for (const text of [meaning, remedy]) expect(text).toMatch(/^[a-z].*[^.]$/);
  for (const [file] of remedy.matchAll(/docs\/[\w/]+\.md/g))
    expect(existsSync(join(ROOT, file)), file).toBe(true);
  const flags = Object.values(FLAGS).map(({ name }) => name);
  for (const [flag] of `${meaning} ${remedy}`.matchAll(/--[a-z-]+/g)) expect(flags).toContain(flag);
});
