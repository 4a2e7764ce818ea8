/** A stand-in as the tests hold it: starts it in a network namespace and tells it what to do. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT, within } from './command.ts';
import type { Connection, ConnectOptions, Fetched, ListenOptions, Request } from './stand-in.ts';

const SCRIPT = fileURLToPath(new URL('./stand-in.ts', import.meta.url));

const PATIENCE_MS = 20_000;

export class Program {
  readonly pid: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, pid: number) {
    this.#child = child;
    this.#lines = lines;
    this.pid = pid;
  }

  /** Starts a stand-in in a network namespace; returns when it bears its name. */
  static async start(host: string, args: readonly string[] = []): Promise<Program> {
    const [program, words] = within(host, [process.execPath, SCRIPT, ...args]);
    const child = spawn(program, words, { env: ENVIRONMENT });
    child.stderr.pipe(process.stderr);
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const { pid } = await nextAnswer<{ pid: number }>(lines);
    return new Program(child, lines, pid);
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return this.#ask({ do: 'connect', ...options });
  }

  listen(options: ListenOptions): Promise<unknown> {
    return this.#ask({ do: 'listen', ...options });
  }

  close(connection: Connection): Promise<unknown> {
    return this.#ask({ do: 'close', id: connection.id });
  }

  fetch(url: string): Promise<Fetched> {
    return this.#ask({ do: 'fetch', url });
  }

  /** Addresses of both families that DNS gives; none for every failure. */
  resolve(hostname: string): Promise<readonly string[]> {
    return this.#ask({ do: 'resolve', hostname });
  }

  /** Ends it, its connections with it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
  }

  /** One request at a time: the answers come in the order of the requests. */
  #ask<Value>(request: Request): Promise<Value> {
    const answer = this.#queue.then(() => {
      this.#child.stdin.write(`${JSON.stringify(request)}\n`);
      return nextAnswer<Value>(this.#lines);
    });
    this.#queue = answer.catch(() => {});
    return answer;
  }
}

async function nextAnswer<Value>(lines: AsyncIterator<string>): Promise<Value> {
  const line = await Promise.race([lines.next(), silence()]);
  if (line.done) throw new Error('Cannot read the answer of a stand-in: it has ended');
  const answer: { readonly value: Value; readonly error?: string } = JSON.parse(line.value);
  if (answer.error !== undefined) throw new Error(`The stand-in says: ${answer.error}`);
  return answer.value;
}

async function silence(): Promise<never> {
  await sleep(PATIENCE_MS, undefined, { ref: false });
  throw new Error(`Cannot read the answer of a stand-in: it has said nothing for ${PATIENCE_MS} ms`);
}
