/** Work that is done again and again: one at a time, when it is due or when somebody cannot wait. */
import type { Clock } from '../model/observation.ts';

/** What a timer of Node can hold, almost 25 days; one that is set for longer ends at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Does nothing before `now` or `soon` was called once. */
export class Repeater {
  readonly #work: () => Promise<number>;
  readonly #clock: Clock;
  #working: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  /** `work` resolves with the milliseconds until it is to be repeated; never rejects. */
  constructor(work: () => Promise<number>, clock: Clock) {
    this.#work = work;
    this.#clock = clock;
  }

  /** Works now, or joins the work under way; never rejects. Sets the timer for the next time. */
  now(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#working ??= this.#run();
    return this.#working;
  }

  /**
   * Works now, or when `gapMs` have passed since it last began, whichever is later; several calls are one. Work that
   * is under way began before the call and does not count for it.
   */
  soon(gapMs: number): void {
    this.#dueAtMs = Math.min(this.#dueAtMs, Math.max(this.#beganAtMs + gapMs, this.#nowMs()));
    this.#setTimer();
  }

  /** Works no more; work that is under way comes to its end. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#beganAtMs = this.#nowMs();
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    const inMs = await this.#work();
    this.#working = null;
    this.#dueAtMs = Math.min(this.#dueAtMs, this.#nowMs() + inMs);
    this.#setTimer();
  }

  /** Does not keep the process alive. A timer that ends while it works joins that work, and is set again after it. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const inMs = Math.min(Math.max(this.#dueAtMs - this.#nowMs(), 0), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => void this.now(), inMs);
    this.#timer.unref();
  }

  #nowMs(): number {
    return this.#clock().monotonicMs;
  }
}

/** Up to a fifth more or less, so that the nodes of a cluster do not ask in step. `random`: 0 to 1. */
export function jittered(ms: number, random: () => number): number {
  return ms * (0.8 + 0.4 * random());
}
