/** The demo's story, played on a clock that is stepped: what the whole agent says after quarters of an hour, in seconds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeProcTree } from '../../../src/demo/proc-tree.ts';
import {
  MACHINE,
  NODE_NAME,
  type Phase,
  RESOLVER,
  SLICE,
  storyOf,
  VPC_CIDRS,
} from '../../../src/demo/story.ts';
import type { NodeStatus } from '../../../src/model/status.ts';
import { makeAgent } from '../../support/agent.ts';
import { settings } from '../../support/observation.ts';
import { steppedClock } from '../../support/runtime.ts';

/** What a phase of the story ends in, and when by the clock of the story. */
export interface PlayedPhase {
  readonly name: string;
  readonly status: NodeStatus;
  readonly atMs: number;
}

const LOOK_EVERY_MS = 10_000;
const UPTIME_SECONDS = 86_400;
const HANDSHAKE_MS = 3;

/** Every phase in turn, so many minutes each, as the demo plays it; throws where the agent does not follow. */
export async function playStory(minutesAPhase: number): Promise<readonly PlayedPhase[]> {
  const { clock, step } = steppedClock();
  const root = mkdtempSync(join(tmpdir(), 'eks-endpoint-story-'));
  const phases = storyOf(Math.floor(clock().wallMs / 1000) - UPTIME_SECONDS);
  let now: Phase | undefined = phases[0];
  const resolve = async () => ({ servers: [RESOLVER], records: now?.records ?? [] });
  const { agent, errors } = makeAgent(root, {
    settings: settings({
      nodeName: NODE_NAME,
      expect: 'x-eni',
      vpcCidrs: VPC_CIDRS,
      probeIntervalMs: 60_000,
      staleAfterMs: minutesAPhase * 60_000,
      service: null,
    }),
    given: null,
    options: { readsSlice: true, service: { host: '10.100.0.1', port: 443 } },
    machine: MACHINE,
    edges: {
      resolve,
      resolveAt: () => resolve,
      request: async () => ({ status: 200, headers: {}, body: SLICE }),
      handshake: async () => {
        await sleep(HANDSHAKE_MS);
        step(HANDSHAKE_MS);
        return { failedStage: null, error: null };
      },
      readFile: async () => 'the token of nobody',
      askMachine: async () => MACHINE,
    },
    clock,
  });
  const played: PlayedPhase[] = [];
  try {
    for (const phase of phases) {
      now = phase;
      writeProcTree(root, phase.tree);
      for (let ms = 0; ms < minutesAPhase * 60_000; ms += LOOK_EVERY_MS) {
        await agent.refreshSources();
        await agent.look();
        step(LOOK_EVERY_MS);
      }
      const status = agent.status();
      const name = phase.title.split(':')[0] ?? '';
      if (status === null || !phase.isShown(status) || errors.length > 0) {
        throw new Error(`The agent does not say what the phase "${phase.title}" shows`);
      }
      played.push({ name, status, atMs: clock().wallMs });
    }
  } finally {
    agent.stop();
    rmSync(root, { recursive: true, force: true });
  }
  return played;
}
