import { describe, expect, onTestFinished, test } from 'vitest';
import { ProgressDisplay } from '../../src/commands/progress-display.ts';
import type { RoundSeen } from '../../src/commands/rounds.ts';
import { answerWith, fleetStatus, manyNodes, noAnswerFor, nodeSeen } from '../support/fleet.ts';
import { steppedClock, testRuntime } from '../support/runtime.ts';

function makeDisplay({
  terminal = false,
  isRepeated = true,
  waitMs = null as number | null,
  forMs = null as number | null,
} = {}) {
  const { clock, step } = steppedClock();
  const runtime = testRuntime({ clock, terminal });
  const display = new ProgressDisplay({
    output: runtime.stderr,
    clock,
    isRepeated,
    waitMs,
    forMs,
    intervalMs: 10_000,
  });
  onTestFinished(() => display.end());
  const round = (pass: number, of: number): RoundSeen => ({
    last: {
      status: fleetStatus([...manyNodes(pass), ...manyNodes(of - pass, answerWith('false'), 'bad')]),
      atMs: clock().monotonicMs,
    },
    problem: null,
    passingSinceMs: null,
  });
  return { display, step, clock, round, runtime, written: runtime.err, size: runtime.size };
}

describe('where there is no terminal', () => {
  test('a line comes when the counts change, else every half a minute', () => {
    const { display, step, round, written } = makeDisplay();
    display.onRound(round(0, 4));
    for (let seconds = 0; seconds < 45; seconds += 15) {
      step(15_000);
      display.onRound(round(0, 4));
    }
    step(15_000);
    display.onRound(round(1, 4));
    display.end();
    expect(written).toEqual([
      '2026-11-20T12:00:00Z 0/4 pass, 4 fail (GateFalse: bad1 +3)\n',
      '2026-11-20T12:00:30Z 0/4 pass, 4 fail (GateFalse: bad1 +3)\n',
      '2026-11-20T12:01:00Z 1/4 pass, 3 fail (GateFalse: bad1 +2), about 3 min\n',
    ]);
  });

  test('a line comes when the cause is another one, and says how long it goes on', () => {
    const { display, step, clock, written } = makeDisplay({ waitMs: 1_200_000 });
    for (const why of ['not-answering', 'gone', 'gone'] as const) {
      const status = fleetStatus([...manyNodes(2), nodeSeen('dark', noAnswerFor(why))]);
      display.onRound({
        last: { status, atMs: clock().monotonicMs },
        problem: null,
        passingSinceMs: null,
      });
      step(10_000);
    }
    expect(written.map((line) => line.slice(21))).toEqual([
      '2/3 pass, 1 unknown (NoAnswer: dark), 20 min left\n',
      '2/3 pass, 1 unknown (Gone: dark), 19 min left\n',
    ]);
  });

  test('a round that fails is told once, and that it is over', () => {
    const { display, step, round, written } = makeDisplay();
    const good = round(2, 4);
    display.onRound(good);
    for (const problem of ['it is down\u001b[2J', 'it is down\u001b[2J', 'it is slow']) {
      step(5_000);
      display.onRound({ ...good, problem });
    }
    step(5_000);
    display.onRound(round(2, 4));
    expect(written.map((line) => line.slice(21))).toEqual([
      '2/4 pass, 2 fail (GateFalse: bad1 +1)\n',
      'The round failed: it is down\ufffd[2J\n',
      'The round failed: it is slow\n',
      '2/4 pass, 2 fail (GateFalse: bad1 +1)\n',
    ]);
  });

  test('one round alone says nothing', () => {
    const { display, round, written } = makeDisplay({ isRepeated: false });
    display.onAsked(1, 4);
    display.onRound(round(2, 4));
    display.end();
    expect(written).toEqual([]);
  });
});

describe('on a terminal', () => {
  test('one line is replaced, and taken away in the end', () => {
    const { display, step, round, written } = makeDisplay({ terminal: true });
    display.onAsked(1, 200);
    display.onAsked(2, 200);
    step(200);
    display.onAsked(150, 200);
    display.onRound(round(100, 200));
    expect(written.slice(0, 2)).toEqual(['\rasked 1 of 200', '\rasked 150 of 200']);
    expect(written[2]).toBe(
      `\r[${'#'.repeat(9)}${'-'.repeat(9)}] 100/200 pass, 100 fail (GateFalse: bad1 +99), next in 10 s`,
    );
    step(60_000);
    display.onRound({ ...round(0, 0), last: null, problem: 'it is down' });
    display.end();
    const last = written.slice(3).join('');
    expect(last).toMatch(/^\r {79}\r2026-11-20T12:01:00Z The round failed: it is down\n/);
    expect(written.join('')).not.toContain('\u001b');
  });

  test('never writes into the last column, whatever its size becomes', () => {
    const { display, round, written, size } = makeDisplay({ terminal: true });
    for (const columns of [80, 40, 12, 120, 1]) {
      size.columns = columns;
      written.length = 0;
      display.onRound(round(3, 7));
      for (const text of written) expect(text.replaceAll('\r', '').length).toBeLessThan(columns);
    }
  });

  test('says for how long all have passed, and how old a state is', () => {
    const { display, step, round, written } = makeDisplay({ terminal: true, forMs: 600_000 });
    const good = { ...round(4, 4), passingSinceMs: 0 };
    step(90_000);
    display.onRound(good);
    expect(written.at(-1)).toContain('4/4 pass, for 90 s of 10 min');
    step(10_000);
    display.onRound({ ...good, problem: 'it is down', passingSinceMs: null });
    expect(written.at(-1)).toContain('4/4 pass, 100 s old');
  });
});
