/** Where `watch` has its statuses from: looks of its own, or those of an agent that runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { judgeAge } from '../model/age.ts';
import { messageOf } from '../model/errors.ts';
import { OUTDATED_AFTER_INTERVALS } from '../model/node-route.ts';
import type { Moment } from '../model/observation.ts';
import type { NodeStatus } from '../model/status.ts';
import type { Runtime } from '../runtime.ts';
import { assembleAgent } from './assembly.ts';

export interface Looks {
  /** From now on until `stop`; never rejects. */
  start(): void;
  stop(): void;
  /** The last status as its age has it now; null before the first. */
  status(): NodeStatus | null;
}

export interface Listener {
  /** There is a new status. */
  readonly onStatus: (status: NodeStatus) => void;
  /** Nobody answers; one sentence without its period. */
  readonly onSilence: (problem: string) => void;
}

/** Sources are given so long before the first status: what they tell first is no change of the node. */
const SOURCES_WITHIN_MS = 3_000;

/** Looks at this node as the agent does, with all of its sources. */
export function ownLooks(
  config: Config,
  runtime: Runtime,
  { log, onStatus }: { readonly log: Log } & Pick<Listener, 'onStatus'>,
): Looks {
  const stop = new AbortController();
  let isReady = false;
  const agent = assembleAgent(config, runtime, {
    log,
    onStatus: (status) => {
      if (isReady) onStatus(status);
    },
  });

  async function begin(): Promise<void> {
    await agent.look();
    const patience = sleep(SOURCES_WITHIN_MS, null, { signal: stop.signal }).catch(() => null);
    const asked = agent
      .refreshSources()
      .catch((error: unknown) => log.error('cannot ask the sources', { error: messageOf(error) }));
    await Promise.race([asked, patience]);
    if (stop.signal.aborted) return;
    isReady = true;
    agent.start();
  }

  return {
    start: () => void begin(),
    stop() {
      stop.abort();
      agent.stop();
    },
    status: () => (isReady ? agent.status() : null),
  };
}

/**
 * An agent that is asked looks anew: a status that stays the same for three of these is one that nobody makes any more
 * (a copy, an agent that hangs), however young it says it is.
 */
const LEAST_INTERVAL_MS = 5_000;

interface Followed {
  readonly status: NodeStatus;
  /** When it was another one than before. */
  readonly since: Moment;
}

/** Asks a running agent, and nothing of the node. */
export async function agentLooks(
  url: string,
  { config, runtime, onStatus, onSilence }: { readonly config: Config; readonly runtime: Runtime } & Listener,
): Promise<Looks> {
  const { followAgent } = await import('../fleet/followed-agent.ts');
  const { clock, request } = runtime;
  const { scanIntervalMs: intervalMs } = config.settings;
  const agent = followAgent(url, request);
  const stop = new AbortController();
  let followed: Followed | null = null;

  function aged(): NodeStatus | null {
    if (followed === null) return null;
    const ageMs = clock().monotonicMs - followed.since.monotonicMs;
    const limitMs = Math.max(intervalMs, LEAST_INTERVAL_MS);
    return ageMs > OUTDATED_AFTER_INTERVALS * limitMs
      ? judgeAge(followed.status, ageMs, limitMs)
      : followed.status;
  }

  async function once(): Promise<void> {
    try {
      const status = await agent.ask(stop.signal);
      const misfit = followed === null ? null : misfitOf(status, followed.status);
      if (misfit !== null) throw new Error(`${url} answers ${misfit}`);
      const isSame = followed !== null && nameOf(followed.status) === nameOf(status);
      followed = { status, since: isSame && followed !== null ? followed.since : clock() };
      onStatus(aged() ?? status);
    } catch (error) {
      if (!stop.signal.aborted) onSilence(messageOf(error));
    }
  }

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      const beganMs = clock().monotonicMs;
      await once();
      const leftMs = Math.max(0, beganMs + intervalMs - clock().monotonicMs);
      await sleep(leftMs, null, { signal: stop.signal }).catch(() => null);
    }
  }

  return {
    start: () => void follow(),
    stop() {
      stop.abort();
      agent.close();
    },
    status: aged,
  };
}

/** Which look of a node a status is of. */
function nameOf({ observedSince, observedAt }: NodeStatus): string {
  return `${observedSince} ${observedAt}`;
}

/** Why what this status says is no change of the node that the last one spoke of; null where it is. */
function misfitOf(status: NodeStatus, last: NodeStatus): string | null {
  // A port-forward that moved, an address of several agents.
  if (status.node !== last.node) {
    return `for another node now, ${JSON.stringify(status.node)}, and not for ${JSON.stringify(last.node)}`;
  }
  return Date.parse(status.observedAt) < Date.parse(last.observedAt)
    ? `with a look from before the last one, of ${status.observedAt}: it is a copy, or that machine's clock was set back; then begin anew`
    : null;
}
