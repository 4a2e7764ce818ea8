/** Which nodes there are, and what is known of each. */
import { groupBy } from '../../model/fleet/names.ts';
import type { NoAnswer, NodeObservation, NodesFrom } from '../../model/fleet/observation.ts';
import { noAnswer } from '../reply.ts';
import { answerOf } from './answers.ts';
import type { Exporter, Exporters } from './exporters.ts';
import { distinctNodes, fleetLabels, KubeLabels, type KubeNode } from './kube-nodes.ts';
import { agree, type Labels } from './metrics.ts';
import type { Sample } from './vector.ts';

export interface Known {
  readonly exporters: Exporters;
  /** Null: kube-state-metrics does not tell. */
  readonly kubeNodes: readonly KubeNode[] | null;
  readonly kubeLabels: readonly Sample[];
  /** By the server's clock. */
  readonly nowSeconds: number;
}

interface Nodes {
  readonly nodesFrom: NodesFrom;
  readonly nodes: readonly NodeObservation[];
  readonly notes: readonly string[];
}

export function listNodes({ exporters, kubeNodes, kubeLabels, nowSeconds }: Known): Nodes {
  const { answered, silent, gone, notes } = exporters;
  const all = [...answered, ...silent, ...gone];
  const ofFleet = fleetLabels(
    all.map(({ labels }) => labels),
    kubeNodes ?? [],
  );
  const labelsOf = new KubeLabels(kubeLabels, ofFleet);
  const differing = differingLabels(all.map(({ labels }) => labels));
  const observe = ({ name, labels, seen }: Exporter): NodeObservation => ({
    node: name,
    origin: originOf(labels, differing),
    labels: { ...labels, ...labelsOf.of(name, labels) },
    seen: 'kind' in seen ? seen : answerOf(seen, nowSeconds),
  });
  if (kubeNodes === null) return { nodesFrom: 'targets', nodes: all.map(observe), notes };

  const unclaimed = new Map(groupBy(answered, ({ name }) => name));
  const others = groupBy([...silent, ...gone], ({ name }) => name);
  const nodes = distinctNodes(kubeNodes, ofFleet).flatMap((node) => {
    const isOfIt = ({ labels }: Exporter) => agree(node.labels, labels, ofFleet);
    const ofName = unclaimed.get(node.name) ?? [];
    const claimed = ofName.filter(isOfIt);
    unclaimed.set(
      node.name,
      ofName.filter((one) => !claimed.includes(one)),
    );
    if (claimed.length > 0) return claimed.map(observe);
    const labels = labelsOf.of(node.name, node.labels);
    const silentOne = others.get(node.name)?.find(isOfIt);
    const ofTarget =
      silentOne === undefined ? originOf(node.labels, ofFleet) : originOf(silentOne.labels, differing);
    return [
      {
        node: node.name,
        origin: ofTarget || 'kube_node_info',
        labels: { ...node.labels, node: node.name, ...labels },
        seen: whyNoAnswer(node.name, labels, silentOne),
      },
    ];
  });
  const known = groupBy(kubeNodes, ({ name }) => name);
  const isStranger = ({ name, labels }: Exporter) =>
    known.get(name)?.some((node) => agree(node.labels, labels, ofFleet)) !== true;
  // Gone ones are of deleted nodes.
  const strangers = [...[...unclaimed.values()].flat(), ...silent.filter(isStranger)];
  return {
    nodesFrom: 'kube-state-metrics',
    nodes: [...nodes, ...strangers.map(observe)],
    notes: strangers.length === 0 ? notes : [...notes, ofStrangers(strangers)],
  };
}

/** Of a node that kube-state-metrics knows. */
function whyNoAnswer(name: string, labels: Labels, exporter: Exporter | undefined): NoAnswer {
  const isFargate =
    name.startsWith('fargate-') || labels['label_eks_amazonaws_com_compute_type'] === 'fargate';
  if (isFargate && exporter === undefined)
    return noAnswer('fargate', {
      detail: 'it runs on Fargate, where there are no DaemonSets',
      remedy: '--ignore-fargate leaves such nodes out',
    });
  if (exporter !== undefined && 'kind' in exporter.seen && exporter.seen.why !== 'gone') return exporter.seen;
  return noAnswer('no-exporter', {
    detail:
      exporter === undefined
        ? 'no exporter on it is a target of Prometheus'
        : 'its exporter answered within the last hour and is no target of Prometheus now',
    remedy:
      "see that the DaemonSet has a ready pod there ('kubectl -n eks-endpoint-exporter get pods -o wide'), that Prometheus scrapes it, and that its series have the node's name in the label node",
  });
}

function ofStrangers(strangers: readonly Exporter[]): string {
  const [{ name } = { name: '' }] = strangers;
  const who =
    strangers.length === 1
      ? `An exporter is of a node that kube-state-metrics does not know: ${JSON.stringify(name)}`
      : `${strangers.length} exporters are of nodes that kube-state-metrics does not know, such as ${JSON.stringify(name)}`;
  return `${who}; see that the label node of its series is the node's name in Kubernetes, and that both are of one cluster.`;
}

/** Names of labels that not all have with the same value; `instance` at least, which every target has. */
function differingLabels(all: readonly Labels[]): readonly string[] {
  const [first = {}] = all;
  const names = new Set(all.flatMap((labels) => Object.keys(labels)));
  const differing = [...names].filter(
    (name) => name !== 'node' && all.some((labels) => labels[name] !== first[name]),
  );
  return [...new Set(['instance', ...differing])];
}

function originOf(labels: Labels, names: readonly string[]): string {
  return names
    .filter((name) => labels[name] !== undefined)
    .map((name) => `${name}=${JSON.stringify(labels[name])}`)
    .join(', ');
}
