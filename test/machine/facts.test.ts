import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AskMachine, FactsSource } from '../../src/machine/facts.ts';
import type { Clock } from '../../src/model/observation.ts';
import { UNKNOWN_MACHINE } from '../support/observation.ts';

const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: Date.now() });
const KNOWN = { kernel: '6.12.40', arch: 'x64', vendor: 'Amazon EC2', model: null };
const TOLD = { kernel: '6.12.40', arch: 'x64', vendor: 'somebody else', model: 'm7i.large' };
const BOTH = { ...KNOWN, model: 'm7i.large' };

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 20, 12) });
});
afterEach(() => {
  vi.useRealTimers();
});

function makeSource(answer: AskMachine) {
  const askMachine = vi.fn(answer);
  return { source: new FactsSource({ known: KNOWN, askMachine, clock }), askMachine };
}

test('what is known at once is there from the beginning, without a stage', () => {
  const { source, askMachine } = makeSource(async () => TOLD);
  expect([source.seen, source.stage]).toEqual([KNOWN, null]);
  expect(askMachine).not.toHaveBeenCalled();
});

test('an answer fills the gaps, and the stage says how long it took', async () => {
  const { source } = makeSource(() => new Promise((resolve) => setTimeout(() => resolve(TOLD), 40)));
  const asked = source.ask();
  await vi.advanceTimersByTimeAsync(40);
  await asked;
  expect(source.seen).toEqual(BOTH);
  expect(source.stage).toEqual({
    stage: 'facts',
    success: true,
    durationSeconds: 0.04,
    error: null,
    at: clock(),
  });
  expect(vi.getTimerCount()).toBe(0);
});

test('an answer that adds nothing is a success', async () => {
  const { source } = makeSource(async () => UNKNOWN_MACHINE);
  await source.ask();
  expect([source.seen, source.stage?.success]).toEqual([KNOWN, true]);
});

test('is asked once, whoever asks how often', async () => {
  const { source, askMachine } = makeSource(async () => TOLD);
  await Promise.all([source.ask(), source.ask()]);
  await source.ask();
  expect(askMachine).toHaveBeenCalledOnce();
});

describe('a failure leaves what is known, and the stage says why', () => {
  test.each<[string, AskMachine]>([
    ['a rejection', async () => Promise.reject(new Error('no such module'))],
    [
      'an exception',
      () => {
        throw new Error('no such module');
      },
    ],
  ])('%s', async (_, answer) => {
    const { source, askMachine } = makeSource(answer);
    await source.ask();
    await source.ask();
    expect(source.seen).toEqual(KNOWN);
    expect(source.stage).toMatchObject({ stage: 'facts', success: false, error: 'no such module' });
    expect(askMachine).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('no answer within five seconds; one that comes later counts no more', async () => {
    let answer = (_: typeof TOLD) => {};
    const { source } = makeSource(() => new Promise((resolve) => (answer = resolve)));
    const asked = source.ask();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(source.stage).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    await asked;
    expect(source.stage).toMatchObject({
      success: false,
      durationSeconds: 5,
      error: "Cannot ask for the machine's facts: not done within 5 s",
    });
    answer(TOLD);
    await vi.advanceTimersByTimeAsync(0);
    expect([source.seen, source.stage?.success]).toEqual([KNOWN, false]);
  });
});

describe('after the end', () => {
  test('nobody is asked', async () => {
    const { source, askMachine } = makeSource(async () => TOLD);
    source.stop();
    await source.ask();
    expect(askMachine).not.toHaveBeenCalled();
  });

  test('an answer under way belongs to nobody, and no timer is left', async () => {
    let answer = (_: typeof TOLD) => {};
    const { source } = makeSource(() => new Promise((resolve) => (answer = resolve)));
    const asked = source.ask();
    source.stop();
    expect(vi.getTimerCount()).toBe(0);
    answer(TOLD);
    await asked;
    expect([source.seen, source.stage]).toEqual([KNOWN, null]);
  });
});
