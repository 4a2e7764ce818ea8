/** The clients, and the connections to the endpoint that each holds. */
import type { ClientStatus, ConnectionStatus } from '../../model/status.ts';
import { html, type SafeHtml } from '../html.ts';
import { ago, badge, isOutdated, routeBadge, table, type View } from './view.ts';

const HEADINGS = ['Client', 'Route', 'Peer', 'Local', 'State', 'Evidence', 'First seen', 'Stale'];

export function renderConnections(view: View): SafeHtml {
  const { clients, scan, attribution } = view.status;
  const rows = clients.flatMap((client) =>
    (client.connections ?? []).map((connection) => renderConnection(client, connection, view)),
  );
  const seen = isOutdated(view.status)
    ? html`<p>As the last look saw them, ${ago(view.status.observedAt, view)}.</p>`
    : '';
  const left = scan.ignoredConnections === null ? 'unknown' : String(scan.ignoredConnections);
  return html`<section aria-labelledby="clients-heading">
<h2 id="clients-heading">Clients and their connections</h2>
${seen}<ul class="plain">${clients.map((client) => renderClient(client, view))}</ul>
${
  rows.length > 0
    ? table({ id: 'connections', caption: 'Connections to the endpoint', headings: HEADINGS }, rows)
    : html`<p>${noConnections(clients)}</p>`
}
<p class="muted">Sockets told apart: ${attribution === 'none' ? 'not at all' : `by ${attribution}`}. Connections of these clients that are not the endpoint's, left out: ${left}.</p>
</section>
`;
}

function noConnections(clients: readonly ClientStatus[]): string {
  return clients.length > 0 &&
    clients.every(({ connections, found }) => connections !== null || found === false)
    ? 'No endpoint connection was seen.'
    : 'Whether there are endpoint connections is unknown.';
}

function renderClient(client: ClientStatus, view: View): SafeHtml {
  const { client: name, required, connections, opens, startedAt } = client;
  const held =
    connections === null ? 'connections unknown' : plural(connections.length, 'endpoint connection');
  const opened =
    opens === null
      ? 'opens unknown'
      : `${Object.values(opens).reduce((sum, one) => sum + one, 0)} opened since this agent looks`;
  const started = startedAt === null ? '' : html`, started ${ago(startedAt, view)}`;
  return html`<li data-key="${name}"><strong>${name}</strong>${required ? ' (required)' : ''}: ${presence(client)}${started}; ${held}, ${opened}</li>
`;
}

function presence({ found, readable, pids }: ClientStatus): string {
  if (found === null) return 'whether it runs is unknown';
  if (!found) return 'not running';
  const processes = pids.length === 0 ? 'found' : `pid ${pids.join(', ')}`;
  return readable === false ? `${processes}, its sockets could not all be read` : processes;
}

function renderConnection({ client }: ClientStatus, connection: ConnectionStatus, view: View): SafeHtml {
  const { pid, local, peer, state, route, evidence, retransmits, firstSeenAt } = connection;
  const trouble = retransmits > 0 ? `, ${plural(retransmits, 'retransmit')}` : '';
  return html`<tr data-key="${client} ${local} ${peer}"><th scope="row">${client}${pid === null ? '' : html` <span class="about">pid ${pid}</span>`}</th>
<td>${routeBadge(route, view.status)}</td><td><code>${peer}</code></td><td><code>${local}</code></td><td>${state}${trouble}</td>
<td>${evidence}</td><td>${ago(firstSeenAt, view)}</td><td>${renderStale(connection, view)}</td></tr>
`;
}

function renderStale({ stale, staleSince }: ConnectionStatus, view: View): SafeHtml {
  if (stale === null) return html`unknown`;
  if (!stale) return html`no`;
  const tone = isOutdated(view.status) ? 'unknown' : 'warn';
  return html`${badge(tone, 'warning', 'stale')} ${staleSince === null ? 'since unknown' : html`since ${ago(staleSince, view)}`}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
