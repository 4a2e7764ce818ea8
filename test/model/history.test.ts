import { describe, expect, test } from 'vitest';
import { emptyHistory, type History, recordConnections, trackSockets } from '../../src/model/history.ts';
import {
  clientOf,
  iso,
  moment,
  observation,
  onlyConnection,
  type Seen,
  type SocketText,
  Watch,
} from '../support/observation.ts';

const PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443', local: '192.168.1.204:40000' };
const X_ENI = { process: 'kubelet', peer: '192.168.1.231:443', local: '192.168.1.204:40001' };
const KUBELET = { client: 'kubelet', pid: 100 };

function missed(socket: SocketText): SocketText {
  return { ...socket, missed: true };
}

/** Sockets that are known after these looks, ten seconds apart, with what is kept of each. */
function track(...looks: readonly Seen[]): readonly { peer: string; seen: number; missed: boolean }[] {
  const history = looks.reduce(
    (before: History, seen, index) => trackSockets(before, observation(seen, index * 10)),
    emptyHistory(moment(0)),
  );
  return [...history.sockets.values()].map((tracked) => ({
    peer: tracked.socket.peer.text,
    seen: (tracked.firstSeenAt.monotonicMs - moment(0).monotonicMs) / 1000,
    missed: tracked.missed,
  }));
}

describe('a row that is absent from one read of the table', () => {
  const there = { sockets: [PUBLIC] };
  const rowMissed = { sockets: [missed(PUBLIC)] };
  const gone = { sockets: [] };
  const kept = { peer: '3.34.148.207', seen: 0, missed: true };

  test('is kept for one look while its owner still holds the descriptor', () => {
    expect(track(there, rowMissed)).toEqual([kept]);
  });

  test('is gone after two', () => {
    expect(track(there, rowMissed, rowMissed)).toEqual([]);
  });

  test('is as before when it shows again', () => {
    expect(track(there, rowMissed, there)).toEqual([{ ...kept, missed: false }]);
    expect(track(there, rowMissed, there, rowMissed)).toEqual([kept]);
  });

  test('is gone at once when the descriptor is', () => {
    expect(track(there, gone)).toEqual([]);
  });

  test('is gone at once when the process is', () => {
    expect(track(there, { processes: [] })).toEqual([]);
  });

  test('is gone at once when another process has the pid', () => {
    const processes = [{ ...KUBELET, startTicks: 77_777 }];
    expect(track(there, { processes, sockets: [missed(PUBLIC)] })).toEqual([]);
  });

  test('is gone at once when it is there in a state that is not a connection any more', () => {
    expect(track(there, { sockets: [{ ...PUBLIC, state: 'close-wait' }] })).toEqual([]);
    expect(track(there, { sockets: [{ ...PUBLIC, state: 'fin-wait-2' }] })).toEqual([]);
  });

  test('is not taken for closing by a socket of the same number in another network namespace', () => {
    const first = trackSockets(emptyHistory(moment(0)), observation(there));
    const look = observation(rowMissed, 10);
    const [inode = 0] = [...first.sockets.values()].map(({ socket }) => socket.inode);
    const other = observation({ sockets: [{ ...PUBLIC, inode, state: 'close-wait' }] }).tables ?? [];
    const elsewhere = other.map((table) => ({ ...table, netns: 'net:[1]' }));
    const { sockets } = trackSockets(first, { ...look, tables: [...(look.tables ?? []), ...elsewhere] });
    expect([...sockets.values()].map((tracked) => tracked.missed)).toEqual([true]);
  });

  test('that was never seen is not known', () => {
    expect(track(rowMissed)).toEqual([]);
  });
});

describe('a row that is missed and comes back changes nothing that is published', () => {
  const dns = ['192.168.1.231'];
  const good = { dns, slice: dns, probes: [{ address: '192.168.1.231' }] };
  const proxy = { ...X_ENI, process: 'kube-proxy', local: '192.168.1.204:40009' };

  /** What a look says of connections, opens, the route and gates; without what carries a time. */
  function told(watch: Watch, seen: Parameters<Watch['look']>[0]) {
    const { route, gates, events, clients } = watch.look({ ...good, ...seen });
    return {
      route,
      gates: gates.map(({ gate, state }) => [gate, state]),
      changes: events.filter(({ event }) => event.startsWith('connection')),
      clients: clients.map(({ client, connections, opens }) => ({
        client,
        connections: connections?.toSorted((a, b) => a.local.localeCompare(b.local)),
        opens,
      })),
    };
  }

  test.each<[string, readonly SocketText[], readonly SocketText[]]>([
    ["a moved node's only connection of a client", [X_ENI, proxy], [missed(X_ENI), proxy]],
    ['all connections of a moved node', [X_ENI, proxy], [missed(X_ENI), missed(proxy)]],
    ['the public one of a mixed node', [X_ENI, PUBLIC, proxy], [X_ENI, missed(PUBLIC), proxy]],
    ['the X-ENI one of a mixed node', [X_ENI, PUBLIC, proxy], [missed(X_ENI), PUBLIC, proxy]],
  ])('%s', (_, sockets, once) => {
    const watch = new Watch({ probeIntervalMs: 60_000 });
    told(watch, { sockets });
    told(watch, { sockets });
    const before = told(watch, { sockets });
    expect(told(watch, { sockets: once })).toEqual(before);
    expect(told(watch, { sockets })).toEqual(before);
    expect(told(watch, { sockets: once })).toEqual(before);
    expect(told(watch, { sockets })).toEqual(before);
  });

  test('in the first look too: what was held then did not open before our eyes', () => {
    const watch = new Watch({ probeIntervalMs: 60_000 });
    told(watch, { sockets: [X_ENI, missed(PUBLIC), proxy] });
    const { clients, changes } = told(watch, { sockets: [X_ENI, PUBLIC, proxy] });
    expect(clients[0]?.opens).toEqual({ 'x-eni': 0, vpc: 0, private: 0, public: 0, proxy: 0 });
    expect(changes).toEqual([]);
  });

  test('where sockets are told by addresses', () => {
    const watch = new Watch({ attribution: 'address', probeIntervalMs: 60_000 });
    const all = { ownersOff: true, unattributed: [PUBLIC, X_ENI], dns: [...dns, '3.34.148.207'] };
    const before = told(watch, all);
    expect(before).toMatchObject({ route: 'mixed', changes: [] });
    expect(told(watch, { ...all, unattributed: [X_ENI] })).toEqual(before);
    expect(told(watch, all)).toEqual(before);
    expect(told(watch, { ...all, unattributed: [] })).toEqual(before);
    expect(told(watch, all)).toEqual(before);
  });
});

describe('a socket that nobody is known to hold', () => {
  const watching = () => new Watch({ attribution: 'address' });
  const dns = ['3.34.148.207'];
  const there = { ownersOff: true, unattributed: [PUBLIC] };
  const gone = { ownersOff: true, unattributed: [] };

  function peers(watch: Watch, seen: Parameters<Watch['look']>[0]): readonly string[] {
    return clientOf(watch.look(seen), 'unattributed').connections?.map(({ peer }) => peer) ?? ['unknown'];
  }

  test('is closed after two looks without it', () => {
    const watch = watching();
    expect(peers(watch, { ...there, dns })).toEqual([PUBLIC.peer]);
    expect(peers(watch, gone)).toEqual([PUBLIC.peer]);
    expect(peers(watch, gone)).toEqual([]);
  });

  test('is closed at once when its row says that it closes', () => {
    const watch = watching();
    watch.look({ ...there, dns });
    expect(peers(watch, { ...gone, unattributed: [{ ...PUBLIC, state: 'fin-wait-1' }] })).toEqual([]);
  });

  test('counts no opens: whether a client opened it is not known', () => {
    const watch = watching();
    watch.look({ ...gone, dns });
    expect(clientOf(watch.look(there), 'unattributed').opens).toBeNull();
    expect(clientOf(watch.look(there), 'kubelet').opens).toBeNull();
  });

  test('is stale since DNS changed, as any other', () => {
    const watch = watching();
    watch.look({ ...there, dns });
    const status = watch.look({ ...there, dns: ['192.168.1.231'] });
    expect(onlyConnection(status, 'unattributed')).toMatchObject({ stale: true, staleSince: iso(20) });
  });
});

describe('from one tier to the other', () => {
  const dns = ['3.34.148.207'];
  const SECOND = { ...PUBLIC, local: '192.168.1.204:40007' };
  const byOwner = { sockets: [PUBLIC] };
  const byAddress = { failed: ['owners'], sockets: [PUBLIC], unattributed: [PUBLIC] } as const;
  const none = { 'x-eni': 0, vpc: 0, private: 0, public: 0, proxy: 0 };

  test.each<[string, readonly Parameters<Watch['look']>[0][]]>([
    ['owners are known first', [byOwner, byAddress, byOwner]],
    ['addresses come first', [byAddress, byOwner, byAddress, byOwner]],
    ['at every look', [byOwner, byAddress, byOwner, byAddress, byOwner]],
  ])('a connection that stands closes nothing, opens nothing and grows no younger: %s', (_, looks) => {
    const watch = new Watch();
    const statuses = looks.map((seen, index) => watch.look(index === 0 ? { ...seen, dns } : seen));
    for (const status of statuses) {
      const client = status.attribution === 'address' ? 'unattributed' : 'kubelet';
      expect(onlyConnection(status, client)).toMatchObject({ peer: PUBLIC.peer, firstSeenAt: iso(10) });
      expect(status.route).toBe('public');
      expect(status.events.filter(({ event }) => event.startsWith('connection'))).toEqual([]);
    }
    const [last] = statuses.slice(-1);
    expect(last && clientOf(last, 'kubelet').opens).toEqual(none);
  });

  test('only one client at a time has the connection', () => {
    const watch = new Watch();
    watch.look({ ...byOwner, dns });
    const status = watch.look(byAddress);
    expect(clientOf(status, 'kubelet').connections).toBeNull();
    expect(watch.look(byOwner).clients.map(({ client }) => client)).toEqual(['kubelet', 'kube-proxy']);
  });

  test('what opened meanwhile counts when its owner is known: the client did not hold it before', () => {
    const watch = new Watch();
    watch.look({ ...byOwner, dns });
    watch.look({ ...byAddress, sockets: [PUBLIC, SECOND], unattributed: [PUBLIC, SECOND] });
    const status = watch.look({ sockets: [PUBLIC, SECOND] });
    expect(clientOf(status, 'kubelet').opens).toEqual({ ...none, public: 1 });
  });

  test('what closed meanwhile is gone', () => {
    const watch = new Watch();
    watch.look({ sockets: [PUBLIC, SECOND], dns });
    watch.look(byAddress);
    expect(onlyConnection(watch.look(byOwner), 'kubelet').local).toBe(PUBLIC.local);
    watch.look(byAddress);
    watch.look({});
    const status = watch.look({ failed: ['owners'], unattributed: [] });
    expect(clientOf(status, 'unattributed').connections).toEqual([]);
  });

  test("the kubelet's other sockets are still known, and are no opens", () => {
    const young = { ...PUBLIC, peer: '10.9.0.1:443', local: '192.168.1.204:40008' };
    const watch = new Watch();
    watch.look({ sockets: [PUBLIC, young], dns });
    watch.look({ failed: ['owners'], sockets: [PUBLIC, young], unattributed: [PUBLIC, young] }, 50);
    const { connections, opens } = clientOf(watch.look({ sockets: [PUBLIC, young] }), 'kubelet');
    expect(connections?.map(({ peer, firstSeenAt }) => [peer, firstSeenAt])).toEqual([
      [PUBLIC.peer, iso(10)],
      [young.peer, iso(10)],
    ]);
    expect(opens).toEqual(none);
  });

  test('x-eni begins anew', () => {
    const moved = { processes: [KUBELET], sockets: [X_ENI], dns: ['192.168.1.231'] };
    const watch = new Watch();
    const routes = [moved, moved, { ...moved, ...byAddress, unattributed: [X_ENI] }, moved, moved].map(
      (seen) => watch.look(seen).route,
    );
    expect(routes).toEqual(['unknown', 'x-eni', 'unknown', 'unknown', 'x-eni']);
  });
});

describe('whether the peer opened a socket is decided at first sight', () => {
  const dns = ['3.34.148.207'];
  const everywhere = { listening: [{ local: '0.0.0.0', port: 40_000 }] };
  const nowhere = { listening: [] };

  test('a listener that comes later has not accepted it, however long it listens', () => {
    const watch = new Watch();
    watch.look({ sockets: [PUBLIC], ...nowhere, dns });
    for (let look = 0; look < 3; look++) {
      const status = watch.look({ sockets: [PUBLIC], ...everywhere });
      expect(status.route).toBe('public');
      expect(onlyConnection(status, 'kubelet').peer).toBe(PUBLIC.peer);
    }
  });

  test('nor one that comes while its row is missed, or while nothing could be read', () => {
    const watch = new Watch();
    watch.look({ sockets: [PUBLIC], ...nowhere, dns });
    watch.look({ sockets: [missed(PUBLIC)], ...everywhere });
    expect(watch.look({ sockets: [PUBLIC], ...everywhere }).route).toBe('public');
    watch.look({ failed: ['sockets'], sockets: [PUBLIC] });
    expect(watch.look({ sockets: [PUBLIC], ...everywhere }).route).toBe('public');
  });

  test('one that was accepted stays so when its listener goes', () => {
    const watch = new Watch();
    watch.look({ sockets: [PUBLIC], ...everywhere, dns });
    for (let look = 0; look < 3; look++) {
      const status = watch.look({ sockets: [PUBLIC], ...nowhere });
      expect(clientOf(status, 'kubelet').connections).toEqual([]);
      expect(status.scan.ignoredConnections).toBe(1);
    }
  });

  test('another socket of the same 4-tuple is seen for the first time', () => {
    const watch = new Watch();
    watch.look({ sockets: [{ ...PUBLIC, inode: 1 }], ...everywhere, dns });
    expect(watch.look({ sockets: [{ ...PUBLIC, inode: 2 }], ...nowhere }).route).toBe('public');
  });
});

describe('a look that could not read', () => {
  const there = { sockets: [PUBLIC] };
  const known = [{ peer: '3.34.148.207', seen: 0, missed: false }];
  const refused = { processes: [{ ...KUBELET, readable: false }] };

  test('the processes closes nothing, however often', () => {
    const failed: Seen = { failed: ['owners'] };
    expect(track(there, failed, failed, failed)).toEqual(known);
  });

  test('the tables closes nothing, however often', () => {
    const failed: Seen = { sockets: [missed(PUBLIC)], failed: ['sockets'] };
    expect(track(there, failed, failed, failed)).toEqual(known);
  });

  test('the descriptors of its owner closes nothing, however often', () => {
    expect(track(there, refused, refused, refused)).toEqual(known);
  });

  test('says nothing of a missed row either: the look after it decides', () => {
    const rowMissed = { sockets: [missed(PUBLIC)] };
    expect(track(there, rowMissed, refused)).toEqual([{ ...known[0], missed: true }]);
    expect(track(there, rowMissed, refused, there)).toEqual(known);
    expect(track(there, rowMissed, refused, rowMissed)).toEqual([]);
  });

  test('the table of the network namespace of its owner closes nothing, however often', () => {
    const looks = [0, 1, 2, 3].map((index) => observation(there, index * 10));
    const history = looks.reduce(
      (before, look, index) => trackSockets(before, index === 0 ? look : { ...look, tables: [] }),
      emptyHistory(moment(0)),
    );
    expect([...history.sockets.values()].map(({ firstSeenAt }) => firstSeenAt)).toEqual([moment(0)]);
  });

  test('some process, and does not see the owner among the rest, closes nothing', () => {
    expect(track(there, { processes: [], unreadable: 1 }, there)).toEqual(known);
  });
});

describe('a new history', () => {
  test('leaves the one before as it was', () => {
    const first = trackSockets(emptyHistory(moment(0)), observation({ sockets: [PUBLIC] }));
    const before = [...first.sockets.values()];
    trackSockets(first, observation({}, 10));
    recordConnections(first, [], {
      dnsChangedAt: null,
      baselines: new Map([['kubelet', { at: moment(0), inodes: new Set([7]) }]]),
    });
    expect([...first.sockets.values()]).toEqual(before);
    expect(first.baselines.size).toBe(0);
  });
});

describe('opens', () => {
  const dns = ['3.34.148.207'];
  const none = { 'x-eni': 0, vpc: 0, private: 0, public: 0, proxy: 0 };

  function opensOf(watch: Watch, seen: Parameters<Watch['look']>[0]): unknown {
    return clientOf(watch.look(seen), 'kubelet').opens;
  }

  test('what the first look finds was opened before it: nothing is counted', () => {
    const watch = new Watch();
    expect(opensOf(watch, { sockets: [PUBLIC], dns })).toEqual(none);
    expect(opensOf(watch, { sockets: [PUBLIC] })).toEqual(none);
  });

  test('a connection that a later look finds was opened, and counts once', () => {
    const watch = new Watch();
    watch.look({ sockets: [X_ENI], dns });
    expect(opensOf(watch, { sockets: [X_ENI, PUBLIC] })).toEqual({ ...none, public: 1 });
    expect(opensOf(watch, { sockets: [X_ENI, PUBLIC] })).toEqual({ ...none, public: 1 });
    expect(opensOf(watch, { sockets: [X_ENI, missed(PUBLIC)] })).toEqual({ ...none, public: 1 });
    expect(opensOf(watch, { sockets: [X_ENI, PUBLIC] })).toEqual({ ...none, public: 1 });
    expect(opensOf(watch, { sockets: [X_ENI] })).toEqual({ ...none, public: 1 });
  });

  test('the same 4-tuple with a new inode is another open', () => {
    const watch = new Watch();
    watch.look({ dns });
    opensOf(watch, { sockets: [{ ...PUBLIC, inode: 1 }] });
    expect(opensOf(watch, { sockets: [{ ...PUBLIC, inode: 2 }] })).toEqual({ ...none, public: 2 });
  });

  test('an opening socket counts when it is established, once', () => {
    const watch = new Watch();
    watch.look({ dns });
    const opening = { ...PUBLIC, state: 'syn-sent' } as const;
    expect(opensOf(watch, { sockets: [opening] })).toEqual(none);
    expect(opensOf(watch, { sockets: [opening] })).toEqual(none);
    expect(opensOf(watch, { sockets: [PUBLIC] })).toEqual({ ...none, public: 1 });
    expect(opensOf(watch, { sockets: [PUBLIC] })).toEqual({ ...none, public: 1 });
  });

  test('a client that appears after the first look opens before our eyes', () => {
    const watch = new Watch();
    watch.look({ processes: [], dns });
    expect(opensOf(watch, { sockets: [PUBLIC] })).toEqual({ ...none, public: 1 });
  });

  test('a client that starts anew opens before our eyes', () => {
    const watch = new Watch();
    watch.look({ sockets: [PUBLIC], dns });
    const processes = [{ client: 'kubelet', pid: 101 }];
    expect(opensOf(watch, { processes, sockets: [{ ...PUBLIC, inode: 9 }] })).toEqual({ ...none, public: 1 });
  });

  test('are not known until the client was read once, and what is there then counts for nothing', () => {
    const watch = new Watch();
    const refused = { processes: [{ ...KUBELET, readable: false }], dns };
    expect(opensOf(watch, refused)).toBeNull();
    expect(opensOf(watch, { failed: ['owners'] })).toBeNull();
    expect(opensOf(watch, { failed: ['sockets'] })).toBeNull();
    expect(opensOf(watch, { processes: [], unreadable: 1 })).toBeNull();
    expect(opensOf(watch, { sockets: [PUBLIC] })).toEqual(none);
  });

  test('a connection that stood through looks that could not read it does not count anew', () => {
    const watch = new Watch();
    watch.look({ sockets: [PUBLIC], dns });
    watch.look({ failed: ['owners'] });
    watch.look({ failed: ['sockets'], sockets: [missed(PUBLIC)] });
    watch.look({ processes: [{ ...KUBELET, readable: false }] });
    watch.look({ processes: [], unreadable: 1 });
    expect(opensOf(watch, { sockets: [PUBLIC] })).toEqual(none);
  });

  test("one client read for the first time does not make the other's connections old", () => {
    const watch = new Watch();
    watch.look({ processes: [KUBELET, { client: 'kube-proxy', pid: 200, readable: false }], dns });
    const proxy = { ...PUBLIC, process: 'kube-proxy', local: '192.168.1.204:40002' };
    const status = watch.look({ sockets: [PUBLIC, proxy] });
    expect(clientOf(status, 'kubelet').opens).toEqual({ ...none, public: 1 });
    expect(clientOf(status, 'kube-proxy').opens).toEqual(none);
  });

  test('what opened while the endpoint was not known yet counts when it is known', () => {
    const watch = new Watch();
    watch.look({ endpoint: null });
    expect(opensOf(watch, { endpoint: null, sockets: [PUBLIC] })).toBeNull();
    expect(opensOf(watch, { sockets: [PUBLIC], dns })).toEqual({ ...none, public: 1 });
    expect(opensOf(watch, { endpoint: null, sockets: [PUBLIC] })).toBeNull();
  });

  test('a private peer counts when it is presumed to be the endpoint, by its route then', () => {
    const watch = new Watch();
    watch.look({ dns });
    const tunnel = { ...PUBLIC, peer: '10.9.0.1:443' };
    expect(opensOf(watch, { sockets: [tunnel] })).toEqual(none);
    expect(clientOf(watch.look({ sockets: [tunnel] }, 60), 'kubelet').opens).toEqual({ ...none, private: 1 });
  });
});

describe('since when a connection is stale', () => {
  const before = ['3.34.148.207'];
  const flipped = ['192.168.1.231'];

  function staleSince(watch: Watch, seen: Parameters<Watch['look']>[0]): string | null {
    return onlyConnection(watch.look({ sockets: [PUBLIC], ...seen }), 'kubelet').staleSince;
  }

  test('since the DNS change, where it was seen', () => {
    const watch = new Watch();
    expect(staleSince(watch, { dns: before })).toBeNull();
    expect(staleSince(watch, { dns: flipped })).toBe(iso(20));
    expect(staleSince(watch, {})).toBe(iso(20));
  });

  test('since first sight, where DNS had flipped before the agent came', () => {
    const watch = new Watch();
    expect(staleSince(watch, { dns: flipped })).toBe(iso(10));
    expect(staleSince(watch, {})).toBe(iso(10));
  });

  test('since first sight, where DNS first answers after it', () => {
    const watch = new Watch();
    expect(onlyConnection(watch.look({ sockets: [PUBLIC] }), 'kubelet')).toMatchObject({
      stale: null,
      staleSince: null,
    });
    expect(staleSince(watch, { dns: flipped })).toBe(iso(10));
  });

  test('since first sight, where it was opened after the change (by a cached answer)', () => {
    const watch = new Watch();
    watch.look({ dns: before });
    watch.look({ dns: flipped });
    expect(staleSince(watch, {})).toBe(iso(30));
  });

  test('a later change among X-ENIs does not make it younger', () => {
    const watch = new Watch();
    staleSince(watch, { dns: before });
    staleSince(watch, { dns: flipped });
    expect(staleSince(watch, { dns: ['192.168.1.121'] })).toBe(iso(20));
  });

  test('DNS that flaps starts it anew', () => {
    const watch = new Watch();
    staleSince(watch, { dns: before });
    staleSince(watch, { dns: flipped });
    expect(staleSince(watch, { dns: before })).toBeNull();
    expect(staleSince(watch, { dns: flipped })).toBe(iso(40));
  });

  test('a failed lookup and a look that could not read do not', () => {
    const watch = new Watch();
    staleSince(watch, { dns: before });
    staleSince(watch, { dns: flipped });
    expect(staleSince(watch, { dns: 'timeout' })).toBe(iso(20));
    watch.look({ failed: ['owners'] });
    watch.look({ failed: ['sockets'] });
    watch.look({ processes: [], unreadable: 2 });
    expect(staleSince(watch, {})).toBe(iso(20));
  });

  test('a client that starts anew and comes back on the old route is stale from then on', () => {
    const watch = new Watch();
    staleSince(watch, { dns: before });
    staleSince(watch, { dns: flipped });
    const processes = [{ client: 'kubelet', pid: 101 }];
    expect(staleSince(watch, { processes, sockets: [{ ...PUBLIC, inode: 9 }] })).toBe(iso(30));
  });
});

describe('a client that connects anew at every look', () => {
  const moved = { process: 'kubelet', peer: '192.168.1.231:443', local: '192.168.1.204:40000' };
  const good = { dns: ['192.168.1.231'], slice: ['192.168.1.231'], probes: [{ address: '192.168.1.231' }] };
  const again = (look: number) => ({
    process: 'kubelet',
    peer: '192.168.9.9:443',
    local: `192.168.1.204:${41_000 + look}`,
  });

  function lookAt(sockets: readonly (readonly SocketText[])[]): string | undefined {
    const watch = new Watch({ probeIntervalMs: 60_000, clients: [{ name: 'kubelet', required: true }] });
    const statuses = sockets.map((seen) => watch.look({ ...good, processes: [KUBELET], sockets: seen }));
    return statuses.at(-1)?.gates.find(({ gate }) => gate === 'public-free')?.state;
  }

  test('to a peer that nobody knows keeps the node from being public-free', () => {
    const looks = [0, 1, 2, 3, 4];
    expect(lookAt(looks.map(() => [moved]))).toBe('true');
    expect(lookAt(looks.map((look) => [moved, again(look)]))).toBe('unknown');
  });

  test('but not once it is there no more', () => {
    expect(lookAt([[moved, again(0)], [moved, again(1)], [moved], [moved], [moved]])).toBe('true');
  });
});
