/** The page at `/`: one glance for people, then everything that the node status says. It reads well without its script. */
import type { NodeStatus } from '../model/status.ts';
import { html, SafeHtml } from './html.ts';
import { renderAddresses } from './page/addresses.ts';
import { renderConnections } from './page/connections.ts';
import { renderEvents } from './page/events.ts';
import { renderFindings } from './page/findings.ts';
import { renderGates } from './page/gates.ts';
import { renderHeadline, toneOfNode } from './page/headline.ts';
import { renderHealth } from './page/health.ts';
import { ICONS } from './page/icons.ts';
import { BUILD } from './page/policy.ts';
import { SCRIPT } from './page/script.ts';
import { renderStrip } from './page/strip.ts';
import { STYLE } from './page/style.ts';
import { ago, isOutdated, type Tone, type View } from './page/view.ts';

/** The icon of the browser's tab has the headline's colour; middle ones that are seen on light and dark. */
const TAB_COLORS: Readonly<Record<Tone, string>> = {
  good: '2ca05a',
  bad: 'd33c35',
  warn: 'd08a1d',
  calm: '3f7fd0',
  unknown: '8a949e',
};

/**
 * A whole HTML document, as of `nowMs` by the wall clock; `status` is null before the first look. Its links are relative:
 * it may be read behind a path, as through the API server's proxy.
 */
export function renderPage(status: NodeStatus | null, nowMs: number): string {
  const view = status && { status, nowMs };
  const title = status === null ? 'no look yet' : `${status.route} - ${status.node}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="${tabIcon(status === null ? 'unknown' : toneOfNode(status))}" data-lost="${tabIcon('unknown')}">
<style>${new SafeHtml(STYLE)}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body data-node="${status?.node ?? ''}" data-build="${BUILD}">
<a class="skip" href="#main">To the route of this node</a>
<div id="lost" role="alert" hidden>No answer from the agent<span aria-hidden="true"> for <span id="lost-for"></span></span>: what stands here is what it said last.<span id="lost-to"></span></div>
${ICONS}<header>${view === null ? html`<p>eks-endpoint-exporter</p>` : renderHeader(view)}</header>
<main id="main" tabindex="-1"${status !== null && isOutdated(status) ? html` class="outdated"` : ''}>
${view === null ? NO_LOOK : renderSections(view)}</main>
<footer>
<a href="metrics">Metrics</a>
<a href="api/v1/status">Node status as JSON</a>
<a href="-/healthy">Healthy</a>
<a href="-/ready">Ready</a>
</footer>
<div id="said" role="status"></div>
<script>${new SafeHtml(SCRIPT)}</script>
</body>
</html>
`.text;
}

const NO_LOOK = html`<section class="headline unknown"><h1 id="route">unknown</h1>
<p class="meaning">No look has ended yet. The first takes some seconds; this page asks again by itself.</p></section>
`;

function renderHeader(view: View): SafeHtml {
  const { node, observedAt } = view.status;
  return html`<p><strong>${node}</strong> <span class="muted">eks-endpoint-exporter</span></p>
<p class="muted looked">Looked ${ago(observedAt, view)}</p>`;
}

function renderSections(view: View): readonly SafeHtml[] {
  return [
    renderHeadline(view),
    renderGates(view),
    renderStrip(view),
    renderFindings(view),
    renderConnections(view),
    renderAddresses(view),
    renderEvents(view),
    renderHealth(view),
  ];
}

function tabIcon(tone: Tone): string {
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'%3E%3Ccircle cx='4.5' cy='4.5' r='4' fill='%23${TAB_COLORS[tone]}'/%3E%3C/svg%3E`;
}
