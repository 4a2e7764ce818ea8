/** The strip of the last hour: routes as bars, DNS changes and reconnects as marks above them; and the same as text. */
import type { NodeRoute, NodeStatus, TimelineSpan } from '../../model/status.ts';
import { list } from '../../model/text.ts';
import { html, type SafeHtml } from '../html.ts';
import { clockTime, type Tone, toneOfRoute, type View } from './view.ts';

const HOUR_MS = 3_600_000;
const BAR = { y: 28, height: 30 };
const TICKS = [
  { x: 0, text: '60 min', anchor: 'start' },
  { x: 25, text: '45', anchor: 'middle' },
  { x: 50, text: '30', anchor: 'middle' },
  { x: 75, text: '15', anchor: 'middle' },
  { x: 100, text: 'now', anchor: 'end' },
];

/** Hatches over the colour, so that routes are told apart without it. */
const HATCHES: Readonly<Record<NodeRoute, SafeHtml>> = {
  'x-eni': html``,
  public: html`<path d="M-2 2 2-2M0 8 8 0M6 10l4-4"/>`,
  mixed: html`<path d="M0 0l8 8M8 0 0 8"/>`,
  other: html`<path d="M4 0v8"/>`,
  none: html`<path d="M0 4h8"/>`,
  unknown: html`<circle cx="4" cy="4" r="1.2"/>`,
};

/** Three marks, each its own shape, around a point. */
const MARKS = {
  dns: html`<path class="mark dns" d="M0-6 6 0 0 6-6 0z"/>`,
  opened: html`<path class="mark opened" d="M0-5 5 4H-5z"/>`,
  closed: html`<path class="mark closed" d="M0 5 5-4H-5z"/>`,
} as const;

export function renderStrip(view: View): SafeHtml {
  const timeline = view.status.timeline.filter(({ until }) => Date.parse(until) > view.nowMs - HOUR_MS);
  const routes = [...new Set(timeline.flatMap((span) => span.routes))];
  return html`<section aria-labelledby="hour-heading">
<h2 id="hour-heading">The last hour</h2>
<svg class="strip" role="img" aria-labelledby="strip-title strip-desc" width="100%" height="76">
<title id="strip-title">Routes of this node in the last hour</title>
<desc id="strip-desc">${describe(timeline, view)}</desc>
<defs>${routes.map((route) => renderPattern(route, view.status))}</defs>
<rect class="track" x="0" y="${BAR.y}" width="100%" height="${BAR.height}"/>
${timeline.map((span) => renderSpan(span, view))}
${TICKS.map(({ x, text, anchor }) => html`<text x="${x}%" y="73" text-anchor="${anchor}">${text}</text>`)}
</svg>
<ul class="legend" aria-hidden="true">${routes.map(renderSwatch)}
<li><svg class="swatch"><rect class="track" width="100%" height="100%"/></svg>nobody looked</li>
${[
  { mark: MARKS.dns, text: 'DNS changed' },
  { mark: MARKS.opened, text: 'connection opened' },
  { mark: MARKS.closed, text: 'connection closed' },
].map(
  ({ mark, text }) =>
    html`<li><svg class="swatch"><svg x="50%" y="50%" overflow="visible">${mark}</svg></svg>${text}</li>`,
)}</ul>
<details data-key="strip-text"><summary>The same as text</summary>
<ol class="plain">${timeline.map((span) => html`<li data-key="${span.from}">${sentence(span, view)}</li>`)}</ol>
<p class="muted">In the times between them nobody looked.</p></details>
</section>
`;
}

function renderPattern(route: NodeRoute, status: NodeStatus): SafeHtml {
  const tone: Tone = toneOfRoute(route, status);
  return html`<pattern id="hatch-${route}" class="hatch ${tone}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8"/>${HATCHES[route]}</pattern>`;
}

function renderSwatch(route: NodeRoute): SafeHtml {
  return html`<li data-key="${route}"><svg class="swatch"><rect width="100%" height="100%" fill="url(#hatch-${route})"/></svg>${route}</li>`;
}

/** Several routes in one span share its height: which of them was when is not kept. */
function renderSpan(span: TimelineSpan, view: View): SafeHtml {
  const [from, until] = [place(span.from, view), place(span.until, view)];
  const width = Math.max(until - from, 0.3);
  const height = BAR.height / span.routes.length;
  const bars = span.routes.map(
    (route, index) =>
      html`<rect x="${percent(from)}" y="${BAR.y + index * height}" width="${percent(width)}" height="${height}" fill="url(#hatch-${route})"/>`,
  );
  const at = percent((from + until) / 2);
  const mark = (count: number, y: number, shape: SafeHtml) =>
    count === 0 ? '' : html`<svg x="${at}" y="${y}" overflow="visible">${shape}</svg>`;
  return html`${bars}${mark(span.dnsChanges, 7, MARKS.dns)}${mark(span.opened, 20, MARKS.opened)}${mark(span.closed, BAR.y + BAR.height / 2, MARKS.closed)}
`;
}

/** Where in the hour, in percent of it. */
function place(at: string, { nowMs }: View): number {
  const share = 1 - (nowMs - Date.parse(at)) / HOUR_MS;
  return Math.min(1, Math.max(0, share)) * 100;
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

function sentence(span: TimelineSpan, { nowMs }: View): string {
  const changes = [
    ...(span.dnsChanges > 0 ? [`DNS changed (${span.dnsChanges})`] : []),
    ...(span.opened > 0 ? [`connections opened (${span.opened})`] : []),
    ...(span.closed > 0 ? [`connections closed (${span.closed})`] : []),
  ];
  const when = `${clockTime(span.from, nowMs)} to ${clockTime(span.until, nowMs)}`;
  return `${when}: ${[list(span.routes), ...changes].join(', ')}`;
}

/** In short: the text below says all of it. */
function describe(timeline: readonly TimelineSpan[], view: View): string {
  const total = (pick: (span: TimelineSpan) => number) => timeline.reduce((sum, span) => sum + pick(span), 0);
  const [first, last] = [timeline[0], timeline.at(-1)];
  if (first === undefined || last === undefined) return 'No look has ended in the last hour.';
  const runs = timeline
    .map(({ routes }) => list(routes))
    .filter((routes, index, all) => routes !== all[index - 1]);
  return `From ${clockTime(first.from, view.nowMs)} to ${clockTime(last.until, view.nowMs)}: ${runs.join(', then ')}. DNS changes: ${total((span) => span.dnsChanges)}, connections opened: ${total((span) => span.opened)}, closed: ${total((span) => span.closed)}.`;
}
