/** What changed from one node status to the next, for people who read back in time. */
import type { ClientStatus, ConnectionStatus, NodeStatus, StatusEvent } from './status.ts';

/** The changes, newest first. Before the first status the route is unknown, and nothing else can have changed. */
export function eventsBetween(before: NodeStatus | null, after: NodeStatus): readonly StatusEvent[] {
  if (before === null) {
    const detail = `unknown -> ${after.route}`;
    return after.route === 'unknown' ? [] : [{ at: after.observedAt, event: 'route', detail }];
  }
  const details: (readonly [StatusEvent['event'], string])[] = [];
  for (const client of after.clients) {
    const previous = before.clients.find((other) => other.client === client.client);
    if (previous !== undefined) details.push(...clientChanges(previous, client, after.observedAt));
  }
  const dns = [addressesOf(before.dns), addressesOf(after.dns)] as const;
  if (dns[0] !== dns[1]) details.push(['dns', `${dns[0]} -> ${dns[1]}`]);
  const xEni = [addressesOf(before.xEni), addressesOf(after.xEni)] as const;
  if (xEni[0] !== xEni[1]) details.push(['x-eni', `${xEni[0]} -> ${xEni[1]}`]);
  if (before.route !== after.route) details.push(['route', `${before.route} -> ${after.route}`]);
  return details.reverse().map(([event, detail]) => ({ at: after.observedAt, event, detail }));
}

function clientChanges(
  before: ClientStatus,
  after: ClientStatus,
  thisLook: string,
): (readonly [StatusEvent['event'], string])[] {
  const name = after.client;
  const changes: (readonly [StatusEvent['event'], string])[] = [];
  if (before.found && after.found === false) changes.push(['client', `${name} is gone`]);
  if (before.found === false && after.found)
    changes.push(['client', `${name} appeared, pid ${after.pids.join(', ')}`]);
  if (before.found && after.found && before.pids.join() !== after.pids.join()) {
    changes.push(['client', `${name} restarted, pid ${before.pids.join(', ')} -> ${after.pids.join(', ')}`]);
  }
  // A look that could not read the sockets shows none: that closes and opens nothing.
  if (before.connections === null || after.connections === null) return changes;
  const known = new Set(before.connections.map(pair));
  const still = new Set(after.connections.map(pair));
  for (const connection of before.connections) {
    if (!still.has(pair(connection))) changes.push(['connection-closed', describe(name, connection)]);
  }
  for (const connection of after.connections) {
    // A socket seen before that is only now known as the endpoint's did not open now.
    const isNew = connection.firstSeenAt === thisLook && !known.has(pair(connection));
    if (isNew) changes.push(['connection-opened', describe(name, connection)]);
  }
  return changes;
}

function pair({ local, peer }: ConnectionStatus): string {
  return `${local} ${peer}`;
}

function describe(name: string, { local, peer, route }: ConnectionStatus): string {
  return `${name} ${local} -> ${peer} (${route})`;
}

function addressesOf(
  part: { readonly addresses: readonly { readonly address: string }[] | null } | null,
): string {
  const texts = part?.addresses?.map(({ address }) => address).sort() ?? [];
  return texts.length > 0 ? texts.join(' ') : 'unknown';
}
