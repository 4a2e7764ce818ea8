/** What one look says of each client: whether it is there, whether it could be read, and its connections. */
import {
  type ClientConnections,
  type EndpointConnection,
  type EndpointFacts,
  endpointConnections,
} from './connections.ts';
import type { TrackedSocket } from './history.ts';
import type { ClientProcess, Observation } from './observation.ts';
import type { ClientSetting } from './settings.ts';

export interface ClientView {
  readonly client: string;
  readonly required: boolean;
  /** Null where it cannot be said. */
  readonly found: boolean | null;
  /** Whether all of its sockets were read; null where there is no process to read. */
  readonly readable: boolean | null;
  /** Why it is not readable. */
  readonly obstacle: string | null;
  readonly processes: readonly ClientProcess[];
  /** Whether its endpoint connections are known; else there are none here. */
  readonly told: boolean;
  readonly connections: readonly EndpointConnection[];
  readonly ignored: number;
  readonly viaServiceOnly: boolean;
}

/** Looks at one client and its sockets; `facts` is null while the endpoint is not known. */
export function viewClient(
  { name, required }: ClientSetting,
  observation: Observation,
  { sockets, facts }: { sockets: readonly TrackedSocket[]; facts: EndpointFacts | null },
): ClientView {
  const processes = observation.owners?.processes.filter(({ client }) => client === name) ?? [];
  const obstacle = obstacleOf(name, processes, observation);
  const found = processes.length > 0 ? true : listedWhole(observation) ? false : null;
  const { endpoint, ignored, viaServiceOnly }: ClientConnections =
    facts === null || obstacle !== null || !found
      ? { endpoint: [], ignored: 0, viaServiceOnly: false }
      : endpointConnections(sockets, facts);
  return {
    client: name,
    required,
    found,
    readable: obstacle !== null ? false : processes.length > 0 ? true : null,
    obstacle,
    processes,
    told: obstacle === null && listedWhole(observation) && (facts !== null || found === false),
    connections: endpoint,
    ignored,
    viaServiceOnly,
  };
}

/** Whether no process can have been overlooked. */
function listedWhole({ owners }: Observation): boolean {
  return owners !== null && owners.unreadable === 0;
}

/** Why the client's sockets are not known, or null where they are (or it has no process). */
function obstacleOf(
  name: string,
  processes: readonly ClientProcess[],
  observation: Observation,
): string | null {
  const { owners, tables } = observation;
  if (owners === null) return null;
  if (processes.length === 0) {
    const other = owners.leftOut.find(({ client, reason }) => client === name && reason === 'uid');
    return other
      ? `${name} (pid ${other.pid}) runs as uid ${other.uid}: only uid 0 is taken for the client`
      : null;
  }
  for (const process of processes) {
    if (process.socketInodes === null) return process.error ?? `the sockets of ${name} could not be read`;
    if (!tables?.some(({ netns }) => netns === process.netns)) {
      return `the TCP tables of ${name} (pid ${process.pid}) could not be read`;
    }
  }
  return null;
}
