import { describe, expect, test } from 'vitest';
import { askInRounds, type RoundSeen, type Rounds, untilAborted } from '../../src/commands/rounds.ts';
import type { FleetStatus } from '../../src/model/fleet/status.ts';
import { answerWith, fleetStatus, nodeSeen } from '../support/fleet.ts';
import { realClock, steppedClock } from '../support/runtime.ts';

const ANSWERS: Readonly<Record<string, FleetStatus>> = {
  P: fleetStatus([nodeSeen('a')]),
  F: fleetStatus([nodeSeen('a', answerWith('false'))]),
  U: fleetStatus([nodeSeen('a', answerWith('unknown'))]),
};

/** Each round takes ten seconds and answers with the next letter, the last one for ever; `x` is a round that fails. */
async function play(letters: string, parts: Partial<Rounds> = {}) {
  const { clock, step } = steppedClock();
  const seen: RoundSeen[] = [];
  let asked = 0;
  const ending = await askInRounds({
    async ask() {
      step(10_000);
      const letter = letters[Math.min(asked++, letters.length - 1)] ?? '';
      const answer = ANSWERS[letter];
      if (answer === undefined) throw new Error(`round ${asked} failed`);
      return answer;
    },
    waitMs: null,
    forMs: null,
    intervalMs: 1,
    isWorthAsking: () => true,
    clock,
    signal: new AbortController().signal,
    onRound: (round) => seen.push(round),
    ...parts,
  });
  const { kind, last } = ending;
  const problem = ending.kind === 'failed' ? ending.problem : null;
  return { asked, kind, verdict: last?.status.verdict ?? null, problem, seen, last };
}

describe('asked once', () => {
  test.each(['P', 'F', 'U'])('%s is the end', async (letter) => {
    expect(await play(letter)).toMatchObject({ asked: 1, kind: 'judged', verdict: ANSWERS[letter]?.verdict });
  });

  test('a round that fails is the end', async () => {
    expect(await play('x')).toMatchObject({
      asked: 1,
      kind: 'failed',
      problem: 'round 1 failed',
      verdict: null,
    });
  });
});

describe('--wait', () => {
  test.each([
    ['a fleet that comes to pass', 'UFP', 60_000, 3, 'pass'],
    ['a fleet that does not', 'F', 30_000, 3, 'fail'],
    ['a fleet that cannot be told in the end', 'FFU', 30_000, 3, 'unknown'],
    ['a fleet that passes after the time', 'FFFP', 30_000, 3, 'fail'],
    ['a round that fails on the way', 'FxP', 60_000, 3, 'pass'],
  ])('%s', async (_, letters, waitMs, asked, verdict) => {
    expect(await play(letters, { waitMs })).toMatchObject({ asked, kind: 'judged', verdict });
  });

  test('a last round that fails is one, with the last good state and when it was', async () => {
    const { last, ...ended } = await play('PFx', { waitMs: 30_000, forMs: 60_000 });
    expect(ended).toMatchObject({ asked: 3, kind: 'failed', problem: 'round 3 failed', verdict: 'fail' });
    expect(last?.atMs).toBe(20_000);
  });

  test('what another round cannot tell is not asked again', async () => {
    expect(await play('UP', { waitMs: 60_000, isWorthAsking: () => false })).toMatchObject({
      asked: 1,
      verdict: 'unknown',
    });
  });

  test('does not sleep longer than the time that is left', async () => {
    let asked = 0;
    const begin = performance.now();
    await play('', {
      ask: async () => {
        asked += 1;
        return fleetStatus([]);
      },
      ...{ waitMs: 50, intervalMs: 3_600_000, clock: realClock },
    });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(50);
    expect(asked).toBeGreaterThanOrEqual(2);
  });
});

describe('--for', () => {
  test.each([
    ['every round passes for that long', 'P', null, 30_000, 4, 'pass'],
    ['without --wait one that does not is the end', 'PPF', null, 60_000, 3, 'fail'],
    ['without --wait the first one must pass', 'FP', null, 60_000, 1, 'fail'],
    ['with --wait it begins anew', 'PFP', 60_000, 30_000, 6, 'pass'],
    ['a round that fails breaks it', 'PxP', 60_000, 30_000, 6, 'pass'],
    ['what began in time may end', 'P', 20_000, 30_000, 4, 'pass'],
    ['what breaks when the time is up is the end', 'PPPU', 20_000, 60_000, 4, 'unknown'],
    ['what begins too late does not count', 'FFP', 20_000, 30_000, 2, 'fail'],
  ])('%s', async (_, letters, waitMs, forMs, asked, verdict) => {
    expect(await play(letters, { waitMs, forMs })).toMatchObject({ asked, kind: 'judged', verdict });
  });

  test('says with each round since when all have passed', async () => {
    const { seen } = await play('FPPFPPP', { waitMs: 60_000, forMs: 20_000 });
    expect(seen.map(({ passingSinceMs }) => passingSinceMs)).toEqual([
      null,
      20_000,
      20_000,
      null,
      50_000,
      50_000,
      50_000,
    ]);
  });
});

describe('given up', () => {
  test('in a round, by one who does not listen', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 5);
    expect(await play('', { ask: () => new Promise(() => {}), signal: stop.signal })).toMatchObject({
      kind: 'aborted',
      verdict: null,
      seen: [],
    });
  });

  test('in a round, by one who rejects or answers all the same', async () => {
    for (const ending of ['rejects', 'answers']) {
      const stop = new AbortController();
      const ask = async () => {
        stop.abort();
        if (ending === 'rejects') throw new Error('it was given up');
        return fleetStatus([nodeSeen('a')]);
      };
      expect(await play('', { ask, signal: stop.signal })).toMatchObject({ kind: 'aborted', verdict: null });
    }
  });

  test('between two rounds, with the state so far', async () => {
    const stop = new AbortController();
    const onRound = () => setTimeout(() => stop.abort(), 5);
    expect(
      await play('F', { waitMs: 60_000, intervalMs: 3_600_000, signal: stop.signal, onRound }),
    ).toMatchObject({ kind: 'aborted', verdict: 'fail', asked: 1 });
  });

  test('is known at once where it was before', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await untilAborted(stop.signal).promise).toBeNull();
  });
});
