/** `verify`: asks for the whole fleet, in rounds where that is wished, and says whether every node passes. */
import type { FleetSource, FleetTarget } from '../fleet/source.ts';
import { messageOf } from '../model/errors.ts';
import type { FleetBaseline } from '../model/fleet/baseline.ts';
import { withForgotten } from '../model/fleet/forgotten.ts';
import type { NodeObservation } from '../model/fleet/observation.ts';
import { judgeFleet } from '../model/fleet/verdict.ts';
import type { Runtime, Signal } from '../runtime.ts';
import type { VerifyConfig } from '../verify-config.ts';
import { ProgressDisplay } from './progress-display.ts';
import { askInRounds, type Ending, untilAborted } from './rounds.ts';
import { report, reportProblem, wishesOf } from './verify-report.ts';

export type OpenSource = (
  target: FleetTarget,
  tools: Pick<Runtime, 'request' | 'readFile' | 'clock'>,
) => Promise<FleetSource>;

/** Resolves with the exit code: 0 every node passes, 1 a node does not, 2 cannot tell. */
export async function runVerify(
  config: VerifyConfig,
  runtime: Runtime,
  open: OpenSource = openSource,
): Promise<number> {
  const stop = new AbortController();
  let endedBy: Signal | null = null;
  const off = runtime.onSignal(['SIGINT', 'SIGTERM'], (signal) => {
    endedBy ??= signal;
    stop.abort();
  });
  try {
    const baseline = await readBaselineFile(config, runtime);
    const ending = await askFleet(config, runtime, { open, signal: stop.signal });
    return report(ending, { config, runtime, baseline, endedBy });
  } catch (error) {
    return reportProblem(messageOf(error), { config, runtime });
  } finally {
    off();
  }
}

/** Null without one; rejects with one sentence. */
async function readBaselineFile(
  { baselineFile }: VerifyConfig,
  { readFile }: Runtime,
): Promise<FleetBaseline | null> {
  if (baselineFile === null) return null;
  const file = `the baseline ${JSON.stringify(baselineFile)}`;
  const text = await readFile(baselineFile).catch((error: unknown) => {
    // Node's own text ends in the name of the file.
    const why = messageOf(error).replace(/, \w+ '.*'$/s, '');
    throw new Error(`Cannot read ${file}: ${why}; give a file that 'verify --output json' wrote`);
  });
  const read = (await import('../fleet/baseline.ts')).readBaseline(text);
  if ('problem' in read) throw new Error(`Cannot use ${file}: ${read.problem}`);
  return read.baseline;
}

/** Rejects where the source cannot be opened. */
async function askFleet(
  config: VerifyConfig,
  runtime: Runtime,
  { open, signal }: { readonly open: OpenSource; readonly signal: AbortSignal },
): Promise<Ending> {
  const { waitMs, forMs, intervalMs } = config;
  const { clock } = runtime;
  // A plugin that gives credentials may ask a person: it is not waited for either.
  const aborted = untilAborted(signal);
  const source = await Promise.race([open(config.target, runtime), aborted.promise]);
  aborted.forget();
  if (source === null) return { kind: 'aborted', last: null };
  const isRepeated = waitMs !== null || forMs !== null;
  const display = new ProgressDisplay({
    output: runtime.stderr,
    clock,
    isRepeated,
    ...{ waitMs, forMs, intervalMs },
  });
  let earlierEndpoints: readonly string[] = [];
  let earlierNodes: readonly NodeObservation[] = [];
  try {
    return await askInRounds({
      async ask() {
        const onProgress = (done: number, total: number) => display.onAsked(done, total);
        const observation = withForgotten(await source.observe({ signal, onProgress }), earlierNodes);
        earlierNodes = observation.nodes;
        const status = judgeFleet(observation, { ...wishesOf(config), earlierEndpoints });
        if (earlierEndpoints.length === 0)
          earlierEndpoints = status.endpoints.map(({ hostname }) => hostname);
        return status;
      },
      // What began with answers of two clusters stays so: which of them is meant nobody says.
      isWorthAsking: () => earlierEndpoints.length < 2,
      ...{ waitMs, forMs, intervalMs, clock, signal },
      onRound: (round) => display.onRound(round),
    });
  } finally {
    display.end();
    source.close();
  }
}

/** Each a chunk of its own: it loads what it uses and nothing else. */
async function openSource(...[target, tools]: Parameters<OpenSource>): Promise<FleetSource> {
  switch (target.kind) {
    case 'prometheus':
      return (await import('../fleet/prometheus/open.ts')).openPrometheus(target, tools);
    case 'kubernetes':
      return (await import('../fleet/kubernetes/open.ts')).openKubernetes(target, tools);
    case 'agents':
      return (await import('../fleet/agents.ts')).openAgents(target, tools);
  }
}
