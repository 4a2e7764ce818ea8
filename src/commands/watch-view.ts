/** How `watch` shows what it sees: on a screen that is drawn in place, as lines, or as JSON lines. */
import type { Config } from '../config.ts';
import type { Moment } from '../model/observation.ts';
import type { Watched, WatchedChange } from '../model/watched.ts';
import { painter } from '../output/terminal.ts';
import { renderFrame } from '../output/watch/frame.ts';
import {
  changeLine,
  formatChange,
  formatSilence,
  formatState,
  jsonLine,
  noNodeAdvice,
  stateLine,
} from '../output/watch/lines.ts';
import { ENTER_SCREEN, LEAVE_SCREEN, renderScreen } from '../output/watch/screen.ts';
import { renderSummary, type WatchSummary } from '../output/watch/summary.ts';
import type { Output, Runtime } from '../runtime.ts';

export interface WatchView {
  /** Where the log goes: it must not come between the lines of a screen. */
  readonly stderr: Output;
  begin(): void;
  /** `news` are the changes since it was last called. */
  show(watched: Watched, news: readonly WatchedChange[]): void;
  end(watched: Watched, summary: WatchSummary): void;
  /** Gives the terminal back as it was, however it ended; once is enough. */
  leave(): void;
}

export function makeWatchView(config: Config, runtime: Runtime): WatchView {
  const { stdout } = runtime;
  if (config.output === 'json') return new JsonLines(config, runtime);
  return stdout.columns === null || stdout.rows === null
    ? new Lines(config, runtime)
    : new Screen(config, runtime);
}

class Screen implements WatchView {
  readonly #config: Config;
  readonly #runtime: Runtime;
  readonly #kept: string[] = [];
  #isEntered = false;
  #forgetStop = (): void => {};

  constructor(config: Config, runtime: Runtime) {
    this.#config = config;
    this.#runtime = runtime;
  }

  get stderr(): Output {
    const { stderr } = this.#runtime;
    const write = (text: string) =>
      this.#isEntered && stderr.isTerminal ? void this.#kept.push(text) : stderr.write(text);
    return { ...stderr, write };
  }

  begin(): void {
    const { onSignal, suspend } = this.#runtime;
    this.#enter();
    this.#forgetStop = onSignal(['SIGTSTP'], () => {
      this.#restore();
      suspend();
    });
  }

  show(watched: Watched): void {
    const { stdout, clock } = this.#runtime;
    // It was stopped in between, and the shell had its terminal.
    if (!this.#isEntered) this.#enter();
    const lines = renderFrame(watched, {
      columns: stdout.columns ?? 80,
      rows: stdout.rows ?? 24,
      paint: painter(stdout.color),
      now: clock(),
      agentUrl: this.#config.agentUrl,
    });
    stdout.write(renderScreen(lines));
  }

  end(watched: Watched, summary: WatchSummary): void {
    this.leave();
    const { stdout } = this.#runtime;
    stdout.write(renderSummary(watched, summary, painter(stdout.color)));
  }

  leave(): void {
    this.#forgetStop();
    this.#restore();
  }

  #enter(): void {
    this.#isEntered = true;
    this.#runtime.stdout.write(ENTER_SCREEN);
  }

  #restore(): void {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#runtime.stdout.write(LEAVE_SCREEN);
    for (const text of this.#kept.splice(0)) this.#runtime.stderr.write(text);
  }
}

/** Of an agent that never answered people are told so often that it still does not. */
const REMIND_MS = 30_000;

/** What people read in a pipe, and grep for. */
class Lines implements WatchView {
  readonly #config: Config;
  readonly #runtime: Runtime;
  #isBegun = false;
  /** How long an agent that was never heard is silent when that is said again. */
  #remindAtMs = REMIND_MS;

  constructor(config: Config, runtime: Runtime) {
    this.#config = config;
    this.#runtime = runtime;
  }

  get stderr(): Output {
    return this.#runtime.stderr;
  }

  begin(): void {}

  show(watched: Watched, news: readonly WatchedChange[]): void {
    const { last } = watched;
    if (!this.#isBegun && last !== null) {
      this.#isBegun = true;
      this.write(this.formatState(watched, last));
    }
    for (const change of news) this.write(this.formatChange(change, watched));
    if (last === null && watched.silence !== null) this.#remind(watched.silence);
  }

  end(watched: Watched, summary: WatchSummary): void {
    this.write(this.formatSummary(watched, summary));
  }

  leave(): void {}

  protected write(text: string): void {
    this.#runtime.stdout.write(`${text}\n`);
  }

  #remind(silence: NonNullable<Watched['silence']>): void {
    const now = this.#runtime.clock();
    const silentMs = now.monotonicMs - silence.since.monotonicMs;
    if (silentMs < this.#remindAtMs) return;
    // Once, also where it was stopped for longer.
    this.#remindAtMs = silentMs - (silentMs % REMIND_MS) + REMIND_MS;
    const text = this.formatSilence(silence, now);
    if (text !== null) this.write(text);
  }

  protected formatState(_: Watched, status: NonNullable<Watched['last']>): string {
    const advice = noNodeAdvice(status, this.#config.agentUrl);
    return `${formatState(status)}${advice === null ? '' : `\n${advice}`}`;
  }

  protected formatSilence(silence: NonNullable<Watched['silence']>, now: Moment): string | null {
    return formatSilence(silence, now);
  }

  protected formatChange(change: WatchedChange, _: Watched): string {
    return formatChange(change);
  }

  protected formatSummary(watched: Watched, summary: WatchSummary): string {
    return `\n${renderSummary(watched, summary, painter(false)).trimEnd()}`;
  }
}

class JsonLines extends Lines {
  /** It is no change. */
  protected override formatSilence(): null {
    return null;
  }

  protected override formatState(watched: Watched, status: NonNullable<Watched['last']>): string {
    return stateLine(status, watched);
  }

  protected override formatChange(change: WatchedChange, watched: Watched): string {
    return changeLine(change, watched);
  }

  protected override formatSummary(_: Watched, summary: WatchSummary): string {
    return jsonLine(summary);
  }
}
