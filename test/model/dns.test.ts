import { describe, expect, test } from 'vitest';
import { keptSeconds, recordLookup, unasked } from '../../src/model/dns.ts';
import type { DnsSeen } from '../../src/model/observation.ts';
import { answered, HOSTNAME, moment, unanswered } from '../support/observation.ts';

function seenAfter(...answers: readonly (readonly string[])[]): DnsSeen {
  return answers.reduce(
    (seen: DnsSeen, addresses, index) => recordLookup(seen, answered(addresses, 60 * (index + 1))),
    unasked(HOSTNAME),
  );
}

function texts(seen: DnsSeen): { current: readonly string[]; earlier: readonly string[] } {
  return {
    current: seen.answer?.addresses.map(({ text }) => text) ?? [],
    earlier: seen.earlier.map(({ text }) => text),
  };
}

describe('an answer', () => {
  test('before the first lookup nothing is known, and nothing has succeeded', () => {
    const seen = unasked(HOSTNAME);
    expect(seen).toMatchObject({ success: false, answer: null, changedAt: null, lookups: 0, changes: 0 });
    expect(seen.failingSince).toBeNull();
  });

  test('the first one is no change', () => {
    const seen = seenAfter(['3.34.148.207']);
    expect(seen).toMatchObject({ success: true, error: null, changedAt: null, lookups: 1, changes: 0 });
    expect(seen.servers).toEqual(['192.168.0.2']);
  });

  test('the same addresses in another order are no change, and the answer is the newer one', () => {
    const seen = seenAfter(['3.34.148.207', '43.201.141.73'], ['43.201.141.73', '3.34.148.207']);
    expect(seen).toMatchObject({ changedAt: null, changes: 0, lookups: 2, earlier: [] });
    expect(seen.answer?.at).toEqual(moment(120));
  });

  test('the same IPv4 address behind NAT64 is no change', () => {
    expect(seenAfter(['3.34.148.207'], ['64:ff9b::3.34.148.207']).changes).toBe(0);
  });

  test('another address is a change, and the one before is remembered', () => {
    const seen = seenAfter(['3.34.148.207'], ['192.168.1.231']);
    expect(seen).toMatchObject({ changes: 1, changedAt: moment(120) });
    expect(texts(seen)).toEqual({ current: ['192.168.1.231'], earlier: ['3.34.148.207'] });
  });

  test('one address less, or one more, is a change', () => {
    const seen = seenAfter(['3.34.148.207', '43.201.141.73'], ['3.34.148.207'], ['3.34.148.207', '9.9.9.9']);
    expect(seen.changes).toBe(2);
    expect(texts(seen)).toEqual({ current: ['3.34.148.207', '9.9.9.9'], earlier: ['43.201.141.73'] });
  });

  test('an address that comes back is current again, and not an earlier one as well', () => {
    const seen = seenAfter(['3.34.148.207'], ['192.168.1.231'], ['3.34.148.207']);
    expect(texts(seen)).toEqual({ current: ['3.34.148.207'], earlier: ['192.168.1.231'] });
    expect(seen).toMatchObject({ changes: 2, changedAt: moment(180) });
  });

  test('an answer that stays does not move the time of the last change', () => {
    const seen = seenAfter(['3.34.148.207'], ['192.168.1.231'], ['192.168.1.231']);
    expect(seen.changedAt).toEqual(moment(120));
  });

  test('a resolver that lies anew each time does not grow the memory without end', () => {
    const liar = Array.from({ length: 600 }, (_, index) => [`3.0.${index >> 8}.${index & 255}`]);
    const { earlier } = texts(seenAfter(...liar));
    expect(earlier).toHaveLength(256);
    expect(earlier[0]).toBe('3.0.2.86');
  });
});

describe('a failure', () => {
  test('keeps the last answer with its age, and is counted by its reason', () => {
    const before = seenAfter(['3.34.148.207'], ['192.168.1.231']);
    const seen = [unanswered('timeout', 200), unanswered('timeout', 205), unanswered('refused', 210)].reduce(
      recordLookup,
      before,
    );
    expect(seen).toMatchObject({
      success: false,
      error: 'the resolver said refused',
      lookups: 5,
      changes: 1,
    });
    expect(seen.failures).toEqual({
      timeout: 2,
      nxdomain: 0,
      'no-addresses': 0,
      servfail: 0,
      refused: 1,
      other: 0,
    });
    expect(seen.answer).toEqual(before.answer);
    expect(seen.earlier).toEqual(before.earlier);
    expect(seen.changedAt).toEqual(before.changedAt);
  });

  test('goes on since the first of them, until a complete answer', () => {
    const lookups = [unanswered('timeout', 200), unanswered('refused', 205), unanswered('timeout', 900)];
    const failing = lookups.reduce(recordLookup, seenAfter(['3.34.148.207']));
    expect(failing.failingSince).toEqual(moment(200));
    const answeredAgain = recordLookup(failing, answered(['3.34.148.207'], 910));
    expect(answeredAgain.failingSince).toBeNull();
    expect(recordLookup(answeredAgain, unanswered('timeout', 970)).failingSince).toEqual(moment(970));
  });

  test('the same answer after it is no change, another one is', () => {
    const failed = recordLookup(seenAfter(['3.34.148.207']), unanswered('servfail', 70));
    expect(recordLookup(failed, answered(['3.34.148.207'], 75))).toMatchObject({
      success: true,
      error: null,
      changes: 0,
    });
    expect(recordLookup(failed, answered(['192.168.1.231'], 75))).toMatchObject({
      changes: 1,
      changedAt: moment(75),
    });
  });

  test('before any answer leaves the answer unknown', () => {
    const seen = recordLookup(unasked(HOSTNAME), unanswered('nxdomain', 5));
    expect(seen).toMatchObject({ success: false, answer: null, lookups: 1, changes: 0 });
  });

  test('a lookup changes nothing of the state before it', () => {
    const before = Object.freeze(seenAfter(['3.34.148.207']));
    recordLookup(before, answered(['192.168.1.231'], 90));
    recordLookup(before, unanswered('timeout', 90));
    expect(before).toEqual(seenAfter(['3.34.148.207']));
  });
});

test.each([
  [0, 1],
  [1, 1],
  [60, 60],
  [300, 300],
  [301, 300],
  [4_294_967_295, 300],
])('an answer with a TTL of %d s is kept for %d s', (ttlSeconds, kept) => {
  expect(keptSeconds(ttlSeconds)).toBe(kept);
});
