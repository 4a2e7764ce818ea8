import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type OpenSource, runVerify } from '../../src/commands/verify.ts';
import type { ObserveOptions } from '../../src/fleet/source.ts';
import type { FleetObservation, NodeObservation } from '../../src/model/fleet/observation.ts';
import type { FleetStatus } from '../../src/model/fleet/status.ts';
import { renderFleetJson } from '../../src/output/fleet/json.ts';
import type { VerifyConfig } from '../../src/verify-config.ts';
import { verifyConfigOf } from '../support/command-line.ts';
import {
  answerOfNode,
  answerWith,
  fleetSeen,
  fleetStatus,
  manyNodes,
  noAnswerFor,
  nodeSeen,
} from '../support/fleet.ts';
import { type TestRuntime, testRuntime } from '../support/runtime.ts';

const GOOD = manyNodes(3);
const BAD = [...manyNodes(2), nodeSeen('bad', answerWith('false'))];
const UNKNOWN = [...manyNodes(2), nodeSeen('dark', noAnswerFor('not-answering'))];
const OTHER = manyNodes(3, answerOfNode({ hostname: 'other.example' }));
const DOWN = 'Cannot ask "http://127.0.0.1:9090": the connection was refused (ECONNREFUSED)';

type Round = readonly NodeObservation[] | string | ((options: ObserveOptions) => Promise<FleetObservation>);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly asked: number;
  readonly closed: number;
  readonly opened: number;
}

/** Runs the command on a source that answers with these rounds, the last one for ever; a text is why a round fails. */
async function verify(
  rounds: readonly Round[],
  flags: string = '',
  {
    runtime = testRuntime(),
    timing = {},
    open,
  }: { runtime?: TestRuntime; timing?: Partial<VerifyConfig>; open?: OpenSource } = {},
): Promise<Ran> {
  const config = verifyConfigOf(`verify --prometheus=http://127.0.0.1:9090 ${flags}`);
  let asked = 0;
  let closed = 0;
  let opened = 0;
  const openMade: OpenSource = async () => {
    opened += 1;
    return {
      async observe(options) {
        const round = rounds[Math.min(asked++, rounds.length - 1)] ?? [];
        if (typeof round === 'string') throw new Error(round);
        return typeof round === 'function' ? round(options) : fleetSeen(round);
      },
      close: () => {
        closed += 1;
      },
    };
  };
  const code = await runVerify({ ...config, intervalMs: 1, ...timing }, runtime, open ?? openMade);
  expect(runtime.listening()).toBe(0);
  return { code, out: runtime.out.join(''), err: runtime.err.join(''), asked, closed, opened };
}

function statusOf({ out }: Ran): FleetStatus {
  return JSON.parse(out);
}

describe('asked once', () => {
  test.each([
    ['all pass', GOOD, 0, 'PASS: all 3 nodes pass public-free.'],
    ['one fails', BAD, 1, 'FAIL: 1 of 3 nodes does not pass public-free.'],
    ['one is unknown', UNKNOWN, 2, 'CANNOT TELL: it is not known of 1 of 3 nodes whether'],
    ['no nodes', [], 2, 'CANNOT TELL: no node was found'],
    [
      'two clusters',
      [...GOOD, ...OTHER.map((one) => ({ ...one, node: `o${one.node}` }))],
      2,
      'are of 2 endpoints',
    ],
  ])('%s', async (_, nodes, code, sentence) => {
    const ran = await verify([nodes]);
    expect(ran).toMatchObject({ code, err: '', asked: 1, closed: 1 });
    expect(ran.out).toContain(sentence);
  });

  test('every form of the output says the same', async () => {
    expect(statusOf(await verify([BAD], '--output=json'))).toMatchObject({
      verdict: 'fail',
      version: '0.1.0',
    });
    expect((await verify([BAD], '--output=junit')).out).toContain('failures="2"');
    expect((await verify([BAD], '--output=markdown')).out).toMatch(/^## FAIL: /);
  });

  test.each(['json', 'junit', 'markdown'])(
    'the verdict of a document is on stderr as well: %s',
    async (output) => {
      const flag = `--output=${output}`;
      expect((await verify([GOOD], flag)).err).toBe('PASS: all 3 nodes pass public-free.\n');
      expect((await verify([BAD], flag)).err).toBe('FAIL: 1 of 3 nodes does not pass public-free.\n');
      expect((await verify([UNKNOWN], flag)).err).toMatch(/^CANNOT TELL: it is not known of [^\n]*\.\n$/);
    },
  );

  test('the flags reach the judgement', async () => {
    const fargate = [...GOOD, nodeSeen('f', noAnswerFor('fargate'))];
    expect((await verify([fargate])).code).toBe(2);
    expect((await verify([fargate], '--ignore-fargate')).code).toBe(0);
    expect((await verify([fargate], '--ignore-fargate --min-nodes=4')).code).toBe(2);
    const gone = [...GOOD, nodeSeen('g', noAnswerFor('gone'))];
    expect((await verify([gone], '--ignore-gone')).code).toBe(0);
    expect((await verify([manyNodes(1, answerOfNode({ ageSeconds: 90 }))], '--max-age=1m')).code).toBe(2);
    const ready = manyNodes(
      1,
      answerOfNode({ gates: [{ gate: 'private-ready', state: 'true', reason: null }] }),
    );
    expect((await verify([ready])).code).toBe(2);
    expect((await verify([ready], '--gate=private-ready')).code).toBe(0);
    const labelled = ready.map((one) => ({ ...one, labels: { type: 'hybrid' } }));
    expect((await verify([labelled], '--gate-for=type=hybrid=private-ready')).code).toBe(0);
  });
});

describe('a source that fails', () => {
  test('is one sentence on stderr', async () => {
    expect(await verify([`${DOWN}.`])).toMatchObject({ code: 2, out: '', err: `${DOWN}\n`, closed: 1 });
  });

  test('is a document for programs', async () => {
    const ran = await verify([DOWN], '--output=json');
    expect([ran.code, ran.err]).toEqual([2, `CANNOT TELL: ${DOWN}.\n`]);
    expect(statusOf(ran)).toMatchObject({
      schemaVersion: 1,
      verdict: 'unknown',
      reason: DOWN,
      source: 'Prometheus at http://127.0.0.1:9090',
      nodes: [],
      notCovered: [],
    });
    const junit = await verify([DOWN], '--output=junit');
    expect(junit.out).toContain('errors="1"');
    expect(junit.out).toContain('ECONNREFUSED');
    expect((await verify([DOWN], '--output=markdown')).out).toMatch(/^## CANNOT TELL: /);
  });

  test('when it is opened is the end, with --wait as well', async () => {
    const open: OpenSource = async () => {
      throw new Error('Cannot read "/run/token": no such file\u001b[2J');
    };
    expect(await verify([], '--wait=1h', { open })).toMatchObject({
      code: 2,
      out: '',
      err: 'Cannot read "/run/token": no such file\ufffd[2J\n',
    });
  });
});

describe('--wait', () => {
  const wait = { timing: { waitMs: 60_000 } };

  test('asks until every node passes, and reports once', async () => {
    const ran = await verify([UNKNOWN, BAD, DOWN, GOOD], '', wait);
    expect(ran).toMatchObject({ code: 0, asked: 4, closed: 1 });
    expect(ran.out.match(/PASS|FAIL|CANNOT TELL/g)).toEqual(['PASS']);
    expect(ran.err.split('\n').map((line) => line.slice(21))).toEqual([
      expect.stringMatching(/^2\/3 pass, 1 unknown \(NoAnswer: dark\), \d+ s left$/),
      expect.stringMatching(/^2\/3 pass, 1 fail \(GateFalse: bad\), \d+ s left$/),
      `The round failed: ${DOWN}`,
      '3/3 pass',
      '',
    ]);
  });

  test.each([
    [BAD, 1],
    [UNKNOWN, 2],
  ])('ends with the code of the last state', async (nodes, code) => {
    expect((await verify([GOOD.slice(0, 0), nodes], '', { timing: { waitMs: 20 } })).code).toBe(code);
  });

  test.each([BAD, UNKNOWN])(
    'a last round that fails is no verdict: the last good state, and its age',
    async (...nodes) => {
      const ran = await verify([nodes, DOWN], '--output=json', { timing: { waitMs: 20 } });
      expect(ran.code).toBe(2);
      expect(ran.err.trimEnd().split('\n').at(-1)).toContain(`CANNOT TELL: ${DOWN}; what is known is`);
      const status = statusOf(ran);
      expect(status.verdict).toBe('unknown');
      expect(status.reason).toMatch(/^Cannot ask .*; what is known is 0 s old: .*1 of 3 nodes/);
      expect(status.nodes).toHaveLength(3);
    },
  );

  test('a fleet that passed is no pass when the rounds of --for fail', async () => {
    const ran = await verify([GOOD, DOWN], '--output=json', { timing: { forMs: 60_000 } });
    expect(ran).toMatchObject({ code: 2, asked: 2 });
    expect(statusOf(ran)).toMatchObject({ verdict: 'unknown', notCovered: [] });
  });

  test('where no round could be asked says why', async () => {
    const ran = await verify([DOWN], '--output=json', { timing: { waitMs: 20 } });
    expect(ran.code).toBe(2);
    expect(statusOf(ran)).toMatchObject({ verdict: 'unknown', reason: DOWN });
  });

  test('a later round of another endpoint cannot be told', async () => {
    const ran = await verify([BAD, OTHER], '', { timing: { waitMs: 30 } });
    expect(ran.code).toBe(2);
    expect(ran.out).toMatch(
      /the answers are of other\.example \(3 nodes\), those of an earlier round were of abc\./,
    );
  });

  test('a node that Prometheus forgets meanwhile is no node less', async () => {
    const byTargets = (nodes: readonly NodeObservation[]) => async () =>
      fleetSeen(nodes, { nodesFrom: 'targets' });
    const rounds = [byTargets(UNKNOWN), byTargets(GOOD)];
    const timing = { waitMs: 20 };
    const ran = await verify(rounds, '', { timing });
    expect(ran.code).toBe(2);
    expect(ran.out).toContain('an earlier round knew it');
    expect((await verify(rounds, '--ignore-gone', { timing })).code).toBe(0);
  });

  test('a first round of two clusters is the end', async () => {
    const both = [...GOOD, ...OTHER.map((one) => ({ ...one, node: `o${one.node}` }))];
    expect(await verify([both, GOOD], '', wait)).toMatchObject({ code: 2, asked: 1 });
  });

  test('with --for it must hold, and the report says for how long', async () => {
    const ran = await verify([BAD, GOOD, BAD, GOOD], '', { timing: { waitMs: 60_000, forMs: 30 } });
    expect(ran.code).toBe(0);
    expect(ran.asked).toBeGreaterThan(4);
    expect(ran.out).toContain(
      'PASS: all 3 nodes pass public-free, and did so each time they were asked for 0 s.',
    );
  });
});

describe('Ctrl-C', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s in the first round: nothing is known yet', async (signal) => {
    for (const output of ['table', 'json']) {
      const runtime = testRuntime();
      const hanging = (options: ObserveOptions) =>
        new Promise<FleetObservation>((_, reject) => {
          options.signal.addEventListener('abort', () => reject(new Error('it was given up')));
          runtime.raise(signal);
        });
      const ran = await verify([hanging], `--output=${output}`, { runtime });
      const sentence = `Ended by ${signal} before the first round was done: nothing is known yet`;
      const err = output === 'json' ? `CANNOT TELL: ${sentence}.\n` : `${sentence}\n`;
      expect(ran).toMatchObject({ code: 2, err, closed: 1 });
      if (output === 'json') expect(statusOf(ran)).toMatchObject({ verdict: 'unknown', reason: sentence });
    }
  });

  test('while the source is opened', async () => {
    const runtime = testRuntime();
    const open: OpenSource = () => {
      runtime.raise('SIGINT');
      return new Promise(() => {});
    };
    expect(await verify([], '', { runtime, open })).toMatchObject({ code: 2, out: '' });
  });

  test.each([
    [BAD, 'FAIL'],
    [GOOD, 'PASS'],
  ])('between two rounds: the state so far, which is no verdict', async (nodes, word) => {
    const runtime = testRuntime();
    setTimeout(() => runtime.raise('SIGINT'), 20);
    const timing = { waitMs: 60_000, forMs: 60_000, intervalMs: 30_000 };
    const ran = await verify([nodes], '', { runtime, timing });
    expect(ran).toMatchObject({ code: 2, asked: 1, closed: 1 });
    expect(ran.err.trimEnd().split('\n').at(-1)).toBe('Ended by SIGINT');
    expect(ran.out).toContain('CANNOT TELL: Ended by SIGINT; what is known is 0 s old: ');
    expect(ran.out).toMatch(/^n1 /m);
    expect(ran.out).not.toContain(word);
    expect(ran.out).not.toContain('Not covered');
  });
});

describe('--baseline', () => {
  const reading = (text: string) => testRuntime({ readFile: async () => text });

  test('says what changed', async () => {
    const runtime = reading(renderFleetJson(fleetStatus(BAD)));
    const ran = await verify([GOOD], '--baseline=before.json --output=json', { runtime });
    expect(ran.code).toBe(0);
    expect(statusOf(ran).changes).toMatchObject({
      verdict: ['fail', 'pass'],
      added: ['n3'],
      removed: ['bad'],
    });
  });

  test.each([
    ['not JSON', '<html>', 'it is not JSON'],
    ['of another version', '{"schemaVersion":2}', 'schemaVersion 2'],
    ['no fleet status', '{"schemaVersion":1}', 'no fleet status'],
  ])('that is %s: one sentence before anybody is asked', async (_, text, why) => {
    const ran = await verify([GOOD], '--baseline=before.json', { runtime: reading(text) });
    expect(ran).toMatchObject({ code: 2, out: '', opened: 0, asked: 0 });
    expect(ran.err).toMatch(/^Cannot use the baseline "before\.json": [^\n]*\n$/);
    expect(ran.err).toContain(why);
  });

  test('that is not there is named once', async () => {
    const runtime = testRuntime({ readFile: (path) => readFile(path, 'utf8') });
    const path = "/nowhere/o'clock.json";
    const config = { ...verifyConfigOf('verify --agent=http://a:1'), baselineFile: path };
    expect(await runVerify(config, runtime)).toBe(2);
    expect(runtime.err).toEqual([
      `Cannot read the baseline "${path}": ENOENT: no such file or directory; give a file that 'verify --output json' wrote\n`,
    ]);
  });

  test('that cannot be read: one sentence before anybody is asked', async () => {
    const ran = await verify([GOOD], '--baseline=before.json --output=json');
    expect(ran).toMatchObject({ code: 2, opened: 0, asked: 0 });
    expect(ran.err).toMatch(/^CANNOT TELL: Cannot read the baseline "before\.json": [^\n]*\n$/);
    expect(statusOf(ran).verdict).toBe('unknown');
  });
});
