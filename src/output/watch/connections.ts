/** The clients' connections, a line each. */
import type { ClientStatus, ConnectionStatus, NodeStatus } from '../../model/status.ts';
import { columns, type Style, styleOfRoute } from '../terminal.ts';
import { type Line, span } from './spans.ts';
import { ago, emphasized, isNarrow, isNew, MARK, NO_MARK, type NodeView } from './view.ts';

/** A row of the table before its columns are set. */
interface ConnectionRow {
  readonly marked: boolean;
  readonly cells: readonly string[];
  readonly style: Style;
  readonly weight: number;
}

const HEADINGS = ['Route', 'Client', 'Peer', 'Stale for', 'Seen for'];

/** The heading, where there is room, and a line a connection: those that are not on an X-ENI first. */
export function tableOf(view: NodeView): readonly Line[] {
  const { last, isTall, watched } = view;
  const rows = last.clients
    .flatMap((client) => rowsOf(client, view))
    .sort((one, other) => one.weight - other.weight);
  const shown = isNarrow(view) ? 3 : HEADINGS.length;
  const between = isNarrow(view) ? ' ' : '  ';
  const [headings = [], ...cells] = columns(
    [HEADINGS, ...rows.map((one) => one.cells)].map((one) => one.slice(0, shown)),
  );
  return [
    ...(isTall ? [[span(NO_MARK + headings.join(between), 'bold')]] : []),
    ...rows.map(({ marked, style }, index): Line => {
      const [route = '', ...rest] = cells[index] ?? [];
      const styles: readonly Style[] = watched.silence === null ? [style] : ['dim'];
      const parts = [
        span(route, styles),
        span(between + rest.join(between), watched.silence === null ? [] : 'dim'),
      ];
      return [span(marked ? MARK : NO_MARK, 'bold'), ...(marked ? parts.map(emphasized) : parts)];
    }),
  ];
}

function rowsOf(client: ClientStatus, view: NodeView): readonly ConnectionRow[] {
  const name = client.client;
  const { connections, found } = client;
  if (connections === null || connections.length === 0) {
    const state = found === false ? 'not running' : connections === null ? 'unknown' : 'no connection';
    const harmless = found === false && !client.required;
    const textOf = (status: NodeStatus) => {
      const same = status.clients.find((other) => other.client === client.client);
      return `${same?.found} ${same?.connections?.length}`;
    };
    return [
      {
        marked: isNew(view, textOf),
        cells: ['-', name, state, '', ''],
        style: harmless ? 'dim' : 'yellow',
        weight: harmless ? 4 : 1,
      },
    ];
  }
  return connections.map((connection) => {
    const { route, peer, stale, staleSince, firstSeenAt } = connection;
    return {
      marked: isNew(view, (status) => {
        const same = status.clients.find((other) => other.client === client.client);
        const before = same?.connections?.find((other) => pair(other) === pair(connection));
        return before && routeText(before);
      }),
      cells: [
        routeText(connection),
        name,
        isNarrow(view) ? withoutPort(peer, view.last) : peer,
        stale && staleSince !== null ? ago(view, staleSince) : '',
        // It may be older than its agent.
        `${firstSeenAt === view.last.observedSince ? 'over ' : ''}${ago(view, firstSeenAt)}`,
      ],
      style: styleOfRoute(route),
      weight: route === 'public' ? 0 : stale ? 1 : route === 'x-eni' ? 3 : 2,
    };
  });
}

function pair({ local, peer }: ConnectionStatus): string {
  return `${local} ${peer}`;
}

function routeText({ route, stale, state }: ConnectionStatus): string {
  return `${route}${stale ? ' stale' : ''}${state === 'established' ? '' : ` ${state}`}`;
}

/** The endpoint's own port goes without saying where there is little room. */
function withoutPort(peer: string, { endpoint }: NodeStatus): string {
  const end = `:${endpoint?.port}`;
  return peer.endsWith(end) ? peer.slice(0, -end.length) : peer;
}
