/** Sockets x owners -> the clients' sockets -> those that are connections to the endpoint, with the evidence. */
import type { Address } from './address.ts';
import { isHosts } from './attribution.ts';
import { type Identities, identityOf } from './identities.ts';
import type {
  ClientProcess,
  EndpointSeen,
  Listener,
  Moment,
  Observation,
  ProxySeen,
  Socket,
} from './observation.ts';
import { holds, isGloballyReachable, isIn, isLoopback, type Knowledge, routeOf } from './route.ts';
import type { ServiceSetting } from './settings.ts';
import { type Evidence, type Route, UNATTRIBUTED } from './status.ts';

/** A socket together with the client process that holds it. */
export interface ClientSocket {
  /** Names the socket for as long as it lives: a 4-tuple or an inode alone can come again. */
  readonly key: string;
  readonly process: ClientProcess;
  readonly socket: Socket;
  /** Whether the peer opened it: something in the same network namespace listens where it ends. */
  readonly accepted: boolean;
}

/** A peer of which nobody knows whether it is the endpoint's. */
export interface Stranger {
  readonly address: Address;
  readonly port: number;
  /** Whether its certificate has told, believably. */
  readonly isTold: boolean;
  readonly firstSeenAt: Moment;
}

/** Whether it was there in an earlier look too: it is worth a question, and a doubt. */
export function isSeenTwice({ firstSeenAt }: Stranger, now: Moment): boolean {
  return firstSeenAt.monotonicMs < now.monotonicMs;
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
  /** Peers on the endpoint's port, of established connections, that only their certificate can tell. */
  readonly strangers: readonly Stranger[];
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
  /** What certificates told of strangers. */
  readonly identities: Identities;
  /** Of every client that uses one. */
  readonly proxies: readonly ProxySeen[];
  readonly now: Moment;
}

/**
 * From when on a private peer on the endpoint's port is presumed to be the endpoint: kubelet's probes to pods on
 * the same port live for seconds, a connection to an API server for hours.
 */
export const PRESUME_PRIVATE_AFTER_MS = 60_000;

/**
 * The established and opening sockets of every readable client, each once however many processes share it; and where
 * owners are not told apart those that go to the endpoint's port, as of one client without a process.
 */
export function clientSockets(observation: Observation): ReadonlyMap<string, ClientSocket> {
  const found = new Map<string, ClientSocket>();
  const add = (process: ClientProcess, socket: Socket, listeners: readonly Listener[]) => {
    if (socket.state !== 'established' && socket.state !== 'syn-sent') return;
    const key = keyOf(process.netns, socket);
    const accepted = listeners.some((listener) => listensFor(listener, socket));
    if (!found.has(key)) found.set(key, { key, process, socket, accepted });
  };
  const { owners, tables } = observation;
  if (tables?.some(({ unattributed }) => unattributed !== null)) {
    for (const { netns, unattributed, listeners } of tables.filter(isHosts)) {
      const process = nobody(netns, unattributed ?? []);
      for (const socket of unattributed ?? []) add(process, socket, listeners);
    }
    return found;
  }
  for (const process of owners?.processes ?? []) {
    const table = tables?.find((candidate) => candidate.netns === process.netns);
    for (const socket of table?.sockets ?? []) {
      if (process.socketInodes?.has(socket.inode)) add(process, socket, table?.listeners ?? []);
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
  const strangers: Stranger[] = [];
  let ignored = 0;
  let viaService = 0;
  let elsewhere = 0;
  const dnsRoutes = facts.known.dns?.map((address) => routeOf(address, facts.known)) ?? null;
  for (const seen of sockets) {
    const { socket, firstSeenAt } = seen;
    const toService = !seen.accepted && isToService(socket, facts);
    const evidence = toService || seen.accepted ? null : evidenceOf(seen, facts);
    if (!toService && !seen.accepted && isStranger(seen, evidence, facts))
      strangers.push({
        address: socket.peer,
        port: socket.peerPort,
        isTold: isTold(socket, facts),
        firstSeenAt,
      });
    if (evidence === null) {
      ignored++;
      if (toService && socket.state === 'established') viaService++;
      else if (!seen.accepted) elsewhere++;
      continue;
    }
    const route = evidence === 'proxy' ? 'proxy' : routeOf(socket.peer, facts.known);
    endpoint.push({
      key: seen.key,
      client: seen.process.client,
      pid: seen.process.pid,
      socket,
      route,
      evidence,
      stale: isStale(socket, route, dnsRoutes),
      firstSeenAt,
    });
  }
  const viaServiceOnly = viaService > 0 && elsewhere === 0 && endpoint.length === 0;
  return { endpoint, ignored, strangers, viaServiceOnly };
}

/** The proxy asks DNS for itself: what DNS says here makes no connection to it stale. */
function isStale({ state }: Socket, route: Route, dnsRoutes: readonly Route[] | null): boolean | null {
  if (state !== 'established' || dnsRoutes === null) return null;
  return route !== 'proxy' && !dnsRoutes.includes(route);
}

/** Why the socket is taken for an endpoint connection, the strongest reason first; null where it is not. */
function evidenceOf(seen: SeenSocket, facts: EndpointFacts): Evidence | null {
  const { endpoint, known, identities, now } = facts;
  const { peer, peerPort } = seen.socket;
  if (isToProxy(seen, facts)) return 'proxy';
  if (isLoopback(peer)) return null;
  if (peerPort === known.slice?.port && holds(known.slice.addresses, peer)) return 'endpointslice';
  if (peerPort !== endpoint.port) return null;
  if (isIn(known.xEnis, peer) || holds(known.pinned, peer)) return 'config';
  if (holds(known.dns, peer)) return 'dns';
  if (holds(known.earlier, peer)) return 'dns-history';
  if (holds(known.former, peer)) return 'endpointslice';
  // Nobody's sockets are not asked about: a stranger's may be anyone's.
  if (seen.process.client === UNATTRIBUTED) return null;
  const identity = identityOf(identities, peer, peerPort);
  if (identity === 'cluster') return 'tls';
  // A wrong CA must hide nothing: it is believed only while it does verify an address of the endpoint.
  if (identity === 'other' && identities.caVerified) return null;
  if (routeOf(peer, known) === 'public') return 'presumed';
  const heldMs = now.monotonicMs - seen.firstSeenAt.monotonicMs;
  return heldMs >= PRESUME_PRIVATE_AFTER_MS ? 'presumed' : null;
}

/** Whether only its certificate can tell what the peer is. */
function isStranger(
  { socket: { peer, peerPort, state }, process }: SeenSocket,
  evidence: Evidence | null,
  { endpoint }: EndpointFacts,
): boolean {
  return (
    (evidence === null || evidence === 'presumed' || evidence === 'tls') &&
    state === 'established' &&
    peerPort === endpoint.port &&
    !isLoopback(peer) &&
    process.client !== UNATTRIBUTED
  );
}

function isTold({ peer, peerPort }: Socket, { identities }: EndpointFacts): boolean {
  const identity = identityOf(identities, peer, peerPort);
  return identity === 'cluster' || (identity === 'other' && identities.caVerified);
}

function isToProxy({ process, socket: { peer, peerPort } }: SeenSocket, { proxies }: EndpointFacts): boolean {
  return proxies.some(
    ({ client, port, addresses }) => client === process.client && port === peerPort && holds(addresses, peer),
  );
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
    ![known.slice?.addresses, known.dns, known.earlier, known.pinned, known.former].some((addresses) =>
      holds(addresses, peer),
    ) &&
    !isIn(known.xEnis, peer)
  );
}

function keyOf(netns: string, { inode, local, localPort, peer, peerPort }: Socket): string {
  return [netns, inode, local.text, localPort, peer.text, peerPort].join(' ');
}

/** Stands for the owner of sockets that are not told apart. */
function nobody(netns: string, sockets: readonly Socket[]): ClientProcess {
  return {
    client: UNATTRIBUTED,
    pid: 0,
    startTicks: 0,
    startedAtMs: 0,
    netns,
    socketInodes: new Set(sockets.map(({ inode }) => inode)),
    error: null,
  };
}
