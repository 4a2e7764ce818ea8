import { expect, test } from 'vitest';
import { FINDING_CODES } from '../../../src/model/findings.ts';
import type { FindingCode } from '../../../src/model/status.ts';
import type { Watched } from '../../../src/model/watched.ts';
import { painter } from '../../../src/output/terminal.ts';
import { findingsOf } from '../../../src/output/watch/findings.ts';
import { fitLine, paintLine } from '../../../src/output/watch/spans.ts';
import { looksAt, nodeViewOf, STEPS, watchedOf } from '../../support/watched.ts';

const { public: onPublic, flipped, moved } = STEPS;
const TWO = watchedOf(looksAt(onPublic, flipped));

function findings(watched: Watched, room: number): readonly string[] {
  const view = nodeViewOf(watched);
  return findingsOf(view, room).map((line) => paintLine(fitLine(line, view.width), painter(false)));
}

test('with room enough, each is told whole, with what to do', () => {
  const text = findings(watchedOf(looksAt(onPublic)), 40)
    .join(' ')
    .replaceAll(/\s+/g, ' ');
  expect(text).toMatch(
    /^WARNING DnsPublic: DNS gives 3\.34\.148\.207 and .* a new connection takes the public route\./,
  );
  expect(text).toMatch(
    /What to do: turn on the cluster's private endpoint access .*the VPC's own resolver\.$/,
  );
});

test.each([
  [
    4,
    [
      '* INFO ConnectionMoving: kubelet',
      'while DNS gives x-eni',
      '  What to do:',
      '* INFO ConnectionMoving: kube-proxy',
    ],
  ],
  [2, ['* INFO ConnectionMoving: kubelet', '* INFO ConnectionMoving: kube-proxy']],
  [1, ['  and 2 more findings']],
  [0, []],
])('in %i lines: each, and what is left for the first', (room, beginnings) => {
  const lines = findings(TWO, room);
  expect(lines).toHaveLength(beginnings.length);
  for (const [index, line] of lines.entries()) expect(line).toContain(beginnings[index]);
  expect(Math.max(0, ...lines.map(({ length }) => length))).toBeLessThan(80);
});

test('the worst comes first where there is little room, wherever it stands', () => {
  const [status] = looksAt(flipped);
  const [one, other] = TWO.last?.findings ?? [];
  if (status === undefined || one === undefined || other === undefined) throw new RangeError('no finding');
  const watched = watchedOf([{ ...status, findings: [one, { ...other, severity: 'critical' }] }]);
  expect(findings(watched, 5)).toEqual([
    expect.stringMatching(/^INFO .*: kubelet .*…$/),
    expect.stringMatching(/^CRITICAL .*: kube-proxy/),
    expect.any(String),
    expect.stringMatching(/^ {2}What to do: /),
    expect.stringMatching(/^ {2}\S/),
  ]);
});

test('without one it says how many could be evaluated, and which not: not seeing is no good news', () => {
  const [status] = looksAt(moved);
  const evaluated = (codes: readonly FindingCode[]) =>
    findings(watchedOf(status === undefined ? [] : [{ ...status, evaluated: codes }]), 5).join(' ');
  expect(evaluated(FINDING_CODES)).toBe('No finding is raised; 16 of 16 could be evaluated.');
  expect(evaluated(FINDING_CODES.filter((code) => code !== 'ViaProxy'))).toBe(
    'No finding is raised; 15 of 16 could be evaluated, not ViaProxy.',
  );
  expect(evaluated(['Blind', 'ClientMissing', 'XEniUnreachable'])).toBe(
    'No finding is raised; 3 of 16 could be evaluated, not XEniIdentityMismatch, DnsPublic, DnsFailing +10.',
  );
});

test('a stage that fails is told too', () => {
  const blind = watchedOf(looksAt({ ...onPublic, failed: ['owners'] }));
  expect(findings(blind, 20)).toContain('FAILED stage owners: it took longer than 5 s');
});
