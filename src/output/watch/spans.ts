/** Lines of a screen: plain texts with their styles, painted when they have the width that they must have. */
import { cut, type Paint, printable, type Style, widthOf } from '../terminal.ts';

export interface Span {
  /** Without control characters. */
  readonly text: string;
  readonly styles: readonly Style[];
}

export type Line = readonly Span[];

/** What a followed agent says can be anything: nothing of it acts on the terminal. */
export function span(text: string, style: Style | readonly Style[] = []): Span {
  return { text: printable(text), styles: typeof style === 'string' ? [style] : style };
}

/** At most so many cells; the last one is `…` where something is missing. */
export function fitLine(line: Line, width: number): Line {
  let left = width;
  const fitted: Span[] = [];
  for (const [index, part] of line.entries()) {
    const isLast = line.slice(index + 1).every(({ text }) => text === '');
    // One cell is kept for the mark of what is missing, unless nothing is.
    const fits = widthOf(part.text) <= (isLast ? left : left - 1);
    if (!fits) return [...fitted, { ...part, text: cut(isLast ? part.text : `${part.text} `, left) }];
    fitted.push(part);
    left -= widthOf(part.text);
  }
  return fitted;
}

/** Parts one after the other, on a new line where one does not fit any more; at most so many lines, the last one is cut. */
export function flow(
  parts: readonly Span[],
  { width, lines }: { width: number; lines: number },
): readonly Line[] {
  const flowed: Span[][] = [[]];
  let left = width;
  for (const part of parts) {
    const needed = widthOf(part.text.trimEnd());
    if (needed > left && left < width && flowed.length < lines) {
      flowed.push([]);
      left = width;
    }
    flowed.at(-1)?.push(part);
    left -= widthOf(part.text);
  }
  return flowed.map((line) => fitLine(withoutBlanks(line), width));
}

function withoutBlanks(line: Line): Line {
  const last = line.at(-1);
  return last === undefined ? line : [...line.slice(0, -1), { ...last, text: last.text.trimEnd() }];
}

export function paintLine(line: Line, paint: Paint): string {
  return line
    .filter(({ text }) => text !== '')
    .map(({ text, styles }) => (styles.length === 0 ? text : paint(styles, text)))
    .join('');
}
