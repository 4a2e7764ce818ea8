/** What a command is given of the process that it runs in: main.ts has the real one, tests have their own. */
import type { Edges } from './agent/sources.ts';
import type { Clock } from './model/observation.ts';
import type { SelfUsage } from './output/family.ts';

export interface Runtime extends Edges {
  readonly clock: Clock;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Calls `handler` at each of these signals until the returned function is called. */
  onSignal(signals: readonly Signal[], handler: (signal: Signal) => void): () => void;
  /** Stops the process until somebody lets it go on (Ctrl-Z, and `fg`). */
  suspend(): void;
  selfUsage(): SelfUsage;
}

/** SIGWINCH: the terminal has another size; SIGTSTP: Ctrl-Z; SIGCONT: it goes on. */
export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGWINCH' | 'SIGTSTP' | 'SIGCONT';

export interface Output {
  /** Whether a person reads it on a terminal that shows colours. */
  readonly color: boolean;
  readonly isTerminal: boolean;
  /** The size of a terminal on which text can be replaced, as it is now; null where there is none (a pipe, TERM=dumb). */
  readonly columns: number | null;
  readonly rows: number | null;
  /** Nothing that is written arrives any more: whoever read it has gone, or it could not be written. */
  readonly isClosed: boolean;
  write(text: string): void;
}

/** Resolves with the first of these signals. */
export function untilSignal(runtime: Runtime, signals: readonly Signal[]): Promise<Signal> {
  return new Promise((resolve) => {
    const off = runtime.onSignal(signals, (signal) => {
      off();
      resolve(signal);
    });
  });
}
