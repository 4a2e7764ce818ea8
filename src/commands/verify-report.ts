/** What `verify` prints in the end, and its exit code. */
import type { FleetTarget } from '../fleet/source.ts';
import { changesSince, type FleetBaseline } from '../model/fleet/baseline.ts';
import type { NodesFrom } from '../model/fleet/observation.ts';
import type { FleetStatus } from '../model/fleet/status.ts';
import { type FleetWishes, judgeFleet } from '../model/fleet/verdict.ts';
import { duration } from '../model/text.ts';
import { renderFleetJson } from '../output/fleet/json.ts';
import { renderFleetJunit } from '../output/fleet/junit.ts';
import { renderFleetMarkdown } from '../output/fleet/markdown.ts';
import { verdictText } from '../output/fleet/sentences.ts';
import { renderFleetTable } from '../output/fleet/table.ts';
import { printable } from '../output/terminal.ts';
import type { Runtime, Signal } from '../runtime.ts';
import type { VerifyConfig } from '../verify-config.ts';
import type { Ending } from './rounds.ts';

const EXIT_CODES: Readonly<Record<FleetStatus['verdict'], number>> = { pass: 0, fail: 1, unknown: 2 };
const CANNOT_TELL = 2;

interface Reporting {
  readonly config: VerifyConfig;
  readonly runtime: Runtime;
}

/** A state is only a verdict when it is that of the last round: else it is shown, and cannot tell. */
export function report(
  ending: Ending,
  {
    config,
    runtime,
    baseline,
    endedBy,
  }: Reporting & { readonly baseline: FleetBaseline | null; readonly endedBy: Signal | null },
): number {
  const why = ending.kind === 'failed' ? ending.problem : `Ended by ${endedBy ?? 'a signal'}`;
  const { last } = ending;
  if (last === null) {
    const more = ending.kind === 'failed' ? '' : ' before the first round was done: nothing is known yet';
    return reportProblem(why + more, { config, runtime });
  }
  const withChanges = (status: FleetStatus): FleetStatus =>
    baseline === null ? status : { ...status, changes: changesSince(baseline, status) };
  if (ending.kind === 'judged') {
    write(withChanges(withHold(last.status, config)), { config, runtime });
    return EXIT_CODES[last.status.verdict];
  }
  const age = duration(runtime.clock().monotonicMs - last.atMs);
  const reason = `${sentence(why)}; what is known is ${age} old: ${last.status.reason}`;
  if (config.output === 'table') runtime.stderr.write(`${printable(sentence(why))}\n`);
  write(withChanges({ ...last.status, verdict: 'unknown', reason, notCovered: [] }), { config, runtime });
  return CANNOT_TELL;
}

function withHold(status: FleetStatus, { forMs }: VerifyConfig): FleetStatus {
  if (forMs === null || status.verdict !== 'pass') return status;
  return {
    ...status,
    reason: `${status.reason}, and did so each time they were asked for ${duration(forMs)}`,
  };
}

/** One sentence on stderr; for programs the document that they read says it as well. */
export function reportProblem(problem: string, { config, runtime }: Reporting): number {
  if (config.output === 'table') runtime.stderr.write(`${printable(sentence(problem))}\n`);
  else {
    const observation = {
      source: sourceText(config.target),
      at: new Date(runtime.clock().wallMs).toISOString(),
      nodesFrom: NODES_FROM[config.target.kind],
      nodes: [],
      notes: [],
    };
    const status = judgeFleet(observation, { ...wishesOf(config), earlierEndpoints: [] });
    write({ ...status, verdict: 'unknown', reason: sentence(problem), notes: [] }, { config, runtime });
  }
  return CANNOT_TELL;
}

/** What is for programs goes to a file or a pipe: the verdict is then said to who looks on, or reads the pipeline's log. */
function write(status: FleetStatus, { config, runtime: { stdout, stderr } }: Reporting): void {
  if (config.output !== 'table') stderr.write(`${verdictText(status)}\n`);
  stdout.write(RENDERERS[config.output](status, { color: stdout.color, columns: stdout.columns }));
}

const RENDERERS: Readonly<Record<VerifyConfig['output'], typeof renderFleetTable>> = {
  table: renderFleetTable,
  json: renderFleetJson,
  junit: renderFleetJunit,
  markdown: renderFleetMarkdown,
};

export function wishesOf(config: VerifyConfig): Omit<FleetWishes, 'earlierEndpoints'> {
  const { version, gate, gateFor, minNodes, maxAgeMs, ignoreFargate, ignoreGone } = config;
  return { version, gate, gateFor, minNodes, maxAgeMs, ignoreFargate, ignoreGone };
}

/** Who would have said which nodes there are. */
const NODES_FROM: Readonly<Record<FleetTarget['kind'], NodesFrom>> = {
  prometheus: 'targets',
  kubernetes: 'kubernetes',
  agents: 'agents',
};

function sourceText(target: FleetTarget): string {
  switch (target.kind) {
    case 'prometheus':
      return `Prometheus at ${target.url}`;
    case 'kubernetes':
      return target.context === null ? 'Kubernetes' : `Kubernetes, context ${target.context}`;
    case 'agents':
      return `the agents at ${target.urls.join(', ')}`;
  }
}

/** Without its period. */
function sentence(text: string): string {
  return text.trim().replace(/\.$/, '');
}
