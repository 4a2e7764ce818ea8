/** What one look says of each client: whether it is there, whether it could be read, and its connections. */
import { clientObstacle, tablelessObstacle } from './attribution.ts';
import {
  type ClientConnections,
  type EndpointConnection,
  type EndpointFacts,
  endpointConnections,
  type Stranger,
} from './connections.ts';
import type { TrackedSocket } from './history.ts';
import type { ClientProcess, Observation } from './observation.ts';
import type { ClientSetting } from './settings.ts';
import { type Attribution, UNATTRIBUTED } from './status.ts';

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
  readonly strangers: readonly Stranger[];
  readonly viaServiceOnly: boolean;
}

interface ViewedWith {
  readonly attribution: Attribution;
  /** By client. */
  readonly sockets: ReadonlyMap<string, readonly TrackedSocket[]>;
  /** Null while the endpoint is not known. */
  readonly facts: EndpointFacts | null;
}

const NO_CONNECTIONS: ClientConnections = { endpoint: [], ignored: 0, strangers: [], viaServiceOnly: false };

/** Looks at every client and its sockets; where owners are not told apart, at nobody's too. */
export function viewClients(
  clients: readonly ClientSetting[],
  observation: Observation,
  view: ViewedWith,
): readonly ClientView[] {
  const views = clients.map((client) => viewClient(client, observation, view));
  return view.attribution === 'address' ? [...views, viewUnattributed(view)] : views;
}

function viewClient(
  { name, required }: ClientSetting,
  observation: Observation,
  { attribution, sockets, facts }: ViewedWith,
): ClientView {
  const processes = observation.owners?.processes.filter(({ client }) => client === name) ?? [];
  const obstacle = obstacleOf(name, processes, observation);
  const found = processes.length > 0 ? true : listedWhole(observation) ? false : null;
  const seen = attribution !== 'address' && obstacle === null && found === true;
  const { endpoint, ...connections } =
    seen && facts !== null ? endpointConnections(sockets.get(name) ?? [], facts) : NO_CONNECTIONS;
  const absent = found === false && obstacle === null;
  return {
    client: name,
    required,
    found,
    readable: obstacle !== null ? false : processes.length > 0 ? true : null,
    obstacle,
    processes,
    told: attribution !== 'address' && listedWhole(observation) && ((seen && facts !== null) || absent),
    connections: endpoint,
    ...connections,
  };
}

/** The sockets of the host's own table that go to known addresses of the endpoint. */
function viewUnattributed({ sockets, facts }: ViewedWith): ClientView {
  const { endpoint, ...connections } =
    facts === null ? NO_CONNECTIONS : endpointConnections(sockets.get(UNATTRIBUTED) ?? [], facts);
  return {
    client: UNATTRIBUTED,
    required: false,
    found: null,
    readable: null,
    obstacle: null,
    processes: [],
    told: facts !== null,
    connections: endpoint,
    ...connections,
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
  { owners, tables }: Observation,
): string | null {
  const obstacle = owners && clientObstacle(name, owners);
  if (obstacle !== null) return obstacle;
  const tableless = processes.find(({ netns }) => !tables?.some((table) => table.netns === netns));
  return tableless === undefined ? null : tablelessObstacle(tableless);
}
