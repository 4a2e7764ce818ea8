/** Asks addresses who they are: the endpoint's and X-ENIs' again and again, strangers once. */
import { MAX_PROBED } from '../model/gates.ts';
import type { Clock, IdentitySeen, Moment, ProbeSeen, StageResult } from '../model/observation.ts';
import type { Target } from '../model/targets.ts';
import type { Handshake, HandshakeResult } from './handshake.ts';
import { byKey, Strangers } from './strangers.ts';

/** As whom an address must show itself, or why that is not known. */
export type ProbeIdentity = Identity | { readonly missing: string };
interface Identity {
  readonly hostname: string;
  /** PEM */
  readonly ca: string;
}

export interface ProberParts {
  readonly handshake: Handshake;
  readonly clock: Clock;
  /** 0 to 1: intervals are spread by it. */
  readonly random: () => number;
  readonly intervalMs: number;
  /** A probe succeeds, fails or fails otherwise than before; or a stranger has answered, or not. */
  readonly onChange: () => void;
}

/** TCP tries again after 1 s: a lost SYN is no failure, nor are two lost segments. */
const DEADLINE_MS = 3_000;
/** A target that fails is asked once more after this: one failure is no outage. */
const RETRY_MS = 1_000;
/** The nodes of a cluster must not ask in step. */
const JITTER = 0.1;

/** A target, its schedule and what came of it. */
interface Probe {
  readonly target: Target;
  seen: ProbeSeen | null;
  /** The run under way or, after it, the last; a result of any other belongs to nobody. */
  run: number;
  /** The run that `seen` is of. */
  seenRun: number;
  timer: NodeJS.Timeout | undefined;
}

/** How a handshake ended. */
interface Attempt {
  readonly result: HandshakeResult;
  readonly durationSeconds: number;
  readonly at: Moment;
}

/** Probes on its own timers from `follow` to `stop`; knows nobody, and asks nobody, before it knows for whom to ask. */
export class Prober {
  readonly #parts: ProberParts;
  /** The last identity that was known: what is remembered is true of it. */
  #known: Identity | null = null;
  /** The same, while it is what is to be asked for. */
  #asked: Identity | null = null;
  #probes: ReadonlyMap<string, Probe> = new Map();
  /** Those that are no targets any more, for as long as their result is as young as one may be. */
  readonly #dropped = new Map<string, Probe>();
  readonly #strangers: Strangers;
  #runs = 0;
  #stage: StageResult | null = null;
  #waiters: readonly { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];
  #stopped = false;

  constructor(parts: ProberParts) {
    this.#parts = parts;
    this.#strangers = new Strangers({
      ask: (target) => this.#askStranger(target),
      isProbed: (key) => this.#probes.has(key),
      clock: parts.clock,
      onAnswer: () => {
        this.#settle();
        if (!this.#stopped) parts.onChange();
      },
    });
  }

  /** The last final result of every target that has one. */
  get probes(): readonly ProbeSeen[] {
    return [...this.#probes.values()].map(({ seen }) => seen).filter((seen) => seen !== null);
  }

  /** What strangers have answered. */
  get identities(): readonly IdentitySeen[] {
    return this.#strangers.identities;
  }

  /** Whether anything could be asked (no answer is an answer), and how long the last handshake took; null before it. */
  get stage(): StageResult | null {
    return this.#stage;
  }

  /**
   * From now on these (the first 16) are probed: new ones at once, the others at each interval; what is not among
   * them any more is forgotten. Another identity than before forgets everything and asks anew; without one nothing is
   * asked, and strangers' answers stay for when the same one is known again.
   */
  follow(targets: readonly Target[], as: ProbeIdentity): void {
    if (this.#stopped) return;
    if ('missing' in as) {
      this.#asked = null;
      this.#aim(new Map());
      this.#strangers.giveUp();
      const at = this.#parts.clock();
      this.#stage = { stage: 'probe', success: false, durationSeconds: 0, error: as.missing, at };
    } else {
      if (this.#known === null || !isSame(this.#known, as)) {
        this.#aim(new Map());
        this.#dropped.clear();
        this.#strangers.forget();
        this.#known = as;
      }
      if (this.#stage?.success === false) this.#stage = null;
      this.#asked = this.#known;
      this.#aim(new Map(byKey(targets).slice(0, MAX_PROBED)));
    }
    this.#settle();
  }

  /** Asks those that are not probed, once an hour. While it is not known for whom to ask, it is in vain. */
  identify(strangers: readonly Target[]): void {
    if (this.#stopped || this.#asked === null) return;
    this.#strangers.meet(strangers);
    this.#settle();
  }

  /**
   * Probes every target anew. Resolves when every target has a result that began after this call, and every stranger
   * one; never rejects.
   */
  async round(): Promise<void> {
    const before = this.#runs;
    if (!this.#stopped) for (const probe of this.#probes.values()) this.#begin(probe);
    await this.#until(() => [...this.#probes.values()].every(({ seenRun }) => seenRun > before));
    await this.identified();
  }

  /** Resolves when every stranger has a result; never rejects. */
  identified(): Promise<void> {
    return this.#until(() => this.#strangers.isSettled);
  }

  /** Asks no more, and takes no more answers. */
  stop(): void {
    this.#stopped = true;
    for (const probe of this.#probes.values()) cancel(probe);
    this.#strangers.giveUp();
    this.#settle();
  }

  /**
   * Keeps the probes of these targets and begins those that are new. One that comes and goes, because its source
   * does, comes back with its result and schedule: it must not be asked each time.
   */
  #aim(targets: ReadonlyMap<string, Target>): void {
    const before = this.#probes;
    for (const [key, probe] of before) {
      if (targets.has(key)) continue;
      cancel(probe);
      this.#dropped.set(key, probe);
    }
    for (const [key, probe] of this.#dropped) if (this.#dueInMs(probe) <= 0) this.#dropped.delete(key);
    this.#probes = new Map(
      [...targets].map(([key, target]) => [
        key,
        before.get(key) ?? this.#dropped.get(key) ?? newProbe(target),
      ]),
    );
    for (const [key, probe] of this.#probes) {
      if (before.has(key)) continue;
      if (this.#dropped.delete(key)) this.#beginIn(probe, this.#dueInMs(probe));
      else this.#begin(probe);
    }
  }

  /** When it is to be asked again; at once where it has no result. */
  #dueInMs({ seen }: Probe): number {
    const { clock, intervalMs } = this.#parts;
    return seen === null ? 0 : intervalMs - (clock().monotonicMs - seen.at.monotonicMs);
  }

  #beginIn(probe: Probe, inMs: number): void {
    probe.timer = setTimeout(() => this.#begin(probe), Math.max(inMs, 0));
    probe.timer.unref();
  }

  /** Begins anew, whatever is under way. */
  #begin(probe: Probe): void {
    if (this.#asked === null) return;
    cancel(probe);
    this.#runs += 1;
    probe.run = this.#runs;
    void this.#run(probe, this.#asked);
  }

  async #run(probe: Probe, as: Identity): Promise<void> {
    const { run, target } = probe;
    const { clock, random, intervalMs, onChange } = this.#parts;
    const beganAtMs = clock().monotonicMs;
    let attempt = await this.#attempt(target, as);
    if (probe.run !== run) return;
    if (attempt.result.failedStage !== null) {
      await new Promise((resolve) => {
        // Not unref'ed: somebody may wait for the round. Cancelled, it leaves this run where it is.
        probe.timer = setTimeout(resolve, RETRY_MS);
      });
      attempt = await this.#attempt(target, as);
      if (probe.run !== run) return;
    }
    const { result, ...when } = attempt;
    const before = probe.seen;
    probe.seen = { ...target, success: result.failedStage === null, ...result, ...when };
    probe.seenRun = run;
    const inMs = intervalMs * (1 + JITTER * (2 * random() - 1));
    const spentMs = clock().monotonicMs - beganAtMs;
    this.#beginIn(probe, inMs - spentMs);
    this.#settle();
    if (before === null || before.failedStage !== result.failedStage) onChange();
  }

  async #askStranger(target: Target): Promise<Attempt> {
    if (this.#asked === null) throw new TypeError('Cannot ask a stranger: it is not known for whom');
    return this.#attempt(target, this.#asked);
  }

  async #attempt({ address, port }: Target, { hostname, ca }: Identity): Promise<Attempt> {
    const { handshake, clock } = this.#parts;
    const asked = this.#asked;
    const startedAt = clock();
    const result = await handshake({ address: address.text, port, hostname, ca, deadlineMs: DEADLINE_MS });
    const at = clock();
    const durationSeconds = (at.monotonicMs - startedAt.monotonicMs) / 1000;
    if (asked === this.#asked && !this.#stopped) {
      this.#stage = { stage: 'probe', success: true, durationSeconds, error: null, at };
    }
    return { result, durationSeconds, at };
  }

  /** Resolves when it is so, or when this is stopped. */
  #until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters = [...this.#waiters, { isDone, resolve }];
      this.#settle();
    });
  }

  #settle(): void {
    const done = this.#waiters.filter(({ isDone }) => this.#stopped || isDone());
    this.#waiters = this.#waiters.filter((waiter) => !done.includes(waiter));
    for (const { resolve } of done) resolve();
  }
}

function newProbe(target: Target): Probe {
  return { target, seen: null, run: 0, seenRun: 0, timer: undefined };
}

/** What is under way will belong to nobody, and nothing comes after it. */
function cancel(probe: Probe): void {
  clearTimeout(probe.timer);
  probe.run = 0;
}

function isSame(one: Identity, other: Identity): boolean {
  return one.hostname.toLowerCase() === other.hostname.toLowerCase() && one.ca === other.ca;
}
