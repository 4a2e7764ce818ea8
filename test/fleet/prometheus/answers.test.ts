import { describe, expect, test } from 'vitest';
import {
  addConnections,
  addFindings,
  addVersions,
  answerOf,
  collectTargets,
  nodenameOf,
  type Target,
} from '../../../src/fleet/prometheus/answers.ts';
import { FINDING, PEER } from '../../../src/fleet/prometheus/metrics.ts';
import type { Sample } from '../../../src/fleet/prometheus/vector.ts';
import { adviceOf } from '../../../src/model/findings.ts';

const NOW = 1_795_000_000;
const AT = NOW - 12.5;
const TARGET = { job: 'exporters', instance: '10.0.0.1:10943', node: 'a' };

function series(own: Readonly<Record<string, string>>, value = AT): Sample {
  return { labels: { ...TARGET, ...own }, value };
}

const route = (name: string, value = AT) => series({ route: name }, value);
const gate = (name: string, state: string, value = AT) => series({ gate: name, state }, value);
const info = (hostname: string, value = AT) => series({ hostname, port: '443', source: 'flag' }, value);
const GOOD = [route('x-eni'), gate('private-ready', 'true'), gate('public-free', 'true'), info('ABC.eks')];

function only(samples: readonly Sample[]): Target {
  const targets = [...collectTargets(samples, NOW).values()];
  const [target] = targets;
  if (target === undefined || targets.length !== 1) throw new Error(`${targets.length} targets`);
  return target;
}

function answer(samples: readonly Sample[]) {
  return answerOf(only(samples), NOW);
}

test('what a target said at its last scrape', () => {
  expect(answer(GOOD)).toEqual({
    kind: 'answer',
    ageSeconds: 12.5,
    version: null,
    hostname: 'abc.eks',
    route: 'x-eni',
    routeReason: null,
    gates: [
      { gate: 'private-ready', state: 'true', reason: null },
      { gate: 'public-free', state: 'true', reason: null },
    ],
    findings: [],
    connections: [],
  });
});

test('series of several targets are told apart, in whatever order they come', () => {
  const other = GOOD.map(({ labels, value }) => ({ labels: { ...labels, instance: 'b' }, value: value - 1 }));
  const targets = collectTargets([...GOOD, ...other].reverse(), NOW);
  expect([...targets.values()].map((target) => answerOf(target, NOW).ageSeconds).sort()).toEqual([
    12.5, 13.5,
  ]);
});

describe('what is not one is unknown, and no gate is told', () => {
  test.each([
    ['two routes', [...GOOD, route('public')], /at 1 for one route: x-eni, public$/],
    ['no route', GOOD.slice(1), /^Prometheus has no eks_endpoint_node_route at 1 of it$/],
    ['a route that is 2', [route('x-eni', 2 * AT), ...GOOD.slice(1)], /not at 1 for one route: x-eni$/],
    ['a route that is no number', [...GOOD, route('public', Number.NaN)], /not at 1/],
    ['a route that is 0.5', [...GOOD, route('public', AT / 2)], /not at 1/],
    ['a route that is -1', [...GOOD, route('public', -AT)], /not at 1/],
    ['a route of tomorrow', [route('x-eni', NOW + 60), ...GOOD.slice(1)], /not at 1/],
    [
      'a route of a newer agent',
      [route('tunnel'), ...GOOD.slice(1)],
      /a route that is not known here: tunnel$/,
    ],
  ])('%s', (_, samples, reason) => {
    expect(answer(samples)).toMatchObject({ route: 'unknown', gates: [] });
    expect(answer(samples).routeReason).toMatch(reason);
  });
});

describe('a gate that is not told is not there', () => {
  const others = [route('x-eni'), info('abc'), gate('private-ready', 'true')];
  test.each([
    ['no state', []],
    ['two states', [gate('public-free', 'true'), gate('public-free', 'unknown')]],
    ['a state that is 2', [gate('public-free', 'true', 2 * AT)]],
    [
      'a second state that is no number',
      [gate('public-free', 'true'), gate('public-free', 'false', Number.NaN)],
    ],
    ['a state of a newer agent', [gate('public-free', 'perhaps')]],
    ['a state of an earlier scrape', [gate('public-free', 'true', AT - 15)]],
  ])('%s', (_, samples) => {
    expect(answer([...others, ...samples]).gates).toEqual([
      { gate: 'private-ready', state: 'true', reason: null },
    ]);
  });
});

describe('of several scrapes', () => {
  test('the last one counts', () => {
    const target = only([
      ...GOOD,
      route('public', AT - 15),
      info('old', AT - 15),
      gate('public-free', 'false', AT - 15),
    ]);
    expect(target.mixed).toBe(true);
    expect(answerOf(target, NOW)).toEqual(answer(GOOD));
  });

  test('what is missing in the last one is not taken from the one before', () => {
    const seen = answer([route('x-eni', AT - 15), gate('public-free', 'true', AT - 15), info('abc')]);
    expect(seen).toMatchObject({ route: 'unknown', gates: [], hostname: 'abc', ageSeconds: 12.5 });
  });

  test('a second name of the endpoint', () => {
    expect(answer([...GOOD, info('other', AT - 15)]).hostname).toBe('abc.eks');
    expect(answer([...GOOD, info('other')]).hostname).toBeNull();
  });

  test('one is not mixed', () => expect(only(GOOD).mixed).toBe(false));
});

test('without any sample that can be, the answer is too old for everybody', () => {
  expect(answer([route('x-eni', 2 * AT), gate('public-free', 'true', 2 * AT)])).toMatchObject({
    ageSeconds: Number.MAX_SAFE_INTEGER,
    route: 'unknown',
    gates: [],
  });
});

test('the name that the agent gives its node', () => {
  const machine = series({ nodename: 'ip-10-0-0-1', kernel: '6.12' });
  expect(nodenameOf(only([...GOOD, machine]))).toBe('ip-10-0-0-1');
  expect(nodenameOf(only([...GOOD, machine, series({ nodename: 'other' })]))).toBeNull();
  expect(nodenameOf(only(GOOD))).toBeNull();
});

describe('what else is told', () => {
  test('findings as the agent orders them, with their advice', () => {
    const targets = collectTargets(GOOD, NOW);
    const finding = (code: string, severity: string): Sample => ({
      labels: { ...series({ code, severity }).labels, __name__: FINDING.name },
      value: 1,
    });
    addFindings(targets, [
      ...[finding('NewOne', 'info'), finding('UnexpectedRoute', 'warning'), finding('DnsPublic', 'warning')],
      finding('XEniUnreachable', 'critical'),
      { labels: { code: 'Blind', severity: 'warning', node: 'nobody' }, value: 1 },
    ]);
    const [target] = targets.values();
    expect(target && answerOf(target, NOW).findings).toEqual([
      ...(['XEniUnreachable', 'DnsPublic', 'UnexpectedRoute'] as const).map((code) => ({
        code,
        severity: code === 'XEniUnreachable' ? 'critical' : 'warning',
        client: null,
        summary: null,
        remedy: adviceOf(code),
      })),
      { code: 'NewOne', severity: 'info', client: null, summary: null, remedy: null },
    ]);
  });

  const peer = (client: string, address: string, name: string) => ({
    labels: { ...series({ client, address, route: name }).labels, __name__: PEER.name },
    value: 1,
  });

  function connectionsOf(samples: readonly Sample[]) {
    const targets = collectTargets(GOOD, NOW);
    addConnections(targets, samples);
    const [target] = targets.values();
    return target && answerOf(target, NOW).connections;
  }

  test('connections, and for how long they have been stale', () => {
    expect(
      connectionsOf([
        peer('kubelet', '3.34.148.207', 'public'),
        peer('kube-proxy', '3.34.148.207', 'public'),
        series({ client: 'kubelet' }, 840),
      ]),
    ).toEqual([
      { client: 'kubelet', peer: '3.34.148.207', route: 'public', staleSeconds: 840 },
      { client: 'kube-proxy', peer: '3.34.148.207', route: 'public', staleSeconds: null },
    ]);
  });

  test('a connection on a route that DNS gives is not the stale one', () => {
    expect(
      connectionsOf([
        peer('kubelet', '3.34.148.207', 'public'),
        peer('kubelet', '10.9.0.1', 'private'),
        series({ client: 'kubelet' }, 840),
        series({ route: 'public' }, 2),
      ]),
    ).toMatchObject([{ staleSeconds: null }, { staleSeconds: 840 }]);
  });

  test('at most 16 of them, and none of a route that is not known', () => {
    const many = Array.from({ length: 20 }, (_, nth) => peer('kubelet', `3.0.0.${nth}`, 'public'));
    expect(connectionsOf(many)).toHaveLength(16);
    expect(connectionsOf([peer('kubelet', '3.0.0.1', 'tunnel')])).toEqual([]);
  });

  test('the version', () => {
    const targets = collectTargets(GOOD, NOW);
    addVersions(targets, [series({ version: '0.1.0', revision: 'abc', node_version: 'v26' }, 1)]);
    const [target] = targets.values();
    expect(target && answerOf(target, NOW).version).toBe('0.1.0');
  });
});
