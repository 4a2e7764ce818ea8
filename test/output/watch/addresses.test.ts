import { expect, test } from 'vitest';
import { dnsParts, xEniParts } from '../../../src/output/watch/addresses.ts';
import type { WatchSeen } from '../../support/observation.ts';
import { looksAt, nodeViewOf, STEPS, watchedOf, X_ENIS } from '../../support/watched.ts';

const SMALL = { columns: 40, rows: 12 };
const { public: onPublic, flipped } = STEPS;

function textOf(parts: readonly { readonly text: string }[]): string {
  return parts.map(({ text }) => text).join('');
}

function dns(looks: readonly WatchSeen[], size = {}): string {
  return textOf(dnsParts(nodeViewOf(watchedOf(looksAt(...looks)), size)));
}

test('DNS: the addresses with their routes, the time to live and what is left of it, and the age of the last change', () => {
  expect(dns([onPublic], { seconds: 19 })).toBe(
    '3.34.148.207 public 3.38.61.180 public TTL 60 s (42 left), no change seen',
  );
  expect(dns([onPublic, flipped], { seconds: 14 })).toBe(
    '192.168.1.231 x-eni 192.168.2.210 x-eni TTL 60 s (48 left), changed 12 s ago',
  );
  expect(dns([onPublic, flipped], { ...SMALL, seconds: 14 })).toBe('TTL 60 s, 2 x-eni, changed 12 s ago');
});

test('an answer that is not the newest says so, and none is none', () => {
  expect(dns([onPublic, { ...onPublic, dns: 'timeout' }])).toContain('an old answer');
  expect(dns([onPublic, { ...onPublic, dns: 'timeout' }], SMALL)).toContain('old, TTL 60 s');
  expect(dns([{ ...onPublic, dns: 'timeout' }])).toBe('no answer');
});

test('an answer without a time to live has none', () => {
  const [status] = looksAt(onPublic);
  if (!status?.dns) throw new RangeError('no answer');
  const watched = watchedOf([{ ...status, dns: { ...status.dns, ttlSeconds: null } }]);
  expect(textOf(dnsParts(nodeViewOf(watched)))).toBe('3.34.148.207 public 3.38.61.180 public no change seen');
  expect(textOf(dnsParts(nodeViewOf(watched, SMALL)))).toBe('TTL unknown, 2 public');
});

test('X-ENIs: each with its probe, those that do not answer first', () => {
  const xEnis = (seen: WatchSeen, size = {}) =>
    textOf(xEniParts(nodeViewOf(watchedOf(looksAt(seen)), size))).trimEnd();
  const [first = '', second = ''] = X_ENIS;
  expect(xEnis(onPublic)).toBe(`${first} answers  ${second} answers`);
  const failing = {
    ...onPublic,
    probes: [{ address: first }, { address: second, failedStage: 'tcp' as const }],
  };
  expect(xEnis(failing)).toBe(`${second} fails at tcp  ${first} answers`);
  expect(xEnis(failing, SMALL)).toBe(`1 of 2 answer  ${second} fails at tcp  ${first} answers`);
  expect(xEnis({ ...onPublic, probes: [{ address: first }] })).toBe(`${second} not probed  ${first} answers`);
  expect(xEnis({ ...onPublic, slice: null, probes: [] })).toBe('none known');
});
