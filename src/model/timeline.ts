/**
 * The last hour as strips of time: which routes the node was said to be on, and how much moved meanwhile. A fold of
 * looks, kept by minutes of the monotonic clock: the wall's is stepped after boot.
 */
import type { NodeRoute, TimelineSpan } from './status.ts';

/** What one look adds: its verdict, and what changed since the look before. */
export interface TimelineLook {
  readonly atMs: number;
  readonly route: NodeRoute;
  readonly dnsChanges: number;
  readonly opened: number;
  readonly closed: number;
}

/** What was said during a minute, or the part of it in which somebody looked; times by the monotonic clock. */
export interface Minute {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly routes: readonly NodeRoute[];
  readonly dnsChanges: number;
  readonly opened: number;
  readonly closed: number;
}

const MINUTE_MS = 60_000;
const MAX_MINUTES = 60;

/**
 * The minutes with one look more. Two looks at most `outdatedAfterMs` apart speak for the time between them, with
 * the routes of both where a minute has none of its own; of a longer time without a look nothing is known. A minute
 * with such a time in its midst has `unknown` among its routes.
 */
export function recordLook(
  minutes: readonly Minute[],
  look: TimelineLook,
  outdatedAfterMs: number,
): readonly Minute[] {
  const last = minutes.at(-1);
  const { atMs, route, dnsChanges, opened, closed } = look;
  const changes = { dnsChanges, opened, closed };
  if (last === undefined) return [{ fromMs: atMs, untilMs: atMs, routes: [route], ...changes }];

  const isGap = atMs - last.untilMs > outdatedAfterMs;
  const gone = minuteOf(atMs) - minuteOf(last.fromMs);
  if (gone === 0) {
    const routes = isGap ? addTo(addTo(last.routes, 'unknown'), route) : addTo(last.routes, route);
    return [...minutes.slice(0, -1), { ...added(last, changes), untilMs: atMs, routes }];
  }
  const kept = minutes.filter(({ fromMs }) => minuteOf(atMs) - minuteOf(fromMs) < MAX_MINUTES);
  if (isGap) return [...kept, { fromMs: atMs, untilMs: atMs, routes: [route], ...changes }];

  const carried = last.routes.at(-1) ?? 'unknown';
  const routes = addTo([carried], route);
  const between = Array.from({ length: gone }, (_, index): Minute => {
    const fromMs = (minuteOf(last.fromMs) + 1 + index) * MINUTE_MS;
    const isNow = index === gone - 1;
    const untilMs = isNow ? atMs : fromMs + MINUTE_MS;
    return { fromMs, untilMs, routes, ...(isNow ? changes : NO_CHANGES) };
  });
  const closing = { ...last, untilMs: (minuteOf(last.fromMs) + 1) * MINUTE_MS };
  return [...kept.slice(0, -1), closing, ...between];
}

/** The spans, oldest first, at most 60: minutes side by side are one while nothing changes. `wallOf` turns times into the wall's. */
export function timelineOf(
  minutes: readonly Minute[],
  wallOf: (monotonicMs: number) => string,
): readonly TimelineSpan[] {
  const spans: Minute[] = [];
  for (const minute of minutes) {
    const last = spans.at(-1);
    if (last !== undefined && isSame(last, minute))
      spans[spans.length - 1] = { ...last, untilMs: minute.untilMs };
    else spans.push(minute);
  }
  return spans.map(({ fromMs, untilMs, ...span }) => ({
    from: wallOf(fromMs),
    until: wallOf(untilMs),
    ...span,
  }));
}

const NO_CHANGES = { dnsChanges: 0, opened: 0, closed: 0 };

function isSame(one: Minute, next: Minute): boolean {
  const quiet = [one, next].every(
    ({ routes, dnsChanges, opened, closed }) => routes.length === 1 && dnsChanges + opened + closed === 0,
  );
  return quiet && one.untilMs === next.fromMs && one.routes[0] === next.routes[0];
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

/** Each route once; the last is the one that goes on. */
function addTo(routes: readonly NodeRoute[], route: NodeRoute): readonly NodeRoute[] {
  return [...routes.filter((one) => one !== route), route];
}

function added(minute: Minute, { dnsChanges, opened, closed }: typeof NO_CHANGES): Minute {
  return {
    ...minute,
    dnsChanges: minute.dnsChanges + dnsChanges,
    opened: minute.opened + opened,
    closed: minute.closed + closed,
  };
}
