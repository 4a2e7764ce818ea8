/** Asks a fleet again and again, until it passes for long enough or the time is up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import type { FleetStatus } from '../model/fleet/status.ts';
import type { Clock } from '../model/observation.ts';

/** A round that could be judged. `atMs`: its end by the monotonic clock. */
interface Judged {
  readonly status: FleetStatus;
  readonly atMs: number;
}

/** How the last round went: it was judged, it failed, or it was given up. */
export type Ending = {
  /** The last round that could be judged. */
  readonly last: Judged | null;
} & ({ readonly kind: 'judged' | 'aborted' } | { readonly kind: 'failed'; readonly problem: string });

export interface RoundSeen {
  readonly last: Judged | null;
  /** Why this round failed, in one sentence; null where it was judged. */
  readonly problem: string | null;
  /** Since when every round has passed, by the monotonic clock; null where this one does not. */
  readonly passingSinceMs: number | null;
}

export interface Rounds {
  /** One round; rejects where nothing can be told. */
  readonly ask: (signal: AbortSignal) => Promise<FleetStatus>;
  /** Until when passing must begin; null: it is asked once. */
  readonly waitMs: number | null;
  /** For how long every round must pass from then on; null: one is enough. */
  readonly forMs: number | null;
  /** From the end of a round to the next. */
  readonly intervalMs: number;
  /** Whether another round could tell more than this one. */
  readonly isWorthAsking: (status: FleetStatus) => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onRound: (round: RoundSeen) => void;
}

export async function askInRounds(rounds: Rounds): Promise<Ending> {
  const { clock, forMs, waitMs, intervalMs, signal } = rounds;
  const endMs = waitMs === null ? null : clock().monotonicMs + waitMs;
  let last: Judged | null = null;
  let passingSinceMs: number | null = null;
  for (;;) {
    const answer = await answerOrAbort(rounds);
    if (answer === null) return { kind: 'aborted', last };
    const now = clock().monotonicMs;
    const problem = 'problem' in answer ? answer.problem : null;
    if ('status' in answer) last = { status: answer.status, atMs: now };
    const passes = 'status' in answer && answer.status.verdict === 'pass';
    passingSinceMs = passes ? (passingSinceMs ?? now) : null;
    rounds.onRound({ last, problem, passingSinceMs });

    const heldUntilMs: number | null = passingSinceMs === null ? null : passingSinceMs + (forMs ?? 0);
    // A hold that began in time may end, when the time is up as well.
    const untilMs = heldUntilMs ?? endMs;
    const isOver = untilMs === null || now >= untilMs;
    const isHopeless = 'status' in answer && !rounds.isWorthAsking(answer.status);
    if (isOver || isHopeless)
      return problem === null ? { kind: 'judged', last } : { kind: 'failed', last, problem };
    try {
      await sleep(Math.max(1, Math.ceil(Math.min(intervalMs, untilMs - now))), undefined, { signal });
    } catch {
      return { kind: 'aborted', last };
    }
  }
}

/** Null where the signal comes first, whether the one who asks listens to it or not. */
async function answerOrAbort({
  ask,
  signal,
}: Rounds): Promise<{ readonly status: FleetStatus } | { readonly problem: string } | null> {
  const aborted = untilAborted(signal);
  try {
    const status = await Promise.race([ask(signal), aborted.promise]);
    return status === null || signal.aborted ? null : { status };
  } catch (error) {
    return signal.aborted ? null : { problem: messageOf(error) };
  } finally {
    aborted.forget();
  }
}

/** Resolves with null when the signal comes. */
export function untilAborted(signal: AbortSignal): {
  readonly promise: Promise<null>;
  readonly forget: () => void;
} {
  let forget = () => {};
  const promise = new Promise<null>((resolve) => {
    const listener = () => resolve(null);
    if (signal.aborted) listener();
    signal.addEventListener('abort', listener, { once: true });
    forget = () => signal.removeEventListener('abort', listener);
  });
  return { promise, forget };
}
