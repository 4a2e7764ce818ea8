import { expect, test } from 'vitest';
import { counter, gauge, known, ofProcess, oneHot } from '../../src/output/family.ts';
import { Watch } from '../support/observation.ts';
import { SELF_USAGE } from '../support/runtime.ts';

const samples = () => [];

test('a metric has the prefix of its kind', () => {
  expect(gauge('node_route', 'a', { samples })).toMatchObject({
    ...{ name: 'eks_endpoint_node_route', kind: 'gauge' },
  });
  expect(counter('scans_total', 'a', { samples })).toMatchObject({
    ...{ name: 'eks_endpoint_scans_total', kind: 'counter' },
  });
  const of = () => 1;
  expect(ofProcess('open_fds', 'a', { of })).toMatchObject({ name: 'process_open_fds', kind: 'gauge' });
  expect(ofProcess('cpu_seconds_total', 'a', { of }).kind).toBe('counter');
});

test('what a definition leaves out is a count, has no labels, is never absent', () => {
  expect(gauge('gate', 'a', { samples })).toMatchObject({ unit: 'count', labels: {}, absent: null });
  const given = { unit: '1', labels: { route: ['public'] }, absent: 'while it is not known' } as const;
  expect(gauge('gate', 'a', { samples, ...given })).toMatchObject(given);
});

test.each([
  ['dns_ttl_seconds', 'seconds'],
  ['dns_last_success_timestamp_seconds', 'Unix seconds'],
  ['client_start_time_seconds', 'Unix seconds'],
  ['resident_memory_bytes', 'bytes'],
  ['scan_sockets', 'count'],
])('the name %s says its unit: %s', (name, unit) => {
  expect(gauge(name, 'a', { samples }).unit).toBe(unit);
});

test('a process metric that the system does not tell has no sample', () => {
  const { samples: of } = ofProcess('open_fds', 'a', { of: ({ openFds }) => openFds });
  const status = new Watch().look();
  expect(of(status, SELF_USAGE)).toEqual([{ value: SELF_USAGE.openFds }]);
  expect(of(status, { ...SELF_USAGE, openFds: null })).toEqual([]);
});

test('what is known has one sample, what is not has none, and 0 is known', () => {
  expect(known(0)).toEqual([{ value: 0 }]);
  expect(known(null)).toEqual([]);
  expect(known(undefined)).toEqual([]);
  expect(known(false, Number)).toEqual([{ value: 0 }]);
});

test('one of all values is 1', () => {
  const { samples: of, ...rest } = oneHot('route', ['x-eni', 'public'], ({ expectedRoute }) => expectedRoute);
  expect(rest).toEqual({ unit: 'one-hot', labels: { route: ['x-eni', 'public'] } });
  const status = new Watch({ expect: 'public' }).look();
  expect(of(status, SELF_USAGE)).toEqual([
    { value: 0, labels: { route: 'x-eni' } },
    { value: 1, labels: { route: 'public' } },
  ]);
});
