/** How well the agent itself sees: the stages of its looks, what it counted, and the machine it is on. */
import type { NodeStatus } from '../../model/status.ts';
import { html, type SafeHtml } from '../html.ts';
import { ago, badge, isOutdated, orUnknown, routeBadge, table, took, type View } from './view.ts';

export function renderHealth(view: View): SafeHtml {
  const { status } = view;
  const { scan, dns, machine, observedAt, observedSince, version } = status;
  const refused = countsOf(scan.procReadErrors);
  const failures = dns === null ? 'unknown' : `${dns.lookups} asked, failed: ${countsOf(dns.failures)}`;
  const name = [machine.vendor, machine.model].filter((text) => text !== null).join(' ');
  return html`<section aria-labelledby="health-heading">
<h2 id="health-heading">The agent itself</h2>
${table(
  { id: 'stages', caption: 'Stages of a look', headings: ['Stage', 'Result', 'Took', 'When', 'Error'] },
  status.stages.map(
    ({ stage, success, durationSeconds, at, error }) =>
      html`<tr data-key="${stage}"><th scope="row">${stage}</th><td>${stageBadge(success, status)}</td><td>${took(durationSeconds)}</td><td>${ago(at, view)}</td><td class="detail">${error ?? ''}</td></tr>
`,
  ),
)}
<dl class="facts">
<div><dt>Last look</dt><dd>${ago(observedAt, view)}</dd></div>
<div><dt>Looks</dt><dd>${scan.scans}, the first ${ago(observedSince, view)}</dd></div>
<div><dt>Sockets on the node</dt><dd>${orUnknown(scan.sockets)}</dd></div>
<div><dt>Rejected rows</dt><dd>${orUnknown(scan.rejectedRows)}</dd></div>
<div><dt>Refused reads</dt><dd>${refused}</dd></div>
<div><dt>Processes left out</dt><dd>${orUnknown(scan.clientsLeftOut)}</dd></div>
<div><dt>DNS lookups</dt><dd>${failures}</dd></div>
<div><dt>Version</dt><dd>${version}</dd></div>
<div><dt>Machine</dt><dd>${orUnknown(name || null)}, ${machine.arch ?? 'architecture unknown'}, kernel ${orUnknown(machine.kernel)}</dd></div>
</dl>
${renderInbound(status)}
</section>
`;
}

/** A stage of the past that went well is no proof of the present. */
function stageBadge(success: boolean, status: NodeStatus): SafeHtml {
  if (!success) return badge('bad', 'false', 'failed');
  return isOutdated(status) ? badge('unknown', 'unknown', 'succeeded') : badge('good', 'true', 'succeeded');
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? 'none' : some.map(([reason, count]) => `${count} ${reason}`).join(', ');
}

function renderInbound(status: NodeStatus): SafeHtml {
  const { inbound } = status;
  if (inbound === null) return html`<p class="muted">Who is connected to the kubelet's port is unknown.</p>`;
  if (inbound.length === 0)
    return html`<p class="muted">Nobody is connected to the kubelet's port 10250.</p>`;
  return html`<details data-key="inbound"><summary>Connected to the kubelet's port 10250: ${inbound.length}</summary>
${table(
  { id: 'inbound', caption: "Connections to the kubelet's port", headings: ['Peer', 'Route', 'Connections'] },
  inbound.map(
    ({ peer, route, connections }) =>
      html`<tr data-key="${peer}"><th scope="row"><code>${peer}</code></th><td>${routeBadge(route, status)}</td><td>${connections}</td></tr>
`,
  ),
)}</details>`;
}
