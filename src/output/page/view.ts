/** What every part of the page needs: the status, the time at which it is shown, and the words and signs for it. */
import type { GateState, NodeRoute, NodeStatus, Route, Severity } from '../../model/status.ts';
import { duration } from '../../model/text.ts';
import { html, type SafeHtml } from '../html.ts';
import type { IconName } from './icons.ts';

export interface View {
  readonly status: NodeStatus;
  /** When the page is made, by the wall clock. */
  readonly nowMs: number;
}

/** A colour with a meaning; never the only sign of it. `calm`: neither good nor bad. */
export type Tone = 'good' | 'bad' | 'warn' | 'calm' | 'unknown';

/** A status that is too old says of nothing that it is good: only then the present route has no beginning. */
export function isOutdated({ routeSince }: NodeStatus): boolean {
  return routeSince === null;
}

export function toneOfRoute(route: Route | NodeRoute, status: NodeStatus): Tone {
  if (isOutdated(status) || route === 'unknown' || route === 'none') return 'unknown';
  const { expectedRoute } = status;
  if (route === 'x-eni') return expectedRoute === 'public' ? 'warn' : 'good';
  if (route === 'public') return expectedRoute === 'x-eni' ? 'bad' : 'calm';
  return route === 'mixed' && expectedRoute === 'x-eni' ? 'bad' : 'warn';
}

/** A node that is not asked to be without the public endpoint is not wrong to need it. */
export function toneOfGate(
  { gate, state }: { readonly gate: string; readonly state: GateState },
  { expectedRoute }: NodeStatus,
): Tone {
  if (state === 'unknown') return 'unknown';
  if (state === 'true') return 'good';
  return gate === 'public-free' && expectedRoute !== 'x-eni' ? 'calm' : 'bad';
}

export function toneOfSeverity(severity: Severity): Tone {
  return severity === 'critical' ? 'bad' : severity === 'warning' ? 'warn' : 'calm';
}

export function iconOfRoute(route: Route | NodeRoute): IconName {
  return route === 'vpc' || route === 'private' || route === 'proxy' ? 'other' : route;
}

/** One of the signs that the page holds once (`icons.ts`); the word beside it says the same. */
export function icon(name: IconName): SafeHtml {
  return html`<svg class="icon" aria-hidden="true"><use href="#icon-${name}"/></svg>`;
}

export function badge(tone: Tone, sign: IconName, word: string): SafeHtml {
  return html`<span class="badge ${tone}">${icon(sign)}${word}</span>`;
}

export function routeBadge(route: Route | NodeRoute, status: NodeStatus): SafeHtml {
  return badge(toneOfRoute(route, status), iconOfRoute(route), route);
}

/** `12 s ago`, with the moment itself for machines and for who points at it. */
export function ago(at: string | null, { nowMs }: View): SafeHtml {
  if (at === null) return html`unknown`;
  return html`<time datetime="${at}" title="${clockTime(at)}">${span(nowMs - Date.parse(at))} ago</time>`;
}

/** `12:00:05 UTC`, with the day where it is not the day of `nowMs`. */
export function clockTime(at: string, nowMs: number = Date.parse(at)): string {
  const [day = '', rest = ''] = new Date(at).toISOString().split('T');
  const today = new Date(nowMs).toISOString().slice(0, 10);
  return `${day === today ? '' : `${day} `}${rest.slice(0, 8)} UTC`;
}

const DAY_MS = 86_400_000;

/** A length of time for people; a clock that was set back gives none that is negative. */
function span(ms: number): string {
  return ms < 2 * DAY_MS ? duration(Math.max(0, ms)) : `${Math.floor(ms / DAY_MS)} days`;
}

/** `4 ms`, `2.5 s` */
export function took(seconds: number | null): string {
  if (seconds === null) return 'unknown';
  return seconds < 1
    ? `${Number((seconds * 1000).toPrecision(2))} ms`
    : `${Number(seconds.toPrecision(2))} s`;
}

export function orUnknown(value: string | number | null): string | number {
  return value ?? 'unknown';
}

/** A table that scrolls by itself where the window is too narrow for it, also by keyboard. */
export function table(
  {
    id,
    caption,
    headings,
  }: { readonly id: string; readonly caption: string; readonly headings: readonly string[] },
  rows: readonly SafeHtml[],
): SafeHtml {
  return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}-caption">
<table><caption id="${id}-caption">${caption}</caption>
<thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>
`;
}
