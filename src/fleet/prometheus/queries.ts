/** What Prometheus is asked, as PromQL. */
import type { LabelMatcher } from '../source.ts';
import {
  BUILD,
  DNS,
  FINDING,
  GATE,
  INFO,
  MACHINE,
  type Metric,
  PEER,
  ROUTE,
  SCAN,
  STALE,
  UP,
} from './metrics.ts';

/** Labels that a target has by where it runs: what is so of the exporters' is not so of kube-state-metrics'. */
export const OF_THE_POD = ['job', 'instance', 'pod', 'container', 'endpoint', 'namespace', 'service'];

/** Of kube_node_info; what says something of a node is not asked for. */
const OF_THE_NODE = [
  ...['container_runtime_version', 'internal_ip', 'kernel_version', 'kubelet_version', 'kubeproxy_version'],
  ...['os_image', 'pod_cidr', 'provider_id', 'system_uuid'],
].join(', ');

/** What every example of a scrape configuration calls its job, and with it the PodMonitor. Nobody else is scraped under that name. */
export const JOB = 'eks-endpoint-exporter';

/** Prometheus scrapes no target more rarely than every five minutes: it looks no further back. */
const LATELY = '15m';

/** How far back is looked for who answered. */
const BEFORE = '1h';

export type Queries = ReturnType<typeof makeQueries>;

export function makeQueries(matchers: readonly LabelMatcher[]) {
  const ofNodes = matchers.filter(({ name }) => !OF_THE_POD.includes(name));
  const of = ({ name }: Pick<Metric, 'name'>, ...more: readonly string[]) =>
    selector(name, [...matchers.map(formatMatcher), ...more]);
  const kube = (name: string) => selector(name, ofNodes.map(formatMatcher));
  const nodes = kube('kube_node_info');
  // One that nobody has answered in for longer is known by its name.
  const exporterJobs = `(group by (job) (last_over_time(${of(BUILD)}[${BEFORE}])) or group by (job) (${of(UP, `job=~".*${JOB}.*"`)}))`;

  return {
    /** Of the server: by this all others are asked, and ages are told. */
    now: 'time()',
    /**
     * What a verdict rests on, each with the time of its scrape as value. All at once: one query of Prometheus sees a scrape
     * whole or not at all.
     */
    answers: [of(ROUTE), of(GATE), of(INFO), of(MACHINE, 'node=""')].map(timeOf).join(' or '),
    findings: `${of(FINDING)} == 1`,
    /** For how long the oldest is stale is told by the node's clock alone. */
    connections: [
      `${of(PEER, 'route!="x-eni"')} == 1`,
      `${of(SCAN)} - ignoring (client) group_right () ${of(STALE)}`,
      `${of(DNS, 'route!="x-eni"')} > 0`,
    ].join(' or '),
    versions: `${of(BUILD)} == 1`,
    /** Targets of jobs that have exporters, with no answer of one. */
    silent: `(${of(UP)} unless ${of(SCAN)}) and on (job) ${exporterJobs}`,
    /** Exporters that answered, and do not now. */
    gone: `last_over_time(${of(BUILD)}[${BEFORE}]) unless ignoring (${BUILD.own.join(', ')}) ${of(SCAN)}`,
    /** How often the one that was scraped most often was. */
    scrapes: `max(count_over_time(${of(SCAN)}[${LATELY}]))`,
    nodes: withoutDetails(nodes),
    nodesGone: `${withoutDetails(`last_over_time(${nodes}[${BEFORE}])`)} unless ${withoutDetails(nodes)}`,
    nodesOfAll: `count(last_over_time(kube_node_info[${BEFORE}]))`,
    nodeLabels: kube('kube_node_labels'),
    targets: 'count(up)',
    answersOfAll: `count(last_over_time(${BUILD.name}[${BEFORE}]))`,
  };
}

/**
 * 0 is left out; 1 gives when the sample was taken, anything else no time that can be. (Of an expression, `timestamp` is when it
 * was evaluated: it must be of the selector itself.)
 */
function timeOf(selected: string): string {
  return `timestamp(${selected}) * (${selected} != 0)`;
}

function withoutDetails(selected: string): string {
  return `max without (${OF_THE_NODE}) (${selected})`;
}

function selector(name: string, matchers: readonly string[]): string {
  return matchers.length === 0 ? name : `${name}{${matchers.join(', ')}}`;
}

/** A matcher as in PromQL, whose strings are Go's. */
export function formatMatcher({ name, op, value }: LabelMatcher): string {
  const text = value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
  return `${name}${op}"${text}"`;
}
