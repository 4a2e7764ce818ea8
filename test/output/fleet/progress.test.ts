import { describe, expect, test } from 'vitest';
import { type FleetProgress, renderBar, renderProgressLine } from '../../../src/output/fleet/progress.ts';

const PROGRESS: FleetProgress = {
  counts: { nodes: 210, pass: 120, fail: 60, unknown: 20, ignored: 10 },
  etaMs: 12 * 60_000,
  held: null,
  failedForMs: null,
  asking: { done: 40, total: 210 },
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
