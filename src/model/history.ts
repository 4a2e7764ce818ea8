/** What earlier looks leave behind: a fold of observations. Every function returns a new history. */
import { clientSockets, type EndpointConnection, type SeenSocket } from './connections.ts';
import type { ClientProcess, Moment, Observation, OwnersSeen, Socket, SocketTable } from './observation.ts';
import { type NodeStatus, type Route, UNATTRIBUTED } from './status.ts';
import type { Minute } from './timeline.ts';
import { NO_X_ENIS, type XEniHistory } from './x-eni-history.ts';

export interface History {
  /** The first look. */
  readonly since: Moment;
  readonly looks: number;
  readonly sockets: ReadonlyMap<string, TrackedSocket>;
  /**
   * Clients that were read, or known to be absent, at least once, and what they held then: what they hold beside it,
   * they opened before our eyes. (One of these may have had its row missed in that look.)
   */
  readonly baselines: ReadonlyMap<string, Baseline>;
  readonly opens: ReadonlyMap<string, Readonly<Record<Route, number>>>;
  readonly lastLook: Observation | null;
  /** Since when the node route is what it is. */
  readonly routeSince: Moment;
  /** Since when the node route was not the expected one; null while it is. */
  readonly unexpectedSince: Moment | null;
  /** Since when every look said `x-eni`; null where the last did not. */
  readonly xEniSince: Moment | null;
  /** The last hour. */
  readonly minutes: readonly Minute[];
  readonly xEnis: XEniHistory;
  /** Peers that nobody knows, by client and peer, on whatever socket. */
  readonly met: ReadonlyMap<string, Met>;
  readonly lastStatus: NodeStatus | null;
}

interface Met {
  readonly firstSeenAt: Moment;
  readonly lastSeenAt: Moment;
}

/** A client that connects anew more often than it is looked at is still the same client at the same peer. */
const MET_FOR_MS = 300_000;

interface Baseline {
  readonly at: Moment;
  readonly inodes: ReadonlySet<number>;
}

export interface TrackedSocket extends SeenSocket {
  /** Opened before this agent first read the client's sockets. */
  readonly baseline: boolean;
  /** Whether its open was counted. */
  readonly counted: boolean;
  /** Its row was absent from the last look, though its owner still holds the descriptor. */
  readonly missed: boolean;
  readonly staleSince: Moment | null;
  /** Since when every look found it in SYN_SENT; null where the last did not. */
  readonly stuckSince: Moment | null;
  /** Since when every look found it with bytes to send and time-outs that only grew; null where the last did not. */
  readonly retransmittingSince: Moment | null;
}

export function emptyHistory(since: Moment): History {
  return {
    since,
    looks: 0,
    sockets: new Map(),
    baselines: new Map(),
    opens: new Map(),
    lastLook: null,
    routeSince: since,
    unexpectedSince: null,
    xEniSince: null,
    minutes: [],
    xEnis: NO_X_ENIS,
    met: new Map(),
    lastStatus: null,
  };
}

/**
 * Carries the clients' sockets over to this look. A row can be absent from one read of the table (the kernel
 * resumes by position): a socket whose owner still holds its descriptor is kept for one look without its row.
 * A look that could not read sockets at all closes nothing.
 */
export function trackSockets(history: History, observation: Observation): History {
  const { at, owners, tables } = observation;
  const byAddress = tables?.some(({ unattributed }) => unattributed !== null) ?? false;
  if (tables === null || (owners === null && !byAddress)) return history;
  const sockets = new Map<string, TrackedSocket>();
  for (const current of clientSockets(observation).values()) {
    const { socket, process } = current;
    const before = history.sockets.get(current.key);
    const baseline = history.baselines.get(process.client);
    const heldBefore = baseline?.inodes.has(socket.inode) ?? true;
    sockets.set(current.key, {
      ...current,
      // Decided at first sight: a listener that comes later has not accepted it.
      accepted: before?.accepted ?? current.accepted,
      firstSeenAt: before?.firstSeenAt ?? (heldBefore ? (baseline?.at ?? at) : at),
      // Nobody's baseline is unknown: it becomes that of the client that turns out to hold the socket.
      baseline: before?.process.client === process.client ? before.baseline : heldBefore,
      counted: before?.counted ?? false,
      missed: false,
      staleSince: before?.staleSince ?? null,
      stuckSince: socket.state === 'syn-sent' ? (before?.stuckSince ?? at) : null,
      retransmittingSince: isRetransmitting(socket) ? (continued(before, socket) ?? at) : null,
    });
  }
  const shown = new Map(tables.map((table) => [table.netns, inodesOf(table)]));
  for (const before of history.sockets.values()) {
    if (sockets.has(before.key)) continue;
    const isUnattributed = before.process.client === UNATTRIBUTED;
    const fate =
      isUnattributed !== byAddress
        ? fateUnasked(before, owners)
        : isUnattributed
          ? fateOfUnattributed(before, shown)
          : fateOf(before, owners, shown);
    if (fate === 'unseen') sockets.set(before.key, before);
    if (fate === 'missed' && !before.missed) sockets.set(before.key, { ...before, missed: true });
  }
  return { ...history, sockets };
}

function inodesOf({ sockets, unattributed }: SocketTable): ReadonlySet<number> {
  return new Set((unattributed ?? sockets).map(({ inode }) => inode));
}

function isRetransmitting({ state, retransmits, sendQueueBytes }: Socket): boolean {
  return state === 'established' && retransmits > 0 && sendQueueBytes > 0;
}

/** Since when the same time-outs go on: fewer than at the look before are new ones, something got through in between. */
function continued(before: TrackedSocket | undefined, now: Socket): Moment | null {
  const goesOn = before !== undefined && now.retransmits >= before.socket.retransmits;
  return goesOn ? before.retransmittingSince : null;
}

type Fate = 'closed' | 'missed' | 'unseen';

/** In a look that tells sockets apart in the other way. */
function fateUnasked({ process }: TrackedSocket, owners: OwnersSeen | null): Fate {
  if (process.client === UNATTRIBUTED) return 'closed';
  return owners === null || holderOf(process, owners) !== undefined ? 'unseen' : 'closed';
}

function holderOf({ pid, startTicks }: ClientProcess, { processes }: OwnersSeen): ClientProcess | undefined {
  return processes.find((process) => process.pid === pid && process.startTicks === startTicks);
}

/** Nobody is known to hold its descriptor any more: a row that is absent may be missed, one that is there is closing. */
function fateOfUnattributed(
  { process: { netns }, socket: { inode } }: TrackedSocket,
  shown: ReadonlyMap<string, ReadonlySet<number>>,
): Fate {
  const inodes = shown.get(netns);
  return inodes === undefined || inodes.has(inode) ? 'closed' : 'missed';
}

/** What became of a socket that is no longer among the open ones; `shown`: the inodes of each namespace's tables. */
function fateOf(
  { process, socket: { inode } }: TrackedSocket,
  owners: OwnersSeen | null,
  shown: ReadonlyMap<string, ReadonlySet<number>>,
): Fate {
  if (owners === null) return 'unseen';
  const holder = holderOf(process, owners);
  if (holder === undefined) {
    const hidden = owners.unreadable > 0 && !owners.processes.some(({ client }) => client === process.client);
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
  { dnsChangedAt, baselines }: { dnsChangedAt: Moment | null; baselines: History['baselines'] },
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
  // The first baseline of a client counts: later ones would hide what it opened in between.
  return { ...history, sockets, opens, baselines: new Map([...baselines, ...history.baselines]) };
}

/** Since when each of these peers is met, and those that were met lately; a look is at `at`. */
export function recordMet(
  met: History['met'],
  strangers: readonly { readonly key: string; readonly firstSeenAt: Moment }[],
  at: Moment,
): History['met'] {
  const still = [...met].filter(([, { lastSeenAt }]) => at.monotonicMs - lastSeenAt.monotonicMs < MET_FOR_MS);
  const now = new Map(still);
  for (const { key, firstSeenAt } of strangers) {
    now.set(key, { firstSeenAt: met.get(key)?.firstSeenAt ?? firstSeenAt, lastSeenAt: at });
  }
  return now;
}

/** From the DNS change on where it was seen while the connection stood, else from first sight. */
function staleFrom({ firstSeenAt }: TrackedSocket, dnsChangedAt: Moment | null): Moment {
  return dnsChangedAt !== null && dnsChangedAt.monotonicMs > firstSeenAt.monotonicMs
    ? dnsChangedAt
    : firstSeenAt;
}

/** An open for each route: none. */
export function noOpens(): Record<Route, number> {
  return { 'x-eni': 0, vpc: 0, private: 0, public: 0, proxy: 0 };
}
