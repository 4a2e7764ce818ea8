import { describe, expect, test } from 'vitest';
import { collectTargets } from '../../../src/fleet/prometheus/answers.ts';
import { findExporters } from '../../../src/fleet/prometheus/exporters.ts';
import { readKubeNodes } from '../../../src/fleet/prometheus/kube-nodes.ts';
import type { Labels } from '../../../src/fleet/prometheus/metrics.ts';
import { listNodes } from '../../../src/fleet/prometheus/nodes.ts';
import type { NodeObservation } from '../../../src/model/fleet/observation.ts';

const NOW = 1_795_000_000;
const TYPE = 'label_eks_amazonaws_com_compute_type';

interface World {
  readonly answering?: readonly Labels[];
  readonly down?: readonly Labels[];
  readonly gone?: readonly Labels[];
  /** Null: there is no kube-state-metrics. */
  readonly kube?: readonly Labels[] | null;
  readonly kubeLabels?: readonly Labels[];
}

const target = (node: string, more: Labels = {}) => ({
  job: 'eks-endpoint-exporter',
  instance: `${node}:10943`,
  node,
  ...more,
});
const ofKube = (node: string, more: Labels = {}) => ({ job: 'ksm', instance: 'k:8080', node, ...more });

function list({ answering = [], down = [], gone = [], kube = null, kubeLabels = [] }: World) {
  const samples = (all: readonly Labels[], value: number) => all.map((labels) => ({ labels, value }));
  const targets = collectTargets(
    samples(
      answering.map((labels) => ({ ...labels, route: 'x-eni' })),
      NOW - 5,
    ),
    NOW,
  );
  return listNodes({
    exporters: findExporters(targets, samples(down, 0), samples(gone, 1)),
    kubeNodes: kube && readKubeNodes(samples(kube, 1)),
    kubeLabels: samples(kubeLabels, 1),
    nowSeconds: NOW,
  });
}

function seen(nodes: readonly NodeObservation[]) {
  return nodes.map(({ node, seen: of }) => `${node} ${of.kind === 'answer' ? 'answer' : of.why}`).sort();
}

describe('without kube-state-metrics', () => {
  test('there are the targets, and those of the last hour', () => {
    const { nodes, nodesFrom, notes } = list({
      answering: [target('a')],
      down: [target('b')],
      gone: [target('c')],
    });
    expect(seen(nodes)).toEqual(['a answer', 'b not-answering', 'c gone']);
    expect(nodesFrom).toBe('targets');
    expect(notes).toEqual([]);
    expect(nodes[0]).toMatchObject({
      labels: target('a'),
      origin: 'instance="a:10943"',
      seen: { ageSeconds: 5 },
    });
  });

  test('what tells two of one name apart is said', () => {
    const { nodes } = list({
      answering: [
        target('a', { cluster: 'x', prometheus_replica: 'r' }),
        target('a', { cluster: 'y', prometheus_replica: 'r' }),
      ],
    });
    expect(nodes.map(({ origin }) => origin)).toEqual([
      'instance="a:10943", cluster="x"',
      'instance="a:10943", cluster="y"',
    ]);
  });
});

describe('with kube-state-metrics', () => {
  test('there are its nodes, each with an answer or why there is none', () => {
    const { nodes, nodesFrom, notes } = list({
      answering: [target('a')],
      down: [target('b')],
      gone: [target('c'), target('deleted')],
      kube: ['a', 'b', 'c', 'd', 'fargate-ip-1', 'e'].map((node) => ofKube(node)),
      kubeLabels: [ofKube('e', { [TYPE]: 'fargate' })],
    });
    expect(seen(nodes)).toEqual([
      'a answer',
      'b not-answering',
      'c no-exporter',
      'd no-exporter',
      'e fargate',
      'fargate-ip-1 fargate',
    ]);
    expect(nodesFrom).toBe('kube-state-metrics');
    expect(notes).toEqual([]);
  });

  test('an exporter on a name that it does not know is judged too, and that is said', () => {
    const { nodes, notes } = list({ answering: [target('a'), target('pod-a')], kube: [ofKube('a')] });
    expect(seen(nodes)).toEqual(['a answer', 'pod-a answer']);
    expect(notes).toEqual([expect.stringMatching(/^An exporter is of a node that .+: "pod-a"; see .+\.$/)]);
  });

  test('an exporter that is down is not hidden by a list that is without its node', () => {
    const { nodes, notes } = list({
      answering: [target('a')],
      down: [
        target('a', { instance: 'old:10943' }),
        target('b'),
        target('a', { instance: 'i', cluster: 'y' }),
      ],
      kube: [ofKube('a', { cluster: 'x' })],
    });
    expect(seen(nodes)).toEqual(['a answer', 'a not-answering', 'b not-answering']);
    expect(notes).toEqual([
      expect.stringMatching(
        /^2 exporters are of nodes that kube-state-metrics does not know, such as "b"; see .+\.$/,
      ),
    ]);
  });

  test('where an exporter is a target there is no Fargate, whatever the name', () => {
    const { nodes } = list({ down: [target('fargate-mine')], kube: [ofKube('fargate-mine')] });
    expect(seen(nodes)).toEqual(['fargate-mine not-answering']);
  });

  test('two that tell of the same nodes make none twice', () => {
    const kube = [ofKube('a'), ofKube('a', { instance: 'k2:8080', pod: 'other' })];
    expect(seen(list({ answering: [target('a')], kube }).nodes)).toEqual(['a answer']);
    expect(seen(list({ kube }).nodes)).toEqual(['a no-exporter']);
  });

  test('two answers for one node are both there', () => {
    const { nodes } = list({
      answering: [target('a'), target('a', { instance: 'other:10943' })],
      kube: [ofKube('a')],
    });
    expect(seen(nodes)).toEqual(['a answer', 'a answer']);
    expect(nodes.map(({ origin }) => origin)).toEqual(['instance="a:10943"', 'instance="other:10943"']);
  });

  test.each(['cluster', 'env'])('a node of the same name with another %s has no answer by that', (label) => {
    const { nodes } = list({
      answering: [target('a', { [label]: 'x' }), target('b', { [label]: 'y' })],
      kube: [ofKube('a', { [label]: 'x' }), ofKube('a', { [label]: 'y' }), ofKube('b', { [label]: 'y' })],
    });
    expect(seen(nodes)).toEqual(['a answer', 'a no-exporter', 'b answer']);
    expect(nodes.find(({ seen: of }) => of.kind === 'none')?.origin).toContain(`${label}="y"`);
  });

  test.each(['cluster', 'env'])('an answer of another %s is none', (label) => {
    const { nodes } = list({
      answering: [target('a', { [label]: 'x' }), target('b', { [label]: 'y' })],
      kube: [ofKube('a', { [label]: 'y' }), ofKube('b', { [label]: 'y' })],
    });
    expect(seen(nodes)).toEqual(['a answer', 'a no-exporter', 'b answer']);
  });

  test('one answer is not that of two nodes', () => {
    const { nodes } = list({
      answering: [target('a')],
      kube: [ofKube('a', { cluster: 'x' }), ofKube('a', { cluster: 'y' })],
    });
    expect(seen(nodes)).toEqual(['a answer', 'a no-exporter']);
  });

  test('labels are those of the series and of Kubernetes', () => {
    const { nodes } = list({
      answering: [target('a')],
      kube: [ofKube('a'), ofKube('b')],
      kubeLabels: [ofKube('a', { [TYPE]: 'hybrid' }), ofKube('b', { [TYPE]: 'auto' })],
    });
    expect(nodes.find(({ node }) => node === 'a')?.labels).toEqual({
      ...target('a'),
      [TYPE]: 'hybrid',
    });
    expect(nodes.find(({ node }) => node === 'b')?.labels).toMatchObject({
      [TYPE]: 'auto',
    });
  });
});
