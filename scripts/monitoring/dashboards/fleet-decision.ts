/** Whether public access can be turned off: of all nodes that there ought to be, how many have said so. */
import { BigValueTextMode } from '@grafana/grafana-foundation-sdk/common';
import type { GateName } from '../../../src/model/status.ts';
import { type Panel, type TileSpec, tiles } from './panels.ts';
import { countOf, EXPECTED_COUNT, FLEET, GONE, NOBODY, notYet, perNode } from './queries.ts';
import { BAD, GOOD, HALF, valueMap } from './words.ts';

export function decision(): readonly Panel[] {
  const size = { height: 6, noValue: NOBODY } as const;
  return [
    gateTile('public-free', {
      ...size,
      width: 8,
      title: 'Nodes not yet public-free',
      description:
        'Of all nodes that are expected (targets of the scrape, answering or not, and the nodes of kube-state-metrics where it is scraped), those whose gate public-free is not true: false, unknown and no answer alike. One tile a cluster, for a day also where nothing is known of it any more, by the recording rules; green only at 0. Without kube-state-metrics a node without a scrape target is not seen. The gate speaks of the clients on the nodes: other users of the public endpoint (CI, bastions, peered networks) are in the sourceIPs of the audit log.',
    }),
    gateTile('private-ready', {
      ...size,
      width: 6,
      title: 'Nodes not yet private-ready',
      description:
        'Of all nodes that are expected, those whose gate private-ready is not true: from there not every X-ENI is known to answer as this cluster. Before the switch this has to be 0: such a node may not survive the switch.',
    }),
    tiles({
      ...size,
      width: 5,
      title: 'Share of nodes on the X-ENIs',
      description:
        'Nodes whose route is x-eni, of all that are expected. A node that does not answer, or whose route is not known, counts as not moved.',
      unit: 'percentunit',
      // One of ten thousand is not rounded away.
      decimals: 2,
      base: HALF,
      steps: [[1, GOOD]],
      queries: [
        {
          expr: `(${countOf(`${perNode(`eks_endpoint_node_route{${FLEET},route="x-eni"}`)} == 1`)})\n/ ${EXPECTED_COUNT}`,
          legend: 'on the X-ENIs',
        },
      ],
    }),
    tiles({
      ...size,
      width: 5,
      title: 'Endpoints',
      description:
        'Distinct names of the endpoint in each cluster of the selection. More than one: the selection mixes clusters that have no label cluster, or a node belongs to another cluster; then no sum here can be trusted. Which they are says the table of endpoints.',
      noValue: 'no exporter has told its endpoint',
      steps: [[2, BAD]],
      text: BigValueTextMode.ValueAndName,
      queries: [
        {
          expr: `count by (cluster) (group by (cluster, hostname) (eks_endpoint_info{${FLEET}}))`,
          legend: '{{cluster}}',
        },
      ],
    }),
  ];
}

function gateTile(
  gate: GateName,
  spec: Pick<TileSpec, 'title' | 'description' | 'width' | 'height' | 'noValue'>,
): Panel {
  return tiles({
    ...spec,
    unit: 'suffix:not yet',
    base: HALF,
    mappings: [valueMap([['0', 'none left', GOOD]])],
    text: BigValueTextMode.ValueAndName,
    queries: [
      {
        expr: notYet(perNode(`eks_endpoint_gate{${FLEET},gate="${gate}",state="true"}`)),
        legend: `{{cluster}} {{passing}} of {{all}} nodes ${gate}`,
      },
      { expr: GONE, legend: '{{cluster}} exporters that were known within a day, and none is now' },
    ],
  });
}
