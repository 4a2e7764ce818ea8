/** Node facts: what the machine is. Asked for once; what the kernel and the firmware say is there from the beginning. */
import { messageOf } from '../model/errors.ts';
import { fillGaps, type Machine } from '../model/machine.ts';
import { type Clock, DEADLINE_PASSED, type StageResult } from '../model/observation.ts';

/** Asks whoever knows more of the machine than its firmware; may reject, and may never end. */
export type AskMachine = () => Promise<Machine>;

interface FactsParts {
  /** What was known at once: by the kernel and by DMI. It wins. */
  readonly known: Machine;
  readonly askMachine: AskMachine;
  readonly clock: Clock;
}

/** It takes milliseconds. */
const DEADLINE_MS = 5_000;

export class FactsSource {
  readonly #parts: FactsParts;
  #seen: Machine;
  #stage: StageResult | null = null;
  #asking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(parts: FactsParts) {
    this.#parts = parts;
    this.#seen = parts.known;
  }

  /** What is known by now. */
  get seen(): Machine {
    return this.#seen;
  }

  /** How the asking ended: a success also where nothing was added; null before. */
  get stage(): StageResult | null {
    return this.#stage;
  }

  /** Asks, the first time only; resolves with the answer or at the deadline, never rejects. */
  ask(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  /** An answer that is under way belongs to nobody. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const { known, askMachine, clock } = this.#parts;
    const startedAt = clock();
    let error: string | null = null;
    try {
      const told = await Promise.race([askMachine(), this.#deadline()]);
      if (!this.#stopped) this.#seen = fillGaps(known, told);
    } catch (thrown) {
      error = messageOf(thrown);
    }
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const at = clock();
    const durationSeconds = (at.monotonicMs - startedAt.monotonicMs) / 1000;
    this.#stage = { stage: 'facts', success: error === null, durationSeconds, error, at };
  }

  /** Rejects when it is over. Keeps the process alive: `check` waits for nothing else that would. */
  #deadline(): Promise<never> {
    const error = new Error(`Cannot ask for the machine's facts: ${DEADLINE_PASSED} ${DEADLINE_MS / 1000} s`);
    return new Promise((_, reject) => {
      this.#timer = setTimeout(() => reject(error), DEADLINE_MS);
    });
  }
}
