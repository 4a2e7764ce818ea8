/** GETs of an API server over kept connections. What it refuses is an answer; only what keeps from asking at all is an error. */
import type { Agent } from 'node:http';
import * as v from 'valibot';
import { messageOf } from '../../model/errors.ts';
import type { HttpReply, SendRequest } from '../../net/http.ts';

/** How an API server is reached, and as whom. */
export interface Access {
  /** With a path where it has one (Rancher), without the last slash. */
  readonly server: string;
  /** Who asks: `Authorization`, and whom it stands for. */
  readonly headers: Readonly<Record<string, string>>;
  /** Knows whom to trust, and may have a certificate of its own. */
  readonly agent: Agent;
}

export interface AccessSource {
  /** Who asks, for people: `context "prod" of "/home/me/.kube/config"`. */
  readonly name: string;
  /** Credentials as they are now: tokens expire, files change. Rejects with one whole sentence. */
  get(): Promise<Access>;
}

/** Every option that the environment could set for Node is set by whoever makes an agent. */
export const AGENT_OPTIONS = { keepAlive: true, rejectUnauthorized: true } as const;

export interface ApiOptions {
  readonly request: SendRequest;
  readonly signal: AbortSignal;
}

export interface ApiGet {
  /** From the root of the server. */
  readonly path: string;
  readonly accept?: string;
  readonly deadlineMs: number;
  readonly maxBytes: number;
  /** To a pod, which may refuse it as well: the API server's own words are a Status. */
  readonly isPassedOn?: boolean;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
const STATUS = v.object({ kind: v.literal('Status'), message: v.optional(v.string(), '') });

/** How often it is asked again when it has too much to do (429), and for how long it may let us wait. */
const TRIES = 4;
const LONGEST_PAUSE_SECONDS = 10;
const MAX_MESSAGE = 300;

/** One round of questions: credentials are got at its beginning, and once more when they have expired. */
export class Api {
  readonly #source: AccessSource;
  readonly #options: ApiOptions;
  #access: Access;
  readonly #agents: Agent[];
  #renewal: Promise<void> | null = null;

  static async open(source: AccessSource, options: ApiOptions): Promise<Api> {
    return new Api(await source.get(), source, options);
  }

  private constructor(access: Access, source: AccessSource, options: ApiOptions) {
    this.#access = access;
    this.#agents = [access.agent];
    this.#source = source;
    this.#options = options;
  }

  get server(): string {
    return this.#access.server;
  }

  /** Who asks, for people. */
  get name(): string {
    return this.#source.name;
  }

  /** Rejects where there is no whole answer, and where the credentials are refused (401). */
  async get(wanted: ApiGet): Promise<HttpReply> {
    const before = this.#access;
    const reply = await this.#send(wanted);
    if (!isRefusal(reply, wanted)) return reply;
    if (this.#access === before) await this.#renew();
    const again = await this.#send(wanted);
    if (!isRefusal(again, wanted)) return again;
    throw new RefusedError(
      `The API server at ${this.server} does not know ${this.name} (401: ${messageIn(again)}); see that 'kubectl get nodes' works here, or sign in anew`,
    );
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  async #send({ path, accept = 'application/json', deadlineMs, maxBytes }: ApiGet): Promise<HttpReply> {
    const { request, signal } = this.#options;
    for (let tries = 1; ; tries += 1) {
      const { server, headers, agent } = this.#access;
      const reply = await request({
        method: 'GET',
        url: `${server}${path}`,
        headers: { ...headers, accept },
        agent,
        signal,
        deadlineMs,
        maxBytes,
      });
      if (reply.status !== 429 || tries === TRIES) return reply;
      await pause(pauseSeconds(reply), signal);
    }
  }

  /** Once, however many are refused at a time. What is under way goes on with the old ones. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#source.get().then(
      (access) => {
        this.#access = access;
        this.#agents.push(access.agent);
        this.#renewal = null;
      },
      (error: unknown) => {
        throw new RefusedError(messageOf(error));
      },
    );
    return this.#renewal;
  }
}

/** Nobody can go on with these credentials. */
export class RefusedError extends Error {}

function isRefusal(reply: HttpReply, { isPassedOn = false }: ApiGet): boolean {
  return reply.status === 401 && (!isPassedOn || statusMessage(reply) !== null);
}

/** What the API server itself says of a request; null where the answer is somebody else's. */
export function statusMessage({ body }: HttpReply): string | null {
  try {
    const status = v.safeParse(STATUS, JSON.parse(body));
    return status.success ? status.output.message.slice(0, MAX_MESSAGE) : null;
  } catch {
    return null;
  }
}

/** Whoever answered: its message, or how its answer begins. */
export function messageIn(reply: HttpReply): string {
  return statusMessage(reply) ?? JSON.stringify(reply.body.trim().slice(0, 60));
}

function pauseSeconds({ headers }: HttpReply): number {
  const asked = Number(headers['retry-after']);
  return Math.min(Math.max(Number.isNaN(asked) ? 1 : asked, 1), LONGEST_PAUSE_SECONDS);
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
  signal.throwIfAborted();
}
