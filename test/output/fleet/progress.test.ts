import { describe, expect, test } from 'vitest';
import { type FleetProgress, renderBar, renderProgressLine } from '../../../src/output/fleet/progress.ts';
import { widthOf } from '../../../src/output/terminal.ts';

const PROGRESS: FleetProgress = {
  counts: { nodes: 210, pass: 120, fail: 60, unknown: 20, ignored: 10 },
  worst: null,
  etaMs: 12 * 60_000,
  held: null,
  failedForMs: null,
  asking: { done: 40, total: 210 },
  nextMs: null,
  leftMs: null,
};

describe('the bar', () => {
  test('has as much of the words as fits, and is never wider than the terminal', () => {
    expect(renderBar(PROGRESS, 120)).toBe(
      `[${'#'.repeat(18)}${'-'.repeat(12)}] 120/200 pass, 60 fail, 20 unknown, about 12 min, asked 40 of 210`,
    );
    expect(renderBar(PROGRESS, 40)).toBe(`[${'#'.repeat(9)}${'-'.repeat(7)}] 120/200 pass, 60 fail`);
    for (let width = 0; width < 130; width += 1)
      expect(renderBar(PROGRESS, width).length).toBeLessThanOrEqual(width);
  });

  test('says why, behind the number of those that are told it, as far as there is room', () => {
    const worst = { verdict: 'fail', cause: 'StaleConnection', node: 'ip-10-0-0-1', more: 59 } as const;
    const told = { ...PROGRESS, worst };
    expect(renderBar(told, 160)).toContain(
      '] 120/200 pass, 60 fail (StaleConnection: ip-10-0-0-1 +59), 20 unknown, about 12 min, asked 40 of 210',
    );
    expect(renderBar(told, 100)).toMatch(
      /^\[#+-+\] 120\/200 pass, 60 fail \(StaleConnection: ip-10-0-0-1 \+59\), 20 unknown, about 12 min$/,
    );
    expect(renderBar(told, 84)).toMatch(/60 fail \(StaleConnec\S* \+59\), 20 unknown, about 12 min$/);
    expect(renderBar(told, 60)).not.toContain('(');
    for (const node of ['ip-10-0-0-1', '\u{1f600}'.repeat(40)])
      for (let width = 0; width < 200; width += 1)
        expect(widthOf(renderBar({ ...told, worst: { ...worst, node } }, width))).toBeLessThanOrEqual(width);
    expect(renderBar({ ...told, worst: { ...worst, verdict: 'unknown', more: 0 } }, 160)).toContain(
      '60 fail, 20 unknown (StaleConnection: ip-10-0-0-1), about 12 min',
    );
  });

  test('says when the next round is, and how long they go on', () => {
    const waiting = { ...PROGRESS, asking: null, etaMs: null, nextMs: 11_400, leftMs: 19 * 60_000 };
    expect(renderBar(waiting, 120)).toMatch(
      / 120\/200 pass, 60 fail, 20 unknown, next in 12 s, 19 min left$/,
    );
  });

  test('is full only when all pass', () => {
    const at = (pass: number) =>
      renderBar(
        { ...PROGRESS, counts: { nodes: 5000, pass, fail: 5000 - pass, unknown: 0, ignored: 0 } },
        60,
      );
    expect(at(4999)).toContain('-]');
    expect(at(5000)).toMatch(/^\[#+\]/);
    expect(at(0)).toMatch(/^\[-+\]/);
  });

  test('of a fleet without nodes is empty', () => {
    const counts = { nodes: 0, pass: 0, fail: 0, unknown: 0, ignored: 0 };
    expect(renderBar({ ...PROGRESS, counts, asking: null, etaMs: null }, 60)).toMatch(/^\[-+\] 0\/0 pass$/);
  });

  test('before the first round says how many were asked', () => {
    expect(renderBar({ ...PROGRESS, counts: null }, 60)).toBe('asked 40 of 210');
    expect(renderBar({ ...PROGRESS, counts: null, asking: null }, 60)).toBe('nothing is known yet');
  });
});

describe('the line for a log', () => {
  test('has no bar, and nothing of a round that is under way', () => {
    expect(renderProgressLine(PROGRESS)).toBe('120/200 pass, 60 fail, 20 unknown, about 12 min');
  });

  test('says why and until when, not when the next round is: it stays there', () => {
    const worst = { verdict: 'fail', cause: 'DnsPublic', node: 'a\u001b[2J', more: 0 } as const;
    expect(renderProgressLine({ ...PROGRESS, worst, nextMs: 4_000, leftMs: 19 * 60_000 })).toBe(
      '120/200 pass, 60 fail (DnsPublic: a\ufffd[2J), 20 unknown, about 12 min, 19 min left',
    );
  });

  test('says how old a state is, and for how long it has held', () => {
    expect(renderProgressLine({ ...PROGRESS, failedForMs: 45_000, etaMs: null })).toBe(
      '120/200 pass, 45 s old, 60 fail, 20 unknown',
    );
    const counts = { nodes: 3, pass: 3, fail: 0, unknown: 0, ignored: 0 };
    const held = { ms: 90_000, ofMs: 600_000 };
    expect(renderProgressLine({ ...PROGRESS, counts, held, etaMs: null })).toBe(
      '3/3 pass, for 90 s of 10 min',
    );
  });
});
