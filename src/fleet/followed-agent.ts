/** One running agent that is asked for its node status again and again. */
import { Agent } from 'node:https';
import { messageOf } from '../model/errors.ts';
import type { NodeStatus } from '../model/status.ts';
import type { SendRequest } from '../net/http.ts';
import { MAX_STATUS_BYTES, readNodeStatus } from './node-status.ts';
import { pathAdvice, STATUS_PATH, schemeAdvice } from './reply.ts';

/** An agent makes its last status do where a look takes longer than 80 % of this. */
const PATIENCE_SECONDS = 2.5;
/** Who has not answered by then is silent. */
const DEADLINE_MS = 5_000;

export interface FollowedAgent {
  /** Rejects with an Error of one sentence, without its period, that says why there is no status. */
  ask(signal: AbortSignal): Promise<NodeStatus>;
  /** Ends its connections. */
  close(): void;
}

/** `url` without its last slash. */
export function followAgent(url: string, request: SendRequest): FollowedAgent {
  // Node's own authorities and those of NODE_EXTRA_CA_CERTS; whatever the environment says of verifying.
  const https = new Agent({ rejectUnauthorized: true });
  return {
    async ask(signal) {
      const { status: code, body } = await request({
        method: 'GET',
        url: `${url}${STATUS_PATH}`,
        headers: {
          accept: 'application/json',
          'x-prometheus-scrape-timeout-seconds': String(PATIENCE_SECONDS),
        },
        ...(url.startsWith('https:') ? { agent: https } : {}),
        deadlineMs: DEADLINE_MS,
        maxBytes: MAX_STATUS_BYTES,
        signal,
      }).catch((error: unknown) => {
        throw new Error(withAdvice(messageOf(error), schemeAdvice(url, messageOf(error))), { cause: error });
      });
      if (code !== 200) {
        const problem = `${url} ${ANSWERS.get(code) ?? `answered with HTTP status ${code}`}`;
        throw new Error(withAdvice(problem, pathAdvice(url, String(code))));
      }
      const read = readNodeStatus(body);
      if ('problem' in read) {
        const problem = `${url} is not understood: ${read.problem}`;
        throw new Error(withAdvice(problem, pathAdvice(url, read.problem)));
      }
      return read.status;
    },
    close: () => https.destroy(),
  };
}

function withAdvice(problem: string, advice: string | null): string {
  return advice === null ? problem : `${problem}; ${advice}`;
}

const ANSWERS = new Map([
  [401, 'asks for a password (HTTP status 401): ask an address of it that does not'],
  [404, `is no eks-endpoint-exporter: it knows no ${STATUS_PATH} (HTTP status 404)`],
  [503, 'has not made its first look yet (HTTP status 503)'],
]);
