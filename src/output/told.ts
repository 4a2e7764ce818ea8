/** What of a node status is known well enough to be a number: what is not is left out, never 0. */
import { type ConnectionStatus, type NodeStatus, UNATTRIBUTED } from '../model/status.ts';

interface ToldClient {
  readonly client: string;
  readonly connections: readonly ConnectionStatus[];
}

/** A peer of a client's established connections, as labels. */
type PeerLabels = Readonly<Record<'client' | 'address' | 'route', string>>;

/** The clients whose endpoint connections are known; where owners are not told apart, nobody's. */
export function readClients(status: NodeStatus): readonly ToldClient[] {
  if (!stageSucceeded(status, 'sockets')) return [];
  const ownersRead = stageSucceeded(status, 'owners');
  return status.clients.flatMap(({ client, found, connections }) =>
    connections !== null && (client === UNATTRIBUTED || (found && ownersRead))
      ? [{ client, connections }]
      : [],
  );
}

/** Those of them whose connections could be held against a DNS answer. */
export function staleClients(status: NodeStatus): readonly ToldClient[] {
  if (!status.dns?.addresses) return [];
  return readClients(status).filter(({ connections }) =>
    connections.every((connection) => !isEstablished(connection) || connection.stale !== null),
  );
}

/** Each once a client, public ones first. */
export function peers(status: NodeStatus): readonly PeerLabels[] {
  const distinct = new Map<string, PeerLabels>();
  for (const { client, connections } of readClients(status)) {
    for (const connection of connections.filter(isEstablished)) {
      const address = connection.peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
      distinct.set(`${client} ${address}`, { client, address, route: connection.route });
    }
  }
  const all = [...distinct.values()];
  return [...all.filter(({ route }) => route === 'public'), ...all.filter(({ route }) => route !== 'public')];
}

export function isEstablished({ state }: ConnectionStatus): boolean {
  return state === 'established';
}

export function stageSucceeded({ stages }: NodeStatus, name: string): boolean {
  return stages.some(({ stage, success }) => stage === name && success);
}
