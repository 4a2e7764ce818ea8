/** The /metrics of N made nodes through which a migration runs: judged and rendered by the agent's own code. */

import type { NodeStatus } from '../../src/model/status.ts';
import { renderMetrics } from '../../src/output/metrics.ts';
import { FleetNode } from './node.ts';
import { type ClusterStory, clusterStory, type FleetOptions, nodeStories, type Role } from './story.ts';

/** Content-Type of the agent's /metrics and of kube-state-metrics'. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const PORT = 10_943;
const DOMAIN = 'ap-northeast-2.compute.internal';
const NODES_PER_SUBNET = 250;
/** The first of the subnets of nodes; the X-ENIs are in those before. */
const FIRST_SUBNET = 16;
/** Of pods on Fargate: kube-state-metrics tells of them, and no DaemonSet runs there. */
const FARGATE = ['10.0.14.20', '10.0.15.21'];

interface NodeName {
  /** As in Kubernetes; the label `node`. */
  readonly name: string;
  readonly instance: string;
  readonly role: Role;
}

export class Fleet {
  readonly nodes: readonly NodeName[];
  readonly story: ClusterStory;
  readonly #made: readonly FleetNode[];

  constructor(options: FleetOptions) {
    this.story = clusterStory(options);
    const all = nodeStories(options).map((story) => {
      const address = addressOf(story.index);
      const name = nameOf(address);
      return {
        named: { name, instance: `${address}:${PORT}`, role: story.role },
        made: new FleetNode({ name, address }, this.story, story),
      };
    });
    this.nodes = all.map(({ named }) => named);
    this.#made = all.map(({ made }) => made);
  }

  /** What the agent of the node says at that moment; moments may only go forward. */
  statusOf(index: number, atMs: number): NodeStatus {
    return this.#nodeOf(index).statusAt(atMs);
  }

  /** The exposition of the node at that moment; null where its exporter does not answer then. */
  async metricsOf(index: number, atMs: number): Promise<string | null> {
    const { startMs, missing } = this.story;
    const node = this.#nodeOf(index);
    if (atMs < startMs) return null;
    if (this.nodes[index]?.role === 'missing' && atMs >= missing.fromMs && atMs < missing.untilMs)
      return null;
    const { body } = await renderMetrics(node.statusAt(atMs), node.selfAt(atMs));
    return body;
  }

  /** What kube-state-metrics says of the cluster's nodes, those without an exporter too. */
  kubeStateMetrics(): string {
    const names = [
      ...this.nodes.map(({ name }) => name),
      ...FARGATE.map((address) => `fargate-${nameOf(address)}`),
    ];
    return [
      '# HELP kube_node_info Information about a cluster node.',
      '# TYPE kube_node_info gauge',
      ...names.map((name) => `kube_node_info{${NODE_INFO},node="${name}"} 1`),
      '',
    ].join('\n');
  }

  #nodeOf(index: number): FleetNode {
    const node = this.#made[index];
    if (node === undefined)
      throw new RangeError(`Cannot tell of node ${index}: there are ${this.nodes.length}`);
    return node;
  }
}

const NODE_INFO = [
  ['container_runtime_version', 'containerd://2.1.5'],
  ['kernel_version', '6.12.40-63.114.amzn2023.x86_64'],
  ['kubelet_version', 'v1.34.2-eks-ecaa3a6'],
  ['os_image', 'Amazon Linux 2023.9.20261110'],
]
  .map(([label, value]) => `${label}="${value}"`)
  .join(',');

function addressOf(index: number): string {
  return `10.0.${FIRST_SUBNET + Math.floor(index / NODES_PER_SUBNET)}.${4 + (index % NODES_PER_SUBNET)}`;
}

function nameOf(address: string): string {
  return `ip-${address.replaceAll('.', '-')}.${DOMAIN}`;
}
