import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeAge } from '../../src/model/age.ts';
import { FINDING_CODES } from '../../src/model/findings.ts';
import { DNS_FAILURES, ENDPOINT_SOURCES, type StageName } from '../../src/model/observation.ts';
import type { NodeStatus, XEniSource } from '../../src/model/status.ts';
import { FAMILIES, SECTIONS } from '../../src/output/families.ts';
import type { Family } from '../../src/output/family.ts';
import { ENDPOINT, Watch, type WatchSeen } from '../support/observation.ts';
import { SELF_USAGE } from '../support/runtime.ts';

const PUBLIC = '3.34.148.207';
const X_ENI = '192.168.1.231';
/** The types see to it that none is missing. */
const EVERY_STAGE: Readonly<Record<StageName, true>> = {
  ...{ sockets: true, owners: true, endpoint: true, dns: true },
  ...{ endpointslice: true, imds: true, probe: true, facts: true },
};
const EVERY_SOURCE: Readonly<Record<XEniSource, true>> = { endpointslice: true, config: true, dns: true };

/** Nodes on which much is known, each seen twice. */
const SEEN: readonly (WatchSeen & { readonly settings?: ConstructorParameters<typeof Watch>[0] })[] = [
  { dns: [X_ENI], sockets: both(`${X_ENI}:443`), probes: [{ address: X_ENI }] },
  { dns: [PUBLIC], sockets: both(`${PUBLIC}:443`), settings: { expect: 'x-eni' } },
  { dns: [X_ENI], slice: [X_ENI], sockets: both(`${PUBLIC}:443`), settings: { expect: 'public' } },
  { dns: [X_ENI], sockets: [{ process: 'kubelet', peer: '10.9.9.8:443' }], inbound: [] },
  { dns: ['192.168.7.7'], slice: [X_ENI], sockets: both('192.168.7.7:443') },
  { dns: ['10.9.9.9'], sockets: both('10.9.9.9:443') },
  {
    dns: [X_ENI],
    proxies: [{ client: 'kubelet', addresses: ['10.9.9.8'] }],
    sockets: [{ process: 'kubelet', peer: '10.9.9.8:3128' }],
  },
  {
    dns: [PUBLIC],
    processes: [],
    unattributed: [{ process: 'nobody', peer: `${PUBLIC}:443` }],
    settings: { attribution: 'address' },
  },
  { dns: [X_ENI], slice: [X_ENI], outside: [PUBLIC], sockets: both(`${X_ENI}:443`) },
  { dns: [X_ENI], slice: [X_ENI], outside: [X_ENI], sockets: both(`${X_ENI}:443`) },
  ...DNS_FAILURES.map((dns) => ({ dns })),
];

/** Nodes of which something is not known. */
const BLIND: readonly WatchSeen[] = [
  { dns: [X_ENI], failed: ['sockets'] },
  { dns: [X_ENI], failed: ['owners'] },
  { dns: [X_ENI], endpoint: null },
  { processes: [], unreadable: 1 },
  { processes: [] },
  { listening: [] },
];

/** Every status that there is to hand: of the goldens, of made nodes, and with what neither of them has. */
const STATUSES: readonly NodeStatus[] = [
  ...globSync(join(import.meta.dirname, '../golden/*.status.json')).map((file) =>
    JSON.parse(readFileSync(file, 'utf8')),
  ),
  ...SEEN.flatMap(({ settings, ...seen }) => looks(new Watch(settings), seen)),
  ...BLIND.flatMap((seen) => looks(new Watch(), seen)),
  ...looks(new Watch({ vpcCidrs: [] }), { dns: [X_ENI] }),
  judgeAge(lookOf(SEEN[0]), 30_001, 10_000),
  { ...lookOf(SEEN[0]), evaluated: FINDING_CODES },
  withReadErrors({ EACCES: 2, EIO: 1 }),
  withStages(Object.keys(EVERY_STAGE).filter(isStage)),
  withSources(Object.keys(EVERY_SOURCE).filter(isSource)),
  ...ENDPOINT_SOURCES.map((source) => lookOf({ ...SEEN[0], endpoint: { ...ENDPOINT, source } })),
];

function both(peer: string) {
  return [
    { process: 'kubelet', peer },
    { process: 'kube-proxy', peer },
  ];
}

function looks(watch: Watch, seen: WatchSeen): readonly NodeStatus[] {
  return [watch.look(seen), watch.look(seen)];
}

function lookOf(seen: WatchSeen | undefined): NodeStatus {
  return new Watch().look(seen);
}

function withStages(stages: readonly StageName[]): NodeStatus {
  const status = lookOf(SEEN[0]);
  const result = { success: true, durationSeconds: 0.1, error: null, at: status.observedAt };
  return { ...status, stages: stages.map((stage) => ({ stage, ...result })) };
}

function withReadErrors(procReadErrors: Readonly<Record<string, number>>): NodeStatus {
  const status = lookOf(SEEN[0]);
  return { ...status, scan: { ...status.scan, procReadErrors } };
}

function withSources(sources: readonly XEniSource[]): NodeStatus {
  return { ...lookOf(SEEN[0]), xEni: { sources, addresses: [{ address: X_ENI, sources }] } };
}

function isStage(text: string): text is StageName {
  return text in EVERY_STAGE;
}

function isSource(text: string): text is XEniSource {
  return text in EVERY_SOURCE;
}

function samplesOf({ samples }: Family, status: NodeStatus) {
  return samples(status, SELF_USAGE);
}

function expectDeclared(family: Family, status: NodeStatus): void {
  for (const { labels = {} } of samplesOf(family, status)) {
    expect(Object.keys(labels), family.name).toEqual(Object.keys(family.labels));
    for (const [label, values] of Object.entries(family.labels)) {
      if (typeof values !== 'string') expect(values, `${family.name} ${label}`).toContain(labels[label]);
    }
  }
}

const CLOSED = FAMILIES.flatMap((family) =>
  Object.entries(family.labels).flatMap(([label, values]) =>
    typeof values === 'string' ? [] : [{ name: family.name, family, label, values }],
  ),
);

test('names are unique and follow the conventions of Prometheus', () => {
  const names = FAMILIES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, kind, help } of FAMILIES) {
    expect(name).toMatch(/^(?:eks_endpoint|process)_[a-z0-9_]+$/);
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    expect(help, name).not.toMatch(/\.$/);
    expect(help.length, name).toBeGreaterThan(10);
  }
});

test('a name ends in its unit', () => {
  for (const { name, unit } of FAMILIES) {
    const base = name.replace(/_total$/, '');
    expect(base.endsWith('_seconds'), name).toBe(unit === 'seconds' || unit === 'Unix seconds');
    expect(/_(?:timestamp|start_time)_seconds$|^process_start_time/.test(base), name).toBe(
      unit === 'Unix seconds',
    );
    expect(base.endsWith('_bytes'), name).toBe(unit === 'bytes');
    if (base.endsWith('_info')) expect(unit, name).toBe('1');
  }
});

test('no family has a label of the scraper', () => {
  const labels = FAMILIES.flatMap((family) => Object.keys(family.labels));
  for (const label of ['node', 'cluster', 'region', 'instance', 'job']) expect(labels).not.toContain(label);
});

test('sections have a title each and are not empty', () => {
  expect(new Set(SECTIONS.map(({ title }) => title)).size).toBe(SECTIONS.length);
  for (const { title, families } of SECTIONS) expect(families.length, title).toBeGreaterThan(0);
});

describe.each(FAMILIES.map((family) => ({ name: family.name, family })))('$name', ({ family }) => {
  test('its samples have the labels that are declared, with values that are declared', () => {
    for (const status of STATUSES) expectDeclared(family, status);
    expect(STATUSES.some((status) => samplesOf(family, status).length > 0)).toBe(true);
  });

  test('its values are what its unit says', () => {
    const values = STATUSES.flatMap((status) => samplesOf(family, status).map(({ value }) => value));
    const allowed = { '1': [1], '0 or 1': [0, 1], 'one-hot': [0, 1] };
    for (const value of values) {
      expect(value).toBeGreaterThanOrEqual(0);
      if (family.unit in allowed) expect(Object(allowed)[family.unit]).toContain(value);
      if (family.unit === 'Unix seconds') expect(value).toBeGreaterThan(1_500_000_000);
      if (family.unit === 'count' || family.unit === 'bytes') expect(value % 1).toBe(0);
    }
  });

  test('it is absent in some status, or as it says in none, nor any of its series', () => {
    const series = STATUSES.map((status) => samplesOf(family, status).length);
    const isWhole = Math.min(...series) === Math.max(...series);
    // The system of the tests does tell how many descriptors are open: that this is left out where it does not is known.
    const absent = family.samples(lookOf(SEEN[0]), { ...SELF_USAGE, openFds: null }).length === 0;
    expect(isWhole && !absent).toBe(family.absent === null);
  });
});

test.each(CLOSED)(
  '$name: each declared value of $label is there on some node',
  ({ family, label, values }) => {
    const found = STATUSES.flatMap((status) =>
      samplesOf(family, status).map(({ labels }) => labels?.[label]),
    );
    expect(new Set(found)).toEqual(new Set(values));
  },
);

test('whatever the sockets and the answers, no sample has a label or a value that is not declared', () => {
  const peer = fc.oneof(fc.ipV4(), fc.constantFrom(X_ENI, PUBLIC));
  const socket = fc.record({
    process: fc.constantFrom('kubelet', 'kube-proxy'),
    peer: peer.map((address) => `${address}:443`),
    local: fc.integer({ min: 1024, max: 9_000 }).map((port) => `192.168.1.204:${port}`),
    state: fc.constantFrom('established' as const, 'syn-sent' as const),
    retransmits: fc.nat(5),
  });
  const answer = fc.oneof(fc.array(peer, { minLength: 1, maxLength: 20 }), fc.constantFrom(...DNS_FAILURES));
  fc.assert(
    fc.property(fc.array(socket, { maxLength: 40 }), answer, fc.array(peer), (sockets, dns, addresses) => {
      const watch = new Watch({ expect: 'x-eni', probeIntervalMs: 60_000, onEc2: true });
      const distinct = [...new Set(addresses)];
      const inbound = distinct.map((each) => ({ peer: each, connections: 1 }));
      const probes = distinct.map((address) => ({ address }));
      watch.look({ sockets: sockets.slice(0, 10), dns: [X_ENI] });
      const status = watch.look({ sockets, dns, inbound, probes, slice: distinct, outside: distinct });
      for (const family of FAMILIES) expectDeclared(family, status);
    }),
    { numRuns: 50 },
  );
});
