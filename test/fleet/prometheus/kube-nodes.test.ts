import { describe, expect, test } from 'vitest';
import {
  distinctNodes,
  fleetLabels,
  KubeLabels,
  ofSilentTellers,
  readKubeNodes,
} from '../../../src/fleet/prometheus/kube-nodes.ts';
import { parseSelector, selects } from '../../../src/model/fleet/selector.ts';

const info = (labels: Readonly<Record<string, string>>) => ({ labels, value: 1 });

describe('nodes', () => {
  test('by the label node, or exported_node where the target has one too', () => {
    expect(
      readKubeNodes([
        info({ node: 'a', job: 'k' }),
        info({ exported_node: 'b', node: 'where-it-runs', job: 'k' }),
        info({ job: 'k' }),
        info({ node: '' }),
      ]),
    ).toEqual([
      { name: 'a', labels: { job: 'k' } },
      { name: 'b', labels: { job: 'k' } },
    ]);
  });

  test('told by two are one, but in two clusters', () => {
    const nodes = readKubeNodes([
      info({ node: 'a', instance: '1', pod: 'x', cluster: 'one' }),
      info({ node: 'a', instance: '2', pod: 'y', cluster: 'one' }),
      info({ node: 'a', instance: '1', pod: 'x', cluster: 'two' }),
    ]);
    expect(distinctNodes(nodes, fleetLabels([], nodes))).toHaveLength(2);
  });

  test('fleets are told apart by labels that both sides know, not by those of pods', () => {
    const nodes = readKubeNodes([
      info({ node: 'a', env: 'prod', app: 'kube-state-metrics', job: 'k', namespace: 'm' }),
      info({ node: 'a', env: 'test', app: 'kube-state-metrics', job: 'k', namespace: 'm' }),
    ]);
    const exporters = [{ env: 'prod', app: 'eks-endpoint-exporter', job: 'k', namespace: 'm', node: 'a' }];
    expect(fleetLabels(exporters, nodes)).toEqual(['cluster', 'env']);
  });
});

describe('nodes that nobody tells of any more', () => {
  const node = (name: string, instance: string, cluster = 'one') => ({
    name,
    labels: { job: 'k', instance, cluster },
  });
  const now = [node('a', '1'), node('b', '2')];

  test('are deleted, where their teller still tells of others', () => {
    const { name, labels } = node('deleted', '1');
    expect(ofSilentTellers([{ name, labels: { ...labels, of_the_node: 'x' } }], now)).toEqual([]);
  });

  test('are still there, where it tells nothing and nobody has taken its place', () => {
    const before = [node('c', '3'), node('d', '3')];
    expect(ofSilentTellers(before, now)).toEqual(before);
    expect(ofSilentTellers(before, [])).toEqual(before);
  });

  test('are deleted, where another has taken its place', () => {
    expect(ofSilentTellers([node('a', '3'), node('deleted', '3')], now)).toEqual([]);
  });

  test('are still there, where those of another cluster have the same names', () => {
    const before = [node('a', '3', 'two')];
    expect(ofSilentTellers(before, now)).toEqual(before);
  });
});

describe('Kubernetes labels', () => {
  const TYPE = 'label_eks_amazonaws_com_compute_type';
  const of = (samples: readonly ReturnType<typeof info>[], target = {}) =>
    new KubeLabels(samples, ['cluster']).of('a', target);

  test('have the names of kube-state-metrics, and are selected by those of Kubernetes too', () => {
    const labels = of([info({ node: 'a', job: 'k', [TYPE]: 'hybrid', label_team: 'x', label_my_team: 'y' })]);
    expect(labels).toEqual({
      [TYPE]: 'hybrid',
      label_team: 'x',
      label_my_team: 'y',
    });
    for (const text of ['eks.amazonaws.com/compute-type=hybrid', `${TYPE}=hybrid`, 'team=x']) {
      const selector = parseSelector(text);
      expect(selector && selects(selector, labels), text).toBe(true);
    }
  });

  test("of another cluster are not this node's", () => {
    const both = [info({ node: 'a', cluster: 'one', [TYPE]: 'hybrid' }), info({ node: 'a', cluster: 'two' })];
    expect(of(both, { cluster: 'one' })).toMatchObject({ [TYPE]: 'hybrid' });
    expect(of(both, { cluster: 'two' })).toEqual({});
  });

  test('that two do not tell alike are not told', () => {
    expect(of([info({ node: 'a', [TYPE]: 'hybrid' }), info({ node: 'a' })])).toEqual({});
    expect(of([info({ node: 'a', [TYPE]: 'hybrid' }), info({ node: 'a', [TYPE]: 'hybrid' })])).toMatchObject({
      [TYPE]: 'hybrid',
    });
  });
});
