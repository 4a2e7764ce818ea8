/** What a dashboard of a made fleet has to show at this moment, by the nodes' statuses instead of their metrics. */
import type { Fleet } from '../../../bench/fleet/fleet.ts';
import type { FindingCode, GateName, NodeStatus, Severity } from '../../../src/model/status.ts';

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];

/** Nodes by route; `no answer`: those whose exporter does not. */
export async function routesOf(fleet: Fleet): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const status of (await statusesOf(fleet)).values()) {
    const route = status?.route ?? 'no answer';
    counts.set(route, (counts.get(route) ?? 0) + 1);
  }
  return counts;
}

/** At how many nodes the gate is true. */
export async function passingOf(fleet: Fleet, gate: GateName): Promise<number> {
  return [...(await statusesOf(fleet)).values()].filter((status) =>
    status?.gates.some((each) => each.gate === gate && each.state === 'true'),
  ).length;
}

/** Names of the nodes that have a finding, or whose exporter does not answer. */
export async function nodesWith(
  fleet: Fleet,
  code: FindingCode | 'ExporterMissing',
): Promise<readonly string[]> {
  return [...(await statusesOf(fleet))]
    .filter(([, status]) =>
      status === null ? code === 'ExporterMissing' : status.findings.some((each) => each.code === code),
    )
    .map(([node]) => node);
}

/**
 * The nodes that are to be among the stragglers, each with the codes of which one is to be in its rows: of its worst
 * findings, or that of a row that is no finding.
 */
export async function expectedRowsOf(fleet: Fleet): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = [...(await statusesOf(fleet))].map(([node, status]) => [node, codesOf(status)] as const);
  return new Map(rows.filter(([, codes]) => codes.length > 0));
}

function codesOf(status: NodeStatus | null): readonly string[] {
  if (status === null) return ['ExporterMissing'];
  const [worst, severity] = worstOf(status);
  const peers = status.clients.flatMap(({ connections }) => connections ?? []);
  const isOff = peers.some(({ route }) => route !== 'x-eni');
  if (severity === 'critical' || severity === 'warning' || (isOff && worst.length > 0)) return worst;
  if (isOff) return ['NoFinding'];
  return status.route === 'none' || status.route === 'unknown' ? ['RouteUnknown'] : [];
}

function worstOf({ findings }: NodeStatus): readonly [readonly string[], Severity | undefined] {
  const severity = SEVERITIES.find((each) => findings.some((finding) => finding.severity === each));
  const worst = findings.filter((finding) => finding.severity === severity);
  return [worst.map(({ code }) => code), severity];
}

/** By name of the node; null: its exporter does not answer. */
async function statusesOf(fleet: Fleet): Promise<ReadonlyMap<string, NodeStatus | null>> {
  const now = Date.now();
  const statuses = fleet.nodes.map(async ({ name }, index) => {
    const answer = await fleet.metricsOf(index, now);
    return [name, answer === null ? null : fleet.statusOf(index, now)] as const;
  });
  return new Map(await Promise.all(statuses));
}
