import { describe, expect, test } from 'vitest';
import { report, reportProblem } from '../../src/commands/verify-report.ts';
import type { FleetStatus, FleetVerdict } from '../../src/model/fleet/status.ts';
import { verifyConfigOf } from '../support/command-line.ts';
import { fleetStatus, manyNodes } from '../support/fleet.ts';
import { testRuntime } from '../support/runtime.ts';

const PASS = fleetStatus(manyNodes(2));

function config(flags: string) {
  return verifyConfigOf(`verify --output=json ${flags}`);
}

describe('the exit code', () => {
  const endings = [
    { kind: 'judged', code: { pass: 0, fail: 1, unknown: 2 } },
    { kind: 'failed', code: { pass: 2, fail: 2, unknown: 2 } },
    { kind: 'aborted', code: { pass: 2, fail: 2, unknown: 2 } },
  ] as const;

  test.each(
    endings.flatMap(({ kind, code }) =>
      (['pass', 'fail', 'unknown'] as const).map((verdict): [typeof kind, FleetVerdict, number] => [
        kind,
        verdict,
        code[verdict],
      ]),
    ),
  )('of rounds that were %s, the last state %s: %d', (kind, verdict, code) => {
    const runtime = testRuntime();
    const last = { status: { ...PASS, verdict }, atMs: runtime.clock().monotonicMs };
    const ending = kind === 'failed' ? { kind, last, problem: 'it is down' } : { kind, last };
    const reporting = { config: config('--agent=http://a'), runtime, baseline: null, endedBy: null };
    expect(report(ending, reporting)).toBe(code);
    const printed: FleetStatus = JSON.parse(runtime.out.join(''));
    expect(printed.verdict).toBe(kind === 'judged' ? verdict : 'unknown');
  });
});

test.each([
  ['--agent=http://a:1 --agent=http://b:2', 'the agents at http://a:1, http://b:2', 'agents'],
  ['--kubernetes', 'Kubernetes', 'kubernetes'],
  ['--kubernetes --context=prod', 'Kubernetes, context prod', 'kubernetes'],
  ['--prometheus=http://p:9090/x', 'Prometheus at http://p:9090/x', 'targets'],
])('a problem is a document that says who was to be asked: %s', (flags, source, nodesFrom) => {
  const runtime = testRuntime();
  expect(reportProblem('it is down.', { config: config(flags), runtime })).toBe(2);
  expect(JSON.parse(runtime.out.join(''))).toMatchObject({
    verdict: 'unknown',
    reason: 'it is down',
    source,
    nodesFrom,
  });
  expect(runtime.err).toEqual(['CANNOT TELL: it is down.\n']);
});
