import { describe, expect, test } from 'vitest';
import { Fleet, METRICS_TYPE } from '../../bench/fleet/fleet.ts';
import { writeHistory } from '../../bench/fleet/history.ts';
import { serveFleet } from '../../bench/fleet/server.ts';
import { ROLES, type Role } from '../../bench/fleet/story.ts';
import { FINDING_CODES } from '../../src/model/findings.ts';
import type { ClientStatus, FindingCode, NodeRoute, NodeStatus } from '../../src/model/status.ts';
import { renderMetrics } from '../../src/output/metrics.ts';
import { clientOf, stateOf } from '../support/observation.ts';
import { SELF_USAGE } from '../support/runtime.ts';

const START_MS = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;
const DURATION_MS = 2 * HOUR_MS;
/** Every 5 % of the story. */
const MOMENTS = Array.from({ length: 21 }, (_, twentieth) => START_MS + (twentieth * DURATION_MS) / 20);
/** What the interface promises of a node with two clients. */
const MAX_SERIES = 180;
const MAX_BYTES = 20_000;
/** Of tests with thousands of looks, on a machine that is busy. */
const TIMEOUT_MS = 60_000;

function makeFleet({ nodes = 40, seed = 1 }: { nodes?: number; seed?: number } = {}): Fleet {
  return new Fleet({ nodes, seed, startMs: START_MS, durationMs: DURATION_MS });
}

/** The first node of that role. */
function indexOf(fleet: Fleet, role: Role): number {
  return fleet.nodes.findIndex((node) => node.role === role);
}

function share(part: number): number {
  return START_MS + part * DURATION_MS;
}

function gate(status: NodeStatus, name: string): string | undefined {
  return status.gates.find((one) => one.gate === name)?.state;
}

function samplesIn(exposition: string): readonly string[] {
  return exposition.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the story', () => {
  test('the usual node goes from public by moving, stale and mixed to x-eni, and its gates with it', () => {
    const fleet = makeFleet();
    const routes = new Set<NodeRoute>();
    const raised = new Set<FindingCode>();
    for (const [index, { role }] of fleet.nodes.entries()) {
      if (role !== 'usual') continue;
      const before = fleet.statusOf(index, START_MS + 60_000);
      expect([before.route, gate(before, 'private-ready'), gate(before, 'public-free')], before.node).toEqual(
        ['public', 'true', 'false'],
      );
      expect(before.accessMode).toBe('public');
      expect(before.findings).toEqual([]);
      for (const atMs of MOMENTS.slice(1)) {
        const { route, findings } = fleet.statusOf(index, atMs);
        routes.add(route);
        for (const { code } of findings) raised.add(code);
      }
      const after = fleet.statusOf(index, share(1));
      expect([after.route, gate(after, 'private-ready'), gate(after, 'public-free')], after.node).toEqual([
        'x-eni',
        'true',
        'true',
      ]);
      expect(after.findings).toEqual([]);
    }
    expect([...routes].sort()).toEqual(['mixed', 'public', 'x-eni']);
    expect([...raised].sort()).toEqual(['ConnectionMoving', 'DnsPublic', 'StaleConnection']);
  });

  test.each<{ role: Role; at: number; route: NodeRoute; raised: readonly FindingCode[] }>([
    { role: 'never-moves', at: 1, route: 'public', raised: ['StaleConnection'] },
    { role: 'x-eni-unreachable', at: 1, route: 'public', raised: ['XEniUnreachable', 'StaleConnection'] },
    { role: 'x-eni-stranger', at: 1, route: 'x-eni', raised: ['XEniIdentityMismatch'] },
    { role: 'custom-resolver', at: 1, route: 'public', raised: ['DnsPublic', 'CustomResolver'] },
    { role: 'hosts-file', at: 1, route: 'public', raised: ['HostsFileOverride', 'StaleConnection'] },
    { role: 'blind', at: 1, route: 'unknown', raised: ['Blind'] },
  ])('a node of the role $role is on the route $route in the end: $raised', ({ role, at, route, raised }) => {
    const fleet = makeFleet();
    const status = fleet.statusOf(indexOf(fleet, role), share(at));
    expect(status.route).toBe(route);
    expect([...new Set(status.findings.map(({ code }) => code))].sort()).toEqual([...raised].sort());
    expect(gate(status, 'public-free')).not.toBe('true');
  });

  test('a resolver that fails is a finding for that time alone', () => {
    const fleet = makeFleet();
    const index = indexOf(fleet, 'dns-failing');
    const states = [0.45, 0.6, 0.8].map((part) => stateOf(fleet.statusOf(index, share(part)), 'DnsFailing'));
    expect(states).toEqual(['clear', 'raised', 'clear']);
  });

  test('an exporter that is missing does not answer, for a while', async () => {
    const fleet = makeFleet();
    const index = indexOf(fleet, 'missing');
    const answers = [0.35, 0.5, 0.75].map((part) => fleet.metricsOf(index, share(part)));
    expect((await Promise.all(answers)).map((text) => text === null)).toEqual([false, true, false]);
  });

  test('DNS does not flip on every node at the same second', () => {
    const fleet = makeFleet();
    const changes = fleet.nodes.map((_, index) => fleet.statusOf(index, share(1)).dns?.changedAt);
    expect(new Set(changes).size).toBeGreaterThan(20);
  });

  test('every role has a node in a fleet of 40, and most nodes have none', () => {
    const roles = makeFleet().nodes.map(({ role }) => role);
    expect(new Set(roles)).toEqual(new Set(ROLES));
    expect(roles.filter((role) => role === 'usual').length).toBe(40 - (ROLES.length - 1));
  });

  test('of 5,000 nodes each has a name and an address of its own', () => {
    const { nodes } = makeFleet({ nodes: 5000 });
    expect(new Set(nodes.map(({ name }) => name)).size).toBe(5000);
    expect(new Set(nodes.map(({ instance }) => instance)).size).toBe(5000);
    expect(nodes.filter(({ instance }) => !/^10\.0\.\d{1,2}\.\d{1,3}:10943$/.test(instance))).toEqual([]);
  });
});

describe('what can be relied on', () => {
  test('the same seed gives the same metrics, another seed others', async () => {
    const seeds = [1, 1, 2];
    const told = await Promise.all(
      seeds.map(async (seed) => {
        const fleet = makeFleet({ seed });
        const texts: (string | null)[] = [];
        for (const atMs of MOMENTS) texts.push(await fleet.metricsOf(7, atMs));
        return texts;
      }),
    );
    expect(told[0]).toEqual(told[1]);
    expect(told[0]).not.toEqual(told[2]);
  });

  test('a node that is scraped once says what one says that is scraped each 15 s', {
    timeout: TIMEOUT_MS,
  }, () => {
    const [often, once] = [makeFleet({ nodes: 20 }), makeFleet({ nodes: 20 })];
    for (const part of [0.1, 0.31, 0.55, 0.72, 0.9, 1]) {
      for (const index of often.nodes.keys()) {
        for (let atMs = share(part) - HOUR_MS / 10; atMs < share(part); atMs += 15_000)
          often.statusOf(index, Math.max(START_MS, atMs));
        const [one, other] = [often, once].map((fleet) => fleet.statusOf(index, share(part)));
        expect(verdictOf(one), `node ${index} at ${part}`).toEqual(verdictOf(other));
      }
    }
  });

  test('no counter falls, and those of looks, lookups and opens grow', { timeout: TIMEOUT_MS }, async () => {
    const fleet = makeFleet({ nodes: 20 });
    for (const index of fleet.nodes.keys()) {
      const grown = new Set<string>();
      const last = new Map<string, number>();
      for (const atMs of MOMENTS) {
        for (const sample of samplesIn((await fleet.metricsOf(index, atMs)) ?? '')) {
          const [series = '', value] = sample.split(/ (?=\S+$)/);
          if (!/_total(?:\{|$)/.test(series)) continue;
          const before = last.get(series) ?? 0;
          expect(Number(value), `${series} of node ${index}`).toBeGreaterThanOrEqual(before);
          if (last.has(series) && Number(value) > before) grown.add(series.replace(/\{.*/, ''));
          last.set(series, Number(value));
        }
      }
      expect([...grown]).toEqual(
        expect.arrayContaining(['eks_endpoint_scans_total', 'eks_endpoint_dns_lookups_total']),
      );
      if (fleet.nodes[index]?.role === 'usual')
        expect([...grown]).toContain('eks_endpoint_connection_opens_total');
    }
  });

  test('a moment before the last changes nothing; one before the story has no metrics', async () => {
    const fleet = makeFleet();
    expect(await fleet.metricsOf(0, START_MS - 1)).toBeNull();
    const last = fleet.statusOf(0, share(1));
    expect(fleet.statusOf(0, share(0.5))).toBe(last);
    expect(() => fleet.statusOf(40, share(1))).toThrow('there are 40');
  });
});

describe(`a node has ${MAX_SERIES} series and ${MAX_BYTES} bytes at most`, () => {
  test('in every phase, on every node of the story', { timeout: TIMEOUT_MS }, async () => {
    const fleet = makeFleet();
    let most = { series: 0, bytes: 0 };
    for (const atMs of MOMENTS) {
      for (const index of fleet.nodes.keys()) {
        const text = await fleet.metricsOf(index, atMs);
        if (text !== null) most = larger(most, text);
      }
    }
    expect(most.series).toBeGreaterThan(120);
    expect(most.series).toBeLessThanOrEqual(MAX_SERIES);
    expect(most.bytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  test('also where two clients have more peers and probes than get a series, and every finding is evaluated', async () => {
    const worst = await sizeOfWorst(['kubelet', 'kube-proxy']);
    // 16 of the 20 peers and 16 of the 20 probed addresses: a longer list has no more series.
    expect(worst.series).toBe(174);
    expect(worst.bytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  test('a third client is more than that: 16 series each, which the interface promises of two only', async () => {
    const two = await sizeOfWorst(['kubelet', 'kube-proxy']);
    const three = await sizeOfWorst(['kubelet', 'kube-proxy', 'aws-k8s-agent']);
    expect(three.series - two.series).toBe(16);
    expect(three.bytes).toBeLessThanOrEqual(MAX_BYTES);
  });
});

describe('over HTTP', () => {
  test('each target leads to the metrics of its node, compressed or not, with the Content-Type of the agent', async () => {
    const fleet = makeFleet();
    const server = await serveFleet(fleet, { now: () => share(0.5) });
    try {
      const found: unknown = await (await fetch(`${server.url}/targets`)).json();
      expect(found).toHaveLength(40);
      const index = 7;
      const authority = server.url.replace('http://', '');
      expect(found).toHaveProperty(`${index}`, {
        targets: [authority],
        labels: {
          __metrics_path__: `/nodes/${index}/metrics`,
          instance: fleet.nodes[index]?.instance,
          node: fleet.nodes[index]?.name,
          job: 'eks-endpoint-exporter',
        },
      });
      const expected = await makeFleet().metricsOf(index, share(0.5));
      for (const encoding of ['identity', 'gzip']) {
        const headers = { 'accept-encoding': encoding };
        const reply = await fetch(`${server.url}/nodes/${index}/metrics`, { headers });
        expect(reply.status).toBe(200);
        expect(reply.headers.get('content-encoding')).toBe(encoding === 'gzip' ? 'gzip' : null);
        expect(await reply.text()).toBe(expected);
        const { type } = await renderMetrics(fleet.statusOf(index, share(0.5)), SELF_USAGE);
        expect(reply.headers.get('content-type')).toBe(type);
        expect(type).toBe(METRICS_TYPE);
      }
    } finally {
      await server.close();
    }
  });

  test('a missing exporter answers 503, and a node that there is not 404', async () => {
    const fleet = makeFleet();
    const server = await serveFleet(fleet, { now: () => share(0.5) });
    try {
      const paths = [
        `/nodes/${indexOf(fleet, 'missing')}/metrics`,
        '/nodes/40/metrics',
        '/nodes/-1/metrics',
        '/',
      ];
      const replies = await Promise.all(paths.map((path) => fetch(server.url + path)));
      expect(replies.map(({ status }) => status)).toEqual([503, 404, 404, 404]);
    } finally {
      await server.close();
    }
  });

  test('kube-state-metrics tells of every node and of two on Fargate', async () => {
    const fleet = makeFleet();
    const server = await serveFleet(fleet);
    try {
      const samples = samplesIn(await (await fetch(`${server.url}/kube-state-metrics`)).text());
      const names = samples.map(
        (line) => /^kube_node_info\{.*node="(?<name>[^"]+)"\} 1$/.exec(line)?.groups?.['name'],
      );
      expect(names.slice(0, 40)).toEqual(fleet.nodes.map(({ name }) => name));
      expect(names.slice(40).map((name) => name?.startsWith('fargate-ip-'))).toEqual([true, true]);
    } finally {
      await server.close();
    }
  });
});

test('the past has every scrape with its labels and time, `up` too, and where nothing answered only that', async () => {
  const fleet = makeFleet();
  const missing = indexOf(fleet, 'missing');
  const lines: string[] = [];
  const span = { startMs: share(0.5), endMs: share(0.5) + 60_000, stepMs: 30_000 };
  const options = { ...span, indexes: [0, missing], labels: { cluster: 'prod' } };
  for await (const text of writeHistory(fleet, options)) lines.push(...text.trimEnd().split('\n'));
  const seconds = span.startMs / 1000;
  expect(lines.at(-1)).toBe('# EOF');
  const { name, instance } = fleet.nodes[0] ?? { name: '', instance: '' };
  const labels = `cluster="prod",job="eks-endpoint-exporter",instance="${instance}",node="${name}"`;
  expect(lines).toContain(`eks_endpoint_attribution{${labels},mode="process"} 1 ${seconds}`);
  expect(lines.filter((line) => line.startsWith(`up{${labels}} 1 `)).map(timeOf)).toEqual([
    seconds,
    seconds + 30,
    seconds + 60,
  ]);
  expect(lines.filter((line) => /^eks_endpoint_dns_success\{/.test(line))).toHaveLength(3);
  const absent = lines.filter((line) => line.includes(`instance="${fleet.nodes[missing]?.instance}"`));
  expect(absent.filter((line) => !/^(?:up|scrape_\w+)\{/.test(line))).toEqual([]);
  expect(absent.filter((line) => /^up\{.*\} 0 /.test(line))).toHaveLength(3);
  expect(lines.filter((line) => line.startsWith('kube_node_info{cluster="prod",'))).toHaveLength(3 * 42);
});

function timeOf(line: string): number {
  return Number(line.split(' ').at(-1));
}

/** What of a status must not depend on how often it is asked for. */
function verdictOf(status: NodeStatus | undefined) {
  return {
    route: status?.route,
    gates: status?.gates.map(({ state }) => state),
    findings: status?.findings.map(({ code, client }) => `${code} ${client}`),
    accessMode: status?.accessMode,
    dns: status?.dns?.changedAt,
  };
}

function larger(most: { series: number; bytes: number }, text: string): { series: number; bytes: number } {
  return {
    series: Math.max(most.series, samplesIn(text).length),
    bytes: Math.max(most.bytes, Buffer.byteLength(text)),
  };
}

/** Of a status in which everything is that can be in one, with long addresses, and each open set beyond its bound. */
async function sizeOfWorst(clients: readonly string[]): Promise<{ series: number; bytes: number }> {
  const fleet = makeFleet();
  const status = fleet.statusOf(indexOf(fleet, 'never-moves'), share(1));
  const longest = (nth: number) => `2600:1f14:abcd:ef00:1234:5678:9abc:${(0xd000 + nth).toString(16)}`;
  const twenty = Array.from({ length: 20 }, (_, nth) => longest(nth));
  const sources = ['endpointslice', 'config', 'dns'] as const;
  const stale = clientOf(status, 'kubelet');
  const [connection] = stale.connections ?? [];
  const [probe] = status.probes ?? [];
  if (connection === undefined || probe === undefined) throw new Error('nothing to make more of');
  const { body } = await renderMetrics(
    {
      ...status,
      evaluated: FINDING_CODES,
      xEni: { sources, addresses: twenty.map((address) => ({ address, sources })) },
      probes: twenty.map((address) => ({ ...probe, address })),
      scan: { ...status.scan, procReadErrors: { EACCES: 12_345, EIO: 1, EMFILE: 1 } },
      clients: clients.map(
        (client): ClientStatus => ({
          ...stale,
          client,
          connections: twenty.map((address) => ({ ...connection, peer: `[${address}]:443` })),
        }),
      ),
    },
    SELF_USAGE,
  );
  return larger({ series: 0, bytes: 0 }, body);
}
