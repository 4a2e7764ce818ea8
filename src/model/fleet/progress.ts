/** How a fleet comes along from round to round, and when it may be there. Pure. */
import { duration } from '../text.ts';

export interface Round {
  /** By the monotonic clock. */
  readonly atMs: number;
  /** Nodes that pass. */
  readonly pass: number;
  /** Nodes that have to. */
  readonly total: number;
}

export interface Progress {
  /** Nodes that began to pass, a minute; null where nothing moves, or too few rounds tell. */
  readonly perMinute: number | null;
  /** Until all of them pass, at that rate. */
  readonly etaMs: number | null;
}

/** Fewer rounds say nothing of a rate. */
const LEAST_ROUNDS = 3;
/** Of these: a fleet is moved in batches, with pauses between them. */
const ROUNDS = 20;
const UNKNOWN: Progress = { perMinute: null, etaMs: null };

/** Rounds in their order; nodes that came or went meanwhile count in what remains. */
export function progressOf(rounds: readonly Round[]): Progress {
  const recent = rounds.slice(-ROUNDS);
  const first = recent.at(0);
  const last = recent.at(-1);
  if (first === undefined || last === undefined || recent.length < LEAST_ROUNDS) return UNKNOWN;
  const remaining = last.total - last.pass;
  const moved = first.total - first.pass - remaining;
  const elapsedMs = last.atMs - first.atMs;
  if (moved <= 0 || elapsedMs <= 0 || remaining <= 0) return UNKNOWN;
  return { perMinute: (moved * 60_000) / elapsedMs, etaMs: (remaining * elapsedMs) / moved };
}

/** `about 40 s`, `about 12 min`: no more digits than are known. */
export function formatEta(etaMs: number): string {
  if (etaMs < 90_000) return `about ${Math.max(10, Math.ceil(etaMs / 10_000) * 10)} s`;
  return `about ${etaMs < 120_000 ? '2 min' : duration(etaMs)}`;
}
