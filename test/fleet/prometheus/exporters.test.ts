import { describe, expect, test } from 'vitest';
import { collectTargets } from '../../../src/fleet/prometheus/answers.ts';
import { findExporters } from '../../../src/fleet/prometheus/exporters.ts';
import type { Labels } from '../../../src/fleet/prometheus/metrics.ts';
import type { Sample } from '../../../src/fleet/prometheus/vector.ts';

const NOW = 1_795_000_000;
const JOB = 'monitoring/eks-endpoint-exporter';

const target = (name: string, more: Labels = {}) => ({
  job: JOB,
  instance: `${name}:10943`,
  node: name,
  ...more,
});
const answers = (...targets: readonly Labels[]) =>
  collectTargets(
    targets.map((labels) => ({ labels: { ...labels, route: 'x-eni' }, value: NOW })),
    NOW,
  );
const up = (labels: Labels, value = 0): Sample => ({ labels: { __name__: 'up', ...labels }, value });
const earlier = (labels: Labels): Sample => ({
  labels: { ...labels, version: '0.1.0', revision: 'r', node_version: 'v26' },
  value: 1,
});
const seen = (exporters: readonly { readonly name: string; readonly seen: object }[]) =>
  exporters.map(({ name, seen: of }) => [name, 'why' in of ? of.why : 'answer']);

describe('the name of a node', () => {
  test.each([
    ['the label node', { node: 'a', instance: 'i' }, 'a'],
    ['what the agent calls it', { instance: 'i' }, 'named'],
  ])('is %s', (_, labels, expected) => {
    const targets = collectTargets(
      [
        { labels: { ...labels, route: 'x-eni' }, value: NOW },
        { labels: { ...labels, nodename: 'named' }, value: NOW },
      ],
      NOW,
    );
    expect(findExporters(targets, [], []).answered).toMatchObject([{ name: expected }]);
  });

  test('else the address of the target', () => {
    expect(findExporters(answers({ instance: 'i' }), [], []).answered).toMatchObject([{ name: 'i' }]);
  });
});

describe('targets that do not answer', () => {
  test('are named, and what answers without our metrics too', () => {
    const { answered, silent, notes } = findExporters(
      answers(target('a')),
      [up(target('b')), up(target('c'), 1)],
      [],
    );
    expect(seen(answered)).toEqual([['a', 'answer']]);
    expect(seen(silent)).toEqual([
      ['b', 'not-answering'],
      ['c', 'unreadable'],
    ]);
    expect(notes).toEqual([]);
  });

  test('are not those whose series have a label more than their up', () => {
    const { silent } = findExporters(answers(target('a', { zone: 'z' })), [up(target('a'), 1)], []);
    expect(silent).toEqual([]);
  });

  test('are not hidden by one at the same address in another cluster', () => {
    const { silent } = findExporters(answers(target('a', { env: 'x' })), [up(target('a', { env: 'y' }))], []);
    expect(seen(silent)).toEqual([['a', 'not-answering']]);
  });

  const pods = (name: string) => target(name, { job: 'kubernetes-pods' });

  test('in a job of exporters alone, whatever its name', () => {
    const { silent, notes } = findExporters(answers(pods('a')), [up(pods('b'))], []);
    expect(seen(silent)).toEqual([['b', 'not-answering']]);
    expect(notes).toEqual([]);
  });

  test('in a job that scrapes others too: those that were exporters, or are where exporters listen, and how many others', () => {
    const other = (name: string) => ({ ...pods(name), instance: `${name}:8080` });
    const silentNow = [
      up({ ...pods('b'), instance: 'b:9999' }),
      up(pods('never')),
      up(other('c')),
      up(other('web'), 1),
      up(pods('web'), 1),
    ];
    const before = [earlier({ ...pods('b'), instance: 'b:9999' })];
    const { silent, notes } = findExporters(answers(pods('a')), silentNow, before);
    expect(seen(silent)).toEqual([
      ['b', 'not-answering'],
      ['never', 'not-answering'],
    ]);
    expect(notes).toEqual([
      'One target does not answer in jobs that scrape others too ("kubernetes-pods"): whether there are exporters among them is not known; a job of their own would tell, and kube-state-metrics.',
    ]);
  });
});

describe('targets that were there within the last hour', () => {
  test('are gone', () => {
    expect(seen(findExporters(answers(target('a')), [], [earlier(target('b'))]).gone)).toEqual([
      ['b', 'gone'],
    ]);
  });

  test('are not, where they are merely down', () => {
    const { silent, gone } = findExporters(answers(), [up(target('b'))], [earlier(target('b'))]);
    expect(seen(silent)).toEqual([['b', 'not-answering']]);
    expect(gone).toEqual([]);
  });

  test('are not, where another pod speaks of the node', () => {
    const now = answers(target('a', { pod: 'new', instance: '10.0.0.2:10943' }));
    expect(findExporters(now, [], [earlier(target('a', { pod: 'old' }))]).gone).toEqual([]);
  });

  test('are, where that is one of another cluster', () => {
    const now = answers(target('a', { cluster: 'one', instance: 'i' }));
    expect(seen(findExporters(now, [], [earlier(target('a', { cluster: 'two' }))]).gone)).toEqual([
      ['a', 'gone'],
    ]);
  });
});
