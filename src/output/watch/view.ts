/** What the parts of the live table share: the room there is, the time, and what is new. */
import type { Moment } from '../../model/observation.ts';
import type { NodeStatus } from '../../model/status.ts';
import { duration } from '../../model/text.ts';
import type { Watched } from '../../model/watched.ts';
import type { Paint } from '../terminal.ts';
import { type Line, type Span, span } from './spans.ts';

export interface FrameOptions {
  /** Of the terminal. */
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  readonly now: Moment;
  /** The agent that is followed; null: this node. */
  readonly agentUrl: string | null;
}

export interface View extends FrameOptions {
  readonly width: number;
  readonly isTall: boolean;
  readonly watched: Watched;
}

/** With a node to show. */
export interface NodeView extends View {
  readonly last: NodeStatus;
}

/** From this height on there is room for reasons, blank lines and headings. */
const TALL = 20;
/** From this width on a table has all of its columns. */
const WIDE = 60;
/** In front of what is new. */
export const MARK = '* ';
export const NO_MARK = '  ';

export function viewOf(watched: Watched, options: FrameOptions): View {
  // A terminal may go on in the next line behind its last cell.
  const width = Math.max(1, options.columns - 1);
  return { ...options, width, isTall: options.rows >= TALL, watched };
}

export function isNarrow({ width }: View): boolean {
  return width < WIDE;
}

/** Neither wide nor tall: counts stand for addresses. */
export function isSmall(view: View): boolean {
  return isNarrow(view) && !view.isTall;
}

/** Whether what `textOf` gives of a status was another in one of the last looks; of a silent agent nothing is new. */
export function isNew(
  { watched: { recent, silence }, last }: NodeView,
  textOf: (status: NodeStatus) => string | undefined,
): boolean {
  const now = textOf(last);
  return silence === null && recent.some((status) => textOf(status) !== now);
}

/** By the clock of the agent, also while it is silent. */
export function nowOf({ last, watched: { lastAt }, now }: NodeView): number {
  return Date.parse(last.observedAt) + now.monotonicMs - lastAt.monotonicMs;
}

/** How long ago that was. */
export function ago(view: NodeView, at: string): string {
  return duration(Math.max(0, nowOf(view) - Date.parse(at)));
}

/** Parts that may stand on different lines. */
export function words(text: string): readonly Span[] {
  return text.split(/(?<= )/).map((word) => span(word));
}

export function emphasized({ text, styles }: Span): Span {
  return { text, styles: [...styles, 'inverse'] };
}

/** The first of them; where not all fit, the last line says how many are missing. */
export function withRest(lines: readonly Line[], room: number, what: string): readonly Line[] {
  if (lines.length <= room) return lines;
  const shown = lines.slice(0, Math.max(0, room - 1));
  const missing = lines.length - shown.length;
  return [...shown, [span(`${NO_MARK}and ${missing} more ${what}${missing === 1 ? '' : 's'}`, 'dim')]];
}
