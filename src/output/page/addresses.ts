/** Where the endpoint is: what DNS gives, which X-ENIs are known, and how each address answered the agent's probe. */
import type { DnsStatus, NodeStatus, ProbeStatus } from '../../model/status.ts';
import { html, type SafeHtml } from '../html.ts';
import { ago, badge, isOutdated, orUnknown, routeBadge, table, took, type View } from './view.ts';

export function renderAddresses(view: View): SafeHtml {
  const { endpoint, accessMode } = view.status;
  const name =
    endpoint === null
      ? html`unknown`
      : html`<code>${endpoint.hostname}:${endpoint.port}</code> <span class="about">${endpoint.source}</span>`;
  return html`<section aria-labelledby="endpoint-heading">
<h2 id="endpoint-heading">Endpoint</h2>
<dl class="facts">
<div class="wide"><dt>Name</dt><dd>${name}</dd></div>
${renderDns(view)}<div><dt>Access mode</dt><dd>${accessMode}</dd></div>
</dl>
${renderProbes(view)}
</section>
`;
}

function renderDns(view: View): SafeHtml {
  const { dns } = view.status;
  if (dns === null) return html`<div><dt>DNS</dt><dd>unknown: it was not asked</dd></div>`;
  const { ttlSeconds, resolvedAt, changedAt, servers, changes } = dns;
  const life = ttlSeconds === null ? 'unknown' : `${ttlSeconds} s`;
  return html`<div class="wide"><dt>DNS gives</dt><dd>${renderAnswer(dns, view.status)}</dd></div>
<div><dt>Time to live</dt><dd>${life}</dd></div>
<div><dt>Answered</dt><dd>${ago(resolvedAt, view)}</dd></div>
<div><dt>Asked</dt><dd>${servers.length === 0 ? 'unknown' : servers.join(', ')}</dd></div>
<div><dt>Last change</dt><dd>${changedAt === null ? 'none seen' : html`${ago(changedAt, view)} (${changes} seen)`}</dd></div>
`;
}

/** An old answer is shown, and proves nothing. */
function renderAnswer({ success, addresses, ttlSeconds }: DnsStatus, status: NodeStatus): SafeHtml {
  if (addresses === null) return html`unknown${ttlSeconds === null ? ': no complete answer yet' : ''}`;
  const isOld = success !== true;
  const items = addresses.map(
    ({ address, route }) =>
      html`<li data-key="${address}"><code>${address}</code> ${isOld ? badge('unknown', 'unknown', route) : routeBadge(route, status)}</li>`,
  );
  return html`${isOld ? 'an old answer; the last lookup failed' : ''}<ul class="plain">${items}</ul>`;
}

interface Row {
  readonly address: string;
  readonly sources: readonly string[];
  readonly probe: ProbeStatus | null;
}

/** X-ENIs first, then what else was probed. */
function rowsOf({ xEni, probes }: NodeStatus): readonly Row[] {
  const known = xEni?.addresses ?? [];
  const others = (probes ?? []).filter(({ address }) => known.every((one) => one.address !== address));
  return [
    ...known.map(({ address, sources }) => ({
      address,
      sources,
      probe: probes?.find((one) => one.address === address) ?? null,
    })),
    ...others.map((probe) => ({ address: probe.address, sources: [], probe })),
  ];
}

function renderProbes(view: View): SafeHtml {
  const { status } = view;
  const sources =
    status.xEni === null ? 'X-ENIs: unknown.' : `X-ENIs are known from: ${status.xEni.sources.join(', ')}.`;
  const off = status.probes === null ? (isOutdated(status) ? 'Probes: unknown.' : 'Nothing is probed.') : '';
  const rows = rowsOf(status).map((row) => renderRow(row, view));
  return html`<p class="muted">${sources} ${off}</p>
${
  rows.length === 0
    ? ''
    : table(
        {
          id: 'probes',
          caption: 'X-ENIs and probed addresses',
          headings: ['Address', 'Route', 'Named by', 'Answer to a TLS connection', 'Took', 'When'],
        },
        rows,
      )
}`;
}

function renderRow({ address, sources, probe }: Row, view: View): SafeHtml {
  const text = probe === null ? address : `${address.includes(':') ? `[${address}]` : address}:${probe.port}`;
  const route = probe?.route ?? 'x-eni';
  return html`<tr data-key="${address}"><th scope="row"><code>${text}</code></th><td>${routeBadge(route, view.status)}</td><td>${sources.length === 0 ? 'none' : sources.join(', ')}</td>
<td>${renderProbe(probe, view.status)}</td><td>${probe === null ? 'unknown' : took(probe.durationSeconds)}</td><td>${ago(probe?.at ?? null, view)}</td></tr>
`;
}

/** A probe that succeeded is proof only as long as the gate takes it for one. */
function renderProbe(probe: ProbeStatus | null, { gates }: NodeStatus): SafeHtml {
  if (probe === null) return html`unknown: not probed`;
  const { success, failedStage, error } = probe;
  if (!success) return html`${badge('bad', 'false', `fails at ${orUnknown(failedStage)}`)} ${error ?? ''}`;
  const counts = gates.some(({ gate, state }) => gate === 'private-ready' && state === 'true');
  return badge(counts ? 'good' : 'calm', 'true', 'as this cluster');
}
