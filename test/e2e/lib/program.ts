/** A stand-in as the tests hold it: starts it in a network namespace and tells it what to do. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT, type Environment, type Host, within } from './command.ts';
import type { ListenOptions, Rule, Served, Tally } from './servers.ts';
import type { Connection, ConnectOptions, Fetched, FetchOptions, Request } from './stand-in.ts';

const SCRIPT = fileURLToPath(new URL('./stand-in.ts', import.meta.url));

const PATIENCE_MS = 20_000;

type Id = Pick<Connection, 'id'>;

export class Program {
  readonly pid: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    child: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
    pid: number,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.pid = pid;
  }

  /** Starts a stand-in in a network namespace; returns when it bears its name. `env`: beside the tests' own. */
  static async start(host: Host, args: readonly string[] = [], env: Environment = {}): Promise<Program> {
    const [program, words] = within(host, [process.execPath, SCRIPT, ...args]);
    const child = spawn(program, words, {
      ...{ env: { ...ENVIRONMENT, ...env }, stdio: ['pipe', 'pipe', 'inherit'] },
    });
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const { pid } = await nextAnswer<{ pid: number }>(lines);
    return new Program(child, lines, pid);
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return this.#ask({ do: 'connect', ...options });
  }

  /** Begins to open a connection and does not wait for an answer; gives its id. */
  begin(options: ConnectOptions): Promise<number> {
    return this.#ask({ do: 'begin', ...options });
  }

  /** Sends something, whether it arrives or not. */
  write({ id }: Id, text: string): Promise<unknown> {
    return this.#ask({ do: 'write', id, text });
  }

  /** Sends something to a listener of another stand-in and gives what it answers: the same. */
  exchange({ id }: Id, text: string): Promise<string> {
    return this.#ask({ do: 'exchange', id, text });
  }

  close({ id }: Id): Promise<unknown> {
    return this.#ask({ do: 'close', id });
  }

  listen(options: ListenOptions): Promise<unknown> {
    return this.#ask({ do: 'listen', ...options });
  }

  /** Accepts no more there; the connections that there are stay. */
  unlisten(address: string, port: number): Promise<unknown> {
    return this.#ask({ do: 'unlisten', address, port });
  }

  /** From now on its HTTP server there answers so. */
  answer(address: string, port: number, rules: readonly Rule[]): Promise<unknown> {
    return this.#ask({ do: 'answer', address, port, rules });
  }

  /** What its HTTP server there was asked so far. */
  served(address: string, port: number): Promise<readonly Served[]> {
    return this.#ask({ do: 'served', address, port });
  }

  /** What the connections to a listener of its own came to so far. */
  tally(address: string, port: number): Promise<Tally> {
    return this.#ask({ do: 'tally', address, port });
  }

  fetch(url: string, options: FetchOptions = {}): Promise<Fetched> {
    return this.#ask({ do: 'fetch', url, ...options });
  }

  /** Addresses of both families that DNS gives, asked of the node's resolver or of `server`; none for every failure. */
  resolve(hostname: string, server?: string): Promise<readonly string[]> {
    return this.#ask({ do: 'resolve', hostname, ...(server === undefined ? {} : { server }) });
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
