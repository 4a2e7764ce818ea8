/** The exporter's metrics that are asked for, with the labels that are theirs: every other label of a series is its target's. */

export interface Metric {
  readonly name: string;
  readonly own: readonly string[];
}

export const ROUTE = { name: 'eks_endpoint_node_route', own: ['route'] };
export const GATE = { name: 'eks_endpoint_gate', own: ['gate', 'state'] };
export const INFO = { name: 'eks_endpoint_info', own: ['hostname', 'port', 'source'] };
export const MACHINE = {
  name: 'eks_endpoint_machine_info',
  own: ['nodename', 'kernel', 'arch', 'vendor', 'model'],
};
export const BUILD = {
  name: 'eks_endpoint_exporter_build_info',
  own: ['version', 'revision', 'node_version'],
};
export const FINDING = { name: 'eks_endpoint_finding', own: ['code', 'severity'] };
export const PEER = { name: 'eks_endpoint_peer_info', own: ['client', 'address', 'route'] };
export const STALE = {
  name: 'eks_endpoint_stale_connection_oldest_timestamp_seconds',
  own: ['client'],
};
export const DNS = { name: 'eks_endpoint_dns_addresses', own: ['route'] };
export const SCAN = { name: 'eks_endpoint_last_scan_timestamp_seconds', own: [] };
/** Prometheus' own, of each target. */
export const UP = { name: 'up', own: [] };

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  /** What tells targets apart, as a text. */
  readonly key: string;
  readonly target: Labels;
  readonly own: Labels;
}

/**
 * Prometheus calls a label of a metric `exported_…` where the target has one of that name
 * (https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config, honor_labels).
 */
const EXPORTED = 'exported_';

/** Which of its labels are the metric's and which the target's. */
export function splitLabels({ own: names }: Pick<Metric, 'own'>, labels: Labels): Series {
  const own: Record<string, string> = {};
  const target: [string, string][] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (name === '__name__') continue;
    const bare = name.startsWith(EXPORTED) ? name.slice(EXPORTED.length) : name;
    const isOwn = names.includes(bare) && (bare !== name || !Object.hasOwn(labels, EXPORTED + bare));
    if (isOwn) own[bare] = value;
    else target.push([name, value]);
  }
  target.sort(([one], [other]) => (one < other ? -1 : 1));
  return { key: JSON.stringify(target), target: Object.fromEntries(target), own };
}

/** Whether they do not differ in a label that both have. */
export function agree(one: Labels, other: Labels, names: Iterable<string> = Object.keys(one)): boolean {
  for (const name of names) {
    const value = other[name];
    if (value !== undefined && one[name] !== undefined && one[name] !== value) return false;
  }
  return true;
}
