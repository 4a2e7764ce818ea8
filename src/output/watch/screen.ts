/** A page of a terminal that is drawn anew in place, and what was there before put back at the end (ctlseqs of xterm). */

/** Another screen, no cursor, and no line that goes on in the next one. */
export const ENTER_SCREEN = '\u001b[?1049h\u001b[?25l\u001b[?7l';
export const LEAVE_SCREEN = '\u001b[?7h\u001b[?25h\u001b[?1049l';

/**
 * One frame as one text: shown at once by terminals that know synchronized output, and without flicker by the others, as
 * no line is emptied before it is written. At most as many lines as the terminal has, each narrower than it is.
 */
export function renderScreen(lines: readonly string[]): string {
  return `\u001b[?2026h\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J\u001b[?2026l`;
}
