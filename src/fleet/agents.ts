/** Asks running agents by their addresses. */
import { Agent } from 'node:https';
import { messageOf } from '../model/errors.ts';
import type { NodeObservation } from '../model/fleet/observation.ts';
import type { Clock } from '../model/observation.ts';
import type { SendRequest } from '../net/http.ts';
import { MAX_STATUS_BYTES } from './node-status.ts';
import { inPool } from './pool.ts';
import {
  type AgentReply,
  aged,
  noAnswer,
  readAgentReply,
  STATUS_DEADLINE_MS,
  STATUS_PATH,
  schemeAdvice,
} from './reply.ts';
import type { AgentsTarget, FleetSource, ObserveOptions } from './source.ts';

interface Tools {
  readonly request: SendRequest;
  readonly clock: Clock;
}

export async function openAgents(target: AgentsTarget, { request, clock }: Tools): Promise<FleetSource> {
  // Node's own authorities; whatever the environment says of verifying.
  const https = new Agent({ rejectUnauthorized: true });

  async function ask(url: string, signal: AbortSignal): Promise<AgentReply> {
    try {
      const reply = await request({
        method: 'GET',
        url: `${url}${STATUS_PATH}`,
        headers: { accept: 'application/json' },
        ...(url.startsWith('https:') ? { agent: https } : {}),
        signal,
        deadlineMs: STATUS_DEADLINE_MS,
        maxBytes: MAX_STATUS_BYTES,
      });
      return readAgentReply(reply, clock().wallMs, url);
    } catch (error) {
      const detail = messageOf(error);
      const remedy =
        schemeAdvice(url, detail) ??
        'see that an agent runs there, and that this machine may connect to it; its port is 10943 unless it was told another';
      return { node: null, seen: noAnswer('not-answering', { detail, remedy }) };
    }
  }

  return {
    async observe({ signal, onProgress }: ObserveOptions) {
      const replies = await inPool(
        target.urls,
        async (url) => ({ url, ...(await ask(url, signal)), atMs: clock().monotonicMs }),
        { concurrency: target.concurrency, signal, onProgress },
      );
      const now = clock();
      const nodes = replies.map(
        ({ url, node, seen, atMs }): NodeObservation => ({
          node: node ?? url,
          origin: url,
          labels: {},
          seen: aged(seen, now.monotonicMs - atMs),
        }),
      );
      return {
        source: `the agents at ${target.urls.length === 1 ? target.urls.join() : `${target.urls.length} addresses`}`,
        at: new Date(now.wallMs).toISOString(),
        nodesFrom: 'agents',
        nodes,
        notes: [],
      };
    },
    close: () => https.destroy(),
  };
}
