/** Strangers by themselves; how the prober asks them is in prober.test.ts. */
import { expect, test } from 'vitest';
import type { HandshakeResult } from '../../src/endpoint/handshake.ts';
import { byKey, Strangers } from '../../src/endpoint/strangers.ts';
import type { Target } from '../../src/model/targets.ts';
import { address } from '../support/observation.ts';
import { steppedClock } from '../support/runtime.ts';

const HOUR_MS = 3_600_000;
const OK: HandshakeResult = { failedStage: null, error: null };
const OTHER: HandshakeResult = { failedStage: 'identity', error: 'not signed by the CA', otherCa: true };
const WRONG_DATE: HandshakeResult = { failedStage: 'identity', error: 'has expired', otherCa: false };
const NO_TCP: HandshakeResult = { failedStage: 'tcp', error: 'refused', otherCa: false };
const PEER: Target = { address: address('192.168.9.9'), port: 443 };

function makeStrangers() {
  const { clock, step } = steppedClock();
  const open: ((result: HandshakeResult) => void)[] = [];
  const strangers = new Strangers({
    ask: () => new Promise((resolve) => open.push((result) => resolve({ result, at: clock() }))),
    isProbed: () => false,
    clock,
    onAnswer: () => {},
  });
  const answer = async (result: HandshakeResult) => {
    open.shift()?.(result);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { strangers, step, open, answer };
}

test.each<[string, HandshakeResult, string]>([
  ['as this cluster', OK, 'cluster'],
  ["with another CA's certificate", OTHER, 'other'],
  ['with a certificate that is wrong otherwise', WRONG_DATE, 'no-answer'],
  ['not at all', NO_TCP, 'no-answer'],
])('one that answers %s is asked again after an hour, not before', async (_, result, identity) => {
  const { strangers, step, open, answer } = makeStrangers();
  strangers.meet([PEER]);
  await answer(result);
  expect(strangers.identities.map((seen) => seen.identity)).toEqual([identity]);
  step(HOUR_MS - 1);
  strangers.meet([PEER]);
  expect(open).toHaveLength(0);
  step(1);
  strangers.meet([PEER]);
  expect(open).toHaveLength(1);
});

test('a peer that is met look after look stays what it is while it is asked again', async () => {
  const { strangers, step, open, answer } = makeStrangers();
  strangers.meet([PEER]);
  await answer(OTHER);
  for (let hour = 0; hour < 5; hour++) {
    step(HOUR_MS);
    strangers.meet([PEER]);
    expect(strangers.identities.map(({ identity }) => identity)).toEqual(['other']);
    expect(open).toHaveLength(1);
    await answer(OTHER);
  }
  expect(strangers.isSettled).toBe(true);
});

test('giving up keeps the answers, and takes none that is under way', async () => {
  const { strangers, step, answer } = makeStrangers();
  strangers.meet([PEER]);
  await answer(OTHER);
  step(HOUR_MS);
  strangers.meet([PEER, { address: address('192.168.9.10'), port: 443 }]);
  strangers.giveUp();
  expect(strangers.isSettled).toBe(true);
  await answer(OK);
  await answer(OK);
  expect(strangers.identities.map(({ identity }) => identity)).toEqual(['other']);
});

test('equal destinations are one, whatever else is known of them', () => {
  const mapped = { address: address('::ffff:192.168.9.9'), port: 443, seenTwice: true };
  expect(byKey([PEER, mapped, { ...PEER, port: 6443 }]).map(([key]) => key)).toEqual([
    '192.168.9.9 443',
    '192.168.9.9 6443',
  ]);
});
