import { describe, expect, test } from 'vitest';
import {
  type ClientConnections,
  clientSockets,
  type EndpointFacts,
  endpointConnections,
  PRESUME_PRIVATE_AFTER_MS,
} from '../../src/model/connections.ts';
import { recordLookup } from '../../src/model/dns.ts';
import { identitiesOf } from '../../src/model/identities.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import {
  address,
  answered,
  dnsSeen,
  ENDPOINT,
  moment,
  observation,
  range,
  type Seen,
  type SocketText,
  settings,
} from '../support/observation.ts';

/** What kubelet's sockets are taken for, this long after the first look saw them. */
function connectionsOf(
  sockets: readonly Omit<SocketText, 'process'>[],
  {
    heldSeconds = 0,
    xEnis = [],
    former = [],
    service = '10.100.0.1',
    servicePort = 443,
    ...seen
  }: Seen & {
    heldSeconds?: number;
    xEnis?: readonly string[];
    /** What was an X-ENI and is one no longer. */
    former?: readonly string[];
    service?: string | null;
    servicePort?: number;
  } = {},
): ClientConnections {
  const look = observation({
    ...seen,
    sockets: sockets.map((socket) => ({ process: 'kubelet', ...socket })),
  });
  const known = knowledgeOf(settings({ xEnis: xEnis.map(range) }), look, former.map(address));
  const facts: EndpointFacts = {
    endpoint: look.endpoint ?? ENDPOINT,
    known,
    service: service === null ? null : { address: address(service), port: servicePort },
    identities: identitiesOf(look, known, 60_000),
    proxies: look.nodeConfig?.proxies ?? [],
    now: moment(heldSeconds),
  };
  const held = [...clientSockets(look).values()].map((socket) => ({ ...socket, firstSeenAt: look.at }));
  return endpointConnections(held, facts);
}

describe('the sockets of the clients', () => {
  test('established and opening ones count, other states do not', () => {
    const states = [
      'established',
      'syn-sent',
      'syn-recv',
      'fin-wait-1',
      'fin-wait-2',
      'time-wait',
      'close',
      'close-wait',
      'last-ack',
      'listen',
      'closing',
      'new-syn-recv',
    ] as const;
    const look = observation({
      sockets: states.map((state, index) => ({ process: 'kubelet', peer: `3.34.148.${index}:443`, state })),
    });
    const found = [...clientSockets(look).values()].map(({ socket }) => socket.state);
    expect(found).toEqual(['established', 'syn-sent']);
  });

  test('a socket that no client holds is not there', () => {
    const look = observation({ sockets: [{ process: 'stranger', pid: 999, peer: '3.34.148.207:443' }] });
    expect(clientSockets(look).size).toBe(0);
  });

  test('a socket that two processes share counts once, for the first', () => {
    const socket = { process: 'kubelet', peer: '3.34.148.207:443', local: '192.168.1.204:40000', inode: 7 };
    const look = observation({
      processes: [
        { client: 'kubelet', pid: 100 },
        { client: 'kubelet', pid: 101 },
      ],
      sockets: [
        { ...socket, pid: 100 },
        { ...socket, pid: 101 },
      ],
    });
    expect([...clientSockets(look).values()].map(({ process }) => process.pid)).toEqual([100]);
  });

  test('two sockets of one inode number (it came again) or of one 4-tuple are two', () => {
    const kubelet = { process: 'kubelet', local: '192.168.1.204:40000' };
    const look = observation({
      sockets: [
        { ...kubelet, peer: '3.34.148.207:443', inode: 7 },
        { ...kubelet, peer: '3.34.148.208:443', inode: 7 },
        { ...kubelet, peer: '3.34.148.207:443', inode: 8 },
      ],
    });
    expect(clientSockets(look).size).toBe(3);
  });

  test('a process whose descriptors, or whose table, could not be read has none', () => {
    const sockets = [{ process: 'kubelet', peer: '3.34.148.207:443' }];
    const look = observation({ sockets });
    const refused = observation({ sockets, processes: [{ client: 'kubelet', pid: 100, readable: false }] });
    expect(clientSockets(refused).size).toBe(0);
    expect(clientSockets({ ...look, tables: [] }).size).toBe(0);
    expect(clientSockets({ ...look, tables: null }).size).toBe(0);
    expect(clientSockets({ ...look, owners: null }).size).toBe(0);
  });

  test('a table of another network namespace says nothing of the process', () => {
    const look = observation({ sockets: [{ process: 'kubelet', peer: '3.34.148.207:443' }] });
    const tables = look.tables?.map((table) => ({ ...table, netns: 'net:[1]' })) ?? null;
    expect(clientSockets({ ...look, tables }).size).toBe(0);
  });
});

describe('a socket that its peer opened', () => {
  const V4 = '192.168.1.204:40000';
  const MAPPED = '[::ffff:192.168.1.204]:40000';
  const V6 = '[2600:1f13::9]:40000';
  const NAT64 = '[64:ff9b::c0a8:1cc]:40000';
  test.each<[string, string, number, boolean]>([
    // What a dual-stack listener accepts is in its own table, mapped; an IPv6-only one accepts no IPv4.
    [V4, '::', 40_000, false],
    [V4, '0.0.0.0', 40_000, true],
    [V4, '192.168.1.204', 40_000, true],
    [V4, '::ffff:192.168.1.204', 40_000, false],
    [MAPPED, '::', 40_000, true],
    [MAPPED, '::ffff:192.168.1.204', 40_000, true],
    [MAPPED, '0.0.0.0', 40_000, false],
    [MAPPED, '192.168.1.204', 40_000, false],
    [V6, '::', 40_000, true],
    [V6, '2600:1f13::9', 40_000, true],
    [NAT64, '::', 40_000, true],
    ['127.0.0.1:40000', '127.0.0.1', 40_000, true],
    // The port alone says nothing.
    [V4, '127.0.0.9', 40_000, false],
    [V4, '127.0.0.1', 40_000, false],
    [V4, '192.168.1.205', 40_000, false],
    [V4, '::1', 40_000, false],
    [V4, '2600:1f13::9', 40_000, false],
    [V4, '0.0.0.1', 40_000, false],
    [MAPPED, '127.0.0.9', 40_000, false],
    [V6, '0.0.0.0', 40_000, false],
    [V6, '::1', 40_000, false],
    [V6, '2600:1f13::8', 40_000, false],
    // Nor does the address.
    [V4, '::', 40_001, false],
    [V4, '0.0.0.0', 443, false],
    [V4, '192.168.1.204', 40_001, false],
  ])('%s beside a listener at %s port %d: %s', (local, at, port, accepted) => {
    const host = local.startsWith('[2600') ? '[2600:1f13::5]' : '3.34.148.207';
    const socket = { process: 'kubelet', local, peer: `${host}:443` };
    const listening = [
      { local: '127.0.0.53', port: 53 },
      { local: at, port },
    ];
    const found = [...clientSockets(observation({ sockets: [socket], listening })).values()];
    expect(found.map((one) => one.accepted)).toEqual([accepted]);
    expect(connectionsOf([socket], { listening })).toMatchObject({
      endpoint: accepted ? [] : [{ evidence: 'presumed', route: 'public' }],
      ignored: accepted ? 1 : 0,
      viaServiceOnly: false,
    });
  });

  test('a listener of another network namespace says nothing', () => {
    const socket = { process: 'kubelet', local: V4, peer: '3.34.148.207:443' };
    const look = observation({ sockets: [socket], listening: [] });
    const elsewhere = {
      netns: 'net:[1]',
      sockets: [],
      unattributed: null,
      listeners: [{ table: 'tcp6' as const, local: address('::'), port: 40_000 }],
      inbound: [],
      rows: 1,
      rejectedRows: 0,
    };
    const found = clientSockets({ ...look, tables: [elsewhere, ...(look.tables ?? [])] });
    expect([...found.values()].map(({ accepted }) => accepted)).toEqual([false]);
  });
});

describe('why a socket is taken for an endpoint connection', () => {
  const literal = { ...ENDPOINT, hostname: '10.7.7.7' };
  const longAgo = { dns: dnsSeen(['192.168.1.231', '43.201.141.73'], -3601) };
  const dns = dnsSeen(['192.168.1.231', '43.201.141.73']);
  const moved = recordLookup(dnsSeen(['3.34.148.207', '10.9.0.1']), answered(['192.168.1.231'], 60));
  test.each<[string, string, Parameters<typeof connectionsOf>[1], string | null]>([
    ['an address of the answer', '192.168.1.231:443', { dns }, 'dns'],
    ['a public address of the answer', '43.201.141.73:443', { dns }, 'dns'],
    ['a v4-mapped address of the answer', '[::ffff:192.168.1.231]:443', { dns }, 'dns'],
    ['an address of the answer behind NAT64', '[64:ff9b::c0a8:1e7]:443', { dns }, 'dns'],
    ['an address of an earlier answer', '3.34.148.207:443', { dns: moved }, 'dns-history'],
    ['a private address of an earlier answer', '10.9.0.1:443', { dns: moved }, 'dns-history'],
    ['an address given as an X-ENI', '10.9.0.7:443', { xEnis: ['10.9.0.0/24'] }, 'config'],
    [
      'one that is both given and answered',
      '192.168.1.231:443',
      { dns, xEnis: ['192.168.1.0/24'] },
      'config',
    ],
    [
      'a public address given as an X-ENI (not one)',
      '3.34.148.207:443',
      { xEnis: ['3.34.148.207'] },
      'config',
    ],
    ['an address of an answer of more than an hour ago', '192.168.1.231:443', longAgo, 'dns-history'],
    ['a public one of it', '43.201.141.73:443', longAgo, 'dns-history'],
    ['the address that the endpoint is', '10.7.7.7:443', { endpoint: literal }, 'config'],
    ['the same, v4-mapped', '[::ffff:10.7.7.7]:443', { endpoint: literal }, 'config'],
    ['another address than the endpoint is', '10.7.7.8:443', { endpoint: literal }, null],
    [
      'a "ClusterIP" that the endpoint is',
      '10.7.7.7:443',
      { endpoint: literal, service: '10.7.7.7' },
      'config',
    ],
    ['a public address that nobody names', '8.8.8.8:443', { dns }, 'presumed'],
    ['a public address while DNS has not answered', '8.8.8.8:443', {}, 'presumed'],
    ['a public IPv6 address', '[2600:1f13::5]:443', { dns }, 'presumed'],
    ['a public address behind NAT64', '[64:ff9b::8.8.8.8]:443', { dns }, 'presumed'],
    ['an address of the VPC, at once', '192.168.7.7:443', { dns }, null],
    ['an address of the VPC, after 59.999 s', '192.168.7.7:443', { dns, heldSeconds: 59.999 }, null],
    ['an address of the VPC, after 60 s', '192.168.7.7:443', { dns, heldSeconds: 60 }, 'presumed'],
    ['a private address, at once', '10.1.1.1:443', { dns }, null],
    ['a private address, after 60 s', '10.1.1.1:443', { dns, heldSeconds: 60 }, 'presumed'],
    ['a unique local address, after 60 s', '[fd00::1]:443', { dns, heldSeconds: 60 }, 'presumed'],
    ['another port of an address of the answer', '192.168.1.231:10250', { dns, heldSeconds: 600 }, null],
    ['another port of an X-ENI', '10.9.0.7:8443', { xEnis: ['10.9.0.7'] }, null],
    ['another port of a public address', '8.8.8.8:80', { dns, heldSeconds: 600 }, null],
    ['loopback', '127.0.0.1:443', { dns, heldSeconds: 600 }, null],
    ['IPv6 loopback', '[::1]:443', { dns, heldSeconds: 600 }, null],
    [
      'v4-mapped loopback, though DNS gives it',
      '[::ffff:127.0.0.1]:443',
      { dns: dnsSeen(['127.0.0.1']) },
      null,
    ],
    ['the ClusterIP', '10.100.0.1:443', { dns, heldSeconds: 600 }, null],
    ['the ClusterIP, v4-mapped', '[::ffff:10.100.0.1]:443', { dns, heldSeconds: 600 }, null],
    [
      'the same address where no ClusterIP is known',
      '10.100.0.1:443',
      { service: null, heldSeconds: 60 },
      'presumed',
    ],
    ['a "ClusterIP" that DNS gives', '192.168.1.231:443', { dns, service: '192.168.1.231' }, 'dns'],
    ['a "ClusterIP" that DNS gave', '10.9.0.1:443', { dns: moved, service: '10.9.0.1' }, 'dns-history'],
    [
      'a "ClusterIP" given as an X-ENI',
      '10.9.0.7:443',
      { xEnis: ['10.9.0.7'], service: '10.9.0.7' },
      'config',
    ],
    [
      "the ClusterIP on another port than the Service's, after 60 s",
      '10.100.0.1:443',
      { servicePort: 6443, heldSeconds: 60 },
      'presumed',
    ],
    ['a public "ClusterIP"', '3.34.148.207:443', { service: '3.34.148.207' }, 'presumed'],
    [
      'a local port on which something listens',
      '3.34.148.207:443',
      { dns, listening: [{ port: 20_000 }, { port: 40_000 }] },
      null,
    ],
  ])('%s (%s)', (_, peer, facts, evidence) => {
    const { endpoint, ignored } = connectionsOf([{ peer, local: '192.168.1.204:40000' }], facts);
    expect(endpoint.map((connection) => connection.evidence)).toEqual(evidence === null ? [] : [evidence]);
    expect(ignored).toBe(evidence === null ? 1 : 0);
  });

  const X_ENI = '192.168.1.231';
  const slice = { slice: [X_ENI], slicePort: 443 };
  const given = { xEnis: [X_ENI] };
  const proxies = [{ client: 'kubelet', port: 3128, addresses: ['10.1.1.1', '3.34.148.1'] }];
  const atHome = [{ client: 'kubelet', port: 3128, addresses: ['127.0.0.1', '::1'] }];
  test.each<[string, string, Parameters<typeof connectionsOf>[1], string | null]>([
    ['an address of the slice', `${X_ENI}:443`, slice, 'endpointslice'],
    ['a v4-mapped one', `[::ffff:${X_ENI}]:443`, slice, 'endpointslice'],
    ["one on the slice's own port", `${X_ENI}:6443`, { ...slice, slicePort: 6443 }, 'endpointslice'],
    ['one on another port', `${X_ENI}:8443`, { ...slice, heldSeconds: 600 }, null],
    ['one of a slice of long ago', `${X_ENI}:443`, { ...slice, sliceAgeSeconds: 86_400 }, 'endpointslice'],
    [
      'a public address in the slice (no X-ENI)',
      '3.34.148.207:443',
      { slice: ['3.34.148.207'] },
      'endpointslice',
    ],
    ['what was an X-ENI', '192.168.1.9:443', { ...slice, former: ['192.168.1.9'] }, 'endpointslice'],
    ['an address of the hosts file', '10.9.0.1:443', { hosts: ['10.9.0.1'] }, 'config'],
    // The strongest reason first.
    [
      'an address of slice, --x-eni, hosts file and DNS',
      `${X_ENI}:443`,
      { ...slice, ...given, dns, hosts: [X_ENI] },
      'endpointslice',
    ],
    ['one of --x-eni, hosts file and DNS', `${X_ENI}:443`, { ...given, dns, hosts: [X_ENI] }, 'config'],
    ['one of hosts file and DNS', `${X_ENI}:443`, { dns, hosts: [X_ENI] }, 'config'],
    [
      'one of an earlier answer that TLS knows too',
      '3.34.148.207:443',
      { dns: moved, identities: [{ address: '3.34.148.207', identity: 'cluster' }] },
      'dns-history',
    ],
    [
      'a proxy at an X-ENI of the slice',
      `${X_ENI}:443`,
      { ...slice, proxies: [{ client: 'kubelet', port: 443, addresses: [X_ENI] }] },
      'proxy',
    ],
    // Proxies
    ['the proxy', '10.1.1.1:3128', { proxies }, 'proxy'],
    ['the proxy, v4-mapped', '[::ffff:10.1.1.1]:3128', { proxies }, 'proxy'],
    ['another address of its name', '3.34.148.1:3128', { proxies }, 'proxy'],
    ['another port of it', '10.1.1.1:3129', { proxies, heldSeconds: 600 }, null],
    ['another address on its port', '10.1.1.2:3128', { proxies, heldSeconds: 600 }, null],
    [
      'the proxy of another client',
      '10.1.1.1:3128',
      { proxies: [{ client: 'kube-proxy', port: 3128, addresses: ['10.1.1.1'] }] },
      null,
    ],
    [
      'a proxy whose name is not resolved',
      '10.1.1.1:3128',
      { proxies: [{ client: 'kubelet', error: 'nxdomain' }] },
      null,
    ],
    ['a proxy on loopback', '127.0.0.1:3128', { proxies: atHome }, 'proxy'],
    ['a proxy on IPv6 loopback', '[::1]:3128', { proxies: atHome }, 'proxy'],
    ['another port of loopback', '127.0.0.1:443', { proxies: atHome }, null],
    // A "ClusterIP" that is known as the endpoint's
    ['a "ClusterIP" of the slice', `${X_ENI}:443`, { ...slice, service: X_ENI }, 'endpointslice'],
    [
      'a "ClusterIP" of the hosts file',
      '10.9.0.1:443',
      { hosts: ['10.9.0.1'], service: '10.9.0.1' },
      'config',
    ],
    ['a "ClusterIP" that was an X-ENI', `${X_ENI}:443`, { former: [X_ENI], service: X_ENI }, 'endpointslice'],
  ])('%s (%s)', (_, peer, facts, evidence) => {
    const { endpoint, ignored } = connectionsOf([{ peer, local: '192.168.1.204:40000' }], facts);
    expect(endpoint.map((connection) => connection.evidence)).toEqual(evidence === null ? [] : [evidence]);
    expect(ignored).toBe(evidence === null ? 1 : 0);
  });

  describe('what a stranger showed for a certificate', () => {
    type Identity = 'cluster' | 'other' | 'no-answer' | null;
    const right = { dns, probes: [{ address: X_ENI }] };
    const wrong = { dns, probes: [{ address: X_ENI, failedStage: 'identity' as const }] };
    test.each<[string, string, Identity, Parameters<typeof connectionsOf>[1], string | null]>([
      ["a private one the cluster's, at once", '10.1.1.1', 'cluster', right, 'tls'],
      ["one of the VPC the cluster's", '192.168.7.7', 'cluster', right, 'tls'],
      ["a public one the cluster's", '8.8.8.8', 'cluster', right, 'tls'],
      ["one the cluster's, while the CA is not verified elsewhere", '10.1.1.1', 'cluster', wrong, 'tls'],
      ["a public one another's", '8.8.8.8', 'other', right, null],
      [
        "a private one another's, however long it is held",
        '10.1.1.1',
        'other',
        { ...right, heldSeconds: 600 },
        null,
      ],
      // A wrong CA must hide nothing.
      ["a public one another's, the CA is wrong", '8.8.8.8', 'other', wrong, 'presumed'],
      ["a public one another's, nothing was probed", '8.8.8.8', 'other', { dns }, 'presumed'],
      [
        "a public one another's, the probe is too old",
        '8.8.8.8',
        'other',
        { dns, probes: [{ address: X_ENI, ageSeconds: 181 }] },
        'presumed',
      ],
      ["a private one another's, the CA is wrong, at once", '10.1.1.1', 'other', wrong, null],
      ['the same after 60 s', '10.1.1.1', 'other', { ...wrong, heldSeconds: 60 }, 'presumed'],
      ['a public one nothing', '8.8.8.8', 'no-answer', right, 'presumed'],
      ['a private one nothing, at once', '10.1.1.1', 'no-answer', right, null],
      [
        'a private one nothing, after 59.999 s',
        '10.1.1.1',
        'no-answer',
        { ...right, heldSeconds: 59.999 },
        null,
      ],
      [
        'a private one nothing, after 60 s',
        '10.1.1.1',
        'no-answer',
        { ...right, heldSeconds: 60 },
        'presumed',
      ],
      [
        'a private one that was not asked, after 60 s',
        '10.1.1.1',
        null,
        { ...right, heldSeconds: 60 },
        'presumed',
      ],
      // It says nothing against other evidence.
      ["an address of DNS another's", '43.201.141.73', 'other', right, 'dns'],
      [
        "one of an earlier answer another's",
        '3.34.148.207',
        'other',
        { ...right, dns: moved },
        'dns-history',
      ],
      [
        "one of the slice another's",
        '192.168.1.9',
        'other',
        { ...right, slice: ['192.168.1.9'] },
        'endpointslice',
      ],
      ["one of --x-eni another's", '10.9.0.7', 'other', { ...right, xEnis: ['10.9.0.7'] }, 'config'],
      ["one of the hosts file another's", '10.9.0.7', 'other', { ...right, hosts: ['10.9.0.7'] }, 'config'],
    ])('%s (%s)', (_, peer, identity, facts, evidence) => {
      const identities = identity === null ? [] : [{ address: peer, identity }];
      const { endpoint } = connectionsOf([{ peer: `${peer}:443` }], { ...facts, identities });
      expect(endpoint.map((connection) => connection.evidence)).toEqual(evidence === null ? [] : [evidence]);
    });

    test('another port says nothing of this one', () => {
      const identities = [{ address: '8.8.8.8', port: 8443, identity: 'other' as const }];
      const { endpoint } = connectionsOf([{ peer: '8.8.8.8:443' }], { ...right, identities });
      expect(endpoint).toMatchObject([{ evidence: 'presumed', route: 'public' }]);
    });
  });

  test('a connection to the proxy has the route proxy, wherever that is, and is never stale', () => {
    const { endpoint } = connectionsOf([{ peer: '3.34.148.1:3128' }], { dns, proxies });
    expect(endpoint).toMatchObject([{ evidence: 'proxy', route: 'proxy', stale: false }]);
  });

  test('the endpoint has another port than 443: then that one counts', () => {
    const endpoint = { ...ENDPOINT, port: 6443 };
    const sockets = [{ peer: '3.34.148.207:6443' }, { peer: '3.34.148.207:443' }];
    const found = connectionsOf(sockets, { endpoint }).endpoint;
    expect(found.map(({ socket }) => socket.peerPort)).toEqual([6443]);
  });

  test('a private peer is presumed by the monotonic clock, from first sight', () => {
    expect(PRESUME_PRIVATE_AFTER_MS).toBe(60_000);
  });
});

describe('the ClusterIP of the kubernetes Service', () => {
  const SERVICE = { peer: '10.100.0.1:443' };
  const V6_SERVICE = { peer: '[fd00:10::1]:443' };
  const dns = dnsSeen(['192.168.1.231']);
  const inbound = { local: '192.168.1.204:10250' };
  test.each<[string, Parameters<typeof connectionsOf>, boolean]>([
    ['an established connection to it', [[SERVICE]], true],
    ['two of them', [[SERVICE, { ...SERVICE, local: '192.168.1.204:40001' }]], true],
    ['a v4-mapped one', [[{ peer: '[::ffff:10.100.0.1]:443' }]], true],
    ['an IPv6 one', [[V6_SERVICE], { service: 'fd00:10::1' }], true],
    ["the Service's own port", [[{ peer: '10.100.0.1:6443' }], { servicePort: 6443 }], true],
    ['and loopback, where a proxy may be', [[SERVICE, { peer: '127.0.0.1:3128' }]], false],
    ['and one that was accepted', [[SERVICE, { ...inbound, peer: '10.1.1.1:50000' }]], true],
    ['nothing', [[]], false],
    ['loopback alone', [[{ peer: '127.0.0.1:443' }]], false],
    ['one that is still opening', [[{ ...SERVICE, state: 'syn-sent' }]], false],
    ['one that is closing', [[{ ...SERVICE, state: 'close-wait' }]], false],
    [
      'one that stands and one that opens',
      [[SERVICE, { ...SERVICE, local: '192.168.1.204:40001', state: 'syn-sent' }]],
      false,
    ],
    ['another address', [[{ peer: '10.100.0.2:443' }]], false],
    ['another port of it', [[{ peer: '10.100.0.1:8443' }]], false],
    ['and another port of it', [[SERVICE, { peer: '10.100.0.1:8443' }]], false],
    ['a proxy', [[{ peer: '10.1.1.1:3128' }]], false],
    ['and a proxy', [[SERVICE, { peer: '10.1.1.1:3128' }]], false],
    ['and one to a proxy that opens', [[SERVICE, { peer: '10.1.1.1:3128', state: 'syn-sent' }]], false],
    ['and an endpoint connection', [[SERVICE, { peer: '192.168.1.231:443' }], { dns }], false],
    ['and one that opens', [[SERVICE, { peer: '3.34.148.207:443', state: 'syn-sent' }], { dns }], false],
    ['no ClusterIP is known', [[SERVICE], { service: null }], false],
    ['it is public', [[{ peer: '3.34.148.207:443' }], { service: '3.34.148.207' }], false],
    ['one that it opened to us', [[{ ...SERVICE, ...inbound }]], false],
  ])('is all that the client goes by: %s', (_, given, only) => {
    expect(connectionsOf(...given).viaServiceOnly).toBe(only);
  });
});

describe('a stale connection', () => {
  const dns = dnsSeen(['192.168.1.231']);
  test.each<[string, string, Parameters<typeof connectionsOf>[1], boolean | null]>([
    ['on a public address, DNS gives X-ENIs', '3.34.148.207:443', { dns }, true],
    ['on an X-ENI, as DNS gives', '192.168.1.231:443', { dns }, false],
    [
      'on an X-ENI, DNS gives public addresses',
      '10.9.0.1:443',
      { dns: dnsSeen(['3.34.148.207']), xEnis: ['10.9.0.1'] },
      true,
    ],
    [
      'on another public address than the answer',
      '43.201.141.73:443',
      { dns: dnsSeen(['3.34.148.207']) },
      false,
    ],
    [
      'on a public address, DNS gives both routes',
      '43.201.141.73:443',
      { dns: dnsSeen(['3.34.148.207', '192.168.1.231']) },
      false,
    ],
    [
      'on an X-ENI, DNS gives both routes',
      '192.168.1.231:443',
      { dns: dnsSeen(['3.34.148.207', '192.168.1.231']) },
      false,
    ],
    ['in the VPC, DNS gives an X-ENI', '192.168.7.7:443', { dns, heldSeconds: 60 }, true],
    ['while DNS has never answered', '3.34.148.207:443', {}, null],
    [
      'while the last answer is an hour old',
      '3.34.148.207:443',
      { dns: dnsSeen(['192.168.1.231'], -3600) },
      true,
    ],
    [
      'while the last answer is older than that',
      '3.34.148.207:443',
      { dns: dnsSeen(['192.168.1.231'], -3600.001) },
      null,
    ],
  ])('%s', (_, peer, facts, stale) => {
    expect(connectionsOf([{ peer }], facts).endpoint.map((connection) => connection.stale)).toEqual([stale]);
  });

  test('an opening one is not called stale or fresh', () => {
    const [connection] = connectionsOf([{ peer: '3.34.148.207:443', state: 'syn-sent' }], { dns }).endpoint;
    expect(connection).toMatchObject({ stale: null, route: 'public', evidence: 'presumed' });
  });

  test('a connection carries who holds it, its route and since when it is known', () => {
    const [connection] = connectionsOf([{ peer: '3.34.148.207:443' }], { dns, heldSeconds: 30 }).endpoint;
    expect(connection).toMatchObject({ client: 'kubelet', route: 'public', firstSeenAt: moment(0) });
    expect(connection?.socket.peer).toEqual(address('3.34.148.207'));
  });
});
