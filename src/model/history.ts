/** What earlier looks leave behind: a fold of observations. Every function returns a new history. */
import { clientSockets, type EndpointConnection, type SeenSocket } from './connections.ts';
import type { Moment, Observation, OwnersSeen } from './observation.ts';
import type { NodeStatus, Route } from './status.ts';

export interface History {
  /** The first look. */
  readonly since: Moment;
  readonly looks: number;
  readonly sockets: ReadonlyMap<string, TrackedSocket>;
  /** Clients that were read, or known to be absent, at least once: what they hold anew, they opened before our eyes. */
  readonly baselined: ReadonlySet<string>;
  readonly opens: ReadonlyMap<string, Readonly<Record<Route, number>>>;
  readonly lastLook: Observation | null;
  /** Since when the node route was not the expected one; null while it is. */
  readonly unexpectedSince: Moment | null;
  readonly lastStatus: NodeStatus | null;
}

export interface TrackedSocket extends SeenSocket {
  /** Opened before this agent first read the client's sockets. */
  readonly baseline: boolean;
  /** Whether its open was counted. */
  readonly counted: boolean;
  /** Its row was absent from the last look, though its owner still holds the descriptor. */
  readonly missed: boolean;
  readonly staleSince: Moment | null;
}

export function emptyHistory(since: Moment): History {
  return {
    since,
    looks: 0,
    sockets: new Map(),
    baselined: new Set(),
    opens: new Map(),
    lastLook: null,
    unexpectedSince: null,
    lastStatus: null,
  };
}

/**
 * Carries the clients' sockets over to this look. A row can be absent from one read of the table (the kernel
 * resumes by position): a socket whose owner still holds its descriptor is kept for one look without its row.
 * A look that could not read sockets at all closes nothing.
 */
export function trackSockets(history: History, observation: Observation): History {
  if (observation.owners === null || observation.tables === null) return history;
  const sockets = new Map<string, TrackedSocket>();
  for (const current of clientSockets(observation).values()) {
    const before = history.sockets.get(current.key);
    sockets.set(current.key, {
      ...current,
      // Decided at first sight: a listener that comes later has not accepted it.
      accepted: before?.accepted ?? current.accepted,
      firstSeenAt: before?.firstSeenAt ?? observation.at,
      baseline: before?.baseline ?? !history.baselined.has(current.process.client),
      counted: before?.counted ?? false,
      missed: false,
      staleSince: before?.staleSince ?? null,
    });
  }
  const { owners } = observation;
  const shown = new Map(
    observation.tables.map((table) => [table.netns, new Set(table.sockets.map(({ inode }) => inode))]),
  );
  for (const before of history.sockets.values()) {
    if (sockets.has(before.key)) continue;
    const fate = fateOf(before, owners, shown);
    if (fate === 'unseen') sockets.set(before.key, before);
    if (fate === 'missed' && !before.missed) sockets.set(before.key, { ...before, missed: true });
  }
  return { ...history, sockets };
}

/** What became of a socket that is no longer among the open ones; `shown`: the inodes of each namespace's tables. */
function fateOf(
  { process: { client, pid, startTicks }, socket: { inode } }: TrackedSocket,
  owners: OwnersSeen,
  shown: ReadonlyMap<string, ReadonlySet<number>>,
): 'closed' | 'missed' | 'unseen' {
  const holder = owners.processes.find((process) => process.pid === pid && process.startTicks === startTicks);
  if (holder === undefined) {
    const hidden = owners.unreadable > 0 && !owners.processes.some((process) => process.client === client);
    return hidden ? 'unseen' : 'closed';
  }
  const inodes = shown.get(holder.netns);
  if (holder.socketInodes === null || inodes === undefined) return 'unseen';
  // Its row is there and says that it is closing, or its descriptor is gone: no read missed it.
  const closing = inodes.has(inode);
  return closing || !holder.socketInodes.has(inode) ? 'closed' : 'missed';
}

/** Counts the opens among this look's connections, and notes since when each stale one is stale. */
export function recordConnections(
  history: History,
  connections: readonly EndpointConnection[],
  { dnsChangedAt, readable }: { dnsChangedAt: Moment | null; readable: readonly string[] },
): History {
  const sockets = new Map(history.sockets);
  const opens = new Map(history.opens);
  for (const connection of connections) {
    const tracked = sockets.get(connection.key);
    if (tracked === undefined) continue;
    const opened = connection.socket.state === 'established' && !tracked.baseline && !tracked.counted;
    if (opened) {
      const before = opens.get(connection.client) ?? noOpens();
      opens.set(connection.client, { ...before, [connection.route]: before[connection.route] + 1 });
    }
    const staleSince = connection.stale ? (tracked.staleSince ?? staleFrom(tracked, dnsChangedAt)) : null;
    sockets.set(connection.key, { ...tracked, counted: tracked.counted || opened, staleSince });
  }
  return { ...history, sockets, opens, baselined: new Set([...history.baselined, ...readable]) };
}

/** From the DNS change on where it was seen while the connection stood, else from first sight. */
function staleFrom({ firstSeenAt }: TrackedSocket, dnsChangedAt: Moment | null): Moment {
  return dnsChangedAt !== null && dnsChangedAt.monotonicMs > firstSeenAt.monotonicMs
    ? dnsChangedAt
    : firstSeenAt;
}

/** An open for each route: none. */
export function noOpens(): Record<Route, number> {
  return { 'x-eni': 0, vpc: 0, private: 0, public: 0 };
}
