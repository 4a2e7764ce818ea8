/** What kube-state-metrics says of the nodes there are. */
import { KUBE_STATE_METRICS_PREFIX as PREFIX } from '../../model/fleet/selector.ts';
import { agree, type Labels } from './metrics.ts';
import { OF_THE_POD } from './queries.ts';
import type { Sample } from './vector.ts';

export interface KubeNode {
  readonly name: string;
  /** Those of who tells it. */
  readonly labels: Labels;
}

/** Where the target has a label `node` too, and does not honour those of the metric, the node's is `exported_node`. */
const NAMES = ['exported_node', 'node'];
/** Beside these, labels that tell one fleet's nodes from another's are found by their values. */
const OF_THE_FLEET = ['cluster'];

export function readKubeNodes(samples: readonly Sample[]): readonly KubeNode[] {
  return samples.flatMap(({ labels }) => {
    const name = NAMES.map((label) => labels[label]).find((text) => text !== undefined && text !== '');
    return name === undefined ? [] : [{ name, labels: without(labels, [...NAMES, '__name__']) }];
  });
}

/**
 * Of the nodes that are told of no more, those whose teller tells of none now: it is down or gone, and with it what it would say.
 * One that still tells has seen them deleted. Where others tell of any of a silent one's nodes they are in its place.
 */
export function ofSilentTellers(before: readonly KubeNode[], now: readonly KubeNode[]): readonly KubeNode[] {
  const tellers = new Set(now.map(tellerOf));
  const known = new Set(now.map(identityOf));
  const replaced = new Set(before.filter((node) => known.has(identityOf(node))).map(tellerOf));
  return before.filter((node) => !tellers.has(tellerOf(node)) && !replaced.has(tellerOf(node)));
}

function tellerOf({ labels }: KubeNode): string {
  return JSON.stringify([...OF_THE_POD, ...OF_THE_FLEET].map((name) => labels[name]));
}

function identityOf({ name, labels }: KubeNode): string {
  return JSON.stringify([name, labels['cluster']]);
}

/**
 * The labels by which nodes of one name are different ones: such as the exporters and kube-state-metrics both have, with a value
 * that both know. Labels of a pod (`app`, `pod`) are not among them.
 */
export function fleetLabels(exporters: readonly Labels[], nodes: readonly KubeNode[]): readonly string[] {
  const ours = valuesOf(exporters);
  const theirs = valuesOf(nodes.map(({ labels }) => labels));
  const shared = [...ours.keys()].filter(
    (name) =>
      !OF_THE_POD.includes(name) &&
      !NAMES.includes(name) &&
      [...(ours.get(name) ?? [])].some((value) => theirs.get(name)?.has(value)),
  );
  return [...new Set([...OF_THE_FLEET, ...shared])];
}

/** Several may tell of the same node: once each. */
export function distinctNodes(nodes: readonly KubeNode[], ofFleet: readonly string[]): readonly KubeNode[] {
  const distinct = new Map(
    nodes.map((node) => [JSON.stringify([node.name, ...ofFleet.map((name) => node.labels[name])]), node]),
  );
  return [...distinct.values()];
}

/** The Kubernetes labels of each node, by name. */
export class KubeLabels {
  readonly #ofNodes = new Map<string, { readonly teller: Labels; readonly labels: Labels }[]>();
  readonly #ofFleet: readonly string[];

  constructor(samples: readonly Sample[], ofFleet: readonly string[]) {
    this.#ofFleet = ofFleet;
    for (const { name, labels } of readKubeNodes(samples)) {
      const own = Object.entries(labels).filter(([label]) => label.startsWith(PREFIX));
      const ofName = this.#ofNodes.get(name) ?? [];
      ofName.push({ teller: labels, labels: Object.fromEntries(own) });
      this.#ofNodes.set(name, ofName);
    }
  }

  /** Under the names of kube-state-metrics: selectors know them by those. */
  of(name: string, target: Labels): Labels {
    const found = this.#ofNodes.get(name)?.filter(({ teller }) => agree(teller, target, this.#ofFleet)) ?? [];
    // Two who do not say the same say nothing: a selector must not take the one that suits it.
    const [first, ...others] = found;
    if (first === undefined) return {};
    const told = Object.entries(first.labels).filter(([label, value]) =>
      others.every(({ labels }) => labels[label] === value),
    );
    return Object.fromEntries(told);
  }
}

function valuesOf(all: readonly Labels[]): ReadonlyMap<string, ReadonlySet<string>> {
  const values = new Map<string, Set<string>>();
  for (const labels of all) {
    for (const [name, value] of Object.entries(labels)) {
      const known = values.get(name) ?? new Set();
      values.set(name, known.add(value));
    }
  }
  return values;
}

function without(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}
