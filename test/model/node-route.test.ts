import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyHistory } from '../../src/model/history.ts';
import { judge } from '../../src/model/judge.ts';
import { confirm, type LookVerdict } from '../../src/model/node-route.ts';
import type { LeftOutProcess } from '../../src/model/observation.ts';
import type { NodeRoute, NodeStatus } from '../../src/model/status.ts';
import {
  address,
  clientOf,
  dnsSeen,
  moment,
  observation,
  range,
  type SocketText,
  settings,
  Watch,
  type WatchSeen,
} from '../support/observation.ts';

const DNS = ['192.168.1.231'];

/** A client's socket to port 443 of this address. */
function to(process: string, peer: string, more: Partial<SocketText> = {}): SocketText {
  return { process, peer: `${peer}:443`, ...more };
}

const PUBLIC = '3.34.148.207';
const X_ENI = '192.168.1.231';
const BOTH_MOVED = [to('kubelet', X_ENI), to('kube-proxy', X_ENI)];

/** The status after the same look was made so many times. */
function repeat(seen: WatchSeen, looks = 2): NodeStatus {
  const watch = new Watch({ xEnis: [range('10.9.0.0/24')] });
  let status = watch.look({ dns: DNS, ...seen });
  for (let look = 1; look < looks; look++) status = watch.look(seen);
  return status;
}

describe('the node route over the established endpoint connections', () => {
  const kubeletOnly = [{ client: 'kubelet', pid: 100 }];
  test.each<[string, WatchSeen, NodeRoute]>([
    ['all on X-ENIs', { sockets: BOTH_MOVED }, 'x-eni'],
    [
      'all on public addresses',
      { sockets: [to('kubelet', PUBLIC), to('kube-proxy', '43.201.141.73')] },
      'public',
    ],
    [
      'one client public, the other moved',
      { sockets: [to('kubelet', X_ENI), to('kube-proxy', PUBLIC)] },
      'mixed',
    ],
    ['one client half moved', { sockets: [...BOTH_MOVED, to('kubelet', PUBLIC)] }, 'mixed'],
    ['public and the VPC', { sockets: [to('kubelet', PUBLIC), to('kube-proxy', '10.9.0.1')] }, 'mixed'],
    ['public, and the other client has none', { sockets: [to('kubelet', PUBLIC)] }, 'public'],
    ['moved, and the other client has none', { sockets: [to('kubelet', X_ENI)] }, 'unknown'],
    [
      'moved, and the other client only opens one',
      { sockets: [to('kubelet', X_ENI), to('kube-proxy', PUBLIC, { state: 'syn-sent' })] },
      'unknown',
    ],
    [
      'moved, and the other client is not there',
      { processes: kubeletOnly, sockets: [to('kubelet', X_ENI)] },
      'x-eni',
    ],
    [
      'moved, and the other client goes by the ClusterIP',
      { sockets: [to('kubelet', X_ENI), to('kube-proxy', '10.100.0.1')] },
      'x-eni',
    ],
    [
      'public, and the other client goes by the ClusterIP',
      { sockets: [to('kubelet', PUBLIC), to('kube-proxy', '10.100.0.1')] },
      'public',
    ],
    [
      'moved, and the other client goes by the ClusterIP and opens a public one',
      {
        sockets: [
          to('kubelet', X_ENI),
          to('kube-proxy', '10.100.0.1'),
          to('kube-proxy', PUBLIC, { state: 'syn-sent' }),
        ],
      },
      'unknown',
    ],
    [
      'everything by the ClusterIP',
      { sockets: [to('kubelet', '10.100.0.1'), to('kube-proxy', '10.100.0.1')] },
      'none',
    ],
    ['no connection at all', {}, 'none'],
    ['connections that only open', { sockets: [to('kubelet', X_ENI, { state: 'syn-sent' })] }, 'none'],
    [
      'moved, and a public one that opens',
      { sockets: [...BOTH_MOVED, to('kubelet', PUBLIC, { state: 'syn-sent' })] },
      'x-eni',
    ],
    ['X-ENIs of both sources', { sockets: [to('kubelet', X_ENI), to('kube-proxy', '10.9.0.1')] }, 'x-eni'],
    ['a v4-mapped public one', { sockets: [...BOTH_MOVED, to('kubelet', '[::ffff:3.34.148.207]')] }, 'mixed'],
    [
      'a public one by NAT64',
      { sockets: [...BOTH_MOVED, to('kubelet', '[64:ff9b::3.34.148.207]')] },
      'mixed',
    ],
    ['a public IPv6 one', { sockets: [...BOTH_MOVED, to('kubelet', '[2600:1f13::5]')] }, 'mixed'],
  ])('%s', (_, seen, route) => {
    expect(repeat(seen).route).toBe(route);
  });

  test.each([
    ['the VPC', '192.168.7.7'],
    ['a private address', '10.1.1.1'],
  ])('something in %s that was held for a minute: other', (_, peer) => {
    const watch = new Watch();
    const seen = { sockets: [...BOTH_MOVED, to('kubelet', peer)] };
    watch.look({ ...seen, dns: DNS });
    expect(watch.look(seen).route).toBe('x-eni');
    expect(watch.look(seen, 50).route).toBe('other');
  });
});

/** Of the cases below, those in which the host's table can still be read. */
const HIDES_OWNERS = new Set([
  'the processes could not be listed',
  'some process could not be read',
  'a client could not be read',
  'one process of a client could not be read',
  'all of a client are left out for their uid',
]);

describe('what makes it unknown, whatever the connections', () => {
  const leftOut: readonly LeftOutProcess[] = [{ client: 'kube-proxy', pid: 300, reason: 'uid', uid: 1000 }];
  const refused = { client: 'kube-proxy', pid: 200, readable: false };
  const kubelet = { client: 'kubelet', pid: 100 };
  const proxy = { client: 'kube-proxy', pid: 200 };
  const obstacles: readonly [string, WatchSeen, string][] = [
    [
      'the processes could not be listed',
      { failed: ['owners'] },
      'the processes could not be read: it took longer than 5 s',
    ],
    [
      'a table was not read to its end',
      { failed: ['sockets'] },
      'the TCP tables could not be read: it took longer than 5 s',
    ],
    ['the endpoint is not known', { endpoint: null }, 'the endpoint is not known: not looked for yet'],
    [
      'some process could not be read',
      { unreadable: 2 },
      'some processes could not be read (2): one may be a client',
    ],
    [
      'a client could not be read',
      { processes: [kubelet, refused] },
      'kube-proxy could not be read: Cannot read "/proc/200/fd": EACCES',
    ],
    [
      'one process of a client could not be read',
      { processes: [kubelet, proxy, { ...refused, pid: 201 }] },
      'kube-proxy could not be read: Cannot read "/proc/201/fd": EACCES',
    ],
    [
      'all of a client are left out for their uid',
      { processes: [kubelet], leftOut },
      'kube-proxy (pid 300) runs as uid 1000',
    ],
    ['a required client is not there', { processes: [proxy] }, 'kubelet is not running, and it is required'],
  ];
  const connections: readonly [string, readonly SocketText[], NodeRoute][] = [
    ['moved', BOTH_MOVED, 'unknown'],
    ['public', [to('kubelet', PUBLIC), to('kube-proxy', PUBLIC)], 'public'],
    ['none', [], 'unknown'],
  ];
  const table = obstacles.flatMap(([what, seen, reason]) =>
    connections.map(([where, sockets, byAddress]) => ({
      what,
      where,
      seen: { ...seen, sockets },
      reason,
      byAddress,
    })),
  );
  test.each(table)('$what ($where)', ({ seen, reason }) => {
    const status = repeat(seen, 3);
    expect(status.route).toBe('unknown');
    expect(status.routeReason).toContain(reason);
  });

  // What hides the owners: the host's table then tells the route by known addresses, and never a green one.
  const hidden = table.filter(({ what }) => HIDES_OWNERS.has(what));
  test.each(hidden)('but for what known addresses tell: $what ($where)', ({ seen, reason, byAddress }) => {
    const dns = [...DNS, PUBLIC];
    const status = repeat({ ...seen, dns, unattributed: seen.sockets }, 3);
    expect(status).toMatchObject({ route: byAddress, attribution: 'address' });
    expect(status.routeReason).toContain(reason);
  });

  test('a process of the name with another uid beside the real client hides nothing', () => {
    expect(repeat({ leftOut, sockets: BOTH_MOVED }).route).toBe('x-eni');
  });

  test('an optional client that is not there makes nothing unknown', () => {
    expect(repeat({ processes: [kubelet], sockets: [to('kubelet', PUBLIC)] }).route).toBe('public');
  });
});

describe('where sockets are told by known addresses alone', () => {
  const X = to('anyone', X_ENI);
  const OPEN = to('anyone', PUBLIC);

  /** After three looks at such a table, at which DNS gives both addresses. */
  function byAddress(unattributed: readonly SocketText[], seen: WatchSeen = {}): NodeStatus {
    const watch = new Watch({ attribution: 'address', xEnis: [range('10.9.0.0/24')] });
    const look = { ownersOff: true, unattributed, ...seen };
    watch.look({ dns: [X_ENI, PUBLIC], ...look });
    watch.look(look, 50);
    return watch.look(look, 30);
  }

  test.each<[string, readonly SocketText[], WatchSeen, NodeRoute]>([
    ['all public', [OPEN, to('other', PUBLIC)], {}, 'public'],
    ['some public', [OPEN, X], {}, 'mixed'],
    ['a v4-mapped public one', [to('anyone', '[::ffff:3.34.148.207]'), X], {}, 'mixed'],
    ['all on X-ENIs: nobody knows whether these are all', [X], {}, 'unknown'],
    ['on X-ENIs of the slice', [X], { slice: [X_ENI] }, 'unknown'],
    ['none', [], {}, 'unknown'],
    ['a known private address', [X, to('anyone', '10.7.0.1')], { dns: [X_ENI, '10.7.0.1'] }, 'other'],
    [
      'a known address of the VPC',
      [to('anyone', '192.168.7.7')],
      { slice: [X_ENI], dns: ['192.168.7.7'] },
      'other',
    ],
    ['an address of the hosts file', [to('anyone', '10.7.0.1')], { hosts: ['10.7.0.1'] }, 'other'],
    ['an address given as an X-ENI', [to('anyone', '10.9.0.1'), OPEN], {}, 'mixed'],
    [
      'a public address in the slice',
      [to('anyone', '43.201.141.73')],
      { slice: ['43.201.141.73'] },
      'public',
    ],
    // What nobody names is anyone's.
    ['a public stranger', [X, to('anyone', '8.8.8.8')], {}, 'unknown'],
    ['a public stranger alone', [to('anyone', '8.8.8.8')], {}, 'unknown'],
    ['a private stranger, held for long', [X, to('anyone', '10.1.1.1')], {}, 'unknown'],
    [
      "a stranger whose certificate was the cluster's",
      [to('anyone', '8.8.8.8')],
      { identities: [{ address: '8.8.8.8', identity: 'cluster' }] },
      'unknown',
    ],
    [
      'the proxy of a client',
      [{ process: 'anyone', peer: '10.1.1.1:443' }],
      { proxies: [{ client: 'kubelet', port: 443, addresses: ['10.1.1.1'] }] },
      'unknown',
    ],
    ['another port of a known address', [{ process: 'anyone', peer: `${PUBLIC}:8443` }], {}, 'unknown'],
    ['one that only opens', [to('anyone', PUBLIC, { state: 'syn-sent' })], {}, 'unknown'],
    ['one that closes', [to('anyone', PUBLIC, { state: 'close-wait' })], {}, 'unknown'],
    ['one that the peer opened', [to('anyone', PUBLIC, { local: '192.168.1.204:10250' })], {}, 'unknown'],
    ['loopback', [to('anyone', '127.0.0.1')], { slice: ['127.0.0.1'] }, 'unknown'],
    ["the clients' own, which are not asked for", [], { sockets: [to('kubelet', PUBLIC)] }, 'unknown'],
    ['public, the endpoint is not known', [OPEN], { endpoint: null }, 'unknown'],
    ['public, and a rejected row', [OPEN], { rejectedRows: 1 }, 'public'],
  ])('%s', (_, unattributed, seen, route) => {
    const status = byAddress(unattributed, seen);
    expect(status).toMatchObject({ route, attribution: 'address' });
    expect(status.routeReason).toMatch(/\S/);
  });

  test("a table without root's listener on 10250 is not the host's: nothing is said of it", () => {
    for (const listening of [[], [{ port: 10_255 }]]) {
      const status = byAddress([OPEN, X], { listening });
      expect(status).toMatchObject({ route: 'unknown', attribution: 'none' });
      expect(status.routeReason).toContain('10250');
    }
  });

  test("sockets of another network namespace than the host's are not counted", () => {
    const settled = settings({ attribution: 'address' });
    const host = observation({ ownersOff: true, unattributed: [X], dns: dnsSeen([X_ENI, PUBLIC]) });
    const pod = observation({ ownersOff: true, unattributed: [OPEN], listening: [] }).tables ?? [];
    const elsewhere = pod.map((table) => ({ ...table, netns: 'net:[1]' }));
    const look = { ...host, tables: [...(host.tables ?? []), ...elsewhere] };
    const { status } = judge(look, emptyHistory(look.at), settled);
    expect(status).toMatchObject({ route: 'unknown', attribution: 'address' });
    expect(clientOf(status, 'unattributed').connections).toHaveLength(1);
  });

  test('the sentence names what is in the way, where owners were asked for', () => {
    const watch = new Watch();
    const seen: WatchSeen = { failed: ['owners'], unattributed: [X], dns: [X_ENI] };
    expect(watch.look(seen).routeReason).toMatch(/not told apart.*it took longer than 5 s$/);
    expect(byAddress([OPEN, X]).routeReason).toContain('1 of 2');
    expect(byAddress([OPEN]).routeReason).not.toContain('kubelet');
  });
});

describe('a client that is told to use a proxy', () => {
  const PROXY = { client: 'kube-proxy', port: 3128, addresses: ['10.1.1.1'] };
  const TO_PROXY = { process: 'kube-proxy', peer: '10.1.1.1:3128' };
  const unresolved = { client: 'kube-proxy', error: 'Cannot resolve "proxy.example": nxdomain' };
  const kubeletOnly = [{ client: 'kubelet', pid: 100 }];
  test.each<[string, WatchSeen, NodeRoute]>([
    ['and does', { sockets: [to('kubelet', X_ENI), TO_PROXY], proxies: [PROXY] }, 'other'],
    [
      'and does, beside a public one',
      { sockets: [to('kubelet', PUBLIC), TO_PROXY], proxies: [PROXY] },
      'mixed',
    ],
    [
      'and alone does',
      { processes: [{ client: 'kube-proxy', pid: 200 }], sockets: [TO_PROXY], proxies: [PROXY] },
      'unknown',
    ],
    [
      'on loopback, and does',
      {
        sockets: [to('kubelet', X_ENI), { process: 'kube-proxy', peer: '127.0.0.1:3128' }],
        proxies: [{ ...PROXY, addresses: ['127.0.0.1'] }],
      },
      'other',
    ],
    ['and goes by an X-ENI', { sockets: BOTH_MOVED, proxies: [PROXY] }, 'x-eni'],
    [
      'and goes by the ClusterIP',
      { sockets: [to('kubelet', X_ENI), to('kube-proxy', '10.100.0.1')], proxies: [PROXY] },
      'x-eni',
    ],
    // Blind is unknown.
    ['whose name is not resolved', { sockets: BOTH_MOVED, proxies: [unresolved] }, 'unknown'],
    [
      'whose name is not resolved, beside a public one',
      { sockets: [to('kubelet', PUBLIC)], proxies: [unresolved] },
      'public',
    ],
    ['whose name is not resolved, and has no connection', { proxies: [unresolved] }, 'unknown'],
    [
      'or not: its environment could not be read',
      { sockets: BOTH_MOVED, proxies: [{ ...unresolved, url: null }] },
      'unknown',
    ],
    ['or not: nobody has looked yet', { sockets: BOTH_MOVED, nodeConfig: null }, 'unknown'],
    [
      'and is not there',
      { processes: kubeletOnly, sockets: [to('kubelet', X_ENI)], proxies: [unresolved] },
      'x-eni',
    ],
  ])('%s', (_, seen, route) => {
    expect(repeat(seen).route).toBe(route);
  });

  test('the sentence names the client, and the proxy or why it is not known', () => {
    const via = repeat({ sockets: [to('kubelet', X_ENI), TO_PROXY], proxies: [PROXY] }).routeReason;
    expect(via).toMatch(/^kube-proxy is connected to 10\.1\.1\.1, .*proxy/);
    const blind = repeat({ sockets: BOTH_MOVED, proxies: [unresolved] }).routeReason;
    expect(blind).toMatch(/kube-proxy.*nxdomain/);
  });
});

describe('x-eni and none need two looks in a row', () => {
  const none: WatchSeen = { dns: DNS };
  const moved: WatchSeen = { dns: DNS, sockets: BOTH_MOVED };
  const atHome: WatchSeen = { dns: DNS, sockets: [to('kubelet', PUBLIC), to('kube-proxy', PUBLIC)] };
  const rejected: WatchSeen = { ...moved, rejectedRows: 1 };

  function routes(...looks: readonly WatchSeen[]): readonly NodeRoute[] {
    const watch = new Watch();
    return looks.map((seen) => watch.look(seen).route);
  }

  test.each<[string, readonly WatchSeen[], readonly NodeRoute[]]>([
    ['x-eni', [moved, moved, moved], ['unknown', 'x-eni', 'x-eni']],
    ['none', [none, none], ['unknown', 'none']],
    ['public and mixed need one', [atHome, moved, atHome], ['public', 'unknown', 'public']],
    [
      'two different ones confirm nothing',
      [none, moved, none, none],
      ['unknown', 'unknown', 'unknown', 'none'],
    ],
    ['a rejected row in the look itself', [moved, rejected], ['unknown', 'unknown']],
    ['a rejected row one look ago', [rejected, moved, moved], ['unknown', 'unknown', 'x-eni']],
    ['a rejected row hides no public connection', [{ ...atHome, rejectedRows: 1 }], ['public']],
    ['a rejected row among none', [none, { ...none, rejectedRows: 1 }], ['unknown', 'unknown']],
    [
      'a look that failed in between',
      [moved, moved, { failed: ['sockets'] }, moved, moved],
      ['unknown', 'x-eni', 'unknown', 'unknown', 'x-eni'],
    ],
  ])('%s', (_, looks, expected) => {
    expect(routes(...looks)).toEqual(expected);
  });

  test('the two may be three scan intervals apart, not more', () => {
    const near = new Watch();
    near.look(moved);
    expect(near.look(moved, 30).route).toBe('x-eni');
    const far = new Watch();
    far.look(moved);
    const status = far.look(moved, 30.001);
    expect(status).toMatchObject({
      route: 'unknown',
      routeReason: 'the look before is too old to confirm x-eni',
    });
    expect(far.look(moved).route).toBe('x-eni');
  });

  test('the endpoint may become known after the first: it is the sockets that must agree', () => {
    expect(routes({ ...moved, endpoint: null }, moved)).toEqual(['unknown', 'x-eni']);
  });

  test('DNS may answer after the first', () => {
    expect(routes({ sockets: BOTH_MOVED }, moved)).toEqual(['unknown', 'x-eni']);
  });

  test('a public connection whose row was missed is still there, so that the route stays mixed', () => {
    const half = { dns: DNS, sockets: [...BOTH_MOVED, to('kubelet', PUBLIC)] };
    const row = { dns: DNS, sockets: [...BOTH_MOVED, to('kubelet', PUBLIC, { missed: true })] };
    expect(routes(half, row, half)).toEqual(['mixed', 'mixed', 'mixed']);
    expect(routes(half, row, row, row)).toEqual(['mixed', 'mixed', 'unknown', 'x-eni']);
  });

  test("a client's only connection that closes is not held up as established", () => {
    const closing = {
      dns: DNS,
      sockets: BOTH_MOVED.map((socket) => ({ ...socket, state: 'close-wait' }) as const),
    };
    expect(routes(moved, moved, closing)).toEqual(['unknown', 'x-eni', 'unknown']);
  });
});

describe('a look is confirmed by the one before', () => {
  function verdict(route: NodeRoute, more: Partial<LookVerdict> = {}): LookVerdict {
    return { route, reason: `because ${route}`, at: moment(20), clean: true, ...more };
  }

  test('which is judged only where that is needed', () => {
    let judged = 0;
    const judgeLast = () => {
      judged++;
      return verdict('x-eni', { at: moment(10) });
    };
    const alone: readonly NodeRoute[] = ['public', 'mixed', 'other', 'unknown'];
    for (const route of alone) {
      expect(confirm(verdict(route), judgeLast, 10_000)).toEqual({ route, reason: `because ${route}` });
    }
    expect(confirm(verdict('x-eni', { clean: false }), judgeLast, 10_000).route).toBe('unknown');
    expect(judged).toBe(0);
    expect(confirm(verdict('x-eni'), judgeLast, 10_000)).toEqual({ route: 'x-eni', reason: 'because x-eni' });
    expect(confirm(verdict('none'), judgeLast, 10_000).route).toBe('unknown');
    expect(judged).toBe(2);
  });

  test('of which there may be none', () => {
    expect(confirm(verdict('x-eni'), () => null, 10_000).route).toBe('unknown');
  });
});

describe('a client without an endpoint connection, beside one that has moved', () => {
  const SERVICE = to('kube-proxy', '10.100.0.1');
  const PROXIED = { process: 'kube-proxy', peer: '10.1.1.1:3128' };
  test.each<[string, readonly SocketText[], NodeRoute]>([
    ['goes by the ClusterIP', [SERVICE], 'x-eni'],
    ['and loopback', [SERVICE, { process: 'kube-proxy', peer: '127.0.0.1:3128' }], 'unknown'],
    [
      'and was asked by another',
      [SERVICE, { process: 'kube-proxy', local: '192.168.1.204:10250', peer: '10.1.1.1:50000' }],
      'x-eni',
    ],
    ['has nothing', [], 'unknown'],
    ['has loopback only', [to('kube-proxy', '127.0.0.1')], 'unknown'],
    ['only opens one to the ClusterIP', [{ ...SERVICE, state: 'syn-sent' }], 'unknown'],
    ['only closes one to the ClusterIP', [{ ...SERVICE, state: 'close-wait' }], 'unknown'],
    ['goes to the ClusterIP on another port', [{ ...SERVICE, peer: '10.100.0.1:6443' }], 'unknown'],
    ['goes by a proxy', [PROXIED], 'unknown'],
    ['goes by the ClusterIP and a proxy', [SERVICE, PROXIED], 'unknown'],
    [
      'goes by the ClusterIP and opens one to a proxy',
      [SERVICE, { ...PROXIED, state: 'syn-sent' }],
      'unknown',
    ],
    [
      'goes by the ClusterIP and opens one to an X-ENI',
      [SERVICE, to('kube-proxy', X_ENI, { state: 'syn-sent' })],
      'unknown',
    ],
    ['goes by another address', [to('kube-proxy', '10.100.0.2')], 'unknown'],
  ])('%s: %s', (_, sockets, route) => {
    expect(repeat({ sockets: [to('kubelet', X_ENI), ...sockets] }).route).toBe(route);
  });

  test('is not excused where it is required', () => {
    const clients = ['kubelet', 'kube-proxy'].map((name) => ({ name, required: true }));
    const seen = { sockets: [to('kubelet', X_ENI), SERVICE] };
    const watch = new Watch({ clients });
    watch.look({ ...seen, dns: DNS });
    const status = watch.look(seen);
    expect(status).toMatchObject({
      route: 'unknown',
      routeReason: 'kube-proxy has no established endpoint connection',
    });
    const kubelet = repeat({ sockets: [to('kube-proxy', X_ENI), to('kubelet', '10.100.0.1')] });
    expect(kubelet.routeReason).toBe('kubelet has no established endpoint connection');
  });

  test('is not excused where no Service is known', () => {
    const watch = new Watch({ service: null });
    const seen = { sockets: [to('kubelet', X_ENI), SERVICE] };
    watch.look({ ...seen, dns: DNS });
    expect(watch.look(seen).route).toBe('unknown');
  });
});

describe('the sentence that says why', () => {
  test.each<[string, WatchSeen, string]>([
    [
      'public',
      { sockets: [to('kubelet', PUBLIC)] },
      'every endpoint connection of kubelet is on a public address',
    ],
    [
      'public, both',
      { sockets: [to('kubelet', PUBLIC), to('kube-proxy', PUBLIC)] },
      'every endpoint connection of kubelet and kube-proxy is on a public address',
    ],
    [
      'mixed',
      { sockets: [...BOTH_MOVED, to('kubelet', PUBLIC)] },
      '1 of 3 endpoint connections on a public address (kubelet)',
    ],
    ['x-eni', { sockets: BOTH_MOVED }, 'every endpoint connection of kubelet and kube-proxy is on an X-ENI'],
    ['silent', { sockets: [to('kubelet', X_ENI)] }, 'kube-proxy has no established endpoint connection'],
    ['none', {}, 'no client has an established endpoint connection'],
  ])('%s', (_, seen, reason) => {
    expect(repeat(seen).routeReason).toBe(reason);
  });

  test('other names the address', () => {
    const watch = new Watch();
    const seen = { sockets: [to('kubelet', '10.1.1.1')] };
    watch.look({ ...seen, dns: DNS });
    expect(watch.look(seen, 60).routeReason).toBe(
      'kubelet is connected to 10.1.1.1, a private address that is not known as an X-ENI',
    );
  });

  test('one look only', () => {
    expect(repeat({ sockets: BOTH_MOVED }, 1).routeReason).toBe(
      'x-eni in one look only: a second one must agree',
    );
  });

  test.each<[number, string]>([
    [0, ''],
    [900, ''],
    [900.001, ', by an EndpointSlice that was last read 15 min ago'],
    [7200, ', by an EndpointSlice that was last read 2 h ago'],
  ])('x-eni, by a slice of %d s ago', (sliceAgeSeconds, age) => {
    const status = repeat({ sockets: BOTH_MOVED, slice: [X_ENI], sliceAgeSeconds });
    expect(status.route).toBe('x-eni');
    expect(status.routeReason).toBe(
      `every endpoint connection of kubelet and kube-proxy is on an X-ENI${age}`,
    );
  });

  test('another route does not rest on the slice, however old', () => {
    const seen = { sockets: [to('kubelet', PUBLIC)], slice: [X_ENI], sliceAgeSeconds: 7200 };
    expect(repeat(seen).routeReason).toBe('every endpoint connection of kubelet is on a public address');
  });
});

describe('never a false green', () => {
  // Each address with what it is, by hand and not by the code under test.
  const PUBLIC_V4 = ['3.34.148.207', '43.201.141.73', '100.128.0.1', '172.32.0.1', '198.20.0.1'];
  const PRIVATE_V4 = [
    '192.168.1.231',
    '192.168.7.7',
    '10.9.0.1',
    '10.1.1.1',
    '100.64.0.9',
    '10.100.0.1',
    '127.0.0.1',
  ];
  const V6 = ['2600:1f13::5', 'fd00::1', '::1'];
  /** The first, nine times of ten. */
  function rarely<T>(usually: T, ...others: readonly T[]): fc.Arbitrary<T> {
    return fc.oneof(
      { arbitrary: fc.constant(usually), weight: 9 },
      { arbitrary: fc.constantFrom(...others), weight: 1 },
    );
  }

  const anyAddress = fc.constantFrom(...PUBLIC_V4, ...PRIVATE_V4, ...V6);
  const peer = fc.oneof(
    anyAddress.map((text) => (text.includes(':') ? `[${text}]` : text)),
    fc.constantFrom(...PUBLIC_V4, ...PRIVATE_V4).map((text) => `[::ffff:${text}]`),
    fc.constantFrom(...PUBLIC_V4).map((text) => `[64:ff9b::${text}]`),
  );
  const socket = fc.record({
    process: fc.constantFrom('kubelet', 'kube-proxy', 'stranger'),
    pid: fc.constantFrom(100, 101, 200),
    peer: fc.tuple(peer, fc.constantFrom(443, 443, 443, 10_250)).map(([host, port]) => `${host}:${port}`),
    local: fc.constantFrom(40_000, 40_001, 40_002, 40_003, 10_250).map((port) => `192.168.1.204:${port}`),
    state: fc.constantFrom(
      'established' as const,
      'established' as const,
      'syn-sent' as const,
      'close-wait' as const,
    ),
    missed: rarely(false, true),
  });
  const process = fc.record({
    client: fc.constantFrom('kubelet', 'kube-proxy'),
    pid: fc.constantFrom(100, 101, 200),
    readable: rarely(true, false),
  });
  const usual = [
    { client: 'kubelet', pid: 100 },
    { client: 'kube-proxy', pid: 200 },
  ];
  /** Anyone may listen on the local port of a connection, at another address. */
  const listening = fc
    .subarray([
      { local: '127.0.0.9', port: 40_000 },
      { local: '::1', port: 40_001 },
      { local: '10.9.9.9', port: 40_002 },
      { local: '2600:1f13::99', port: 40_003 },
      { local: '127.0.0.1', port: 40_000 },
    ])
    .map((more) => [{ local: '::', port: 10_250 }, ...more]);
  /** What a moved node holds; and where a client goes another way than to the endpoint. */
  const BY_SERVICE = [to('kubelet', X_ENI), to('kube-proxy', '10.100.0.1')];
  const PROXIED = { process: 'kube-proxy', peer: '10.1.1.1:3128' };
  const moved = fc.constantFrom<readonly SocketText[]>(BOTH_MOVED, BY_SERVICE);
  const astray = fc.constantFrom<readonly SocketText[]>(
    [...BOTH_MOVED, PROXIED],
    [to('kubelet', X_ENI)],
    [to('kubelet', X_ENI), PROXIED],
    [to('kubelet', X_ENI), to('kube-proxy', '10.100.0.1', { state: 'syn-sent' })],
    [...BY_SERVICE, PROXIED],
    [to('kubelet', X_ENI), { process: 'kube-proxy', peer: '10.100.0.1:6443' }],
    [to('kubelet', '10.100.0.1'), to('kube-proxy', X_ENI)],
  );
  const base = fc.oneof({ arbitrary: moved, weight: 2 }, { arbitrary: astray, weight: 1 });
  const more = fc.uniqueArray(socket, {
    selector: ({ process: name, pid, peer: to, local }) => [name, pid, to, local].join(' '),
    maxLength: 3,
  });
  const stranger: LeftOutProcess = { client: 'kube-proxy', pid: 300, reason: 'uid', uid: 7 };
  /** A node that has moved, so that green is within reach; and one of which little is as it should be. */
  const tidy: fc.Arbitrary<WatchSeen> = fc.record({ sockets: base, dns: fc.constant(DNS), listening });
  const wild: fc.Arbitrary<WatchSeen> = fc.record({
    processes: fc.oneof(
      { arbitrary: fc.constant(usual), weight: 3 },
      { arbitrary: fc.uniqueArray(process, { selector: ({ pid }) => pid, maxLength: 3 }), weight: 1 },
    ),
    sockets: fc.tuple(base, more).map((all) => all.flat()),
    listening,
    rejectedRows: rarely(0, 1),
    unreadable: rarely(0, 1),
    failed: rarely<readonly ('owners' | 'sockets')[]>([], ['owners'], ['sockets']),
    leftOut: rarely<readonly LeftOutProcess[]>([], [stranger]),
    dns: fc.oneof(
      { arbitrary: fc.constant(DNS), weight: 6 },
      { arbitrary: fc.array(anyAddress, { minLength: 1, maxLength: 3 }), weight: 3 },
      { arbitrary: fc.constant('timeout' as const), weight: 1 },
    ),
  });
  const look = fc.oneof({ arbitrary: tidy, weight: 2 }, { arbitrary: wild, weight: 1 });
  const known = fc.record({
    xEnis: fc.constantFrom([], [range('10.9.0.0/24')], ['192.168.1.231', ...PUBLIC_V4].map(range)),
    vpcCidrs: fc.constantFrom(
      [],
      [range('192.168.0.0/16')],
      [range('192.168.0.0/16')],
      [range('100.64.0.0/16'), range('2600:1f13::/56')],
    ),
    service: fc.constantFrom(
      null,
      { address: address('10.100.0.1'), port: 443 },
      { address: address('10.100.0.1'), port: 443 },
      { address: address('10.100.0.1'), port: 8443 },
      { address: address('3.34.148.207'), port: 443 },
    ),
  });

  /** The sockets that clients of the node visibly opened; a peer opened those at port 10250. */
  function opened({ sockets = [], processes = usual }: WatchSeen) {
    return sockets.flatMap(({ process: name, pid, peer: to, local, state = 'established', missed }) => {
      const holder = processes.find((one) => (pid === undefined ? one.client === name : one.pid === pid));
      const isOpen = state === 'established' || state === 'syn-sent';
      if (holder === undefined || !isOpen || missed || local?.endsWith(':10250')) return [];
      return [{ client: holder.client, to, state }];
    });
  }

  function isTo(to: string, ...texts: readonly string[]): boolean {
    return texts.some((text) => to.endsWith(`${text}:443`) || to.endsWith(`${text}]:443`));
  }

  /** Whether a client of the node visibly holds an established connection to a public IPv4 address. */
  function holdsPublic(seen: WatchSeen): boolean {
    return opened(seen).some(({ to, state }) => state === 'established' && isTo(to, ...PUBLIC_V4));
  }

  /** Whether a client visibly goes, or tries to go, where neither loopback nor the Service is. */
  function goesElsewhere(seen: WatchSeen, client: string): boolean {
    return opened(seen).some(({ client: holder, to, state }) => {
      if (holder !== client || /^\[?(?:::ffff:)?127\.|^\[::1\]/.test(to)) return false;
      return state !== 'established' || !isTo(to, '10.100.0.1');
    });
  }

  function somethingUnreadable({ processes, unreadable = 0, failed = [], leftOut = [] }: WatchSeen): boolean {
    const all = processes ?? [{ client: 'kube-proxy', readable: true }];
    const refused = all.some(({ readable }) => readable === false);
    const onlyStrangers = leftOut.length > 0 && !all.some(({ client }) => client === 'kube-proxy');
    return refused || unreadable > 0 || failed.length > 0 || onlyStrangers;
  }

  /** Where owners cannot be told, a look collects the sockets to the endpoint's port, whoever holds them. */
  function collected(seen: WatchSeen): WatchSeen {
    const { sockets = [] } = seen;
    const shown = sockets.filter(({ peer: to, missed }) => to.endsWith(':443') && !missed);
    return somethingUnreadable(seen) || seen.processes?.length === 0
      ? { ...seen, unattributed: shown }
      : seen;
  }

  test('x-eni is said of no node that holds a public connection, that was not read whole, or was seen once', () => {
    let greens = 0;
    let silent = 0;
    let byAddress = 0;
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 4 }), known, (looks, overrides) => {
        const watch = new Watch(overrides);
        const statuses = looks.map((seen) => watch.look(collected(seen)));
        for (const { attribution, route } of statuses) {
          if (attribution === 'address') expect(['public', 'mixed', 'other', 'unknown']).toContain(route);
          if (attribution === 'none') expect(route).toBe('unknown');
          if (attribution === 'address') byAddress++;
        }
        const [last, status] = [looks.at(-1) ?? {}, statuses.at(-1)];
        if (status?.route !== 'x-eni') return;
        greens++;
        expect(holdsPublic(last)).toBe(false);
        expect(somethingUnreadable(last)).toBe(false);
        expect(last.rejectedRows ?? 0).toBe(0);
        expect(looks.length).toBeGreaterThan(1);
        expect(status.attribution).toBe('process');
        for (const { client, required, found } of status.clients) {
          const connections = clientOf(status, client).connections ?? [];
          const established = connections.filter(({ state }) => state === 'established');
          expect(established.filter(({ route }) => route !== 'x-eni')).toEqual([]);
          if (!found || established.length > 0) continue;
          silent++;
          expect(required).toBe(false);
          expect(overrides.service).toEqual({ address: address('10.100.0.1'), port: 443 });
          expect(goesElsewhere(last, client)).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
    // A property that never meets its case holds of anything.
    expect(greens).toBeGreaterThan(50);
    expect(silent).toBeGreaterThan(5);
    expect(byAddress).toBeGreaterThan(50);
  });
});
