import { expect, test } from 'vitest';
import { judgeAge } from '../../../src/model/age.ts';
import { Watch } from '../../support/observation.ts';
import {
  KUBELET,
  ON_PUBLIC,
  ON_X_ENI,
  PUBLIC,
  pageOf,
  statusAfter,
  textOf,
  X_ENI,
} from '../../support/shown-page.ts';

test('the strip says the same as text: each span, with what changed in it', () => {
  const watch = new Watch();
  const node = { processes: KUBELET, slice: X_ENI };
  watch.look({ ...node, sockets: [ON_PUBLIC], dns: PUBLIC }, 0);
  watch.look({ ...node, sockets: [ON_PUBLIC], dns: X_ENI });
  const page = pageOf(watch.look({ ...node, sockets: [ON_X_ENI] }));
  const strip = textOf(page, 'aria-labelledby="hour-heading"');
  expect(strip).toContain(
    'From 12:00:00 UTC to 12:00:20 UTC: public and unknown. DNS changes: 1, connections opened: 1, closed: 1.',
  );
  expect(strip).toContain(
    '12:00:00 UTC to 12:00:20 UTC: public and unknown, DNS changed (1), connections opened (1), connections closed (1)',
  );
  for (const mark of ['dns', 'opened', 'closed']) {
    // Once in the legend, once on the strip.
    expect(page.split(`<path class="mark ${mark}"`)).toHaveLength(3);
  }
});

test('the ends of the strip are where the looks end, not now', () => {
  const status = statusAfter({ dns: PUBLIC, sockets: [ON_PUBLIC] });
  const page = pageOf(judgeAge(status, 1_800_000, 10_000), 1_800);
  const bars = [...page.matchAll(/<rect x="([\d.]+)%" y="28" width="([\d.]+)%"/g)];
  expect(bars.length).toBeGreaterThan(0);
  for (const [, x, width] of bars) expect(Number(x) + Number(width)).toBeLessThan(51);
});

test('what is older than the hour is not on the strip', () => {
  const watch = new Watch();
  const node = { processes: KUBELET, slice: X_ENI };
  watch.look({ ...node, sockets: [ON_PUBLIC], dns: PUBLIC }, 0);
  const status = watch.look({ ...node, sockets: [ON_X_ENI], dns: X_ENI });
  const page = pageOf(judgeAge(status, 10_800_000, 10_000), 10_800);
  const strip = textOf(page, 'aria-labelledby="hour-heading"');
  expect(page).not.toMatch(/<rect x="[\d.]+%" y="28"/);
  // In the legend alone.
  for (const mark of ['dns', 'opened', 'closed'])
    expect(page.split(`<path class="mark ${mark}"`)).toHaveLength(2);
  expect(strip).toContain('No look has ended in the last hour.');
  expect(strip).not.toContain('DNS changed (1)');
});

test('three routes in one minute are a list', () => {
  const span = { from: '2026-11-20T12:00:00.000Z', until: '2026-11-20T12:01:00.000Z' };
  const changes = { dnsChanges: 0, opened: 0, closed: 0 };
  const timeline = [{ ...span, routes: ['public', 'mixed', 'x-eni'] as const, ...changes }];
  const status = { ...statusAfter({}), observedAt: span.until, timeline };
  expect(textOf(pageOf(status), 'aria-labelledby="hour-heading"')).toContain(
    '12:01:00 UTC: public, mixed and x-eni',
  );
});
