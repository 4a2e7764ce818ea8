/** Which of the two tiers a look belongs to: sockets told apart by their owners, or by known addresses alone. */
import {
  type ClientProcess,
  KUBELET_PORT,
  type Observation,
  type OwnersSeen,
  type SocketTable,
} from './observation.ts';
import type { Settings } from './settings.ts';
import type { Attribution } from './status.ts';

/** What decides about the tier, and why it is not the one asked for. */
export interface Tier {
  readonly attribution: Attribution;
  /** Why owners are not told apart though they were asked for, or why not even addresses are; null where all is well. */
  readonly obstacle: string | null;
}

/**
 * `process` only where the owner of every socket could be told. Otherwise the sockets of the host's own table count
 * by their addresses; a table in which root does not listen on the kubelet's port is not the host's.
 */
export function tierOf(settings: Pick<Settings, 'attribution' | 'clients'>, observation: Observation): Tier {
  const { owners, tables } = observation;
  const obstacle = settings.attribution === 'process' ? ownersObstacle(settings, observation) : null;
  if (tables === null) return { attribution: 'none', obstacle };
  if (settings.attribution === 'process' && obstacle === null && owners !== null)
    return { attribution: 'process', obstacle: null };
  const byAddress = tables.some((table) => table.unattributed !== null && isHosts(table));
  if (byAddress) return { attribution: 'address', obstacle };
  return {
    attribution: 'none',
    obstacle:
      obstacle ??
      `root listens nowhere on port ${KUBELET_PORT}: the TCP tables that were read are not the node's`,
  };
}

/** Whether the owners alone already show that they cannot tell sockets apart, so that a look collects them by address. */
export function needsAddresses(
  { attribution, clients }: Pick<Settings, 'attribution' | 'clients'>,
  owners: OwnersSeen | null,
): boolean {
  return (
    attribution === 'address' ||
    owners === null ||
    owners.processes.length + owners.leftOut.length === 0 ||
    unreadable(clients, owners) !== null
  );
}

/** Why the owners of sockets cannot be told, or null where they can. */
function ownersObstacle({ clients }: Pick<Settings, 'clients'>, observation: Observation): string | null {
  const { owners, tables, stages } = observation;
  if (owners === null) {
    const error = stages.find(({ stage }) => stage === 'owners')?.error ?? 'not looked for yet';
    return `the processes could not be read: ${error}`;
  }
  const known = unreadable(clients, owners);
  if (known !== null) return known;
  const tableless = owners.processes.find(({ netns }) => !tables?.some((table) => table.netns === netns));
  if (tables !== null && tableless !== undefined)
    return `${tableless.client} could not be read: ${tablelessObstacle(tableless)}`;
  // On a node something of root's listens there; where its process cannot be seen, no other can.
  const noneSeen = owners.processes.length === 0 && owners.leftOut.length === 0;
  const hidden = noneSeen && tables?.some(isHosts);
  return hidden
    ? `something of root's listens on port ${KUBELET_PORT}, and no client's process can be seen: is hostPID missing`
    : null;
}

function unreadable(clients: Settings['clients'], owners: OwnersSeen): string | null {
  if (owners.unreadable > 0)
    return `some processes could not be read (${owners.unreadable}): one may be a client`;
  for (const { name } of clients) {
    const obstacle = clientObstacle(name, owners);
    if (obstacle !== null) return `${name} could not be read: ${obstacle}`;
  }
  return null;
}

/** Why a client's sockets cannot be read, or null where they can (or it has no process). */
export function clientObstacle(name: string, { processes, leftOut }: OwnersSeen): string | null {
  const own = processes.filter(({ client }) => client === name);
  const blind = own.find(({ socketInodes }) => socketInodes === null);
  if (blind !== undefined) return blind.error ?? `the sockets of pid ${blind.pid} could not be read`;
  if (own.length > 0) return null;
  const other = leftOut.find(({ client, reason }) => client === name && reason === 'uid');
  return other === undefined
    ? null
    : `${name} (pid ${other.pid}) runs as uid ${other.uid}: only uid 0 is taken for the client`;
}

/** Why the sockets of a process are not known whose tables could not be read. */
export function tablelessObstacle({ client, pid }: ClientProcess): string {
  return `the TCP tables of ${client} (pid ${pid}) could not be read`;
}

/** Whether the tables are the node's: root listens on the kubelet's port there. */
export function isHosts({ listeners }: SocketTable): boolean {
  return listeners.some(({ port }) => port === KUBELET_PORT);
}
