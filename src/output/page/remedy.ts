/** A remedy: prose in which commands stand between quotes; each can be copied, and so can all of it. */
import { html, type SafeHtml } from '../html.ts';
import { icon } from './view.ts';

/** A command begins with a small letter; an apostrophe stands behind a letter and opens nothing. */
const COMMAND = /(?<=^|[\s(])'([a-z][^']*)'(?=$|[\s,;:.)])/g;

export function renderRemedy(remedy: string): SafeHtml {
  const copyAll = html`<button type="button" class="copy all">${icon('copy')}Copy what to do</button>`;
  return html`<div class="remedy"><p>${renderProse(remedy)}</p>${copyAll}</div>`;
}

/** A sentence without its final period. */
export function renderProse(text: string): SafeHtml {
  // Of a pattern with one group, `split` gives text and commands by turns.
  const parts = text.split(COMMAND).map((part, index) => (index % 2 === 0 ? part : renderCommand(part)));
  return html`${parts}.`;
}

function renderCommand(command: string): SafeHtml {
  const label = `Copy the command ${command}`;
  return html`<span class="command"><code>${command}</code><button type="button" class="copy" aria-label="${label}" title="Copy">${icon('copy')}</button></span>`;
}
