/** The exporter itself: its looks, what it costs, and on what machine it runs. */
import { lines, type Panel, timeline } from './panels.ts';
import { NO_ANSWER_OF_NODE, NODE, perNode } from './queries.ts';
import { rows } from './tables.ts';
import { BAD, NEUTRAL, valueMap } from './words.ts';

const BUILD = perNode(`eks_endpoint_exporter_build_info{${NODE}}`, ['version', 'revision']);

export function nodeExporter(): readonly Panel[] {
  const size = { width: 8, height: 7, noValue: NO_ANSWER_OF_NODE } as const;
  return [
    timeline({
      ...size,
      title: 'Stages of the look',
      description: 'Whether each stage last succeeded. A stage that is off has no row.',
      mapping: valueMap([
        ['1', 'succeeded', NEUTRAL],
        ['0', 'failed', BAD],
      ]),
      queries: [{ expr: `min by (stage) (eks_endpoint_scan_success{${NODE}})`, legend: '{{stage}}' }],
    }),
    lines({
      ...size,
      title: 'Time of the stages',
      description: 'How long each stage last took; a stage that is off has no line.',
      unit: 's',
      queries: [
        { expr: `max by (stage) (eks_endpoint_scan_duration_seconds{${NODE}})`, legend: '{{stage}}' },
      ],
    }),
    lines({
      ...size,
      title: 'Looks, refused reads',
      description: 'Looks at the node, and reads below /proc that failed or were refused.',
      unit: 'cps',
      queries: [
        { expr: `max(rate(eks_endpoint_scans_total{${NODE}}[$__rate_interval]))`, legend: 'looks' },
        {
          expr: `max by (reason) (rate(eks_endpoint_proc_read_errors_total{${NODE}}[$__rate_interval]))`,
          legend: 'refused: {{reason}}',
        },
      ],
    }),
    lines({
      ...size,
      title: 'CPU',
      description: 'CPU time of the exporter, as a share of one CPU.',
      unit: 'percentunit',
      queries: [{ expr: `max(rate(process_cpu_seconds_total{${NODE}}[$__rate_interval]))`, legend: 'CPU' }],
    }),
    lines({
      ...size,
      title: 'Memory',
      description: 'Resident memory of the exporter, shared pages of its binary included.',
      unit: 'bytes',
      queries: [{ expr: `max(process_resident_memory_bytes{${NODE}})`, legend: 'resident' }],
    }),
    lines({
      ...size,
      title: 'Descriptors',
      description: 'Open descriptors of the exporter.',
      queries: [{ expr: `max(process_open_fds{${NODE}})`, legend: 'open' }],
    }),
    lines({
      ...size,
      title: 'Scrape time',
      description: 'How long Prometheus waited for the answer. A scrape may wait for a look.',
      noValue: 'Prometheus has no target for this node',
      unit: 's',
      queries: [{ expr: `max(scrape_duration_seconds{${NODE}})`, legend: 'scrape' }],
    }),
    lines({
      ...size,
      title: 'Samples of a scrape, sockets of a look',
      description:
        'Samples that the exporter gave, at most 180 with two clients; rows of the TCP tables in the last look, and those of them that did not parse or are not to the endpoint.',
      noValue: 'Prometheus has no target for this node',
      queries: [
        { expr: `max(scrape_samples_scraped{${NODE}})`, legend: 'samples' },
        { expr: `max(eks_endpoint_scan_sockets{${NODE}})`, legend: 'sockets' },
        { expr: `max(eks_endpoint_scan_rejected_rows{${NODE}})`, legend: 'rows that did not parse' },
        {
          expr: `max(eks_endpoint_scan_ignored_connections{${NODE}})`,
          legend: 'connections that are not to the endpoint',
        },
      ],
    }),
    lines({
      ...size,
      title: 'Left out',
      description:
        "Peers without a row above, and processes of a client's name that are not taken for it. More than 0 of the second: someone else uses the name.",
      queries: [
        { expr: `max(eks_endpoint_peers_left_out{${NODE}})`, legend: 'peers' },
        { expr: `max(eks_endpoint_clients_left_out{${NODE}})`, legend: 'processes' },
      ],
    }),
    rows({
      ...size,
      width: 12,
      height: 5,
      title: 'Machine',
      description: 'What the firmware and the kernel say of the machine; what is unknown is empty.',
      queries: [
        {
          expr: `max by (nodename, vendor, model, arch, kernel) (eks_endpoint_machine_info{${NODE}})`,
        },
      ],
      columns: {
        nodename: { title: 'Name' },
        vendor: { title: 'Vendor' },
        model: { title: 'Model' },
        arch: { title: 'Architecture' },
        kernel: { title: 'Kernel' },
      },
      sortBy: ['Name'],
    }),
    rows({
      ...size,
      width: 12,
      height: 5,
      title: 'Exporter and endpoint',
      description: 'The version of the exporter, the name of the endpoint and where that was found.',
      queries: [
        {
          expr: `max by (version, revision, hostname, port, source) (
  ${perNode(`eks_endpoint_info{${NODE}}`, ['hostname', 'port', 'source'])}
  * on (cluster, instance, node) group_left (version, revision) ${BUILD}
)
or max by (version, revision) (${BUILD} unless on (cluster, instance, node) eks_endpoint_info{${NODE}})`,
        },
        {
          expr: `max by (version, revision) (
  ${perNode(`process_start_time_seconds{${NODE}}`)}
  * on (cluster, instance, node) group_left (version, revision) ${BUILD}
) * 1000`,
        },
      ],
      columns: {
        version: { title: 'Version' },
        revision: { title: 'Revision' },
        hostname: { title: 'Endpoint', width: 380 },
        port: { title: 'Port', width: 60 },
        source: { title: 'Found in' },
        'Value #B': { title: 'Running since', unit: 'dateTimeFromNow' },
      },
      sortBy: ['Version'],
    }),
  ];
}
