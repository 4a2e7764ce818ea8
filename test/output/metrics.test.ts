import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeAge } from '../../src/model/age.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { renderMetrics } from '../../src/output/metrics.ts';
import { type SocketText, Watch, type WatchSeen } from '../support/observation.ts';
import { SELF_USAGE } from '../support/runtime.ts';

const PUBLIC = '3.34.148.207';
const X_ENI = '192.168.1.231';
const HEALTHY: WatchSeen = {
  dns: [X_ENI],
  sockets: [
    { process: 'kubelet', peer: `${X_ENI}:443` },
    { process: 'kube-proxy', peer: `${X_ENI}:443` },
  ],
};

/** Name and labels, as they are printed, to value. */
async function samplesOf(status: NodeStatus): Promise<ReadonlyMap<string, number>> {
  const { body } = await renderMetrics(status, SELF_USAGE);
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

async function familiesOf(status: NodeStatus): Promise<ReadonlySet<string>> {
  return new Set(
    [...(await samplesOf(status)).keys()].map((name) =>
      name.replace(/\{.*/s, '').replace('eks_endpoint_', ''),
    ),
  );
}

function twoLooks(seen: WatchSeen): NodeStatus {
  const watch = new Watch();
  watch.look(seen);
  return watch.look(seen);
}

/** Families that a node which cannot be seen must not have: each would be a 0, or a value of the past. */
const FROM_SOCKETS = [
  'connections',
  'stale_connections',
  'stale_connection_oldest_timestamp_seconds',
  'connecting',
  'retransmitting_connections',
  'peer_info',
  'peers_left_out',
];

describe('what is unknown is absent, never 0', () => {
  test('a healthy node has a series for each family about sockets', async () => {
    const families = await familiesOf(twoLooks(HEALTHY));
    const always = FROM_SOCKETS.filter((name) => name !== 'stale_connection_oldest_timestamp_seconds');
    expect([...families]).toEqual(expect.arrayContaining(always));
  });

  test.each<[string, WatchSeen]>([
    ['owners could not be read', { ...HEALTHY, failed: ['owners'] }],
    ['the tables could not be read', { ...HEALTHY, failed: ['sockets'] }],
    ['the endpoint is not known', { ...HEALTHY, endpoint: null }],
    ['a process that may be a client could not be read', { ...HEALTHY, unreadable: 1 }],
    [
      'the clients could not be read',
      {
        ...HEALTHY,
        processes: [
          { client: 'kubelet', pid: 100, readable: false },
          { client: 'kube-proxy', pid: 200, readable: false },
        ],
      },
    ],
  ])('%s', async (_, seen) => {
    const families = await familiesOf(twoLooks(seen));
    expect(FROM_SOCKETS.filter((name) => families.has(name))).toEqual([]);
  });

  test('a look that is too old', async () => {
    const families = await familiesOf(judgeAge(twoLooks(HEALTHY), 30_001, 10_000));
    expect(FROM_SOCKETS.filter((name) => families.has(name))).toEqual([]);
    expect(families.has('client_found')).toBe(false);
    expect(families.has('scan_sockets')).toBe(false);
  });

  test('a client that is not found has no connections, and says that it is not found', async () => {
    const samples = await samplesOf(twoLooks({ ...HEALTHY, processes: [{ client: 'kubelet', pid: 100 }] }));
    expect(samples.get('eks_endpoint_client_found{client="kube-proxy"}')).toBe(0);
    expect(samples.has('eks_endpoint_connections{client="kube-proxy",route="public"}')).toBe(false);
    expect(samples.get('eks_endpoint_connections{client="kubelet",route="public"}')).toBe(0);
  });

  test('a client that may be hidden is neither found nor not found', async () => {
    const families = await samplesOf(twoLooks({ ...HEALTHY, processes: [], unreadable: 1 }));
    expect(families.has('eks_endpoint_client_found{client="kubelet"}')).toBe(false);
  });

  test('staleness without a DNS answer', async () => {
    const families = await familiesOf(twoLooks({ sockets: [{ process: 'kubelet', peer: `${PUBLIC}:443` }] }));
    expect(families.has('connections')).toBe(true);
    expect(families.has('stale_connections')).toBe(false);
    expect(families.has('dns_addresses')).toBe(false);
    expect(families.has('dns_success')).toBe(false);
  });

  test('X-ENIs where no source can name one', async () => {
    const families = await familiesOf(new Watch({ vpcCidrs: [] }).look({ dns: [X_ENI] }));
    expect(families.has('x_eni_addresses')).toBe(false);
  });

  test('an expectation that there is not', async () => {
    expect((await familiesOf(twoLooks(HEALTHY))).has('expected_route')).toBe(false);
    expect(
      (await samplesOf(new Watch({ expect: 'x-eni' }).look(HEALTHY))).get(
        'eks_endpoint_expected_route{route="x-eni"}',
      ),
    ).toBe(1);
  });

  test('findings that were not evaluated', async () => {
    const samples = await samplesOf(twoLooks({ ...HEALTHY, failed: ['owners'] }));
    const codes = [...samples.keys()].filter((name) => name.startsWith('eks_endpoint_finding'));
    expect(codes).toContain('eks_endpoint_finding{code="Blind",severity="warning"}');
    expect(codes.join()).not.toContain('StaleConnection');
    expect(codes.join()).not.toContain('ClientMissing');
  });

  test("what is not asked for, or not the node's", async () => {
    const off = await familiesOf(twoLooks({ ...HEALTHY, listening: [] }));
    for (const name of ['probe_success', 'probe_duration_seconds', 'inbound_connections']) {
      expect(off.has(name), name).toBe(false);
    }
    const on = await familiesOf(
      twoLooks({
        ...HEALTHY,
        probes: [{ address: X_ENI }],
        inbound: [{ peer: X_ENI, connections: 1 }],
      }),
    );
    for (const name of ['probe_success', 'probe_duration_seconds', 'inbound_connections']) {
      expect(on.has(name), name).toBe(true);
    }
  });

  test('a client has a route by a proxy, an address has none', async () => {
    const samples = await samplesOf(twoLooks({ ...HEALTHY, inbound: [{ peer: X_ENI, connections: 1 }] }));
    const names = [...samples.keys()].filter((name) => name.includes('route="proxy"'));
    expect(new Set(names.map((name) => name.replace(/\{.*/s, '')))).toEqual(
      new Set(['eks_endpoint_connections', 'eks_endpoint_connection_opens_total']),
    );
  });
});

test('where owners are not told apart, nobody has the connections, and no opens are counted', async () => {
  const unattributed = [{ process: 'nobody', peer: `${PUBLIC}:443` }];
  const watch = new Watch({ attribution: 'address' });
  const seen = { dns: [PUBLIC], unattributed, processes: [] };
  watch.look(seen);
  const samples = await samplesOf(watch.look(seen));
  expect(samples.get('eks_endpoint_attribution{mode="address"}')).toBe(1);
  expect(samples.get('eks_endpoint_connections{client="unattributed",route="public"}')).toBe(1);
  expect([...samples.keys()].filter((name) => name.includes('opens_total'))).toEqual([]);
  expect(samples.has('eks_endpoint_connections{client="kubelet",route="public"}')).toBe(false);
});

test('probes and connections to the kubelet are counted by address and route', async () => {
  const samples = await samplesOf(
    twoLooks({
      ...HEALTHY,
      probes: [{ address: X_ENI }, { address: PUBLIC, success: false, failedStage: 'tcp', error: 'refused' }],
      inbound: [
        { peer: X_ENI, connections: 2 },
        { peer: '10.0.0.9', connections: 1 },
      ],
    }),
  );
  expect(samples.get(`eks_endpoint_probe_success{address="${X_ENI}"}`)).toBe(1);
  expect(samples.get(`eks_endpoint_probe_success{address="${PUBLIC}"}`)).toBe(0);
  expect(samples.get('eks_endpoint_inbound_connections{route="x-eni"}')).toBe(2);
  expect(samples.get('eks_endpoint_inbound_connections{route="private"}')).toBe(1);
  expect(samples.get('eks_endpoint_access_mode{mode="unknown"}')).toBe(1);
});

test('the node route is one-hot', async () => {
  const samples = await samplesOf(twoLooks(HEALTHY));
  const routes = [...samples].filter(([name]) => name.startsWith('eks_endpoint_node_route{'));
  expect(routes).toHaveLength(6);
  expect(routes.filter(([, value]) => value === 1)).toEqual([['eks_endpoint_node_route{route="x-eni"}', 1]]);
  expect(routes.reduce((sum, [, value]) => sum + value, 0)).toBe(1);
});

test('connections that open, retransmit and wait for an answer are counted where they belong', async () => {
  const watch = new Watch();
  watch.look(HEALTHY);
  const more: readonly SocketText[] = [
    { process: 'kubelet', peer: `${X_ENI}:443`, local: '192.168.1.204:1111', retransmits: 3 },
    { process: 'kubelet', peer: `${X_ENI}:443`, local: '192.168.1.204:2222', state: 'syn-sent' },
  ];
  const samples = await samplesOf(watch.look({ ...HEALTHY, sockets: [...(HEALTHY.sockets ?? []), ...more] }));
  expect(samples.get('eks_endpoint_connections{client="kubelet",route="x-eni"}')).toBe(2);
  expect(samples.get('eks_endpoint_connecting{client="kubelet"}')).toBe(1);
  expect(samples.get('eks_endpoint_retransmitting_connections{client="kubelet"}')).toBe(1);
  expect(samples.get('eks_endpoint_connection_opens_total{client="kubelet",route="x-eni"}')).toBe(1);
});

test('at most 16 peers have a series, public ones first, and the rest is counted', async () => {
  const privates = Array.from({ length: 20 }, (_, index) => `192.168.7.${index}`);
  const sockets = [...privates, PUBLIC].map((peer) => ({ process: 'kubelet', peer: `${peer}:443` }));
  const samples = await samplesOf(twoLooks({ dns: [...privates, PUBLIC], sockets }));
  const peers = [...samples.keys()].filter((name) => name.startsWith('eks_endpoint_peer_info'));
  expect(peers).toHaveLength(16);
  expect(peers[0]).toContain(`address="${PUBLIC}"`);
  expect(samples.get('eks_endpoint_peers_left_out')).toBe(5);
});

test('IPv6 peers are written without brackets', async () => {
  const samples = await samplesOf(
    twoLooks({ dns: ['2600:1f16::1'], sockets: [{ process: 'kubelet', peer: '[2600:1f16::1]:443' }] }),
  );
  expect([...samples.keys()].join('\n')).toContain('address="2600:1f16::1"');
});

test('whatever the sockets, a node has at most 180 series and 20 KB', async () => {
  const socket = fc.record({
    process: fc.constantFrom('kubelet', 'kube-proxy'),
    peer: fc.ipV4().map((address) => `${address}:443`),
    local: fc.integer({ min: 1024, max: 9_000 }).map((port) => `192.168.1.204:${port}`),
    state: fc.constantFrom('established' as const, 'syn-sent' as const),
    retransmits: fc.nat(5),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(socket, { maxLength: 60 }),
      fc.array(fc.ipV4(), { minLength: 1, maxLength: 30 }),
      async (sockets, dns) => {
        const watch = new Watch({ expect: 'x-eni', probeIntervalMs: 60_000, onEc2: true });
        const known = { slice: [...new Set([X_ENI, ...dns])], imds: ['192.168.0.0/16'], outside: dns };
        const probes = [...new Set(dns)].map((address) => ({ address }));
        const inbound = [...new Set(dns)].map((peer) => ({ peer, connections: 1 }));
        watch.look({ ...known, sockets: sockets.slice(0, 20), dns: [X_ENI] });
        const status = watch.look({ ...known, probes, inbound, sockets, dns });
        const { body } = await renderMetrics(status, SELF_USAGE);
        const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
        expect(series.length).toBeLessThanOrEqual(180);
        expect(new Set(series.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(series.length);
        expect(body.length).toBeLessThanOrEqual(20_000);
      },
    ),
    { numRuns: 60 },
  );
});

test('label values are escaped', async () => {
  const status = { ...twoLooks(HEALTHY), node: 'a"b\\c\nd' };
  expect((await renderMetrics(status, SELF_USAGE)).body).toContain('nodename="a\\"b\\\\c\\nd"');
});
