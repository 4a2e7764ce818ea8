/** The program under test: the built bundle, run on the node, asked over HTTP from within the node. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NodeStatus } from '../../../src/model/status.ts';
import { ENVIRONMENT, type Environment, type Host, type Outcome, run, within } from './command.ts';
import { Metrics } from './metrics.ts';
import type { Program } from './program.ts';

const BUNDLE = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const ADDRESS = 'http://127.0.0.1:10943';
/** Longer than any interval in these tests; only a test that fails waits so long. */
const PATIENCE_MS = 30_000;
const POLL_MS = 200;

export interface AgentOptions {
  /** A command to run it through, such as `setpriv`. */
  readonly through?: readonly string[];
  readonly env?: Environment;
}

interface Start extends AgentOptions {
  readonly args: readonly string[];
}

/** What the agent says at one moment. */
export interface View {
  readonly status: NodeStatus;
  readonly metrics: Metrics;
}

export class Agent {
  /** Every verdict that any scrape or status gave so far, in order, without repetition. */
  readonly verdicts: string[] = [];
  readonly #child: ChildProcess;
  readonly #window: Program;
  #log = '';

  private constructor(child: ChildProcess, window: Program) {
    this.#child = child;
    this.#window = window;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
  }

  /** Starts the agent in a network namespace and waits until it has made a look. */
  static async start(host: Host, window: Program, start: Start): Promise<Agent> {
    const [program, args] = commandLine(host, start);
    const env = { ...ENVIRONMENT, ...start.env };
    const child = spawn(program, args, { env, stdio: ['ignore', 'inherit', 'pipe'] });
    return Agent.watch(child, window);
  }

  /** As it is started by something else, whose child writes the log to stderr; waits until it has made a look. */
  static async watch(child: ChildProcess, window: Program): Promise<Agent> {
    const agent = new Agent(child, window);
    await agent.eventually(() => {});
    return agent;
  }

  /** What it wrote to stderr. */
  get log(): string {
    return this.#log;
  }

  async view(): Promise<View> {
    const metrics = new Metrics(await this.#get('/metrics'));
    const status: NodeStatus = JSON.parse(await this.#get('/api/v1/status'));
    for (const verdict of [metrics.oneHot('node_route', 'route') ?? 'not one-hot', status.route]) {
      if (this.verdicts.at(-1) !== verdict) this.verdicts.push(verdict);
    }
    return { status, metrics };
  }

  /** Asks again and again until the assertions hold; fails with the last that did not, and the last status. */
  async eventually(assert: (view: View) => void): Promise<View> {
    const deadline = performance.now() + PATIENCE_MS;
    let last: View | null = null;
    for (;;) {
      try {
        last = await this.view();
        assert(last);
        return last;
      } catch (error) {
        if (this.#child.exitCode !== null) throw new Error(`The agent has ended:\n${this.#log}`);
        if (performance.now() > deadline) {
          throw new Error(
            `${error}\n\nlast status: ${JSON.stringify(last?.status, null, 1)}\n\nlog:\n${this.#log}`,
            {
              cause: error,
            },
          );
        }
      }
      await sleep(POLL_MS);
    }
  }

  /** Holds the assertions against every answer until the agent has made so many more looks. */
  async during(looks: number, assert: (view: View) => void): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    const { status: first } = await this.view();
    let made = 0;
    while (made < looks) {
      const view = await this.view();
      assert(view);
      made = view.status.scan.scans - first.scan.scans;
      if (performance.now() > deadline) throw new Error(`The agent made ${made} looks, not ${looks}`);
      await sleep(POLL_MS);
    }
  }

  /** To the agent itself, which is the child of the program that entered the node's namespaces. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')), signal);
  }

  /** Ends it with SIGTERM; gives its exit code and how long it took. */
  async stop(): Promise<{ readonly code: number | null; readonly milliseconds: number }> {
    const exited = once(this.#child, 'exit');
    const start = performance.now();
    this.signal('SIGTERM');
    await exited;
    return { code: this.#child.exitCode, milliseconds: performance.now() - start };
  }

  async #get(path: string): Promise<string> {
    const { status, body } = await this.#window.fetch(`${ADDRESS}${path}`);
    if (status !== 200) throw new Error(`${path} answers ${status}: ${body}`);
    return body;
  }
}

/** Runs the program to its end in a network namespace. */
export function runProgram(host: Host, start: Start): Promise<Outcome> {
  const [program, args] = commandLine(host, start);
  return run(program, args, start.env === undefined ? {} : { env: start.env });
}

function commandLine(host: Host, { args, through = [] }: Start): ReturnType<typeof within> {
  return within(host, [...through, process.execPath, BUNDLE, ...args]);
}
