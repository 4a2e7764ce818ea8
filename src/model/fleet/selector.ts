/** Which nodes a gate is for: the part of Kubernetes' label selectors that can only ever pick out nodes by what they have. */

interface LabelRequirement {
  readonly key: string;
  /** Null: the label is there, whatever its value. */
  readonly value: string | null;
}

/** All of them hold. */
export type NodeSelector = readonly LabelRequirement[];

/** A label's key as in Kubernetes, with or without a prefix, or as in Prometheus. */
const KEY = /^(?:[\w.-]+\/)?[\w.-]+$/;
const VALUE = /^[\w.:/@-]*$/;

/**
 * `key`, `key=value`, several with commas between them. Null for anything else: a requirement that a label is *not* so (`!=`,
 * `notin`) also fits nodes whose labels are not known, and would give them the lesser gate.
 */
export function parseSelector(text: string): NodeSelector | null {
  const requirements: LabelRequirement[] = [];
  for (const part of text.split(',')) {
    const [, key = '', value = null] = /^\s*([^=\s]+?)(?:\s*==?\s*(\S*))?\s*$/.exec(part) ?? [];
    if (!KEY.test(key) || (value !== null && !VALUE.test(value))) return null;
    requirements.push({ key, value });
  }
  return requirements;
}

export function selects(selector: NodeSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every(({ key, value }) => {
    const name = Object.hasOwn(labels, key) ? key : kubeStateMetricsName(key);
    const label = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return label !== undefined && (value === null || label === value);
  });
}

/** Before a node's own labels in `kube_node_labels`. */
export const KUBE_STATE_METRICS_PREFIX = 'label_';

/**
 * What kube-state-metrics makes of a label's key; there is no way back from it. internal/store/utils.go (labelName, toSnakeCase) of
 * https://github.com/kubernetes/kube-state-metrics.
 */
export function kubeStateMetricsName(key: string): string {
  const safe = key.replace(/[^a-zA-Z0-9_]/g, '_');
  return `${KUBE_STATE_METRICS_PREFIX}${safe.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()}`;
}

export function formatSelector(selector: NodeSelector): string {
  return selector.map(({ key, value }) => (value === null ? key : `${key}=${value}`)).join(',');
}
