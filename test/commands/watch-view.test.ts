import { describe, expect, test } from 'vitest';
import { makeWatchView } from '../../src/commands/watch-view.ts';
import { beginWatch, seeSilence, type Watched } from '../../src/model/watched.ts';
import { ENTER_SCREEN, LEAVE_SCREEN } from '../../src/output/watch/screen.ts';
import { summaryOf } from '../../src/output/watch/summary.ts';
import { configOf } from '../support/invocation.ts';
import { moment } from '../support/observation.ts';
import { steppedClock, testRuntime } from '../support/runtime.ts';
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

describe('an agent that never answered', () => {
  const silent = seeSilence(beginWatch(moment(0)), 'the connection was refused', moment(1));

  function said(flags: readonly string[], watched: Watched): readonly string[] {
    const { clock, step } = steppedClock();
    const runtime = testRuntime({ clock });
    const view = makeWatchView(configOf('watch', '--agent=http://10.0.0.1:10943', ...flags), runtime);
    const since = watched.silence && { ...watched.silence, since: clock() };
    for (let second = 0; second <= 65; second++) {
      view.show({ ...watched, silence: since }, second === 0 ? watched.changes : []);
      step(1_000);
    }
    return runtime.out.map((line) => line.trimEnd());
  }

  test('is said to be silent each 30 s in a pipe', () => {
    expect(said([], silent)).toEqual([
      expect.stringContaining(' silent the agent does not answer: the connection was refused'),
      expect.stringMatching(/^\S+Z silent still no answer, 30 s: the connection was refused$/),
      expect.stringMatching(/^\S+Z silent still no answer, 60 s: the connection was refused$/),
    ]);
  });

  test('is said so once, also when it was stopped for long in between', () => {
    const { clock, step } = steppedClock();
    const runtime = testRuntime({ clock });
    const view = makeWatchView(configOf('watch', '--agent=http://10.0.0.1:10943'), runtime);
    const watched = seeSilence(beginWatch(clock()), 'the connection was refused', clock());
    step(605_000);
    for (let second = 0; second < 20; second++) {
      view.show(watched, []);
      step(1_000);
    }
    expect(runtime.out).toHaveLength(1);
  });

  test('is one change as JSON, and one that was heard before is said to be silent once', () => {
    expect(said(['--output=json'], silent)).toHaveLength(1);
    const heard = seeSilence(FIRST, 'the connection was refused', moment(3));
    expect(said([], heard).filter((line) => line.includes(' silent '))).toHaveLength(1);
  });
});

test('in a pipe a machine that is no node is told what to do', () => {
  const { last } = FIRST;
  if (last === null) throw new RangeError('no look');
  const clients = last.clients.map((client) => ({ ...client, found: false }));
  const nowhere = watchedOf([{ ...last, endpoint: null, clients }]);
  const said = (...flags: readonly string[]) => {
    const runtime = testRuntime();
    makeWatchView(configOf('watch', ...flags), runtime).show(nowhere, []);
    return runtime.out.join('');
  };
  expect(said()).toMatch(
    /^\S+Z status .*\nno kubelet here: run it on a node as root, or follow an agent: watch --agent=http:\/\/ADDRESS:10943\n$/,
  );
  expect(said('--agent=http://10.0.0.1:10943')).not.toContain('no kubelet here');
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
