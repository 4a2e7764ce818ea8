/** What a node is told by DNS, and what its probes of the addresses find. */
import { BigValueTextMode } from '@grafana/grafana-foundation-sdk/common';
import { lines, type Panel, tiles, timeline } from './panels.ts';
import { LAST_LOOK, NODE } from './queries.ts';
import { ALL_STATES, BAD, GOOD, valueMap } from './words.ts';

export function nodeDns(): readonly Panel[] {
  const size = { width: 8, height: 7, noValue: 'not known: no answer, or no lookup yet' } as const;
  return [
    lines({
      ...size,
      title: 'Addresses in the DNS answer',
      description: 'By route, of the last complete answer. A change of colour is the flip.',
      stacked: true,
      queries: [{ expr: `max by (route) (eks_endpoint_dns_addresses{${NODE}}) > 0`, legend: '{{route}}' }],
    }),
    lines({
      ...size,
      title: 'Failed lookups',
      description: 'Lookups without a complete answer, by reason.',
      unit: 'cps',
      queries: [
        {
          expr: `max by (reason) (rate(eks_endpoint_dns_failures_total{${NODE}}[$__rate_interval]))`,
          legend: '{{reason}}',
        },
      ],
    }),
    lines({
      ...size,
      title: 'Lookups and changes',
      description: 'Lookups of the endpoint by the exporter, and changes of the answer that it saw.',
      unit: 'cps',
      queries: [
        {
          expr: `max(rate(eks_endpoint_dns_lookups_total{${NODE}}[$__rate_interval]))`,
          legend: 'lookups',
        },
        {
          expr: `max(rate(eks_endpoint_dns_changes_total{${NODE}}[$__rate_interval]))`,
          legend: 'changes',
        },
      ],
    }),
    lines({
      ...size,
      title: 'Lookup time',
      description: 'Duration of the last lookup, of both address families together.',
      unit: 's',
      queries: [{ expr: `max(eks_endpoint_dns_duration_seconds{${NODE}})`, legend: 'duration' }],
    }),
    lines({
      ...size,
      title: 'TTL',
      description:
        'Shortest TTL of the last complete answer, as the resolver gave it: what is left of it in a cache.',
      unit: 's',
      queries: [{ expr: `max(eks_endpoint_dns_ttl_seconds{${NODE}})`, legend: 'TTL' }],
    }),
    tiles({
      ...size,
      width: 3,
      title: 'Last lookup succeeded',
      description: 'Whether the last lookup gave a complete answer.',
      mappings: [ALL_STATES],
      queries: [{ expr: `min(eks_endpoint_dns_success{${NODE}})`, legend: 'succeeded' }],
    }),
    tiles({
      ...size,
      width: 5,
      title: 'Last complete answer, last change',
      description:
        'How long before the last look. A change counts only where this exporter saw it: without one since its start there is no tile for it.',
      unit: 's',
      text: BigValueTextMode.ValueAndName,
      queries: [
        {
          expr: sinceSeconds('eks_endpoint_dns_last_success_timestamp_seconds'),
          legend: 'last complete answer',
        },
        {
          expr: sinceSeconds('eks_endpoint_dns_last_change_timestamp_seconds'),
          legend: 'last change',
        },
      ],
    }),
  ];
}

/** By the node's clock alone; what has happened after the last look has happened now. */
function sinceSeconds(timestamp: string): string {
  return `clamp_min(${LAST_LOOK} - max(${timestamp}{${NODE}}), 0)`;
}

export function nodeProbes(): readonly Panel[] {
  const size = { width: 8, height: 8, noValue: 'nothing is probed (--no-probe), or no answer' } as const;
  return [
    timeline({
      ...size,
      title: 'Probes',
      description:
        'Whether each address of the endpoint and of the X-ENIs answered the last probe, TCP and TLS, as this cluster.',
      mapping: valueMap([
        ['1', 'answers', GOOD],
        ['0', 'fails', BAD],
      ]),
      queries: [{ expr: `min by (address) (eks_endpoint_probe_success{${NODE}})`, legend: '{{address}}' }],
    }),
    lines({
      ...size,
      title: 'Probe time',
      description: 'Duration of the last probe of each address, failed ones too.',
      unit: 's',
      queries: [
        { expr: `max by (address) (eks_endpoint_probe_duration_seconds{${NODE}})`, legend: '{{address}}' },
      ],
    }),
    lines({
      ...size,
      title: 'Known X-ENIs',
      description: 'Distinct addresses that are known as X-ENIs, and how many of them each source names.',
      noValue: 'no source of X-ENIs is on, or no answer',
      queries: [
        { expr: `max(eks_endpoint_x_eni_addresses{${NODE}})`, legend: 'distinct' },
        {
          expr: `max by (source) (eks_endpoint_x_eni_source_addresses{${NODE}})`,
          legend: 'from {{source}}',
        },
      ],
    }),
  ];
}
