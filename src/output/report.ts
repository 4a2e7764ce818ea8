/** The report of `check` and `demo`: a table like that of `ss -tnp` with the route beside each peer, then the verdict. */
import { FINDING_CODES } from '../model/findings.ts';
import type { NodeStatus } from '../model/status.ts';
import {
  columns,
  type Paint,
  painter,
  printable,
  styleOfGate,
  styleOfRoute,
  styleOfSeverity,
} from './terminal.ts';

export interface ReportOptions {
  /** Colours by ANSI escapes. */
  readonly color: boolean;
}

const HEADINGS = ['State', 'Local Address:Port', 'Peer Address:Port', 'Route', 'Evidence', 'Process'];

/** A node status as text for a terminal, ending in a newline. */
export function renderReport(status: NodeStatus, { color }: ReportOptions): string {
  const paint = painter(color);
  const parts = [
    head(status, paint),
    sockets(status, paint),
    failures(status, paint),
    verdict(status, paint),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function head(status: NodeStatus, paint: Paint): readonly string[] {
  const { node, endpoint, dns, observedAt, version, accessMode } = status;
  const name = endpoint === null ? 'not known' : `${endpoint.hostname}:${endpoint.port} (${endpoint.source})`;
  const addresses = dns?.addresses?.map(({ address, route }) => `${address} ${route}`).join(', ');
  const servers = dns !== null && dns.servers.length > 0 ? `, asked ${dns.servers.join(', ')}` : '';
  const answer =
    addresses === undefined
      ? 'no answer'
      : `${addresses} (TTL ${dns?.ttlSeconds} s${dns?.success ? '' : ', an old answer'})`;
  return [
    `Node      ${printable(node)}  (${observedAt}, eks-endpoint-exporter ${version})`,
    ...machineFacts(status),
    `Endpoint  ${printable(name)}`,
    ...(dns === null ? [] : [`DNS       ${answer}${servers}`]),
    ...xEnis(status, paint),
    ...(accessMode === 'unknown' ? [] : [`Access    ${accessMode}`]),
  ];
}

/** No line where nothing is known. */
function machineFacts({ machine: { kernel, arch, vendor, model } }: NodeStatus): readonly string[] {
  const name = [vendor, model].filter((text) => text !== null).join(' ');
  const facts = [name || null, arch, kernel && `kernel ${kernel}`].filter((text) => text !== null);
  return facts.length === 0 ? [] : [`Machine   ${printable(facts.join(', '))}`];
}

/** The X-ENIs, each with what its probe said. */
function xEnis({ xEni, probes }: NodeStatus, paint: Paint): readonly string[] {
  const known = xEni?.addresses ?? [];
  if (known.length === 0) return [];
  const texts = known.map(({ address, sources }) => {
    const probe = probes?.find((one) => one.address === address);
    const answer =
      probe === undefined
        ? 'not probed'
        : probe.success
          ? paint('green', 'answers')
          : paint('red', `fails at ${probe.failedStage}`);
    return `${address} (${sources.join(', ')}) ${answer}`;
  });
  return [`X-ENIs    ${texts.join(', ')}`];
}

function sockets({ clients, scan }: NodeStatus, paint: Paint): readonly string[] {
  const rows = clients.flatMap(({ client, connections }) =>
    (connections ?? []).map(({ pid, state, local, peer, route, evidence, stale }) => [
      state === 'established' ? 'ESTAB' : state.toUpperCase(),
      local,
      peer,
      stale ? `${route} stale` : route,
      evidence,
      pid === null ? printable(client) : `${printable(client)} (pid ${pid})`,
    ]),
  );
  const left = scan.ignoredConnections;
  const ignored = left
    ? `left out: ${left} ${left === 1 ? 'connection' : 'connections'} to or from anything else`
    : null;
  const footer = ignored === null ? [] : [paint('dim', `(${ignored})`)];
  const untold = clients.filter(({ connections, found }) => connections === null && found !== false);
  const blind = untold.map(({ client }) => `Endpoint connections of ${printable(client)}: unknown.`);
  if (rows.length === 0)
    return [...(blind.length === 0 ? ['No endpoint connection was seen.'] : blind), ...footer];
  const [headings = [], ...padded] = columns([HEADINGS, ...rows]);
  const line = (cells: readonly string[], route: string) =>
    cells.map((cell, column) => (column === 3 ? paint(styleOfRoute(route), cell) : cell)).join('  ');
  return [
    paint('bold', headings.join('  ')),
    ...padded.map((cells, index) => line(cells, rows[index]?.[3] ?? '')),
    ...blind,
    ...footer,
  ];
}

function failures({ stages }: NodeStatus, paint: Paint): readonly string[] {
  return stages
    .filter(({ success }) => !success)
    .map(
      ({ stage, error }) => `${paint('yellow', `Stage ${stage} failed`)}: ${printable(error ?? 'unknown')}`,
    );
}

function verdict(
  { route, routeReason, expectedRoute, gates, findings, evaluated }: NodeStatus,
  paint: Paint,
): readonly string[] {
  const expected = expectedRoute === 'any' ? '' : ` (expected: ${expectedRoute})`;
  const lines = [
    `Node route: ${paint(styleOfRoute(route), route)}${expected}`,
    `  Why: ${printable(routeReason)}.`,
    ...gates.flatMap(({ gate, state, reason }) => [
      `Gate ${gate}: ${paint(styleOfGate(state), state)}`,
      `  Why: ${printable(reason)}.`,
    ]),
  ];
  const open = FINDING_CODES.filter((code) => !evaluated.includes(code));
  if (open.length > 0) lines.push(paint('dim', `Not evaluated: ${open.join(', ')}.`));
  for (const { code, severity, summary, remedy, runbook } of findings) {
    lines.push(
      '',
      `${paint(styleOfSeverity(severity), severity.toUpperCase())} ${code}: ${printable(summary)}.`,
      `  What to do: ${printable(remedy)}.`,
      `  Runbook: ${runbook}`,
    );
  }
  return lines;
}
