import { describe, expect, test } from 'vitest';
import { unasked } from '../../src/model/dns.ts';
import {
  IMDS_INTERVAL_MS,
  isCurrentProbe,
  isOld,
  isOldDns,
  NODE_CONFIG_INTERVAL_MS,
  SLICE_INTERVAL_MS,
} from '../../src/model/freshness.ts';
import { dnsSeen, HOSTNAME, moment, observation } from '../support/observation.ts';

const NOW = 10_000;

describe('what a source said is old after three of its intervals', () => {
  test.each<[string, number, number, boolean]>([
    ['the slice', SLICE_INTERVAL_MS, 900, false],
    ['the slice', SLICE_INTERVAL_MS, 900.001, true],
    ['IMDS', IMDS_INTERVAL_MS, 1800, false],
    ['IMDS', IMDS_INTERVAL_MS, 1800.001, true],
    ["the node's files", NODE_CONFIG_INTERVAL_MS, 180, false],
    ["the node's files", NODE_CONFIG_INTERVAL_MS, 180.001, true],
    ['anything, at once', 1000, 0, false],
    ['anything a moment from now', 1000, -1, false],
  ])('%s, every %d ms, of %d s ago: %s', (_, intervalMs, ageSeconds, old) => {
    expect(isOld(moment(NOW - ageSeconds), moment(NOW), intervalMs)).toBe(old);
  });

  test('by the monotonic clock: a node steps the other one', () => {
    const { monotonicMs } = moment(NOW);
    expect(isOld({ wallMs: 0, monotonicMs }, moment(NOW), 1000)).toBe(false);
    expect(isOld({ ...moment(NOW), monotonicMs: monotonicMs - 3001 }, moment(NOW), 1000)).toBe(true);
  });
});

describe('an answer of DNS is old after three times for how long it is kept', () => {
  test.each([
    // Kept for 1 s to 300 s; and never less than 10 s count.
    [0, 30, false],
    [0, 30.001, true],
    [1, 30, false],
    [1, 30.001, true],
    [10, 30, false],
    [10, 30.001, true],
    [11, 33, false],
    [11, 33.001, true],
    [60, 180, false],
    [60, 180.001, true],
    [300, 900, false],
    [300, 900.001, true],
    [301, 900, false],
    [301, 900.001, true],
    [86_400, 900.001, true],
  ])('a TTL of %d s, %d s ago: %s', (ttlSeconds, ageSeconds, old) => {
    const seen = dnsSeen(['192.168.1.231'], NOW - ageSeconds);
    const dns = { ...seen, answer: seen.answer && { ...seen.answer, ttlSeconds } };
    expect(isOldDns(dns, moment(NOW))).toBe(old);
  });

  test('also where there never was one', () => {
    expect(isOldDns(unasked(HOSTNAME), moment(NOW))).toBe(true);
  });

  test('whatever the lookups after it said', () => {
    const dns = dnsSeen(['192.168.1.231'], NOW - 181);
    expect(isOldDns({ ...dns, success: true, lookups: 9 }, moment(NOW))).toBe(true);
    expect(isOldDns({ ...dns, success: false, failingSince: moment(NOW - 90) }, moment(NOW - 1))).toBe(false);
  });
});

test.each<[number, number | null, boolean]>([
  [0, 10_000, true],
  [30, 10_000, true],
  [30.001, 10_000, false],
  [180, 60_000, true],
  [180.001, 60_000, false],
  [0, null, false],
])('a probe of %d s ago at an interval of %j ms is current: %s', (ageSeconds, intervalMs, current) => {
  const look = observation({ probes: [{ address: '192.168.1.231', ageSeconds }] }, NOW);
  const [probe] = look.probes ?? [];
  expect(probe && isCurrentProbe(probe, look.at, intervalMs)).toBe(current);
});
