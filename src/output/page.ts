/** The page at `/`: plain for now, the verdict, the findings, the connections, and where the rest is. */
import { FINDING_CODES } from '../model/findings.ts';
import type { Finding, Gate, NodeStatus } from '../model/status.ts';
import { html, type SafeHtml } from './html.ts';

/** A whole HTML document; `status` is null before the first look. */
export function renderPage(status: NodeStatus | null): string {
  const title = `eks-endpoint-exporter${status === null ? '' : ` on ${status.node}`}`;
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
body { font: 1em/1.5 system-ui, sans-serif; max-width: 56em; margin: 2em auto; padding: 0 1em }
table { margin: 1em 0 }
th, td { text-align: left; padding-right: 1em }
</style>
<h1>${title}</h1>
${
  status === null
    ? html`<p>No look has ended yet.</p>`
    : html`<p>Node route: <strong>${status.route}</strong> &ndash; ${status.routeReason}.</p>
<p>Expected: ${status.expectedRoute}. Access mode: ${status.accessMode}. Looked at ${status.observedAt}.</p>
<ul>${status.gates.map(renderGate)}</ul>
${
  status.findings.length === 0
    ? html`<p>No finding is raised.</p>`
    : html`<ul>${status.findings.map(renderFinding)}</ul>`
}
${renderUntold(status)}
${renderConnections(status)}
${renderProbes(status)}`
}
<ul>
<li><a href="/metrics">Metrics</a></li>
<li><a href="/api/v1/status">Node status as JSON</a></li>
<li><a href="/-/healthy">Healthy</a>, <a href="/-/ready">ready</a></li>
</ul>
</html>
`.text;
}

function renderGate({ gate, state, reason }: Gate): SafeHtml {
  return html`<li><strong>${gate}</strong>: ${state} &ndash; ${reason}.</li>
`;
}

function renderFinding({ code, severity, summary, remedy, runbook }: Finding): SafeHtml {
  return html`<li><strong>${code}</strong> (${severity}): ${summary}.<br>What to do: ${remedy}.<br>Runbook: ${runbook}</li>
`;
}

/** What the lack of findings and connections does not say. */
function renderUntold({ evaluated, stages, clients }: NodeStatus): SafeHtml {
  const open = FINDING_CODES.filter((code) => !evaluated.includes(code));
  const untold = clients.filter(({ connections, found }) => connections === null && found !== false);
  return html`${open.length === 0 ? '' : html`<p>Not evaluated: ${open.join(', ')}.</p>`}
${stages
  .filter(({ success }) => !success)
  .map(({ stage, error }) => html`<p>Stage ${stage} failed: ${error ?? 'unknown'}.</p>`)}
${untold.map(({ client }) => html`<p>Endpoint connections of ${client}: unknown.</p>`)}`;
}

function renderConnections({ clients }: NodeStatus): SafeHtml {
  const rows = clients.flatMap(({ client, connections }) =>
    (connections ?? []).map(
      ({ pid, local, peer, state, route, evidence, stale }) =>
        html`<tr><td>${client}${pid === null ? '' : ` (${pid})`}<td>${state}<td>${local}<td>${peer}<td>${route}${stale ? ', stale' : ''}<td>${evidence}
`,
    ),
  );
  const isTold = clients.some(({ connections }) => connections !== null);
  if (rows.length === 0) return isTold ? html`<p>No endpoint connection was seen.</p>` : html``;
  return html`<table>
<tr><th>Process<th>State<th>Local address<th>Peer address<th>Route<th>Evidence
${rows}</table>`;
}

function renderProbes({ probes }: NodeStatus): SafeHtml {
  if (probes === null || probes.length === 0) return html``;
  return html`<table>
<tr><th>Probed address<th>Route<th>Answer<th>At
${probes.map(
  ({ address, port, route, success, failedStage, error, at }) =>
    html`<tr><td>${address.includes(':') ? `[${address}]` : address}:${port}<td>${route}<td>${success ? 'as this cluster' : `fails at ${failedStage}: ${error}`}<td>${at}
`,
)}</table>`;
}
