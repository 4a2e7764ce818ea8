/** One line of how far a fleet is, while `verify --wait` asks again. */
import { formatEta } from '../../model/fleet/progress.ts';
import type { FleetCounts } from '../../model/fleet/status.ts';
import { duration } from '../../model/text.ts';
import { cut } from '../terminal.ts';

export interface FleetProgress {
  /** Of the last round that could be judged; null before one. */
  readonly counts: FleetCounts | null;
  readonly etaMs: number | null;
  /** How long every node has passed, and has to; null where it is not asked for, or not all pass. */
  readonly held: { readonly ms: number; readonly ofMs: number } | null;
  /** How old that round is, where the last one failed. */
  readonly failedForMs: number | null;
  /** Of the round that is under way; null where it is not known. */
  readonly asking: { readonly done: number; readonly total: number } | null;
}

const LEAST_BAR = 10;
const WIDEST_BAR = 30;

/** `[####------] 120/200 pass, 3 fail`: as much as fits, what matters most first. Never wider than `width`. */
export function renderBar(progress: FleetProgress, width: number): string {
  const [first = '', ...more] = partsOf(progress);
  const { counts } = progress;
  if (counts === null) return cut([first, ...more].join(', '), width);
  let text = first;
  for (const part of more) {
    if (LEAST_BAR + 3 + text.length + 2 + part.length > width) break;
    text += `, ${part}`;
  }
  const room = Math.min(WIDEST_BAR, width - text.length - 3);
  if (room < LEAST_BAR) return cut(text, width);
  const total = counts.nodes - counts.ignored;
  // Full only when all pass.
  const done = total === 0 ? 0 : Math.floor((counts.pass * room) / total);
  return `[${'#'.repeat(done)}${'-'.repeat(room - done)}] ${text}`;
}

/** The same for a log. */
export function renderProgressLine(progress: FleetProgress): string {
  return partsOf({ ...progress, asking: null }).join(', ');
}

function partsOf({ counts, etaMs, held, failedForMs, asking }: FleetProgress): readonly string[] {
  const round = asking === null ? [] : [`asked ${asking.done} of ${asking.total}`];
  if (counts === null) return round.length > 0 ? round : ['nothing is known yet'];
  return [
    `${counts.pass}/${counts.nodes - counts.ignored} pass`,
    ...(failedForMs === null ? [] : [`${duration(failedForMs)} old`]),
    ...(counts.fail > 0 ? [`${counts.fail} fail`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown`] : []),
    ...(held === null ? [] : [`for ${duration(held.ms)} of ${duration(held.ofMs)}`]),
    ...(etaMs === null ? [] : [formatEta(etaMs)]),
    ...round,
  ];
}
