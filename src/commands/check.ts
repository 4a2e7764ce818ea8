/** `check`: two looks at the node, a round of its sources between them, and an exit code. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { messageOf } from '../model/errors.ts';
import type { NodeStatus } from '../model/status.ts';
import { renderJson } from '../output/json.ts';
import { renderReport } from '../output/report.ts';
import type { Runtime } from '../runtime.ts';
import { assembleAgent, logOf } from './assembly.ts';

/** The looks are at least this far apart: what both show is no row that one read missed. */
const BETWEEN_LOOKS_MS = 1_000;

/** Resolves with the exit code: 0 the expectation holds, 1 it does not, 2 cannot tell. */
export async function runCheck(config: Config, runtime: Runtime): Promise<number> {
  const log = logOf(config, runtime);
  try {
    const agent = assembleAgent(patient(config), runtime, { log });
    await agent.look();
    await Promise.all([agent.refreshSources(), sleep(BETWEEN_LOOKS_MS)]);
    await agent.look();
    // Peers that both looks found and nobody knows have been asked for their certificate: it decides what they are.
    if (await agent.identifyStrangers()) await agent.look();
    agent.stop();
    const status = agent.status();
    if (status === null) return CANNOT_TELL;
    const { stdout } = runtime;
    stdout.write(
      config.output === 'json' ? renderJson(status) : renderReport(status, { color: stdout.color }),
    );
    return exitCodeOf(status);
  } catch (error) {
    log.error('cannot check', { error: messageOf(error) });
    return CANNOT_TELL;
  }
}

/** Between the looks is a round of sources, up to their deadlines: the first look must not be too old by then. */
function patient(config: Config): Config {
  const scanIntervalMs = Math.max(config.settings.scanIntervalMs, 10_000);
  return { ...config, settings: { ...config.settings, scanIntervalMs } };
}

const HOLDS = 0;
const DOES_NOT_HOLD = 1;
const CANNOT_TELL = 2;

export function exitCodeOf({ route, expectedRoute }: NodeStatus): number {
  if (route === 'unknown' || route === 'none') return CANNOT_TELL;
  return expectedRoute === 'any' || expectedRoute === route ? HOLDS : DOES_NOT_HOLD;
}
