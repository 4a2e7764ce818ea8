/** The dashboard of one node: by which route its clients reach the control plane, since when, why, and what the exporter costs. */
import { AnnotationQueryBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { nodeConnections } from './node-connections.ts';
import { nodeDns, nodeProbes } from './node-dns.ts';
import { nodeExporter } from './node-exporter.ts';
import { nodeFindings, overTime } from './node-findings.ts';
import { nodeNow } from './node-now.ts';
import { DATASOURCE } from './panels.ts';
import { NODE } from './queries.ts';
import { dashboardOf, NODE_UID, render, variable } from './variables.ts';
import { HALF } from './words.ts';

/**
 * Of every target, and of Kubernetes: a row of the stragglers may lead to a node without an exporter, and Grafana puts
 * the first of the values in the place of one that is not among them.
 */
const ANY_NODE = '__name__=~"up|kube_node_info",node!~"fargate-.*"';

export function renderNodeDashboard(): string {
  const builder = dashboardOf('EKS endpoint: node', {
    uid: NODE_UID,
    description:
      'By which route the clients of one node reach the control plane, since when and why, and what its exporter costs. Made by eks-endpoint-exporter.',
    from: 'now-3h',
  })
    .withVariable(variable('node', `label_values({${ANY_NODE},cluster=~"$cluster"}, node)`).label('Node'))
    .annotation(
      new AnnotationQueryBuilder()
        .name('DNS answer changed')
        .datasource(DATASOURCE)
        .enable(true)
        .iconColor(HALF)
        .expr(`max(eks_endpoint_dns_last_change_timestamp_seconds{${NODE}}) * 1000`)
        .titleFormat('The DNS answer changed')
        .useValueForTime(true)
        .step('60s'),
    );
  for (const [title, panels] of Object.entries({
    'The node now': [...nodeNow(), ...nodeFindings()],
    'Over time': overTime(),
    Connections: nodeConnections(),
    DNS: nodeDns(),
    'X-ENIs and probes': nodeProbes(),
    'The exporter itself': nodeExporter(),
  })) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  return render(builder);
}
