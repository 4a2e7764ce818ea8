import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aged, readAgentReply } from '../../src/fleet/reply.ts';

const BODY = readFileSync(join(import.meta.dirname, '..', 'golden', 'moved-node-1.status.json'), 'utf8');
const OBSERVED_MS = Date.parse(JSON.parse(BODY).observedAt);
const HOUR_MS = 3_600_000;

/** How old the answer is that came at `nowMs` of our clock, with that Date of theirs. */
function ageOf({ nowMs, dateMs, headers = {} }: AgeCase): number | null {
  const date = dateMs === undefined ? {} : { date: new Date(dateMs).toUTCString() };
  const { seen } = readAgentReply({ status: 200, headers: { ...date, ...headers }, body: BODY }, nowMs);
  return seen.kind === 'answer' ? seen.ageSeconds : null;
}

interface AgeCase {
  readonly nowMs: number;
  readonly dateMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

describe('the age of an answer', () => {
  test.each<[string, AgeCase, number]>([
    [
      'by the clock of the agent, whatever ours says',
      { nowMs: OBSERVED_MS - HOUR_MS, dateMs: OBSERVED_MS + 4000 },
      4,
    ],
    [
      'an old look stays old where our clock is behind as much',
      { nowMs: OBSERVED_MS, dateMs: OBSERVED_MS + HOUR_MS },
      3600,
    ],
    ['by our clock where no date came along', { nowMs: OBSERVED_MS + 7000 }, 7],
    [
      'one that seems to come before its look is as far off as that',
      { nowMs: 0, dateMs: OBSERVED_MS - HOUR_MS },
      3600,
    ],
    ['without a date, and ahead of our clock', { nowMs: OBSERVED_MS - HOUR_MS }, 3600],
    ['a date that is none is not there', { nowMs: OBSERVED_MS + 9000, headers: { date: 'soon' } }, 9],
    ['a cache adds what it says', { nowMs: 0, dateMs: OBSERVED_MS, headers: { age: '600' } }, 600],
  ])('%s', (_, given, age) => {
    expect(ageOf(given)).toBe(age);
  });

  test('goes on after the answer', () => {
    const { seen } = readAgentReply({ status: 200, headers: {}, body: BODY }, OBSERVED_MS + 1000);
    expect(aged(seen, 2500)).toMatchObject({ kind: 'answer', ageSeconds: 3.5 });
  });
});

test('an agent that has not looked yet does not answer', () => {
  const reply = readAgentReply({ status: 503, headers: {}, body: '{"error":"no look"}' }, 0);
  expect(reply).toMatchObject({
    node: null,
    seen: {
      kind: 'none',
      why: 'not-answering',
      detail: 'its agent has not looked at the node yet (503)',
    },
  });
  expect(aged(reply.seen, 1000)).toBe(reply.seen);
});

test('who asks for a password is asked by Prometheus', () => {
  const { seen } = readAgentReply({ status: 401, headers: {}, body: 'Unauthorized' }, 0);
  expect(seen).toMatchObject({
    ...{ kind: 'none', why: 'not-answering', detail: 'what answers there asks for a password (401)' },
    remedy: expect.stringContaining('--prometheus'),
  });
});

test.each([301, 404, 500])('status %i is no answer, whatever its body', (status) => {
  const { node, seen } = readAgentReply({ status, headers: {}, body: BODY }, OBSERVED_MS);
  expect(node).toBe(null);
  expect(seen).toMatchObject({
    kind: 'none',
    why: 'not-answering',
    detail: expect.stringContaining(`gives no /api/v1/status: ${status}`),
  });
});

test('what cannot be read is named', () => {
  const { seen } = readAgentReply({ status: 200, headers: {}, body: '<html>' }, 0);
  expect(seen).toMatchObject({ why: 'unreadable', detail: expect.stringContaining('no JSON') });
});
