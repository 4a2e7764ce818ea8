/** Asks Prometheus' query API; whatever goes wrong is one sentence, with what would do. */
import type { Agent } from 'node:http';
import { messageOf } from '../../model/errors.ts';
import type { HttpReply, SendRequest } from '../../net/http.ts';
import type { PrometheusTarget } from '../source.ts';
import { problemOfReply, remedyOf } from './problems.ts';
import { readVector, type Sample } from './vector.ts';

/** The path below the URL. */
const QUERY_PATH = '/api/v1/query';
/** Of one query. */
const DEADLINE_MS = 30_000;
/** The largest answer is that of kube_node_labels: at 10,000 nodes with 30 labels each 20 MB. */
const MAX_BYTES = 64 * 1024 * 1024;

export class PrometheusClient {
  readonly #target: PrometheusTarget;
  readonly #request: SendRequest;
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;

  constructor(
    target: PrometheusTarget,
    with_: {
      readonly request: SendRequest;
      readonly agent: Agent;
      /** Who asks. */
      readonly headers: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
    },
  ) {
    this.#target = target;
    this.#request = with_.request;
    this.#agent = with_.agent;
    this.#headers = with_.headers;
    this.#signal = with_.signal;
  }

  /** The instant vector of a query at that time, in seconds by the server's clock; null: now. */
  async query(query: string, atSeconds: number | null): Promise<readonly Sample[]> {
    const reply = await this.#send(query, atSeconds);
    const vector = reply.status === 200 ? readVector(reply.body) : null;
    if (vector !== null && 'samples' in vector) return vector.samples;
    throw this.#error(problemOfReply(reply, this.#target));
  }

  async #send(query: string, atSeconds: number | null): Promise<HttpReply> {
    const parameters = new URLSearchParams({ query, timeout: `${DEADLINE_MS / 1000}s` });
    if (atSeconds !== null) parameters.set('time', String(atSeconds));
    try {
      return await this.#request({
        // A query can be longer than the URLs that servers take.
        method: 'POST',
        url: `${this.#target.url}${QUERY_PATH}`,
        headers: {
          ...this.#headers,
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: parameters.toString(),
        agent: this.#agent,
        signal: this.#signal,
        deadlineMs: DEADLINE_MS,
        maxBytes: MAX_BYTES,
      });
    } catch (error) {
      // It begins with who was asked.
      const detail = messageOf(error).replace(/^Cannot ask "[^"]*": /, '');
      throw this.#error({ detail, remedy: remedyOf(detail, this.#target) });
    }
  }

  #error({ detail, remedy }: { readonly detail: string; readonly remedy: string }): Error {
    return new Error(`Cannot ask Prometheus at ${JSON.stringify(this.#target.url)}: ${detail}; ${remedy}`);
  }
}
