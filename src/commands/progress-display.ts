/** Shows on stderr how far `verify` is: on a terminal one line that is replaced, else a line when something changes. */
import { progressOf, type Round } from '../model/fleet/progress.ts';
import type { FleetStatus } from '../model/fleet/status.ts';
import type { Clock } from '../model/observation.ts';
import {
  type FleetProgress,
  renderBar,
  renderProgressLine,
  type WorstNode,
} from '../output/fleet/progress.ts';
import { pad, printable, widthOf } from '../output/terminal.ts';
import type { Output } from '../runtime.ts';
import type { RoundSeen } from './rounds.ts';

/** Where nothing changes, a log is told that often that it is still being asked. */
const QUIET_MS = 30_000;
const REDRAW_MS = 1_000;
/** Of a round that is under way. */
const LEAST_BETWEEN_DRAWS_MS = 100;

export interface ProgressOptions {
  readonly output: Output;
  readonly clock: Clock;
  /** Whether there is more than one round: one alone is shown on a terminal only. */
  readonly isRepeated: boolean;
  readonly waitMs: number | null;
  readonly forMs: number | null;
  readonly intervalMs: number;
}

export class ProgressDisplay {
  readonly #options: ProgressOptions;
  readonly #timer: NodeJS.Timeout | null;
  readonly #startMs: number;
  readonly #rounds: Round[] = [];
  #seen: RoundSeen = { last: null, problem: null, passingSinceMs: null };
  #asking: FleetProgress['asking'] = null;
  #roundAtMs = Number.NEGATIVE_INFINITY;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  /** Of the line that stands there. */
  #drawnWidth = 0;
  #lineAtMs = Number.NEGATIVE_INFINITY;
  /** What the last round said. */
  #told = '';

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startMs = this.#now();
    // Ages go on between the rounds, and a terminal may get another size.
    this.#timer = options.output.columns === null ? null : setInterval(() => this.#draw(), REDRAW_MS);
  }

  onAsked(done: number, total: number): void {
    this.#asking = { done, total };
    if (this.#now() - this.#drawnAtMs >= LEAST_BETWEEN_DRAWS_MS) this.#draw();
  }

  onRound(seen: RoundSeen): void {
    const isNewProblem = seen.problem !== null && seen.problem !== this.#seen.problem;
    this.#seen = seen;
    this.#asking = null;
    this.#roundAtMs = this.#now();
    if (seen.problem === null && seen.last !== null) {
      const { pass, nodes, ignored } = seen.last.status.counts;
      this.#rounds.push({ atMs: seen.last.atMs, pass, total: nodes - ignored });
    }
    if (!this.#options.isRepeated) return;
    const isNews = this.#isNews();
    if (isNewProblem) this.#line(`The round failed: ${printable(seen.problem ?? '')}`);
    else if (this.#options.output.columns === null && isNews)
      this.#line(renderProgressLine(this.#progress()));
    this.#draw();
  }

  /** Takes its line away. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#erase();
  }

  #isNews(): boolean {
    const { last, problem } = this.#seen;
    const told = JSON.stringify([problem, last?.status.counts, worstOf(last?.status)]);
    const isNews = told !== this.#told || this.#now() - this.#lineAtMs >= QUIET_MS;
    this.#told = told;
    return isNews;
  }

  #line(text: string): void {
    const { output, clock } = this.#options;
    this.#erase();
    this.#lineAtMs = this.#now();
    output.write(`${new Date(clock().wallMs).toISOString().slice(0, 19)}Z ${text}\n`);
  }

  #draw(): void {
    const { columns } = this.#options.output;
    if (columns === null || (this.#seen.last === null && this.#asking === null)) return;
    // Into the last column a terminal may put the cursor on the next line.
    const text = renderBar(this.#progress(), columns - 1);
    this.#options.output.write(`\r${pad(text, Math.min(this.#drawnWidth, columns - 1))}`);
    this.#drawnWidth = widthOf(text);
    this.#drawnAtMs = this.#now();
  }

  #erase(): void {
    const { columns } = this.#options.output;
    if (this.#drawnWidth === 0 || columns === null) return;
    this.#options.output.write(`\r${' '.repeat(Math.min(this.#drawnWidth, columns - 1))}\r`);
    this.#drawnWidth = 0;
  }

  #progress(): FleetProgress {
    const { last, problem, passingSinceMs } = this.#seen;
    const { forMs, waitMs, intervalMs } = this.#options;
    const now = this.#now();
    const leftMs = waitMs === null || passingSinceMs !== null ? null : this.#startMs + waitMs - now;
    const isHolding = passingSinceMs !== null && forMs !== null;
    const endMs = isHolding ? passingSinceMs + forMs - now : (leftMs ?? Number.POSITIVE_INFINITY);
    const nextMs = Math.min(this.#roundAtMs + intervalMs - now, endMs);
    return {
      counts: last?.status.counts ?? null,
      worst: worstOf(last?.status),
      etaMs: problem === null ? progressOf(this.#rounds).etaMs : null,
      held: isHolding ? { ms: Math.min(now - passingSinceMs, forMs), ofMs: forMs } : null,
      failedForMs: problem === null || last === null ? null : now - last.atMs,
      asking: this.#asking,
      nextMs: this.#asking === null && this.#options.isRepeated && nextMs > 0 ? nextMs : null,
      leftMs: leftMs !== null && leftMs > 0 ? leftMs : null,
    };
  }

  #now(): number {
    return this.#options.clock().monotonicMs;
  }
}

/** The first that fails, else the first that is unknown: they stand in that order. */
function worstOf(status: FleetStatus | undefined): WorstNode | null {
  const worst = status?.nodes.find(({ verdict }) => verdict === 'fail' || verdict === 'unknown');
  if (status === undefined || worst === undefined) return null;
  const verdict = worst.verdict === 'fail' ? 'fail' : 'unknown';
  const more = status.counts[verdict] - 1;
  return { verdict, cause: worst.causes[0] ?? verdict, node: worst.node, more };
}
