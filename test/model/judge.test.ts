import { describe, expect, test } from 'vitest';
import { unasked } from '../../src/model/dns.ts';
import { emptyHistory } from '../../src/model/history.ts';
import { judge } from '../../src/model/judge.ts';
import type { Settings } from '../../src/model/settings.ts';
import {
  clientOf,
  dnsSeen,
  ENDPOINT,
  HOSTNAME,
  iso,
  moment,
  observation,
  onlyConnection,
  range,
  settings,
  Watch,
  type WatchSeen,
} from '../support/observation.ts';

const PUBLIC_DNS = ['3.34.148.207'];
const X_ENI_DNS = ['192.168.1.231'];
const ON_PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443', local: '192.168.1.204:44084' };
const KUBELET = { client: 'kubelet', pid: 100 };
const FAILED: readonly WatchSeen[] = [{ failed: ['owners'] }, { failed: ['sockets'] }];

describe('a node status', () => {
  const watch = new Watch({ expect: 'x-eni' });
  watch.look({ sockets: [ON_PUBLIC], dns: PUBLIC_DNS });
  const status = watch.look({ sockets: [{ ...ON_PUBLIC, retransmits: 2 }] });

  test('says what it is made of', () => {
    expect(status).toMatchObject({
      schemaVersion: 1,
      version: '0.1.0',
      node: 'ip-192-168-1-204',
      observedAt: iso(20),
      observedSince: iso(0),
      route: 'public',
      routeReason: 'every endpoint connection of kubelet is on a public address',
      expectedRoute: 'x-eni',
      attribution: 'process',
      accessMode: 'unknown',
      endpoint: { hostname: HOSTNAME, port: 443, source: 'kubelet-kubeconfig' },
      inbound: [],
      probes: null,
    });
    expect(status.findings.map(({ code }) => code)).toEqual(['DnsPublic']);
  });

  test('says of each client what it holds', () => {
    const pids = status.clients.map(({ client, required, pids: all }) => [client, required, all]);
    expect(pids).toEqual([
      ['kubelet', true, [100]],
      ['kube-proxy', false, [200]],
    ]);
    expect(onlyConnection(status, 'kubelet')).toEqual({
      pid: 100,
      local: '192.168.1.204:44084',
      peer: '3.34.148.207:443',
      state: 'established',
      route: 'public',
      evidence: 'dns',
      stale: false,
      staleSince: null,
      retransmits: 2,
      firstSeenAt: iso(10),
    });
    expect(clientOf(status, 'kube-proxy')).toMatchObject({ found: true, readable: true, connections: [] });
  });

  test('says what DNS answered', () => {
    expect(status.dns).toEqual({
      success: true,
      addresses: [{ address: '3.34.148.207', route: 'public' }],
      ttlSeconds: 60,
      resolvedAt: iso(10),
      changedAt: null,
      durationSeconds: 0.003,
      lookups: 1,
      changes: 0,
      failures: { timeout: 0, nxdomain: 0, 'no-addresses': 0, servfail: 0, refused: 0, other: 0 },
      servers: ['192.168.0.2'],
    });
  });

  test('counts what was scanned', () => {
    expect(status.scan).toEqual({
      scans: 2,
      sockets: 21,
      rejectedRows: 0,
      ignoredConnections: 0,
      clientsLeftOut: 0,
      procReadErrors: { EACCES: 0 },
    });
  });

  test('holds each stage with its time', () => {
    expect(status.stages).toContainEqual({
      stage: 'sockets',
      success: true,
      durationSeconds: 0.01,
      error: null,
      at: iso(20),
    });
  });

  test('is plain data: JSON and back is the same', () => {
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  test('writes IPv6 peers in brackets', () => {
    const peer = '[2600:1f13::5]:443';
    const socket = { process: 'kubelet', local: '[2600:1f13::9]:44084', peer };
    const seen = new Watch().look({ sockets: [socket], dns: ['2600:1f13::5'] });
    expect(onlyConnection(seen, 'kubelet')).toMatchObject({ local: '[2600:1f13::9]:44084', peer });
    expect(seen.dns?.addresses).toEqual([{ address: '2600:1f13::5', route: 'public' }]);
  });

  test("names the start of the oldest of a client's processes", () => {
    const processes = [
      { client: 'kubelet', pid: 102 },
      { client: 'kubelet', pid: 101 },
    ];
    const { startedAt, pids } = clientOf(new Watch().look({ processes }), 'kubelet');
    expect(pids).toEqual([102, 101]);
    expect(startedAt).toBe(new Date(Date.UTC(2026, 10, 20, 11) + 101).toISOString());
  });
});

describe('where sockets are told by known addresses alone, a node status', () => {
  const unattributed = [ON_PUBLIC, { process: 'anyone', peer: '10.1.1.1:443' }];
  const status = new Watch().look({
    failed: ['owners'],
    sockets: [ON_PUBLIC],
    unattributed,
    dns: PUBLIC_DNS,
  });

  test('has one more client, which nobody is', () => {
    expect(status).toMatchObject({ attribution: 'address', route: 'public' });
    expect(clientOf(status, 'unattributed')).toMatchObject({
      required: false,
      found: null,
      readable: null,
      pids: [],
      startedAt: null,
      opens: null,
    });
    expect(onlyConnection(status, 'unattributed')).toMatchObject({
      pid: null,
      local: '192.168.1.204:44084',
      peer: '3.34.148.207:443',
      route: 'public',
      evidence: 'dns',
      stale: false,
      firstSeenAt: iso(10),
    });
  });

  test('does not say what the other clients hold', () => {
    for (const client of ['kubelet', 'kube-proxy']) {
      expect(clientOf(status, client)).toMatchObject({ connections: null, opens: null });
    }
  });

  test('counts what was left out', () => {
    expect(status.scan.ignoredConnections).toBe(1);
  });

  test('does not say anything of them while the endpoint is not known', () => {
    const early = new Watch().look({ failed: ['owners'], unattributed, endpoint: null });
    expect(clientOf(early, 'unattributed').connections).toBeNull();
    expect(early.scan.ignoredConnections).toBeNull();
  });

  test('is not that where owners are told apart', () => {
    const seen = new Watch().look({ sockets: [ON_PUBLIC], dns: PUBLIC_DNS });
    expect(seen.clients.map(({ client }) => client)).toEqual(['kubelet', 'kube-proxy']);
  });
});

describe('who is connected to the kubelet', () => {
  const inbound = [
    { peer: '10.1.1.1', connections: 1 },
    { peer: '192.168.1.231', connections: 3 },
    { peer: '192.168.7.7', connections: 2 },
  ];

  test('by its number of connections, each with its route', () => {
    expect(new Watch().look({ inbound, slice: X_ENI_DNS }).inbound).toEqual([
      { peer: '192.168.1.231', route: 'x-eni', connections: 3 },
      { peer: '192.168.7.7', route: 'vpc', connections: 2 },
      { peer: '10.1.1.1', route: 'private', connections: 1 },
    ]);
  });

  test('is no evidence that its address is an X-ENI', () => {
    const { xEni, inbound: seen } = new Watch({ vpcCidrs: [] }).look({ inbound });
    expect(xEni).toBeNull();
    expect(seen?.map(({ route }) => route)).toEqual(['private', 'private', 'private']);
  });

  test('nobody is not the same as not known', () => {
    expect(new Watch().look({}).inbound).toEqual([]);
    expect(new Watch().look({ inbound, listening: [] }).inbound).toBeNull();
    expect(new Watch().look({ inbound, failed: ['sockets'] }).inbound).toBeNull();
  });
});

describe('what was probed', () => {
  test('each with its route, the stage it came to and its time', () => {
    const probes = [
      { address: '192.168.1.231', ageSeconds: 4 },
      { address: '3.34.148.207', failedStage: 'tcp', error: 'no answer within 3 s' },
    ] as const;
    expect(new Watch({ probeIntervalMs: 60_000 }).look({ probes, slice: X_ENI_DNS }).probes).toEqual([
      {
        address: '192.168.1.231',
        port: 443,
        route: 'x-eni',
        success: true,
        failedStage: null,
        error: null,
        durationSeconds: 0.004,
        at: iso(6),
      },
      {
        address: '3.34.148.207',
        port: 443,
        route: 'public',
        success: false,
        failedStage: 'tcp',
        error: 'no answer within 3 s',
        durationSeconds: 0.004,
        at: iso(10),
      },
    ]);
  });

  test('nothing yet is not the same as off', () => {
    expect(new Watch().look({ probes: [] }).probes).toEqual([]);
    expect(new Watch().look({ probes: null }).probes).toBeNull();
  });
});

describe('judging is pure', () => {
  test('the same look and history give the same status, and neither is changed', () => {
    const look = observation({ sockets: [ON_PUBLIC], dns: dnsSeen(PUBLIC_DNS) }, 10);
    const history = emptyHistory(moment(0));
    const before = structuredClone({ look, history });
    expect(judge(look, history, settings())).toEqual(judge(look, history, settings()));
    expect({ look, history }).toEqual(before);
  });
});

describe('what is not known is null, and never 0', () => {
  test('before the endpoint and its addresses are known', () => {
    const status = new Watch().look({ endpoint: null, sockets: [ON_PUBLIC] });
    expect(status).toMatchObject({ route: 'unknown', endpoint: null, dns: null, xEni: null });
    expect(status.scan.ignoredConnections).toBeNull();
    expect(clientOf(status, 'kubelet')).toMatchObject({ found: true, connections: null, opens: null });
  });

  test('a first lookup that has not ended: whether it succeeds and how long it takes', () => {
    const look = observation({ dns: unasked(HOSTNAME) }, 10);
    const { dns } = judge(look, emptyHistory(moment(0)), settings()).status;
    expect(dns).toMatchObject({ success: null, durationSeconds: null, addresses: null, lookups: 0 });
  });

  test('a client that is not there has no connections, and that is known', () => {
    const status = new Watch().look({ processes: [], dns: PUBLIC_DNS });
    expect(clientOf(status, 'kubelet')).toMatchObject({ found: false, readable: null, connections: [] });
    const early = new Watch().look({ processes: [], endpoint: null });
    expect(clientOf(early, 'kubelet')).toMatchObject({ found: false, connections: [], opens: null });
  });

  test('one that may have been overlooked, or has another uid: whether it has any', () => {
    const overlooked = new Watch().look({ processes: [], unreadable: 1, dns: PUBLIC_DNS });
    expect(clientOf(overlooked, 'kubelet')).toMatchObject({ found: null, connections: null, opens: null });
    const leftOut = [{ client: 'kubelet', pid: 7, reason: 'uid', uid: 1000 }] as const;
    const foreign = new Watch().look({ processes: [], leftOut, dns: PUBLIC_DNS });
    expect(clientOf(foreign, 'kubelet')).toMatchObject({ readable: false, connections: null });
  });

  test('a DNS that has not answered yet has no addresses, no TTL and no time', () => {
    const { dns } = new Watch().look({ dns: 'servfail' });
    expect(dns).toMatchObject({
      success: false,
      addresses: null,
      ttlSeconds: null,
      resolvedAt: null,
      changedAt: null,
    });
    expect(dns?.failures.servfail).toBe(1);
  });

  test('the processes could not be listed', () => {
    const status = new Watch().look({ failed: ['owners'], sockets: [ON_PUBLIC], dns: PUBLIC_DNS });
    expect(status).toMatchObject({ route: 'unknown', attribution: 'none' });
    expect(status.scan).toMatchObject({ clientsLeftOut: null, ignoredConnections: null });
    expect(clientOf(status, 'kubelet')).toMatchObject({
      found: null,
      readable: null,
      startedAt: null,
      connections: null,
      opens: null,
    });
  });

  test('the tables could not be read', () => {
    const status = new Watch().look({ failed: ['sockets'], sockets: [ON_PUBLIC], dns: PUBLIC_DNS });
    expect(status).toMatchObject({ route: 'unknown', attribution: 'none' });
    expect(status.scan).toMatchObject({ sockets: null, rejectedRows: null, ignoredConnections: null });
    expect(clientOf(status, 'kubelet')).toMatchObject({
      found: true,
      readable: false,
      connections: null,
      opens: null,
    });
  });

  test('a client could not be read: its ignored connections are not known either', () => {
    const status = new Watch().look({ processes: [{ ...KUBELET, readable: false }], dns: PUBLIC_DNS });
    expect(status.attribution).toBe('none');
    expect(status.scan.ignoredConnections).toBeNull();
    expect(clientOf(status, 'kubelet').connections).toBeNull();
  });

  test('some process could not be read: owners are not told apart', () => {
    expect(new Watch().look({ unreadable: 1, sockets: [ON_PUBLIC], dns: PUBLIC_DNS }).attribution).toBe(
      'none',
    );
  });

  test('a failed look leaves the counts of opens as they were', () => {
    const watch = new Watch();
    watch.look({ dns: PUBLIC_DNS });
    const { opens } = clientOf(watch.look({ sockets: [ON_PUBLIC] }), 'kubelet');
    expect(opens).toMatchObject({ public: 1 });
    for (const seen of FAILED) expect(clientOf(watch.look(seen), 'kubelet').opens).toEqual(opens);
  });
});

describe('the X-ENIs', () => {
  test('of DNS and of the configuration, each once with its sources', () => {
    const watch = new Watch({ xEnis: [range('192.168.1.231'), range('10.9.0.1'), range('10.8.0.0/24')] });
    expect(watch.look({ dns: ['192.168.1.231', '192.168.1.121', '3.34.148.207'] }).xEni).toEqual({
      sources: ['config', 'dns'],
      addresses: [
        { address: '192.168.1.231', sources: ['config', 'dns'] },
        { address: '192.168.1.121', sources: ['dns'] },
        { address: '10.9.0.1', sources: ['config'] },
      ],
    });
  });

  test('none of them: the answer is public', () => {
    expect(new Watch().look({ dns: PUBLIC_DNS }).xEni).toEqual({ sources: ['dns'], addresses: [] });
  });

  const single = { xEnis: [range('10.9.0.1')], vpcCidrs: [] };
  const subnet = { xEnis: [range('10.8.0.0/24')], vpcCidrs: [] };
  test.each<[string, Partial<Settings>, WatchSeen, readonly string[] | null]>([
    ['no VPC CIDRs', { vpcCidrs: [] }, { dns: X_ENI_DNS }, null],
    ['VPC CIDRs and no answer', {}, {}, null],
    ['VPC CIDRs and failing DNS', {}, { dns: 'timeout' }, null],
    ['VPC CIDRs and an answer', {}, { dns: X_ENI_DNS }, ['dns']],
    ['a single address, no answer', single, {}, ['config']],
    ['a single address and an answer', single, { dns: X_ENI_DNS }, ['config']],
    ['a CIDR, no answer: it names none', subnet, {}, null],
    ['a CIDR and an answer', subnet, { dns: X_ENI_DNS }, ['config']],
    ['the slice', { vpcCidrs: [] }, { slice: X_ENI_DNS }, ['endpointslice']],
    ['the slice, which is empty', { vpcCidrs: [] }, { slice: [] }, ['endpointslice']],
    ['the slice, which was never read', { vpcCidrs: [] }, { sliceUnread: true }, null],
    ['CIDRs of IMDS and an answer', { vpcCidrs: [] }, { imds: ['10.0.0.0/16'], dns: X_ENI_DNS }, ['dns']],
    [
      'the slice, a single address, VPC CIDRs and an answer',
      { xEnis: single.xEnis },
      { slice: X_ENI_DNS, dns: X_ENI_DNS },
      ['endpointslice', 'config', 'dns'],
    ],
    ['a CIDR, VPC CIDRs and an answer', { xEnis: subnet.xEnis }, { dns: X_ENI_DNS }, ['config', 'dns']],
  ])('the sources that could name one: %s', (_, overrides, seen, sources) => {
    expect(new Watch(overrides).look(seen).xEni?.sources ?? null).toEqual(sources);
  });

  test('an answer in a CIDR given for X-ENIs is one by that', () => {
    expect(new Watch(subnet).look({ dns: ['10.8.0.5'] }).xEni).toEqual({
      sources: ['config'],
      addresses: [{ address: '10.8.0.5', sources: ['config'] }],
    });
  });

  test('an answer of more than an hour ago names none any more', () => {
    const watch = new Watch();
    watch.look({ dns: X_ENI_DNS });
    expect(watch.look({ dns: 'timeout' }, 3600).xEni?.addresses).toHaveLength(1);
    const { xEni, dns } = watch.look({ dns: 'timeout' });
    expect(xEni).toBeNull();
    expect(dns?.addresses).toEqual([{ address: '192.168.1.231', route: 'vpc' }]);
  });

  test('a public address given as one is none', () => {
    expect(new Watch({ xEnis: [range('3.34.148.207')] }).look().xEni).toEqual({
      sources: ['config'],
      addresses: [],
    });
  });
});

describe('events', () => {
  test('are kept through quiet looks, newest first, 100 at most', () => {
    const watch = new Watch();
    let status = watch.look({ dns: PUBLIC_DNS });
    for (let flip = 0; flip < 60; flip++)
      status = watch.look({ dns: flip % 2 === 0 ? X_ENI_DNS : PUBLIC_DNS });
    expect(status.events).toHaveLength(100);
    expect(status.events[0]?.at).toBe(iso(610));
    const times = status.events.map(({ at }) => at);
    expect(times).toEqual(times.toSorted().reverse());
    expect(watch.look().events).toEqual(status.events);
  });
});

test('clients that are added by the operator are judged as the others', () => {
  const clients = [...settings().clients, { name: 'aws-k8s-agent', required: false }];
  const processes = [KUBELET, { client: 'aws-k8s-agent', pid: 300 }];
  const sockets = [
    { process: 'kubelet', peer: '192.168.1.231:443' },
    { ...ON_PUBLIC, process: 'aws-k8s-agent' },
  ];
  const status = new Watch({ clients }).look({ processes, sockets, dns: X_ENI_DNS });
  expect(status.route).toBe('mixed');
  expect(onlyConnection(status, 'aws-k8s-agent')).toMatchObject({ route: 'public', stale: true });
});

test('the endpoint keeps its name as it was found', () => {
  const endpoint = {
    ...ENDPOINT,
    hostname: HOSTNAME.toLowerCase(),
    source: 'kube-proxy-kubeconfig' as const,
  };
  expect(new Watch().look({ endpoint }).endpoint).toEqual(endpoint);
});

test('an endpoint that is an address: its connections are known by it, and it is no X-ENI by itself', () => {
  const seen: WatchSeen = {
    endpoint: { ...ENDPOINT, hostname: '192.168.9.9' },
    processes: [KUBELET],
    sockets: [{ process: 'kubelet', peer: '192.168.9.9:443' }],
  };
  const watch = new Watch();
  watch.look(seen);
  const status = watch.look(seen);
  expect(status).toMatchObject({ route: 'other', dns: null, xEni: null });
  expect(onlyConnection(status, 'kubelet')).toMatchObject({ evidence: 'config', route: 'vpc', stale: null });
  const given = new Watch({ xEnis: [range('192.168.9.9')] });
  given.look(seen);
  expect(given.look(seen).route).toBe('x-eni');
});

test('an X-ENI that only DNS named is not one any more when the answer is older than an hour', () => {
  const seen: WatchSeen = {
    processes: [KUBELET],
    sockets: [{ process: 'kubelet', peer: '192.168.1.231:443' }],
  };
  const watch = new Watch({ scanIntervalMs: 1_800_000 });
  watch.look({ ...seen, dns: X_ENI_DNS });
  expect(watch.look({ ...seen, dns: 'timeout' }, 3600).route).toBe('x-eni');
  const status = watch.look({ ...seen, dns: 'timeout' });
  expect(status.route).toBe('other');
  expect(onlyConnection(status, 'kubelet')).toMatchObject({
    evidence: 'dns-history',
    route: 'vpc',
    stale: null,
    staleSince: null,
  });
});

test('each connection names the process that holds it', () => {
  const processes = [KUBELET, { client: 'kubelet', pid: 101 }];
  const sockets = [ON_PUBLIC, { ...ON_PUBLIC, pid: 101, local: '192.168.1.204:44085' }];
  const { connections } = clientOf(new Watch().look({ processes, sockets, dns: PUBLIC_DNS }), 'kubelet');
  expect(connections?.map(({ pid, local }) => [pid, local])).toEqual([
    [100, '192.168.1.204:44084'],
    [101, '192.168.1.204:44085'],
  ]);
});
