/** What texts for a terminal are made of: colour, columns, and how wide a text is. */
import { styleText } from 'node:util';
import type { GateState, Severity } from '../model/status.ts';

export type Style = 'bold' | 'red' | 'green' | 'yellow' | 'dim' | 'inverse';
/** Gives the text in these styles; they are ended behind it. */
export type Paint = (style: Style | readonly Style[], text: string) => string;

/** Without colour: as the text is. */
export function painter(color: boolean): Paint {
  return (style, text) =>
    color ? styleText(typeof style === 'string' ? style : [...style], text, { validateStream: false }) : text;
}

/** Names and messages come from files and processes: no control character of theirs reaches the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}');
}

/** Of a connection's route, with words behind it or without, or of a node's. */
export function styleOfRoute(route: string): Style {
  if (route === 'x-eni') return 'green';
  return route.startsWith('public') || route === 'mixed' ? 'red' : 'yellow';
}

export function styleOfGate(state: GateState): Style {
  return state === 'true' ? 'green' : state === 'false' ? 'red' : 'yellow';
}

export function styleOfSeverity(severity: Severity): Style {
  return severity === 'critical' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
}

/** Each cell padded to the widest of its column, the last of a row left as it is: to be joined. Cells are plain. */
export function columns(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0))),
  );
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** At most so many cells of a plain text; where something is missing, the last is `…`. */
export function cut(text: string, width: number): string {
  return widthOf(text) <= width ? text : width < 1 ? '' : `${start(text, width - 1)}…`;
}

/** A plain text in lines of at most so many cells, broken at its blanks, and within words that are longer. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) <= width) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    for (let piece = start(line, width); piece !== '' && piece !== line; piece = start(line, width)) {
      lines.push(piece);
      line = line.slice(piece.length);
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

/** Cells that a plain text takes on a terminal. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** As much of the beginning as fits. */
function start(text: string, width: number): string {
  let taken = '';
  let left = width;
  for (const character of text) {
    left -= cellsOf(character);
    if (left < 0) return taken;
    taken += character;
  }
  return taken;
}

const ASCII = /^[ -~]*$/;
/** East Asian Wide and Fullwidth (UAX #11) in their blocks, and the emoji that are shown as pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** A character that combines with the one before it takes none. */
function cellsOf(character: string): number {
  if (ASCII.test(character)) return 1;
  return /\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}
