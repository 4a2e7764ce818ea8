import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeAge } from '../../src/model/age.ts';
import { NODE_ROUTES, type NodeRoute } from '../../src/model/status.ts';
import { type Minute, recordLook, type TimelineLook, timelineOf } from '../../src/model/timeline.ts';
import { iso, Watch } from '../support/observation.ts';

const OUTDATED_AFTER_MS = 30_000;
const HOUR_MS = 3_600_000;
/** A minute of the monotonic clock begins here. */
const START_MS = 6_000_000;

const QUIET = { dnsChanges: 0, opened: 0, closed: 0 };

/** The minutes after looks at these seconds. */
function minutesAfter(
  ...looks: readonly (readonly [seconds: number, route: NodeRoute])[]
): readonly Minute[] {
  return fold(looks.map(([seconds, route]) => ({ ...QUIET, atMs: START_MS + seconds * 1000, route })));
}

function fold(looks: readonly TimelineLook[]): readonly Minute[] {
  return looks.reduce<readonly Minute[]>((minutes, look) => recordLook(minutes, look, OUTDATED_AFTER_MS), []);
}

/** The spans as `from-until routes`, in seconds since the start. */
function spansOf(minutes: readonly Minute[]): readonly string[] {
  const seconds = (ms: number) => String((ms - START_MS) / 1000);
  return timelineOf(minutes, seconds).map(({ from, until, routes }) => `${from}-${until} ${routes.join()}`);
}

/** A look each ten seconds, at the first and until the second. */
function looksEvery10s(
  [from, until]: readonly [number, number],
  route: NodeRoute,
): readonly (readonly [number, NodeRoute])[] {
  return Array.from({ length: (until - from) / 10 + 1 }, (_, index) => [from + index * 10, route]);
}

describe('the strip of the last hour', () => {
  test('one look is a moment', () => {
    expect(spansOf(minutesAfter([5, 'public']))).toEqual(['5-5 public']);
  });

  test('minutes on one route are one span, until the last look', () => {
    expect(spansOf(minutesAfter(...looksEvery10s([5, 605], 'x-eni')))).toEqual(['5-605 x-eni']);
  });

  test('the minute in which the route changes has both, the one that goes on last', () => {
    const looks = [...looksEvery10s([0, 90], 'public'), ...looksEvery10s([100, 250], 'x-eni')];
    expect(spansOf(minutesAfter(...looks))).toEqual(['0-60 public', '60-120 public,x-eni', '120-250 x-eni']);
  });

  test('a change seen by the first look of a minute is in that minute: it began with the route before', () => {
    const looks = [...looksEvery10s([0, 50], 'x-eni'), ...looksEvery10s([61, 131], 'public')];
    expect(spansOf(minutesAfter(...looks))).toEqual(['0-60 x-eni', '60-120 x-eni,public', '120-131 public']);
  });

  test('a time in which nobody looked is in no span', () => {
    const looks = [...looksEvery10s([0, 40], 'x-eni'), ...looksEvery10s([400, 440], 'x-eni')];
    expect(spansOf(minutesAfter(...looks))).toEqual(['0-40 x-eni', '400-440 x-eni']);
  });

  test('such a time within a minute makes it unknown too', () => {
    expect(spansOf(minutesAfter([0, 'x-eni'], [31, 'x-eni']))).toEqual(['0-31 unknown,x-eni']);
    expect(spansOf(minutesAfter([0, 'x-eni'], [30, 'x-eni']))).toEqual(['0-30 x-eni']);
  });

  test('a minute without a look, between two that are not too far apart, has the routes of both', () => {
    const minutes = [
      { atMs: START_MS + 50_000, route: 'x-eni' as const, ...QUIET },
      { atMs: START_MS + 190_000, route: 'public' as const, ...QUIET },
    ].reduce<readonly Minute[]>((before, look) => recordLook(before, look, 180_000), []);
    expect(minutes.map(({ routes }) => routes.join())).toEqual([
      'x-eni',
      'x-eni,public',
      'x-eni,public',
      'x-eni,public',
    ]);
  });

  test('a minute in which something moved stays a span of its own, with what moved', () => {
    const looks = looksEvery10s([0, 240], 'public').map(([seconds, route]) => ({
      atMs: START_MS + seconds * 1000,
      route,
      dnsChanges: seconds === 70 ? 1 : 0,
      opened: seconds === 80 ? 2 : 0,
      closed: seconds === 90 ? 1 : 0,
    }));
    expect(timelineOf(fold(looks), String).map(({ from, until, ...span }) => span)).toEqual([
      { routes: ['public'], ...QUIET },
      { routes: ['public'], dnsChanges: 1, opened: 2, closed: 1 },
      { routes: ['public'], ...QUIET },
    ]);
  });

  test('it is an hour long', () => {
    expect(spansOf(minutesAfter(...looksEvery10s([0, 7_200], 'x-eni')))).toEqual(['3660-7200 x-eni']);
  });

  test('it has 60 spans where the route changes at every look', () => {
    const looks = looksEvery10s([0, 7_200], 'x-eni').map(
      ([seconds], index) => [seconds, index % 2 === 0 ? 'x-eni' : 'public'] as const,
    );
    const spans = spansOf(minutesAfter(...looks));
    expect(spans).toHaveLength(60);
    expect(spans.filter((span) => /^\S+ x-eni$/.test(span))).toEqual([]);
  });

  test('whatever the looks say: it is bounded and in order, and no route is claimed alone where another was said, or where nobody looked', () => {
    const arbitraryLook = fc.record({
      // Looks a second apart to an hour and a half, most of them within the three intervals.
      afterMs: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
        { weight: 2, arbitrary: fc.integer({ min: 20_000, max: 90_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 90_000, max: 5_400_000 }) },
      ),
      // Long runs of one route: what flaps at each look never shows a span of one alone.
      route: fc.oneof(
        { weight: 6, arbitrary: fc.constant('x-eni' as const) },
        fc.constantFrom(...NODE_ROUTES),
      ),
      dnsChanges: fc.integer({ min: 0, max: 1 }),
      opened: fc.integer({ min: 0, max: 2 }),
      closed: fc.integer({ min: 0, max: 2 }),
    });
    const seen = { spans: 0, claims: 0 };
    fc.assert(
      fc.property(fc.array(arbitraryLook, { minLength: 1, maxLength: 400 }), (steps) => {
        let atMs = START_MS + 12_345;
        const looks = steps.map(({ afterMs, ...look }) => {
          atMs += afterMs;
          return { ...look, atMs };
        });
        const spans = timelineOf(fold(looks), String).map(({ from, until, ...span }) => ({
          ...span,
          from: Number(from),
          until: Number(until),
        }));
        expect(spans.length).toBeGreaterThan(0);
        expect(spans.length).toBeLessThanOrEqual(60);
        expect(spans.at(-1)?.until).toBe(atMs);
        spans.forEach((span, index) => {
          expect(span.until).toBeGreaterThanOrEqual(span.from);
          expect(span.from).toBeGreaterThanOrEqual(spans[index - 1]?.until ?? atMs - HOUR_MS);
          expect(new Set(span.routes).size).toBe(span.routes.length);
          if (span.routes.length !== 1) return;
          const within = looks.filter((look) => look.atMs >= span.from && look.atMs < span.until);
          expect(within.filter(({ route }) => route !== span.routes[0])).toEqual([]);
          // Every moment of it is near a look.
          const before = looks.filter((look) => look.atMs <= span.from).at(-1);
          expect(before?.route).toBe(span.routes[0]);
          const after = looks.find((look) => look.atMs >= span.until);
          const around = [before, ...within, after].filter((look) => look !== undefined);
          around.forEach((look, place) => {
            const next = around[place + 1];
            if (next !== undefined) expect(next.atMs - look.atMs).toBeLessThanOrEqual(OUTDATED_AFTER_MS);
          });
          seen.claims++;
        });
        const inStrip = looks.filter((look) => look.atMs >= (spans[0]?.from ?? 0));
        for (const name of ['dnsChanges', 'opened', 'closed'] as const) {
          expect(total(spans.map((span) => span[name]))).toBe(total(inStrip.map((look) => look[name])));
        }
        seen.spans += spans.length;
      }),
      { numRuns: 200 },
    );
    // The property was put to what it is about.
    expect(seen.claims).toBeGreaterThan(200);
    expect(seen.spans).toBeGreaterThan(seen.claims);
  });
});

describe('in a node status', () => {
  const ON_PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443', local: '192.168.1.204:44084' };
  const ON_X_ENI = { process: 'kubelet', peer: '192.168.1.231:443', local: '192.168.1.204:57828' };

  test('the migration of a node is told: the DNS change, and the connections that were opened and closed', () => {
    const watch = new Watch();
    const node = { processes: [{ client: 'kubelet', pid: 100 }], slice: ['192.168.1.231'] };
    watch.look({ ...node, sockets: [ON_PUBLIC], dns: ['3.34.148.207'] }, 0);
    watch.look({ ...node, sockets: [ON_PUBLIC], dns: ['192.168.1.231'] });
    watch.look({ ...node, sockets: [ON_X_ENI] });
    const { route, routeSince, timeline } = watch.look({ ...node, sockets: [ON_X_ENI] });
    expect([route, routeSince]).toEqual(['x-eni', iso(30)]);
    expect(timeline).toEqual([
      {
        from: iso(0),
        until: iso(30),
        routes: ['public', 'unknown', 'x-eni'],
        dnsChanges: 1,
        opened: 1,
        closed: 1,
      },
    ]);
  });

  test('a route begins anew after a time in which nobody looked', () => {
    const watch = new Watch();
    watch.look({ sockets: [ON_PUBLIC], dns: ['3.34.148.207'] });
    expect(watch.look({ sockets: [ON_PUBLIC] }, 30).routeSince).toBe(iso(10));
    expect(watch.look({ sockets: [ON_PUBLIC] }, 31).routeSince).toBe(iso(71));
  });

  test('an outdated one does not say since when, and its strip ends where the looks end', () => {
    const watch = new Watch();
    const status = watch.look({ sockets: [ON_PUBLIC], dns: ['3.34.148.207'] });
    const aged = judgeAge(status, 31_000, 10_000);
    expect(aged.routeSince).toBeNull();
    expect(aged.timeline).toBe(status.timeline);
    expect(aged.timeline.at(-1)?.until).toBe(status.observedAt);
  });
});

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
