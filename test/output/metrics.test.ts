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

  test('what this version cannot know at all', async () => {
    const families = await familiesOf(twoLooks(HEALTHY));
    for (const name of [
      'access_mode',
      'probe_success',
      'inbound_connections',
      'config_last_reload_successful',
    ]) {
      expect(families.has(name)).toBe(false);
    }
    const samples = await samplesOf(twoLooks(HEALTHY));
    expect([...samples.keys()].filter((name) => name.includes('route="proxy"'))).toEqual([]);
  });
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
        const watch = new Watch({ expect: 'x-eni' });
        watch.look({ sockets: sockets.slice(0, 20), dns: [X_ENI] });
        const status = watch.look({ sockets, dns });
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
