/** When to look: in the background, and afresh for who asks; one look at a time, whoever asks. */

import { judgeAge } from '../model/age.ts';
import { emptyHistory, type History } from '../model/history.ts';
import { judge } from '../model/judge.ts';
import type { Clock, Observation, OwnersSeen } from '../model/observation.ts';
import type { Settings } from '../model/settings.ts';
import type { NodeStatus } from '../model/status.ts';
import type { Proc } from '../procfs/proc.ts';
import { blindObservation, scan } from './scan.ts';
import type { Sources } from './sources.ts';

/** A look younger than this answers a scrape as it is: several scrapers share it. */
const FRESH_FOR_MS = 1_000;
/** The first two background looks are this far apart: two must agree before a node is `x-eni`. */
const SECOND_LOOK_MS = 1_000;
/** Without a look that ended for this long the agent is not healthy, and its container is started anew. */
const UNHEALTHY_AFTER_MS = 180_000;

/** How long `check` waits for strangers: one that does not answer takes 3 s, and four are asked at a time. */
const IDENTIFIED_WITHIN_MS = 5_000;

export interface AgentParts {
  readonly settings: Settings;
  readonly proc: Proc;
  readonly sources: Sources;
  readonly clock: Clock;
  /** Each status that a look leads to, with the one before. */
  readonly onStatus: (status: NodeStatus, before: NodeStatus | null) => void;
  /** A look that failed for a reason nobody foresaw. */
  readonly onError: (error: unknown) => void;
}

export class Agent {
  readonly #parts: AgentParts;
  readonly #startedAtMs: number;
  #history: History | null = null;
  #owners: OwnersSeen | null = null;
  #looking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #hasStrangers = false;
  #discoveredAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock().monotonicMs;
  }

  /** Looks in the background from now on, until `stop`. */
  start(): void {
    this.#running = true;
    this.#parts.sources.onAnswer = () => this.#lookSoon();
    this.#parts.sources.start();
    // Loading who is asked takes the event loop for some 15 ms: not before the agent is ready.
    void this.look().then(() => this.#parts.sources.askMachine());
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#parts.sources.stop();
  }

  /** Reads the configuration files anew and asks every source at once. */
  async reload(): Promise<void> {
    const { sources } = this.#parts;
    this.#discoveredAtMs = this.#now();
    await sources.discover(this.#owners);
    void sources.ask();
    await this.look();
  }

  /** One round of the sources that a look does not wait for; resolves when each has answered or failed. */
  async refreshSources(): Promise<void> {
    this.#discoveredAtMs = this.#now();
    await this.#parts.sources.refresh(this.#owners);
  }

  /** Resolves when the peers that nobody knew at the last look have been asked for their certificate; whether there were any. */
  async identifyStrangers(): Promise<boolean> {
    await atMost(IDENTIFIED_WITHIN_MS, this.#parts.sources.identified());
    return this.#hasStrangers;
  }

  /** Looks now, or joins the look under way; never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      if (this.#running) this.#goOn();
    });
    return this.#looking;
  }

  /**
   * The status of a look that is at most a second old, waiting at most `maxWaitMs` for it; after that the last
   * one, judged by its age. Null before the first look has ended.
   */
  async freshStatus(maxWaitMs: number): Promise<NodeStatus | null> {
    if (this.#ageMs() > FRESH_FOR_MS) await atMost(maxWaitMs, this.look());
    return this.status();
  }

  /** The last status, judged by its age; null before the first look has ended. */
  status(): NodeStatus | null {
    const status = this.#history?.lastStatus ?? null;
    return status && judgeAge(status, this.#ageMs(), this.#parts.settings.scanIntervalMs);
  }

  /** A look has ended, even a failed one. */
  ready(): boolean {
    return this.#history !== null;
  }

  healthy(): boolean {
    const since = this.#history?.lastLook?.at.monotonicMs ?? this.#startedAtMs;
    return this.#now() - since < UNHEALTHY_AFTER_MS;
  }

  async #look(): Promise<void> {
    const { proc, settings, clock, sources, onError } = this.#parts;
    try {
      const observation = await scan({ proc, settings, clock }, () => sources.background);
      this.#judge(observation);
      this.#owners = observation.owners;
    } catch (error) {
      onError(error);
      this.#judgeBlind(error);
    }
  }

  /** Blind is an answer too: without one the status before would go on for three intervals, or there would be none. */
  #judgeBlind(error: unknown): void {
    const { clock, sources } = this.#parts;
    try {
      const procReadErrors = this.#history?.lastLook?.procReadErrors ?? {};
      this.#judge({ ...blindObservation(clock, sources.background, error), procReadErrors });
    } catch (another) {
      this.#parts.onError(another);
    }
  }

  #judge(observation: Observation): void {
    const before = this.#history ?? emptyHistory(observation.at);
    const { status, history, strangers } = judge(observation, before, this.#parts.settings);
    this.#history = history;
    this.#hasStrangers = strangers.some(({ seenTwice }) => seenTwice);
    this.#parts.sources.meet(strangers);
    this.#parts.onStatus(status, before.lastStatus);
  }

  /** After any look, also one made for a scrape: it puts the next background look off, but never discovery. */
  #goOn(): void {
    const { scanIntervalMs } = this.#parts.settings;
    if (this.#now() - this.#discoveredAtMs >= scanIntervalMs) {
      this.#discoveredAtMs = this.#now();
      void this.#parts.sources.discover(this.#owners);
    }
    clearTimeout(this.#timer);
    const first = (this.#history?.looks ?? 0) < 2;
    this.#timer = setTimeout(() => void this.look(), first ? SECOND_LOOK_MS : scanIntervalMs);
  }

  /** A second after the last look, whatever asks for it how often. */
  #lookSoon(): void {
    if (!this.#running) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), Math.max(0, FRESH_FOR_MS - this.#ageMs()));
  }

  #ageMs(): number {
    const last = this.#history?.lastLook;
    return last ? this.#now() - last.at.monotonicMs : Number.POSITIVE_INFINITY;
  }

  #now(): number {
    return this.#parts.clock().monotonicMs;
  }
}

/** Waits for the work, but not for longer than this; the work goes on. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
