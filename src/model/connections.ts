/** Sockets x owners -> the clients' sockets -> those that are connections to the endpoint, with the evidence. */
import { type Address, rangeContains } from './address.ts';
import type { ClientProcess, EndpointSeen, Listener, Moment, Observation, Socket } from './observation.ts';
import { isGloballyReachable, isLoopback, type Knowledge, routeOf } from './route.ts';
import type { ServiceSetting } from './settings.ts';
import type { Evidence, Route } from './status.ts';

/** A socket together with the client process that holds it. */
export interface ClientSocket {
  /** Names the socket for as long as it lives: a 4-tuple or an inode alone can come again. */
  readonly key: string;
  readonly process: ClientProcess;
  readonly socket: Socket;
  /** Whether the peer opened it: something in the same network namespace listens where it ends. */
  readonly accepted: boolean;
}

/** A client's connection to the endpoint. */
export interface EndpointConnection {
  readonly key: string;
  readonly client: string;
  readonly pid: number;
  readonly socket: Socket;
  readonly route: Route;
  readonly evidence: Evidence;
  /** Established, on a route that no current DNS address has; null where that cannot be said. */
  readonly stale: boolean | null;
  readonly firstSeenAt: Moment;
}

/** How a client's sockets divide. */
export interface ClientConnections {
  readonly endpoint: readonly EndpointConnection[];
  /** Connections to or from anything else. */
  readonly ignored: number;
  /**
   * Whether all that it opened are established connections to the `kubernetes` Service: the pods' way, which says
   * nothing of the node's. Anything else, on loopback too, may lead to the endpoint through a proxy.
   */
  readonly viaServiceOnly: boolean;
}

/** A socket and since when it is known. */
export interface SeenSocket extends ClientSocket {
  readonly firstSeenAt: Moment;
}

/** What a socket is compared with to tell whether it goes to the endpoint. */
export interface EndpointFacts {
  readonly endpoint: EndpointSeen;
  readonly known: Knowledge;
  readonly service: ServiceSetting | null;
  readonly now: Moment;
}

/**
 * From when on a private peer on the endpoint's port is presumed to be the endpoint: kubelet's probes to pods on
 * the same port live for seconds, a connection to an API server for hours.
 */
export const PRESUME_PRIVATE_AFTER_MS = 60_000;

/** The established and opening sockets of every readable client, each once however many processes share it. */
export function clientSockets(observation: Observation): ReadonlyMap<string, ClientSocket> {
  const found = new Map<string, ClientSocket>();
  for (const process of observation.owners?.processes ?? []) {
    const table = observation.tables?.find((candidate) => candidate.netns === process.netns);
    for (const socket of table?.sockets ?? []) {
      if (socket.state !== 'established' && socket.state !== 'syn-sent') continue;
      if (!process.socketInodes?.has(socket.inode)) continue;
      const key = [
        process.netns,
        socket.inode,
        socket.local.text,
        socket.localPort,
        socket.peer.text,
        socket.peerPort,
      ].join(' ');
      const accepted = table?.listeners.some((listener) => listensFor(listener, socket)) ?? false;
      if (!found.has(key)) found.set(key, { key, process, socket, accepted });
    }
  }
  return found;
}

/**
 * Whether a connection to the listener would end in such a socket: it has the listener's family, and so its table.
 * The port alone says nothing: anyone may listen on the local port of another's connection at another address of the
 * machine, or in the other family.
 */
function listensFor({ table, local, port }: Listener, socket: Socket): boolean {
  if (port !== socket.localPort || table !== socket.table) return false;
  return local.text === '::' || local.text === '0.0.0.0' || local.key === socket.local.key;
}

/** Tells one client's endpoint connections from the rest of its sockets. */
export function endpointConnections(sockets: readonly SeenSocket[], facts: EndpointFacts): ClientConnections {
  const endpoint: EndpointConnection[] = [];
  let ignored = 0;
  let viaService = 0;
  let elsewhere = 0;
  const dnsRoutes = facts.known.dns?.map((address) => routeOf(address, facts.known)) ?? null;
  for (const seen of sockets) {
    const { socket } = seen;
    const toService = !seen.accepted && isToService(socket, facts);
    const evidence = toService || seen.accepted ? null : evidenceOf(seen, facts);
    if (evidence === null) {
      ignored++;
      if (toService && socket.state === 'established') viaService++;
      else if (!seen.accepted) elsewhere++;
      continue;
    }
    const route = routeOf(socket.peer, facts.known);
    const stale = socket.state === 'established' && dnsRoutes !== null ? !dnsRoutes.includes(route) : null;
    endpoint.push({
      key: seen.key,
      client: seen.process.client,
      pid: seen.process.pid,
      socket,
      route,
      evidence,
      stale,
      firstSeenAt: seen.firstSeenAt,
    });
  }
  return { endpoint, ignored, viaServiceOnly: viaService > 0 && elsewhere === 0 && endpoint.length === 0 };
}

/** Why the socket is taken for an endpoint connection, the strongest reason first; null where it is not. */
function evidenceOf(seen: SeenSocket, { endpoint, known, now }: EndpointFacts): Evidence | null {
  const { peer, peerPort } = seen.socket;
  if (isLoopback(peer) || peerPort !== endpoint.port) return null;
  if (known.xEnis.some((range) => rangeContains(range, peer)) || holds(known.literal, peer)) return 'config';
  if (holds(known.dns, peer)) return 'dns';
  if (holds(known.earlier, peer)) return 'dns-history';
  if (routeOf(peer, known) === 'public') return 'presumed';
  const heldMs = now.monotonicMs - seen.firstSeenAt.monotonicMs;
  return heldMs >= PRESUME_PRIVATE_AFTER_MS ? 'presumed' : null;
}

/**
 * True for a connection to the ClusterIP. Some installations set KUBERNETES_SERVICE_HOST to the endpoint itself: an
 * address that is globally reachable, or known as the endpoint's, is never left out as a Service's.
 */
function isToService({ peer, peerPort }: Socket, { service, known }: EndpointFacts): boolean {
  return (
    peer.key === service?.address.key &&
    peerPort === service.port &&
    !isGloballyReachable(peer) &&
    ![known.dns, known.earlier, known.literal].some((addresses) => holds(addresses, peer)) &&
    !known.xEnis.some((range) => rangeContains(range, peer))
  );
}

function holds(addresses: readonly Address[] | null, address: Address): boolean {
  return addresses?.some((candidate) => candidate.key === address.key) ?? false;
}
