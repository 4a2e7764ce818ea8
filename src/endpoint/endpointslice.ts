/** Reads the EndpointSlice `default/kubernetes`: the X-ENIs of the cluster, as its API server wrote them. */
import { messageOf } from '../model/errors.ts';
import { SLICE_INTERVAL_MS } from '../model/freshness.ts';
import type { Clock, EndpointSliceSeen, Moment, StageResult } from '../model/observation.ts';
import type { HttpReply, SendRequest } from '../net/http.ts';
import { jittered, Repeater } from './repeater.ts';
import { type EndpointSlice, parseEndpointSlice } from './slice.ts';

/** The text of a file; rejects where it cannot be read. */
export type ReadFile = (path: string) => Promise<string>;

interface EndpointSliceParts {
  readonly request: SendRequest;
  readonly readFile: ReadFile;
  readonly clock: Clock;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** KUBERNETES_SERVICE_HOST and _PORT; null outside a cluster. */
  readonly service: { readonly host: string; readonly port: number } | null;
  /** The addresses or the port are others than before. */
  readonly onChange: () => void;
}

const SLICE_PATH = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';
/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** An API server that takes longer has other worries. */
const DEADLINE_MS = 5_000;
/** The slice of EKS has 1 to 2 KB. */
const MAX_BYTES = 256 * 1024;
/** After a failure. */
const RETRY_MS = 60_000;
/** However often somebody cannot wait. */
const SHORTEST_GAP_MS = 10_000;
/** More than the API server asks for when it sheds load (seconds), less than what would look like silence. */
const LONGEST_RETRY_AFTER_MS = 600_000;

/** Holds what the slice last said. Asks again by itself from the first `ask` to `stop`. */
export class EndpointSliceSource {
  readonly #parts: EndpointSliceParts;
  readonly #repeater: Repeater;
  #seen: EndpointSliceSeen = { answer: null, failingSince: null };
  #stage: StageResult | null = null;
  /** The API server is not to be asked before this, by the monotonic clock: it said so. */
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: EndpointSliceParts) {
    this.#parts = parts;
    this.#repeater = new Repeater(() => this.#work(), parts.clock);
  }

  /** The last good answer, however old. */
  get seen(): EndpointSliceSeen {
    return this.#seen;
  }

  /** How the last request ended; null before the first. */
  get stage(): StageResult | null {
    return this.#stage;
  }

  /** Asks now, or joins the request under way; never rejects. Not where the API server said when to come again. */
  ask(): Promise<void> {
    return this.#repeater.now();
  }

  /** Asks now, but at most every 10 s. */
  askSoon(): void {
    this.#repeater.soon(SHORTEST_GAP_MS);
  }

  /** Asks no more; an answer that is under way belongs to nobody. */
  stop(): void {
    this.#stopped = true;
    this.#repeater.stop();
  }

  /** Resolves with the milliseconds until the next time. */
  async #work(): Promise<number> {
    const { clock, random } = this.#parts;
    const heldMs = this.#heldMs();
    if (heldMs > 0) return heldMs;
    const startedAt = clock();
    const outcome = await this.#read().catch((error: unknown) => ({ error: messageOf(error) }));
    if (!this.#stopped) this.#record(outcome, startedAt);
    if (!('error' in outcome)) return jittered(SLICE_INTERVAL_MS, random);
    return this.#heldMs() || jittered(RETRY_MS, random);
  }

  #record(outcome: EndpointSlice | { readonly error: string }, startedAt: Moment): void {
    const at = this.#parts.clock();
    const durationSeconds = (at.monotonicMs - startedAt.monotonicMs) / 1000;
    const before = this.#seen;
    if ('error' in outcome) {
      this.#stage = { stage: 'endpointslice', success: false, durationSeconds, error: outcome.error, at };
      this.#seen = { ...before, failingSince: before.failingSince ?? at };
      return;
    }
    this.#stage = { stage: 'endpointslice', success: true, durationSeconds, error: null, at };
    this.#seen = { answer: { ...outcome, at }, failingSince: null };
    if (!sameSlice(before.answer, outcome)) this.#parts.onChange();
  }

  async #read(): Promise<EndpointSlice> {
    const reply = await this.#send();
    this.#hold(reply);
    return sliceOf(reply);
  }

  /** Keeps to what the API server says of when to come again; a little later, as others are told the same. */
  #hold(reply: HttpReply): void {
    const now = this.#parts.clock();
    const retryAfterMs = retryAfterOf(reply, now);
    if (retryAfterMs === null) return;
    this.#heldUntilMs = now.monotonicMs + retryAfterMs * (1 + 0.2 * this.#parts.random());
  }

  /** For how long nothing is to be asked: 0 where there is nothing to keep to. */
  #heldMs(): number {
    return Math.max(this.#heldUntilMs - this.#parts.clock().monotonicMs, 0);
  }

  async #send(): Promise<HttpReply> {
    const { service, request } = this.#parts;
    if (service === null) {
      throw new Error(
        'KUBERNETES_SERVICE_HOST is not set: the agent does not run in a cluster; use --no-kubernetes',
      );
    }
    // The token rotates within the hour: read again each time.
    const [token, ca] = await Promise.all([this.#accountFile('token'), this.#accountFile('ca.crt')]);
    const host = service.host.includes(':') ? `[${service.host}]` : service.host;
    return request({
      method: 'GET',
      url: `https://${host}:${service.port}${SLICE_PATH}`,
      headers: { accept: 'application/json', authorization: `Bearer ${token.trim()}` },
      ca,
      deadlineMs: DEADLINE_MS,
      maxBytes: MAX_BYTES,
    });
  }

  async #accountFile(name: string): Promise<string> {
    const path = `${ACCOUNT}/${name}`;
    const fix = "mount the service account's token (automountServiceAccountToken), or use --no-kubernetes";
    let detail = 'it is empty';
    try {
      const text = await this.#parts.readFile(path);
      if (text.trim() !== '') return text;
    } catch (error) {
      detail = messageOf(error);
    }
    throw new Error(`Cannot read ${JSON.stringify(path)}: ${detail}; ${fix}`);
  }
}

/** What each status means here, and what would do. */
const STATUS_PROBLEMS = new Map([
  [
    401,
    "does not know the service account's token (401); see that the token that is mounted is this cluster's and not expired",
  ],
  [
    403,
    'does not let the service account read it (403); give it a Role in namespace default with the verb get on endpointslices (API group discovery.k8s.io), resourceName kubernetes, and a RoleBinding',
  ],
  [
    404,
    'has no EndpointSlice default/kubernetes (404), as before Kubernetes 1.21; use --no-kubernetes and give --x-eni',
  ],
  [429, 'has too much to do (429); it is asked again when it said, else in about a minute'],
]);

function sliceOf({ status, body }: HttpReply): EndpointSlice {
  if (status === 200) return parseEndpointSlice(body);
  const problem = STATUS_PROBLEMS.get(status);
  if (problem !== undefined) throw new Error(`the API server ${problem}`);
  if (status >= 500)
    throw new Error(`the API server failed (${status}); it is asked again in about a minute`);
  throw new Error(
    `the answer has the status ${status}, which is none of an API server; see what KUBERNETES_SERVICE_HOST names`,
  );
}

/** Retry-After (RFC 9110, 10.2.3: seconds, or a date) of a server that sheds load, kept in bounds; null without. */
function retryAfterOf({ status, headers }: HttpReply, now: Moment): number | null {
  if (status !== 429 && status !== 503) return null;
  const text = headers['retry-after']?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.wallMs;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, SHORTEST_GAP_MS), LONGEST_RETRY_AFTER_MS);
}

function sameSlice(one: EndpointSlice | null, other: EndpointSlice): boolean {
  return one !== null && one.port === other.port && keysOf(one) === keysOf(other);
}

function keysOf({ addresses }: EndpointSlice): string {
  return addresses
    .map(({ key }) => key)
    .sort()
    .join();
}
