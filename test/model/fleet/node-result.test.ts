import { describe, expect, test } from 'vitest';
import { adviceOf } from '../../../src/model/findings.ts';
import { judgeNode, type NodeWishes } from '../../../src/model/fleet/node-result.ts';
import type { FindingAnswer, NodeObservation } from '../../../src/model/fleet/observation.ts';
import {
  answerOfNode,
  answerWith,
  FLEET_ENDPOINT,
  FLEET_WISHES,
  noAnswerFor,
  nodeSeen,
} from '../../support/fleet.ts';

const WISHES: NodeWishes = { ...FLEET_WISHES, endpoint: FLEET_ENDPOINT };
const FAIL = answerWith('false');

function judgeSeen(seen: NodeObservation['seen'], wishes: Partial<NodeWishes> = {}) {
  return judgeNode([nodeSeen('a', seen)], { ...WISHES, ...wishes });
}

function finding(code: string, severity: string, parts: Partial<FindingAnswer> = {}): FindingAnswer {
  return { code, severity, client: null, summary: `${code} is there`, remedy: `mend ${code}.`, ...parts };
}

describe('one node', () => {
  test('that passes has nothing to say', () => {
    expect(judgeSeen(answerOfNode())).toEqual({
      node: 'a',
      gate: 'public-free',
      verdict: 'pass',
      route: 'x-eni',
      connections: [],
      causes: [],
      reason: null,
      remedy: null,
      remedies: [],
      answerAgeSeconds: 5,
    });
  });

  test.each([
    ['fargate', 'Fargate'],
    ['no-exporter', 'NotCovered'],
    ['gone', 'Gone'],
    ['not-answering', 'NoAnswer'],
    ['unreadable', 'Unreadable'],
    ['other-node', 'OtherNode'],
  ] as const)('without an answer (%s) is unknown, with what the source says', (why, cause) => {
    expect(judgeSeen(noAnswerFor(why))).toMatchObject({
      verdict: 'unknown',
      route: null,
      causes: [cause],
      reason: `nobody speaks for it: ${why}`,
      remedy: `mend ${why}`,
      remedies: [`mend ${why}`],
      answerAgeSeconds: null,
    });
  });

  test.each([
    ['fargate', { ignoreFargate: true }, 'ignored'],
    ['fargate', { ignoreGone: true }, 'unknown'],
    ['gone', { ignoreGone: true }, 'ignored'],
    ['gone', { ignoreFargate: true }, 'unknown'],
    ['no-exporter', { ignoreFargate: true, ignoreGone: true }, 'unknown'],
    ['not-answering', { ignoreFargate: true, ignoreGone: true }, 'unknown'],
  ] as const)('%s with %o is %s', (why, wishes, verdict) => {
    expect(judgeSeen(noAnswerFor(why), wishes).verdict).toBe(verdict);
  });

  test.each([
    [120, 'pass', null],
    [120.5, 'unknown', 'its last answer is 121 s old, --max-age is 120 s'],
    [-2, 'pass', null],
    [-3, 'unknown', 'its answer is 3 s ahead of the clock'],
    [Number.NaN, 'unknown', 'it is not known how old its answer is'],
    [Number.POSITIVE_INFINITY, 'unknown', 'it is not known how old its answer is'],
  ])('whose answer is %d s old: %s', (ageSeconds, verdict, reason) => {
    const result = judgeSeen(answerOfNode({ ageSeconds }));
    expect(result).toMatchObject({ verdict, reason });
    if (verdict === 'unknown') expect(result.route).toBeNull();
    expect(() => JSON.stringify(result)).not.toThrow();
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  test('that fails is known to fail only by an answer that is fresh', () => {
    expect(judgeSeen(FAIL).verdict).toBe('fail');
    expect(judgeSeen({ ...FAIL, ageSeconds: 121 }).verdict).toBe('unknown');
    expect(judgeSeen({ ...FAIL, hostname: null }).verdict).toBe('fail');
  });

  test.each([
    [{ hostname: null }, 'NoEndpoint'],
    [{ hostname: '' }, 'NoEndpoint'],
    [{ hostname: 'other.example' }, 'OtherEndpoint'],
    [{ gates: [] }, 'GateUnknown'],
  ])('with a true gate and %o is unknown: %s', (parts, cause) => {
    expect(judgeSeen(answerOfNode(parts))).toMatchObject({ verdict: 'unknown', causes: [cause] });
  });

  test('is judged by the first gate whose labels it has', () => {
    const gateFor = [
      { selector: [{ key: 'type', value: 'other' }], gate: 'public-free' },
      { selector: [{ key: 'type', value: 'hybrid' }], gate: 'private-ready' },
    ] as const;
    const seen = answerOfNode({ gates: [{ gate: 'private-ready', state: 'true', reason: null }] });
    const labelled = nodeSeen('a', seen, { labels: { type: 'hybrid' } });
    expect(judgeNode([labelled], { ...WISHES, gateFor })).toMatchObject({
      gate: 'private-ready',
      verdict: 'pass',
    });
    expect(judgeSeen(seen, { gateFor })).toMatchObject({ gate: 'public-free', verdict: 'unknown' });
  });
});

describe('the cause', () => {
  const NO_REASONS = [{ gate: 'public-free', state: 'false', reason: null }] as const;

  test('is the findings, the worst first, each once', () => {
    const findings = [
      finding('ConnectionMoving', 'info'),
      finding('StaleConnection', 'warning'),
      finding('StaleConnection', 'warning'),
      finding('XEniUnreachable', 'critical'),
    ];
    expect(judgeSeen({ ...FAIL, findings })).toMatchObject({
      causes: ['XEniUnreachable', 'StaleConnection'],
      remedy: 'mend XEniUnreachable',
      remedies: ['mend XEniUnreachable', 'mend StaleConnection'],
    });
  });

  test('is what is only for information where there is nothing else', () => {
    expect(judgeSeen({ ...FAIL, findings: [finding('ConnectionMoving', 'info')] }).causes).toEqual([
      'ConnectionMoving',
    ]);
  });

  test('is a word where no finding says it', () => {
    expect(judgeSeen(FAIL).causes).toEqual(['GateFalse']);
    expect(judgeSeen(answerWith('unknown')).causes).toEqual(['GateUnknown']);
  });

  test("is explained by the gate's own reason, else by the finding's, else by the route's", () => {
    const findings = [finding('DnsPublic', 'warning')];
    expect(judgeSeen({ ...FAIL, findings }).reason).toBe('public-free is false here');
    expect(judgeSeen({ ...FAIL, findings, gates: NO_REASONS }).reason).toBe(
      'its gate public-free is false: DnsPublic is there',
    );
    expect(judgeSeen({ ...FAIL, routeReason: 'all is public', gates: NO_REASONS }).reason).toBe(
      'its gate public-free is false: all is public',
    );
  });

  test('has the general advice of its finding where the source carries none', () => {
    const findings = [finding('DnsPublic', 'warning', { remedy: null })];
    expect(`${judgeSeen({ ...FAIL, findings }).remedy}.`).toBe(adviceOf('DnsPublic'));
  });

  test('of two clients has what each of them needs', () => {
    const findings = ['kubelet', 'kube-proxy'].map((client) =>
      finding('StaleConnection', 'warning', { client, remedy: `restart ${client}` }),
    );
    expect(judgeSeen({ ...FAIL, findings })).toMatchObject({
      causes: ['StaleConnection'],
      remedy: 'restart kubelet',
      remedies: ['restart kubelet', 'restart kube-proxy'],
    });
  });

  test('of a newer agent is passed on, with a remedy of what is known', () => {
    const findings = [finding('OfTomorrow', 'dire', { remedy: null })];
    expect(judgeSeen({ ...FAIL, findings })).toMatchObject({
      causes: ['OfTomorrow'],
      remedy: expect.stringContaining("the gate's reason"),
    });
  });
});

describe('two of one name', () => {
  const one = nodeSeen('a', answerOfNode(), { origin: 'pod "x"' });
  const other = nodeSeen('a', answerOfNode(), { origin: 'pod "y"' });

  test('that both pass are unknown', () => {
    expect(judgeNode([other, one], WISHES)).toMatchObject({
      verdict: 'unknown',
      causes: ['Duplicate'],
      reason: 'two answer to this name: pod "x", pod "y"',
      remedy: expect.stringContaining('--prometheus-matcher'),
    });
  });

  test('of which one fails fail', () => {
    expect(judgeNode([one, { ...other, seen: FAIL }], WISHES)).toMatchObject({
      verdict: 'fail',
      causes: ['GateFalse', 'Duplicate'],
      reason: 'public-free is false here; two answer to this name: pod "x", pod "y"',
      remedies: [expect.stringContaining("the gate's reason"), expect.stringContaining('asked once')],
    });
  });

  test('of which one failed long ago are unknown, and so are ignored ones', () => {
    const old = { ...other, seen: { ...FAIL, ageSeconds: 300 } };
    expect(judgeNode([one, old], WISHES).verdict).toBe('unknown');
    const fargate = { ...one, seen: noAnswerFor('fargate') };
    expect(
      judgeNode([fargate, { ...fargate, origin: 'z' }], { ...WISHES, ignoreFargate: true }).verdict,
    ).toBe('unknown');
  });

  test('are named, the first few', () => {
    const many = Array.from({ length: 7 }, (_, index) => ({ ...one, origin: `o${index}` }));
    expect(judgeNode(many, WISHES).reason).toBe('7 answer to this name: o0, o1, o2, o3 and 3 more');
  });
});
