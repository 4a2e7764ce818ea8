import { describe, expect, test } from 'vitest';
import { eventsBetween } from '../../src/model/events.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { iso, Watch, type WatchSeen } from '../support/observation.ts';

const PUBLIC_DNS = ['3.34.148.207'];
const X_ENI_DNS = ['192.168.1.231'];
const KUBELET = { client: 'kubelet', pid: 100 };
const ON_PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443', local: '192.168.1.204:40000' };
const ON_X_ENI = { process: 'kubelet', peer: '192.168.1.231:443', local: '192.168.1.204:40001' };

function looks(...all: readonly WatchSeen[]): readonly NodeStatus[] {
  const watch = new Watch();
  return all.map((seen) => watch.look({ processes: [KUBELET], ...seen }));
}

/** The events that the last of these looks adds, newest first. */
function added(...all: readonly WatchSeen[]): readonly (readonly [string, string])[] {
  const [before, after] = [looks(...all).at(-2) ?? null, looks(...all).at(-1)];
  if (after === undefined) throw new RangeError('no looks');
  return eventsBetween(before, after).map(({ event, detail }) => [event, detail]);
}

describe('from one status to the next', () => {
  const atHome = { sockets: [ON_PUBLIC], dns: PUBLIC_DNS };

  test('before the first status the route is unknown, and nothing else has changed', () => {
    expect(added(atHome)).toEqual([['route', 'unknown -> public']]);
  });

  test('before the first status, an unknown route is no news', () => {
    expect(added({ sockets: [ON_X_ENI], dns: X_ENI_DNS })).toEqual([]);
    expect(added({ failed: ['owners'] })).toEqual([]);
    expect(added({ processes: [] })).toEqual([]);
  });

  test('nothing changed', () => {
    expect(added(atHome, atHome)).toEqual([]);
    const both = [...PUBLIC_DNS, ...X_ENI_DNS];
    expect(added({ ...atHome, dns: both }, { ...atHome, dns: both.toReversed() })).toEqual([]);
  });

  test('DNS flips: the answer and the X-ENIs changed', () => {
    expect(added(atHome, { sockets: [ON_PUBLIC], dns: X_ENI_DNS })).toEqual([
      ['x-eni', 'unknown -> 192.168.1.231'],
      ['dns', '3.34.148.207 -> 192.168.1.231'],
    ]);
  });

  test('DNS answers for the first time', () => {
    expect(added({ sockets: [ON_PUBLIC] }, atHome)).toEqual([['dns', 'unknown -> 3.34.148.207']]);
  });

  test('a failed lookup is no change of the answer', () => {
    expect(added(atHome, { sockets: [ON_PUBLIC], dns: 'timeout' })).toEqual([]);
  });

  test('a connection moves: one closed, one opened, another route', () => {
    const events = added(
      atHome,
      { sockets: [ON_PUBLIC] },
      { sockets: [ON_PUBLIC], dns: X_ENI_DNS },
      { sockets: [ON_X_ENI] },
    );
    expect(events).toEqual([
      ['route', 'public -> unknown'],
      ['connection-opened', 'kubelet 192.168.1.204:40001 -> 192.168.1.231:443 (x-eni)'],
      ['connection-closed', 'kubelet 192.168.1.204:40000 -> 3.34.148.207:443 (public)'],
    ]);
  });

  test('a connection that still opens is there as soon as it is seen, and opened once', () => {
    const opening = { sockets: [{ ...ON_PUBLIC, state: 'syn-sent' as const }] };
    const nothing = { dns: PUBLIC_DNS };
    expect(added(nothing, {}, opening)).toEqual([
      ['connection-opened', 'kubelet 192.168.1.204:40000 -> 3.34.148.207:443 (public)'],
    ]);
    expect(added(nothing, {}, opening, atHome)).toEqual([['route', 'none -> public']]);
  });

  test('a connection that is only now presumed to be to the endpoint did not open now', () => {
    const watch = new Watch();
    const tunnel = { processes: [KUBELET], sockets: [{ ...ON_PUBLIC, peer: '10.9.0.1:443' }] };
    watch.look({ ...tunnel, dns: PUBLIC_DNS });
    watch.look(tunnel);
    const before = watch.look(tunnel);
    const after = watch.look(tunnel, 60);
    expect(after.clients[0]?.connections).toMatchObject([{ evidence: 'presumed', firstSeenAt: iso(10) }]);
    expect(eventsBetween(before, after).map(({ event }) => event)).toEqual(['route']);
  });

  test('one that DNS only now names did not open now, and it closes when it goes', () => {
    const held = { sockets: [{ ...ON_PUBLIC, peer: '10.9.0.1:443' }] };
    const named = { ...held, dns: ['10.9.0.1'] };
    const kinds = (...all: readonly WatchSeen[]) => added(...all).map(([event]) => event);
    expect(kinds(held, held, named)).toEqual(['route', 'dns']);
    expect(kinds(held, held, named, { dns: ['10.9.0.1'] })).toContain('connection-closed');
  });

  test('a row that one look missed is neither closed nor opened', () => {
    const missed = { sockets: [{ ...ON_PUBLIC, missed: true }] };
    expect(added(atHome, missed)).toEqual([]);
    expect(added(atHome, missed, atHome)).toEqual([]);
  });

  test('a client restarts, goes and comes', () => {
    const anew = { processes: [{ client: 'kubelet', pid: 101 }] };
    expect(added({}, anew)).toContainEqual(['client', 'kubelet restarted, pid 100 -> 101']);
    expect(added({}, { processes: [] })).toContainEqual(['client', 'kubelet is gone']);
    expect(added({ processes: [] }, anew)).toContainEqual(['client', 'kubelet appeared, pid 101']);
  });

  test('a client that goes takes its connections along', () => {
    const events = added(atHome, { processes: [] });
    expect(events).toContainEqual(['client', 'kubelet is gone']);
    expect(events.filter(([event]) => event === 'connection-closed')).toHaveLength(1);
  });
});

describe('a look that could not see', () => {
  const atHome = { sockets: [ON_PUBLIC], dns: PUBLIC_DNS };
  test.each<[string, WatchSeen]>([
    ['the processes', { failed: ['owners'] }],
    ['the tables', { failed: ['sockets'], sockets: [ON_PUBLIC] }],
    ['the descriptors', { processes: [{ ...KUBELET, readable: false }], sockets: [ON_PUBLIC] }],
    ['some process', { processes: [], unreadable: 1 }],
  ])('%s opens and closes nothing, neither then nor in the look after it', (_, blind) => {
    expect(added(atHome, blind)).toEqual([['route', 'public -> unknown']]);
    expect(added(atHome, blind, atHome)).toEqual([['route', 'unknown -> public']]);
  });

  test('the endpoint while a connection opens: it is there when the endpoint is known, and did not open then', () => {
    const looked = [{ endpoint: null }, { endpoint: null, sockets: [ON_PUBLIC] }, atHome];
    expect(added(...looked).map(([event]) => event)).toEqual(['route', 'dns']);
  });

  test('the processes at first: what the next look finds may have been there', () => {
    const kinds = added({ failed: ['owners'], dns: PUBLIC_DNS }, { sockets: [ON_PUBLIC] });
    expect(kinds).toEqual([['route', 'unknown -> public']]);
  });

  test('the endpoint yet, because it starts: what was there before was not opened', () => {
    const events = added({ endpoint: null, sockets: [ON_PUBLIC] }, atHome);
    expect(events.map(([event]) => event)).not.toContain('connection-opened');
  });
});

test('an event carries the time of the look that saw it', () => {
  const [before, after] = looks({ dns: PUBLIC_DNS }, { dns: X_ENI_DNS });
  if (before === undefined || after === undefined) throw new RangeError('no looks');
  expect(eventsBetween(before, after).map(({ at }) => at)).toContain(iso(20));
});
