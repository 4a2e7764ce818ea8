/** The stale connections, as findings tell of them: the oldest of each client stands for the others. */
import type { ClientView } from './clients.ts';
import type { EndpointConnection } from './connections.ts';
import type { TrackedSocket } from './history.ts';
import type { Moment } from './observation.ts';
import { moveIt, type Situation } from './remedies.ts';
import { type Knowledge, routeOf } from './route.ts';
import { duration, list } from './text.ts';

export interface StaleGroup {
  readonly client: string;
  readonly oldest: EndpointConnection;
  readonly count: number;
  readonly ageMs: number;
  /** Whether DNS was seen to change while the connection stood; else it may be stale for much longer. */
  readonly changeSeen: boolean;
}

/** The stale connections of each client whose age and connection fit; null where staleness is not known. */
export function staleGroups(
  { clients, tracked, now, known }: StaleFacts,
  fits: (ageMs: number, connection: EndpointConnection) => boolean,
): readonly StaleGroup[] | null {
  if (known.dns === null) return null;
  return clients.flatMap(({ client, connections }) => {
    const aged = connections
      .filter(({ stale }) => stale)
      .map((connection) => {
        const since = tracked.get(connection.key)?.staleSince ?? connection.firstSeenAt;
        const ageMs = now.monotonicMs - since.monotonicMs;
        const changeSeen = since.monotonicMs > connection.firstSeenAt.monotonicMs;
        return { oldest: connection, ageMs, changeSeen };
      })
      .filter(({ ageMs, oldest }) => fits(ageMs, oldest))
      .sort((a, b) => b.ageMs - a.ageMs);
    const [first] = aged;
    return first === undefined ? [] : [{ client, count: aged.length, ...first }];
  });
}

export interface StaleFacts {
  readonly clients: readonly ClientView[];
  readonly tracked: ReadonlyMap<string, TrackedSocket>;
  readonly now: Moment;
  readonly known: Knowledge;
}

export function staleSummary(
  { client, oldest, count, ageMs, changeSeen }: StaleGroup,
  { known }: Pick<StaleFacts, 'known'>,
): string {
  const held = count === 1 ? 'a connection' : `${count} connections, one of them`;
  const given = list([...new Set(known.dns?.map((address) => routeOf(address, known)))]);
  const age = changeSeen ? `, for ${duration(ageMs)}` : `; seen for ${duration(ageMs)}, it may be older`;
  return `${client} holds ${held} to ${oldest.socket.peer.text} (${oldest.route}) while DNS gives ${given}${age}`;
}

export function movingRemedy({ oldest, changeSeen }: StaleGroup, now: Situation): string {
  const { staleAfterMs, expect } = now.settings;
  if (oldest.route === expect) return 'nothing: its route is the expected one; it is DNS that differs';
  const later = `after ${duration(staleAfterMs)} this becomes StaleConnection`;
  return changeSeen
    ? `nothing yet: a process moves when it next opens a connection; ${later}. To move it now, ${moveIt(oldest, now)}`
    : `if DNS changed some minutes ago, nothing yet: a process moves when it next opens a connection. Else ${moveIt(oldest, now)}`;
}
