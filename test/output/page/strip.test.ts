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
