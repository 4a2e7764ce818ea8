/** What a pass does not cover, and how to find it. The one place for these texts: the docs point here. */

import type { GateName } from '../status.ts';
import { named } from './names.ts';
import type { NodesFrom } from './observation.ts';

/**
 * The last of `sourceIPs` is who connected; a client can write what it likes before it
 * (https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/).
 */
export const AUDIT_LOG_QUERY = [
  'fields @timestamp, user.username, userAgent',
  'filter @logStream like /^kube-apiserver-audit/',
  String.raw`parse @message /"sourceIPs":\[(?:"[^"]*",)*"(?<source>[^"]*)"\]/`,
  'filter not isIpInSubnet(source, "VPC-CIDR")',
  'stats count(*) as requests, max(@timestamp) as last by source, user.username, userAgent',
  'sort requests desc',
].join(' | ');

interface Passed {
  readonly nodesFrom: NodesFrom;
  /** That the nodes passed. */
  readonly gates: readonly GateName[];
  /** Names of nodes that do not count. */
  readonly ignored: readonly string[];
}

/** Whole sentences. */
export function notCoveredBy({ nodesFrom, gates, ignored }: Passed): readonly string[] {
  return [
    ...(gates.includes('private-ready')
      ? ['private-ready says that a node can use the X-ENIs, not that its clients do: that is public-free.']
      : []),
    'This pass speaks of the clients on these nodes only. It says nothing of other users of the public endpoint: CI, bastions, peered VPCs, people with kubectl.',
    `They are in the cluster's audit log, where it is on: in CloudWatch Logs Insights, on the log group /aws/eks/CLUSTER/cluster, over as long as your rarest job needs, ask: ${AUDIT_LOG_QUERY}`,
    'There VPC-CIDR is a CIDR of the VPC, one filter for each: addresses inside came by the X-ENIs. 127.0.0.1, ::1 and users such as system:apiserver are the control plane itself. A public address came by the public endpoint: whoever it is must move before that is turned off.',
    ...(ignored.length > 0 ? [`Nothing is known of the nodes that are ignored: ${named(ignored)}.`] : []),
    whoSaysWhichNodes(nodesFrom),
  ];
}

/** Who says which nodes there are: one that is not on that list is not missed. */
export function whoSaysWhichNodes(nodesFrom: NodesFrom): string {
  switch (nodesFrom) {
    case 'kubernetes':
      return 'Kubernetes says which nodes there are.';
    case 'kube-state-metrics':
      return 'kube-state-metrics says which nodes there are.';
    case 'targets':
      return "Prometheus' targets say which nodes there are: a node that is no target was not asked and is not missed. kube-state-metrics in the same Prometheus, or --min-nodes, would miss it.";
    case 'agents':
      return '--agent says which nodes there are: nobody else was asked, and no other node is missed. --min-nodes says how many there must be.';
  }
}
