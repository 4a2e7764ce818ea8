/** The values of flags as they were given, and what is wrong with them. */
import type { Flag } from './flags.ts';
import { quote } from './log.ts';

/** A text that was given for a flag, and by what. */
export interface Given {
  readonly by: string;
  readonly text: string;
}

export type GivenByFlag = Readonly<Record<string, readonly Given[]>>;

/** Reads the values of flags and collects what is wrong with them. */
export class Values {
  readonly problems: string[] = [];
  readonly #given: GivenByFlag;

  constructor(given: GivenByFlag) {
    this.#given = given;
  }

  /** Whether anything was given for it, good or bad. */
  isGiven(flag: Flag<unknown>): boolean {
    return this.#given[flag.name] !== undefined;
  }

  /** Whether the command line gives it, not the environment alone. */
  isOnCommandLine(flag: Flag<unknown>): boolean {
    return this.#given[flag.name]?.some(({ by }) => by.startsWith('--')) ?? false;
  }

  /** The last value given; null where there is none or it is wrong. */
  optional<T>(flag: Flag<T>): T | null {
    return this.#read(flag).at(-1) ?? null;
  }

  /** The last value given, else the default. */
  one<T>(flag: Flag<T>): T {
    return this.optional(flag) ?? defaultOf(flag);
  }

  /** The values given, else the default, if there is one. */
  all<T>(flag: Flag<T>): readonly T[] {
    const values = this.#read(flag);
    return values.length > 0 || flag.defaultText === null ? values : [defaultOf(flag)];
  }

  #read<T>(flag: Flag<T>): readonly T[] {
    return (this.#given[flag.name] ?? []).flatMap(({ by, text }) => {
      const reading = flag.read(text);
      if ('value' in reading) return [reading.value];
      this.problems.push(`${by} ${shorten(text)}: ${reading.problem}`);
      return [];
    });
  }
}

function defaultOf<T>(flag: Flag<T>): T {
  const reading = flag.read(flag.defaultText ?? '');
  if ('value' in reading) return reading.value;
  throw new TypeError(`Cannot use the default of ${flag.name}: ${reading.problem}`);
}

const LONGEST_SHOWN = 80;

/** The text in quotes, safe to print on a terminal, and cut where it is long. */
export function shorten(text: string): string {
  return text.length > LONGEST_SHOWN ? `${quote(text.slice(0, LONGEST_SHOWN))}...` : quote(text);
}
