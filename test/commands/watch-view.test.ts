import { expect, test } from 'vitest';
import { makeWatchView } from '../../src/commands/watch-view.ts';
import type { Watched } from '../../src/model/watched.ts';
import { ENTER_SCREEN, LEAVE_SCREEN } from '../../src/output/watch/screen.ts';
import { summaryOf } from '../../src/output/watch/summary.ts';
import { configOf } from '../support/invocation.ts';
import { moment } from '../support/observation.ts';
import { testRuntime } from '../support/runtime.ts';
import { looksAt, STEPS, watchedOf } from '../support/watched.ts';

const [FIRST, MOVING] = [watchedOf(looksAt(STEPS.public)), watchedOf(looksAt(STEPS.public, STEPS.mixed))];

function summary(watched: Watched) {
  return summaryOf(watched, { at: moment(9), ended: 'signal', until: null, exitCode: 0 });
}

function show(flags: readonly string[], terminal: boolean): string[] {
  const runtime = testRuntime({ terminal });
  const view = makeWatchView(configOf('watch', ...flags), runtime);
  view.begin();
  view.show(FIRST, []);
  view.show(MOVING, MOVING.changes);
  view.end(MOVING, summary(MOVING));
  view.leave();
  return runtime.out;
}

test('on a terminal: a screen, one write a frame, and the summary when it is left', () => {
  const [enter, first, second, leave, text, ...rest] = show([], true);
  expect([enter, leave]).toEqual([ENTER_SCREEN, LEAVE_SCREEN]);
  expect(first).toContain('Route   public');
  expect(second).toContain('* Route   mixed');
  expect(text).toContain('Node route: public -> mixed');
  expect(rest).toEqual([]);
});

test('in a pipe: the state, a line a change, and the summary', () => {
  const lines = show([], false).join('').split('\n');
  expect(lines[0]).toMatch(/^\S+Z status ip-192-168-1-204: route public/);
  expect(lines.slice(1, 1 + MOVING.changes.length)).toEqual(
    MOVING.changes.map(({ kind, detail }) => expect.stringContaining(` ${kind} ${detail}`)),
  );
  expect(lines.slice(1 + MOVING.changes.length, 3 + MOVING.changes.length)).toEqual([
    '',
    expect.stringMatching(/^Watched /),
  ]);
});

test('JSON lines on a terminal too', () => {
  const lines = show(['--output=json'], true).map((line) => JSON.parse(line));
  expect(lines.map(({ kind }) => kind)).toEqual([
    'status',
    ...MOVING.changes.map(({ kind }) => kind),
    'summary',
  ]);
});

test('the log does not come into the screen: it is written when that is left', () => {
  const runtime = testRuntime({ terminal: true });
  const view = makeWatchView(configOf('watch'), runtime);
  view.stderr.write('before\n');
  view.begin();
  view.stderr.write('a look failed\n');
  expect(runtime.err).toEqual(['before\n']);
  view.leave();
  view.leave();
  expect(runtime.err).toEqual(['before\n', 'a look failed\n']);
  expect(runtime.out).toEqual([ENTER_SCREEN, LEAVE_SCREEN]);
});

test('a log that goes elsewhere is written at once', () => {
  const runtime = testRuntime({ terminal: true });
  const view = makeWatchView(configOf('watch'), {
    ...runtime,
    stderr: { ...runtime.stderr, isTerminal: false },
  });
  view.begin();
  view.stderr.write('a look failed\n');
  expect(runtime.err).toEqual(['a look failed\n']);
});
