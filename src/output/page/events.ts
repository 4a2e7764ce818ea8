/** What changed, newest first. */
import type { StatusEvent } from '../../model/status.ts';
import { html, type SafeHtml } from '../html.ts';
import { clockTime, table, type View } from './view.ts';

const NAMES: Readonly<Record<StatusEvent['event'], string>> = {
  route: 'node route',
  dns: 'DNS answer',
  'x-eni': 'X-ENIs',
  'connection-opened': 'opened',
  'connection-closed': 'closed',
  client: 'client',
};

/** The page shows so many of them at once. */
const SHOWN = 8;

export function renderEvents(view: View): SafeHtml {
  const { events } = view.status;
  const rows = events.map((event) => renderEvent(event, view));
  const headings = ['When', 'What', 'Change'];
  const older = rows.slice(SHOWN);
  return html`<section aria-labelledby="events-heading">
<h2 id="events-heading">Events</h2>
${
  rows.length === 0
    ? html`<p>None seen since this agent looks.</p>`
    : table({ id: 'events', caption: 'What changed, newest first', headings }, rows.slice(0, SHOWN))
}
${
  older.length === 0
    ? ''
    : html`<details data-key="older"><summary>${older.length} earlier</summary>${table({ id: 'older', caption: 'Earlier events', headings }, older)}</details>`
}
</section>
`;
}

function renderEvent({ at, event, detail }: StatusEvent, { nowMs }: View): SafeHtml {
  return html`<tr data-key="${at} ${event} ${detail}"><td><time datetime="${at}">${clockTime(at, nowMs)}</time></td><td>${NAMES[event]}</td><td class="detail">${detail}</td></tr>
`;
}
