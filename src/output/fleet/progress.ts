/** One line of how far a fleet is, while `verify --wait` asks again. */
import { formatEta } from '../../model/fleet/progress.ts';
import type { FleetCounts } from '../../model/fleet/status.ts';
import { duration } from '../../model/text.ts';
import { cut, printable, widthOf } from '../terminal.ts';

export interface WorstNode {
  readonly verdict: 'fail' | 'unknown';
  readonly cause: string;
  readonly node: string;
  /** Others of this verdict. */
  readonly more: number;
}

export interface FleetProgress {
  /** Of the last round that could be judged; null before one. */
  readonly counts: FleetCounts | null;
  /** Why the worst of those that do not pass does not; null where all do. */
  readonly worst: WorstNode | null;
  readonly etaMs: number | null;
  /** How long every node has passed, and has to; null where it is not asked for, or not all pass. */
  readonly held: { readonly ms: number; readonly ofMs: number } | null;
  /** How old that round is, where the last one failed. */
  readonly failedForMs: number | null;
  /** Of the round that is under way; null where it is not known. */
  readonly asking: { readonly done: number; readonly total: number } | null;
  /** Until the next round, and until they end; null where there is none, or one is under way. */
  readonly nextMs: number | null;
  readonly leftMs: number | null;
}

const LEAST_BAR = 10;
const WIDEST_BAR = 30;
/** In less room nobody knows a cause and a node. */
const LEAST_WHY = 20;
const NOTHING = 'nothing is known yet';

/** `[####------] 120/200 pass, 3 fail (NoAnswer: a +2)`: as much as fits, what matters most first. Never wider than `width`. */
export function renderBar(progress: FleetProgress, width: number): string {
  const { counts } = progress;
  if (counts === null) return cut(roundParts(progress).join(', ') || NOTHING, width);
  const most = width - LEAST_BAR - 3;
  const bare = fitting(numberParts(counts, progress, ''), most);
  const numbers = numberParts(counts, progress, whyText(progress, most - widthOf(bare)));
  const text = fitting([fitting(numbers, most), ...roundParts(progress)], most);
  const room = Math.min(WIDEST_BAR, width - widthOf(text) - 3);
  if (room < LEAST_BAR) return cut(text, width);
  const total = counts.nodes - counts.ignored;
  // Full only when all pass.
  const done = total === 0 ? 0 : Math.floor((counts.pass * room) / total);
  return `[${'#'.repeat(done)}${'-'.repeat(room - done)}] ${text}`;
}

/** The same for a log. */
export function renderProgressLine(progress: FleetProgress): string {
  const { counts } = progress;
  if (counts === null) return NOTHING;
  const why = whyText(progress, Number.MAX_SAFE_INTEGER);
  return [
    ...numberParts(counts, progress, why),
    ...roundParts({ ...progress, asking: null, nextMs: null }),
  ].join(', ');
}

/** The first of them always, then as many as there is room for. */
function fitting([first = '', ...more]: readonly string[], width: number): string {
  let text = first;
  for (const part of more) {
    if (widthOf(text) + 2 + widthOf(part) > width) break;
    text += `, ${part}`;
  }
  return text;
}

/** Of the worst node, to stand behind the number that it is of; empty without one, or without room for it. */
function whyText({ worst }: FleetProgress, room: number): string {
  if (worst === null || room < LEAST_WHY) return '';
  const more = worst.more > 0 ? ` +${worst.more}` : '';
  return ` (${cut(printable(`${worst.cause}: ${worst.node}`), room - more.length - 3)}${more})`;
}

function numberParts(
  counts: FleetCounts,
  { worst, failedForMs, held, etaMs }: FleetProgress,
  why: string,
): readonly string[] {
  const behind = (verdict: WorstNode['verdict']) => (verdict === worst?.verdict ? why : '');
  return [
    `${counts.pass}/${counts.nodes - counts.ignored} pass`,
    ...(failedForMs === null ? [] : [`${duration(failedForMs)} old`]),
    ...(counts.fail > 0 ? [`${counts.fail} fail${behind('fail')}`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown${behind('unknown')}`] : []),
    ...(held === null ? [] : [`for ${duration(held.ms)} of ${duration(held.ofMs)}`]),
    ...(etaMs === null ? [] : [formatEta(etaMs)]),
  ];
}

function roundParts({ asking, nextMs, leftMs }: FleetProgress): readonly string[] {
  return [
    ...(asking === null ? [] : [`asked ${asking.done} of ${asking.total}`]),
    ...(nextMs === null ? [] : [`next in ${Math.ceil(nextMs / 1000)} s`]),
    ...(leftMs === null ? [] : [`${duration(leftMs)} left`]),
  ];
}
