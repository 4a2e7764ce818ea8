/** A server of HTTP that runs until it is told to end: Prometheus, Alertmanager. What it said is shown where a test fails. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENVIRONMENT, type Host, within } from '../../e2e/lib/command.ts';

/** Where a server runs, and how it is asked there. */
export interface Place {
  /** Null: this machine itself; the server listens on loopback alone. */
  readonly host: Host | null;
  ask(url: string): Promise<{ readonly status: number; readonly body: string }>;
}

/** Asked by this process. */
export const LOOPBACK: Place = {
  host: null,
  ask: async (url) => {
    const response = await fetch(url);
    return { status: response.status, body: await response.text() };
  },
};

interface DaemonOptions {
  readonly place: Place;
  readonly command: readonly [string, ...(readonly string[])];
  /** `http://host:port`, seen from its place. */
  readonly url: string;
  /** Of its folders and whatever else goes with it. */
  cleanUp(): Promise<void>;
}

const POLL_MS = 200;
const START_MS = 30_000;
const STOP_MS = 10_000;
const TAIL_LINES = 25;

/** For what takes seconds; only a test that fails waits so long. */
const PATIENCE_MS = 45_000;

export class Daemon implements AsyncDisposable {
  readonly #options: DaemonOptions;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(options: DaemonOptions, child: ChildProcess) {
    this.#options = options;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
  }

  /** Returns when it says that it is ready. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { place, command, url } = options;
    const [program, ...rest] = command;
    const [file, args] = place.host === null ? [program, rest] : within(place.host, command);
    const child = spawn(file, args, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
    const daemon = new Daemon(options, child);
    try {
      await once(child, 'spawn');
      await daemon.eventually(async () => {
        const { status, body } = await place.ask(`${url}/-/ready`);
        if (status !== 200) throw new Error(`It answers ${status}: ${body}`);
      }, START_MS);
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
    return daemon;
  }

  get url(): string {
    return this.#options.url;
  }

  /** Everything it wrote. */
  get log(): string {
    return this.#log;
  }

  /** The answer to a GET as JSON, whatever the status is: what is asked here says in JSON what was wrong. */
  async json<Answer>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { place, url } = this.#options;
    const { status, body } = await place.ask(`${url}${path}?${new URLSearchParams(parameters)}`);
    try {
      return JSON.parse(body);
    } catch (error) {
      throw new Error(`"${path}" answers ${status}: ${body}`, { cause: error });
    }
  }

  /** Asserts until it holds; fails with the last assertion that did not, and with the end of the log. */
  async eventually<Value>(assert: () => Promise<Value>, patienceMs = PATIENCE_MS): Promise<Value> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        return await assert();
      } catch (error) {
        const hasEnded = this.#hasEnded;
        if (!hasEnded && performance.now() < deadline) {
          await sleep(POLL_MS);
          continue;
        }
        const { command } = this.#options;
        const tail = this.#log.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
        throw new Error(`${error}\n\n${command.join(' ')}${hasEnded ? ' (has ended)' : ''}:\n${tail}`, {
          cause: error,
        });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (this.#hasEnded || child.pid === undefined) break;
      const exited = once(child, 'exit');
      child.kill(signal);
      await Promise.race([exited, sleep(STOP_MS, undefined, { ref: false })]);
    }
    await this.#options.cleanUp();
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
