/** The node's route: the verdict over the established endpoint connections of every client found. */
import type { ClientView } from './clients.ts';
import type { Moment, Observation } from './observation.ts';
import type { NodeRoute } from './status.ts';

export interface Verdict {
  readonly route: NodeRoute;
  /** One sentence, without a final period. */
  readonly reason: string;
}

/** A status older than this many scan intervals says nothing of the node any more. */
export const OUTDATED_AFTER_INTERVALS = 3;

/** The route as this look alone shows it: the first that fits. */
export function routeOfLook(clients: readonly ClientView[], observation: Observation): LookVerdict {
  const clean = observation.tables?.every(({ rejectedRows }) => rejectedRows === 0) ?? false;
  return { ...judgeConnections(clients, observation), at: observation.at, clean };
}

function judgeConnections(clients: readonly ClientView[], observation: Observation): Verdict {
  const obstacle = obstacleOf(clients, observation);
  if (obstacle !== null) return unknown(obstacle);

  const found = clients.filter((client) => client.found);
  const established = found.flatMap(establishedOf);
  const names = list(found.filter((client) => establishedOf(client).length > 0).map(({ client }) => client));
  if (established.length === 0)
    return { route: 'none', reason: 'no client has an established endpoint connection' };

  const publicOnes = established.filter(({ route }) => route === 'public');
  if (publicOnes.length === established.length) {
    return { route: 'public', reason: `every endpoint connection of ${names} is on a public address` };
  }
  if (publicOnes.length > 0) {
    const holders = list([...new Set(publicOnes.map(({ client }) => client))]);
    return {
      route: 'mixed',
      reason: `${publicOnes.length} of ${established.length} endpoint connections on a public address (${holders})`,
    };
  }
  const strange = established.find(({ route }) => route !== 'x-eni');
  if (strange !== undefined) {
    const peer = strange.socket.peer.text;
    return {
      route: 'other',
      reason: `${strange.client} is connected to ${peer}, a ${strange.route} address that is not known as an X-ENI`,
    };
  }
  // A client that only goes by the kubernetes Service, the pods' way, has no say; a required one must have one.
  const silent = found.find(
    (client) => establishedOf(client).length === 0 && (client.required || !client.viaServiceOnly),
  );
  if (silent !== undefined) {
    return unknown(`${silent.client} has no established endpoint connection`);
  }
  return { route: 'x-eni', reason: `every endpoint connection of ${names} is on an X-ENI` };
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
function obstacleOf(clients: readonly ClientView[], observation: Observation): string | null {
  const { endpoint, owners, tables } = observation;
  if (owners === null) return `the processes could not be read: ${stageError(observation, 'owners')}`;
  if (tables === null) return `the TCP tables could not be read: ${stageError(observation, 'sockets')}`;
  if (endpoint === null) return `the endpoint is not known: ${stageError(observation, 'endpoint')}`;
  if (owners.unreadable > 0)
    return `some processes could not be read (${owners.unreadable}): one may be a client`;
  const blind = clients.find(({ readable }) => readable === false);
  if (blind !== undefined) return `${blind.client} could not be read: ${blind.obstacle}`;
  const missing = clients.find(({ required, found }) => required && !found);
  return missing === undefined ? null : `${missing.client} is not running, and it is required`;
}

function establishedOf({ connections }: ClientView): ClientView['connections'] {
  return connections.filter(({ socket }) => socket.state === 'established');
}

function stageError(observation: Observation, name: string): string {
  return observation.stages.find(({ stage }) => stage === name)?.error ?? 'not looked for yet';
}

/** `a`, `a and b`, `a, b and c` */
export function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
