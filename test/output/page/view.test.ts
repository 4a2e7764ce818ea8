import { describe, expect, test } from 'vitest';
import { judgeAge } from '../../../src/model/age.ts';
import { NODE_ROUTES, ROUTES } from '../../../src/model/status.ts';
import { ago, clockTime, toneOfRoute, took } from '../../../src/output/page/view.ts';
import { MOVED, PROBED, statusAfter } from '../../support/shown-page.ts';

const status = statusAfter(MOVED, PROBED);

describe('times', () => {
  test.each([
    [0, '0 s'],
    [119_999, '119 s'],
    [120_000, '2 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 days'],
    // The clock was set back meanwhile.
    [-5_000, '0 s'],
  ])('%d ms ago', (ageMs, text) => {
    const at = '2026-11-20T12:00:00.000Z';
    expect(ago(at, { status, nowMs: Date.parse(at) + ageMs }).text).toBe(
      `<time datetime="${at}" title="12:00:00 UTC">${text} ago</time>`,
    );
  });

  test('no time is unknown', () => {
    expect(ago(null, { status, nowMs: 0 }).text).toBe('unknown');
    expect(took(null)).toBe('unknown');
  });

  test('the clock says the day where it is another', () => {
    const at = '2026-11-19T23:59:59.000Z';
    expect(clockTime(at)).toBe('23:59:59 UTC');
    expect(clockTime(at, Date.parse('2026-11-20T00:00:01.000Z'))).toBe('2026-11-19 23:59:59 UTC');
  });

  test.each([
    [0.000_4, '0.4 ms'],
    [0.003_51, '3.5 ms'],
    [0.25, '250 ms'],
    [5.04, '5 s'],
    [12.6, '13 s'],
  ])('%d s took', (seconds, text) => {
    expect(took(seconds)).toBe(text);
  });
});

describe('colours', () => {
  test('only the X-ENIs are green, and only where public is not what is expected', () => {
    for (const expectedRoute of ['any', 'x-eni', 'public'] as const) {
      const green = [...NODE_ROUTES, ...ROUTES].filter(
        (route) => toneOfRoute(route, { ...status, expectedRoute }) === 'good',
      );
      expect([...new Set(green)]).toEqual(expectedRoute === 'public' ? [] : ['x-eni']);
    }
  });

  test('none where the status is outdated', () => {
    const outdated = judgeAge(status, 60_000, 10_000);
    for (const route of [...NODE_ROUTES, ...ROUTES]) expect(toneOfRoute(route, outdated)).toBe('unknown');
  });
});
