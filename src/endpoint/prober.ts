/** Asks addresses who they are: the endpoint's and X-ENIs' again and again, strangers once. */
import type { Clock, IdentitySeen, Moment, ProbeSeen, StageResult } from '../model/observation.ts';
import type { Target } from '../model/targets.ts';
import { MAX_PROBED } from '../model/x-enis-known.ts';
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
/** The nodes of a cluster must not ask in step. Nor may a target wait longer than the interval: chance only shortens it. */
const JITTER = 0.2;
/** Of so many different addresses none waits within an interval: a DNS that lies anew each second must not make a scanner of us. */
const MAX_BEGUN = 64;
const NEVER = Number.NEGATIVE_INFINITY;

/** A target, its schedule and what came of it. */
interface Probe {
  readonly target: Target;
  seen: ProbeSeen | null;
  /** The run under way, an attempt or two; 0 without. A result of any other belongs to nobody. */
  run: number;
  /** The run that `seen` is of. */
  seenRun: number;
  /** When the last run began. */
  beganAtMs: number;
  /** When the next is to begin. */
  dueAtMs: number;
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
  /** Those that are no targets any more, for an interval since they began. */
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
   * From now on these (the first 16) are probed: new ones at once, unless too many were new lately, the others at each
   * interval; what is not among them any more is not known any more. Another identity than before forgets everything
   * and asks anew; without one nothing is asked, and strangers' answers stay for when the same one is known again.
   */
  follow(targets: readonly Target[], as: ProbeIdentity): void {
    if (this.#stopped) return;
    if ('missing' in as) {
      this.#asked = null;
      this.#cancelAll();
      this.#aim(new Map());
      this.#strangers.giveUp();
      const at = this.#parts.clock();
      this.#stage = { stage: 'probe', success: false, durationSeconds: 0, error: as.missing, at };
    } else {
      if (this.#known === null || !isSame(this.#known, as)) {
        this.#cancelAll();
        this.#probes = new Map();
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
   * one; never rejects. Who comes back or must wait meanwhile is not waited for.
   */
  async round(): Promise<void> {
    const before = this.#runs;
    if (!this.#stopped) {
      for (const probe of this.#probes.values()) {
        probe.dueAtMs = NEVER;
        this.#beginWhenDue(probe);
      }
    }
    await this.#until(() =>
      [...this.#probes.values()].every(({ run, seenRun }) => run === 0 || seenRun > before),
    );
    await this.identified();
  }

  /** Resolves when every stranger has a result; never rejects. */
  identified(): Promise<void> {
    return this.#until(() => this.#strangers.isSettled);
  }

  /** Asks no more, and takes no more answers. */
  stop(): void {
    this.#stopped = true;
    this.#cancelAll();
    this.#strangers.giveUp();
    this.#settle();
  }

  /**
   * Keeps the probes of these targets and begins those that are new. One that comes and goes, because its source does,
   * must not be asked each time: its run goes on, and it comes back with its result and schedule.
   */
  #aim(targets: ReadonlyMap<string, Target>): void {
    const before = this.#probes;
    for (const [key, probe] of before) {
      if (targets.has(key)) continue;
      if (probe.run === 0) clearTimeout(probe.timer);
      this.#dropped.set(key, probe);
    }
    const oldMs = this.#nowMs() - this.#parts.intervalMs;
    for (const [key, { run, beganAtMs }] of this.#dropped) {
      if (run === 0 && beganAtMs <= oldMs) this.#dropped.delete(key);
    }
    this.#probes = new Map(
      [...targets].map(([key, target]) => [
        key,
        before.get(key) ?? this.#dropped.get(key) ?? newProbe(target),
      ]),
    );
    for (const [key, probe] of this.#probes) {
      this.#dropped.delete(key);
      if (!before.has(key) && probe.run === 0) this.#beginWhenDue(probe);
    }
  }

  /** Begins now or sets the timer; one that is new waits only for room. */
  #beginWhenDue(probe: Probe): void {
    const inMs = (probe.beganAtMs === NEVER ? this.#roomAtMs() : probe.dueAtMs) - this.#nowMs();
    if (inMs <= 0) {
      this.#begin(probe);
      return;
    }
    clearTimeout(probe.timer);
    probe.timer = setTimeout(() => this.#beginWhenDue(probe), inMs);
    probe.timer.unref();
  }

  /** From when on fewer than `MAX_BEGUN` will have begun within an interval. */
  #roomAtMs(): number {
    const begun = [...this.#probes.values(), ...this.#dropped.values()]
      .map(({ beganAtMs }) => beganAtMs)
      .sort((a, b) => a - b);
    return (begun.at(-MAX_BEGUN) ?? NEVER) + this.#parts.intervalMs;
  }

  /** Begins anew, whatever is under way. */
  #begin(probe: Probe): void {
    if (this.#asked === null) return;
    cancel(probe);
    const { random, intervalMs } = this.#parts;
    this.#runs += 1;
    probe.run = this.#runs;
    probe.beganAtMs = this.#nowMs();
    probe.dueAtMs = probe.beganAtMs + intervalMs * (1 - JITTER * random());
    void this.#run(probe, this.#asked);
  }

  async #run(probe: Probe, as: Identity): Promise<void> {
    const { run, target } = probe;
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
    const { failedStage, error } = result;
    const before = probe.seen;
    probe.seen = { ...target, success: failedStage === null, failedStage, error, ...when };
    probe.seenRun = run;
    probe.run = 0;
    if (![...this.#probes.values()].includes(probe)) return;
    this.#beginWhenDue(probe);
    this.#settle();
    if (before === null || before.failedStage !== failedStage) this.#parts.onChange();
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

  /** What is under way will belong to nobody. */
  #cancelAll(): void {
    for (const probe of [...this.#probes.values(), ...this.#dropped.values()]) cancel(probe);
  }

  #nowMs(): number {
    return this.#parts.clock().monotonicMs;
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
  return { target, seen: null, run: 0, seenRun: 0, beganAtMs: NEVER, dueAtMs: NEVER, timer: undefined };
}

/** What is under way will belong to nobody and is due again; nothing comes by itself. */
function cancel(probe: Probe): void {
  clearTimeout(probe.timer);
  if (probe.run !== 0) probe.dueAtMs = NEVER;
  probe.run = 0;
}

function isSame(one: Identity, other: Identity): boolean {
  return one.hostname.toLowerCase() === other.hostname.toLowerCase() && one.ca === other.ca;
}
