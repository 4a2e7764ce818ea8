import { expect, test } from 'vitest';
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
      '  What to do:',
      '* INFO ConnectionMoving: kube-proxy',
      '  What to do:',
    ],
  ],
  [2, ['* INFO ConnectionMoving: kubelet', '* INFO ConnectionMoving: kube-proxy']],
  [1, ['  and 2 more findings']],
  [0, []],
])('in %i lines: as much of each as fits', (room, beginnings) => {
  const lines = findings(TWO, room);
  expect(lines).toHaveLength(beginnings.length);
  for (const [index, line] of lines.entries()) expect(line).toContain(beginnings[index]);
  expect(Math.max(0, ...lines.map(({ length }) => length))).toBeLessThan(80);
});

test('without one it says how many could be evaluated: not seeing is no good news', () => {
  expect(findings(watchedOf(looksAt(moved, moved)), 5)).toEqual([
    expect.stringMatching(/^No finding is raised; \d+ of 16 could be evaluated\.$/),
  ]);
});

test('a stage that fails is told too', () => {
  const blind = watchedOf(looksAt({ ...onPublic, failed: ['owners'] }));
  expect(findings(blind, 20)).toContain('FAILED stage owners: it took longer than 5 s');
});
