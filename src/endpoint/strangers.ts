/** Peers that nobody knows, each asked for its certificate once and again when its answer has grown old. */
import type { Clock, IdentitySeen, Moment } from '../model/observation.ts';
import type { Target } from '../model/targets.ts';
import type { HandshakeResult } from './handshake.ts';

/** An address changes hands now and then: an hour after its answer, also after none, it is asked again. */
const ASKED_AGAIN_AFTER_MS = 3_600_000;
/** Until then the old answer counts: a peer must not become a stranger for a look each hour. But not for ever. */
const COUNTS_FOR_TIMES = 2;
/** A kubelet has tens of peers in an hour, where it probes pods hundreds: so many are remembered or waiting. */
const MAX_STRANGERS = 256;
/** So many are asked at a time: they are nobody's emergency. */
const MAX_ASKED_AT_ONCE = 4;

interface Stranger {
  readonly target: Target;
  state: 'waiting' | 'asked' | 'answered';
  /** The last answer. */
  seen: IdentitySeen | null;
}

export interface StrangersParts {
  /** Never rejects. */
  readonly ask: (target: Target) => Promise<{ readonly result: HandshakeResult; readonly at: Moment }>;
  /** Whether the address is asked anyway. */
  readonly isProbed: (key: string) => boolean;
  readonly clock: Clock;
  /** One has answered, or not. */
  readonly onAnswer: () => void;
}

export class Strangers {
  readonly #parts: StrangersParts;
  /** The one that was given longest ago is the first. */
  readonly #strangers = new Map<string, Stranger>();
  #askedNow = 0;

  constructor(parts: StrangersParts) {
    this.#parts = parts;
  }

  /** The answers that still count. */
  get identities(): readonly IdentitySeen[] {
    return [...this.#strangers.values()]
      .flatMap(({ seen }) => (seen === null ? [] : [seen]))
      .filter((seen) => this.#ageMs(seen) < COUNTS_FOR_TIMES * ASKED_AGAIN_AFTER_MS);
  }

  /** Whether each has an answer, as far as one is asked for. */
  get isSettled(): boolean {
    return [...this.#strangers.values()].every(({ state }) => state === 'answered');
  }

  /** Asks those that are neither probed nor have answered lately. */
  meet(targets: readonly Target[]): void {
    for (const [key, target] of byKey(targets).slice(0, MAX_STRANGERS)) {
      if (this.#parts.isProbed(key)) continue;
      const stranger = this.#strangers.get(key) ?? { target, state: 'waiting', seen: null };
      if (stranger.state === 'answered' && this.#isOld(stranger)) stranger.state = 'waiting';
      this.#strangers.delete(key);
      this.#strangers.set(key, stranger);
    }
    const tooMany = [...this.#strangers.keys()].slice(0, -MAX_STRANGERS);
    for (const key of tooMany) this.#strangers.delete(key);
    this.askOn();
  }

  /** Asks as many of those that wait as may be asked now. */
  askOn(): void {
    for (const [key, stranger] of this.#strangers) {
      if (this.#askedNow >= MAX_ASKED_AT_ONCE) return;
      if (stranger.state !== 'waiting') continue;
      if (this.#parts.isProbed(key)) {
        this.#strangers.delete(key);
        continue;
      }
      stranger.state = 'asked';
      this.#askedNow += 1;
      void this.#ask(key, stranger);
    }
  }

  /** Waits for no answer any more; those that are there stay. */
  giveUp(): void {
    for (const [key, stranger] of this.#strangers) {
      if (stranger.seen === null) this.#strangers.delete(key);
      // What is under way belongs to nobody.
      else this.#strangers.set(key, { ...stranger, state: 'answered' });
    }
  }

  forget(): void {
    this.#strangers.clear();
  }

  async #ask(key: string, stranger: Stranger): Promise<void> {
    const { result, at } = await this.#parts.ask(stranger.target);
    this.#askedNow -= 1;
    const isWanted = this.#strangers.get(key) === stranger;
    if (isWanted) {
      stranger.seen = { ...stranger.target, identity: identityOf(result), at };
      stranger.state = 'answered';
    }
    this.askOn();
    if (isWanted) this.#parts.onAnswer();
  }

  #isOld({ seen }: Stranger): boolean {
    return seen === null || this.#ageMs(seen) >= ASKED_AGAIN_AFTER_MS;
  }

  #ageMs({ at }: IdentitySeen): number {
    return this.#parts.clock().monotonicMs - at.monotonicMs;
  }
}

/** A certificate of our CA for another name or another time, or one that could not be judged, tells of nobody. */
function identityOf(result: HandshakeResult): IdentitySeen['identity'] {
  if (result.failedStage === null) return 'cluster';
  return result.otherCa ? 'other' : 'no-answer';
}

/** Each once, in their order, with nothing but address and port, by a key that is equal for equal destinations. */
export function byKey(targets: readonly Target[]): readonly [string, Target][] {
  return [...new Map(targets.map(({ address, port }) => [`${address.key} ${port}`, { address, port }]))];
}
