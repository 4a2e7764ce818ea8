/** The node's route: the verdict over the established endpoint connections of every client found. */
import type { Tier } from './attribution.ts';
import type { ClientView } from './clients.ts';
import type { EndpointConnection } from './connections.ts';
import { isOld, SLICE_INTERVAL_MS } from './freshness.ts';
import type { Moment, Observation } from './observation.ts';
import { type NodeRoute, UNATTRIBUTED } from './status.ts';
import { duration, list } from './text.ts';

export interface Verdict {
  readonly route: NodeRoute;
  /** One sentence, without a final period. */
  readonly reason: string;
}

/** A status older than this many scan intervals says nothing of the node any more. */
export const OUTDATED_AFTER_INTERVALS = 3;

/** The route as this look alone shows it: the first that fits. */
export function routeOfLook(
  clients: readonly ClientView[],
  observation: Observation,
  tier: Tier,
): LookVerdict {
  const clean = observation.tables?.every(({ rejectedRows }) => rejectedRows === 0) ?? false;
  const verdict =
    tier.attribution === 'address'
      ? judgeUnattributed(clients, observation, tier)
      : judgeClients(clients, observation, tier);
  return { ...verdict, at: observation.at, clean };
}

function judgeClients(clients: readonly ClientView[], observation: Observation, tier: Tier): Verdict {
  const obstacle = obstacleOf(clients, observation, tier);
  if (obstacle !== null) return unknown(obstacle);

  const found = clients.filter((client) => client.found);
  const established = found.flatMap(establishedOf);
  const elsewhere = judgeElsewhere(established);
  if (elsewhere !== null) return elsewhere;

  const proxyObstacle = proxyObstacleOf(found, observation);
  if (proxyObstacle !== null) return unknown(proxyObstacle);
  if (established.length === 0)
    return { route: 'none', reason: 'no client has an established endpoint connection' };
  // A client that only goes by the kubernetes Service, the pods' way, has no say; a required one must have one.
  const silent = found.find(
    (client) => establishedOf(client).length === 0 && (client.required || !client.viaServiceOnly),
  );
  if (silent !== undefined) {
    return unknown(`${silent.client} has no established endpoint connection`);
  }
  const reason = `every endpoint connection of ${holdersOf(established)} is on an X-ENI`;
  return { route: 'x-eni', reason: reason + sliceAge(observation) };
}

/** Without owners nothing shows that every client's connection is among them: these never say `x-eni` nor `none`. */
function judgeUnattributed(
  clients: readonly ClientView[],
  observation: Observation,
  { obstacle }: Tier,
): Verdict {
  const because = obstacle === null ? '' : `; ${obstacle}`;
  if (observation.endpoint === null) return unknown(endpointObstacle(observation) + because);
  const established = clients.filter(({ client }) => client === UNATTRIBUTED).flatMap(establishedOf);
  const { route, reason } =
    judgeElsewhere(established) ??
    unknown(
      established.length === 0
        ? 'no established connection to a known address of the endpoint, and whose sockets they are is not told apart'
        : 'every known endpoint connection is on an X-ENI, but whose sockets they are is not told apart',
    );
  return { route, reason: reason + because };
}

/** The verdict where a connection is not on an X-ENI; null where all are. */
function judgeElsewhere(established: readonly EndpointConnection[]): Verdict | null {
  const publicOnes = established.filter(({ route }) => route === 'public');
  if (publicOnes.length > 0 && publicOnes.length === established.length) {
    const names = holdersOf(established);
    return { route: 'public', reason: `every endpoint connection of ${names} is on a public address` };
  }
  if (publicOnes.length > 0) {
    return {
      route: 'mixed',
      reason: `${publicOnes.length} of ${established.length} endpoint connections on a public address (${holdersOf(publicOnes)})`,
    };
  }
  const strange = established.find(({ route }) => route !== 'x-eni');
  if (strange === undefined) return null;
  const peer = strange.socket.peer.text;
  const what =
    strange.route === 'proxy'
      ? 'the proxy that it is told to use'
      : `a ${strange.route} address that is not known as an X-ENI`;
  return { route: 'other', reason: `${nameOf(strange.client)} is connected to ${peer}, ${what}` };
}

/** The last slice goes on counting: who reads the verdict must know how old it is. */
function sliceAge({ at, endpointSlice }: Observation): string {
  const readAt = endpointSlice?.answer?.at;
  if (readAt === undefined || !isOld(readAt, at, SLICE_INTERVAL_MS)) return '';
  return `, by an EndpointSlice that was last read ${duration(at.monotonicMs - readAt.monotonicMs)} ago`;
}

function holdersOf(connections: readonly EndpointConnection[]): string {
  return list([...new Set(connections.map(({ client }) => nameOf(client)))]);
}

/** The client's name for a sentence. */
function nameOf(client: string): string {
  return client === UNATTRIBUTED ? 'unattributed sockets' : client;
}

/** A client that may be on its way through a proxy which nobody could recognise. */
function proxyObstacleOf(
  found: readonly ClientView[],
  { nodeConfig }: Pick<Observation, 'nodeConfig'>,
): string | null {
  if (!nodeConfig?.proxies) return 'whether the clients are told to use a proxy has not been read yet';
  const hidden = nodeConfig.proxies.find(
    ({ client, error }) => error !== null && found.some((one) => one.client === client),
  );
  return hidden === undefined
    ? null
    : `whether ${hidden.client} goes by a proxy cannot be told: ${hidden.error}`;
}

/**
 * `x-eni` and `none` are what a missed row looks like too: they need two looks in a row that agree, both without
 * a rejected row and not too far apart. Both looks are judged by what is known now: it is the sockets that must agree.
 */
export function confirm(
  now: LookVerdict,
  judgeLast: () => LookVerdict | null,
  scanIntervalMs: number,
): Verdict {
  const { route, reason } = now;
  if (route !== 'x-eni' && route !== 'none') return { route, reason };
  if (!now.clean) return unknown('a row of the TCP tables could not be parsed');
  const last = judgeLast();
  if (last === null || last.route !== now.route)
    return unknown(`${now.route} in one look only: a second one must agree`);
  if (!last.clean) return unknown('a row of the TCP tables could not be parsed one look ago');
  if (now.at.monotonicMs - last.at.monotonicMs > OUTDATED_AFTER_INTERVALS * scanIntervalMs) {
    return unknown(`the look before is too old to confirm ${now.route}`);
  }
  return { route, reason };
}

/** What one look alone says. */
export interface LookVerdict extends Verdict {
  readonly at: Moment;
  /** Without a rejected row. */
  readonly clean: boolean;
}

function unknown(reason: string): Verdict {
  return { route: 'unknown', reason };
}

/** Why nothing can be said at all, or null. */
function obstacleOf(
  clients: readonly ClientView[],
  observation: Observation,
  { attribution, obstacle }: Tier,
): string | null {
  const { endpoint, owners, tables } = observation;
  if (tables === null) return `the TCP tables could not be read: ${stageError(observation, 'sockets')}`;
  if (attribution === 'none') return obstacle ?? 'the owners of sockets could not be told';
  if (owners === null) return 'the processes could not be read';
  if (endpoint === null) return endpointObstacle(observation);
  const missing = clients.find(({ required, found }) => required && !found);
  return missing === undefined ? null : `${missing.client} is not running, and it is required`;
}

function endpointObstacle(observation: Observation): string {
  return `the endpoint is not known: ${stageError(observation, 'endpoint')}`;
}

function establishedOf({ connections }: ClientView): ClientView['connections'] {
  return connections.filter(({ socket }) => socket.state === 'established');
}

function stageError(observation: Observation, name: string): string {
  return observation.stages.find(({ stage }) => stage === name)?.error ?? 'not looked for yet';
}
