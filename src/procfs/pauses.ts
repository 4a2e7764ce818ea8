import { setImmediate } from 'node:timers/promises';
import { DEADLINE_PASSED } from '../model/observation.ts';

/** A look never keeps the event loop for more than 20 ms at a stretch; a read of the kernel takes up to 10 ms. */
const STRETCH_MS = 8;

/** Lets long work stop in between, so that scrapes are answered, and ends it at its deadline. */
export class Pauses {
  readonly #monotonicMs: () => number;
  readonly #deadlineMs: number;
  readonly #endsAtMs: number;
  #resumedAtMs: number;
  #stretches = 0;

  /** The deadline counts from now. */
  constructor(monotonicMs: () => number, deadlineMs: number) {
    this.#monotonicMs = monotonicMs;
    this.#deadlineMs = deadlineMs;
    this.#resumedAtMs = monotonicMs();
    this.#endsAtMs = this.#resumedAtMs + deadlineMs;
  }

  /** How many pauses there were: between two of them nothing else runs. */
  get stretches(): number {
    return this.#stretches;
  }

  /** Whether it is time for a pause. */
  due(): boolean {
    return this.#monotonicMs() - this.#resumedAtMs >= STRETCH_MS;
  }

  /** Lets everything else that waits run once. Throws where the deadline has passed. */
  async pause(): Promise<void> {
    await setImmediate();
    this.#stretches += 1;
    this.#resumedAtMs = this.#monotonicMs();
    if (this.#resumedAtMs >= this.#endsAtMs) {
      throw new Error(`Cannot finish the look: ${DEADLINE_PASSED} ${this.#deadlineMs / 1000} s`);
    }
  }
}
