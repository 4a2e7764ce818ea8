/** The program under test: the built bundle, run on the node, asked over HTTP from within the node. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT, type Environment, type Host, type Outcome, run, within } from './command.ts';
import type { Program } from './program.ts';
import { Views } from './views.ts';

const BUNDLE = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const ADDRESS = 'http://127.0.0.1:10943';
/** Longer than any interval in these tests; only a test that fails waits so long. */
const PATIENCE_MS = 30_000;

export interface AgentOptions {
  /** A command to run it through, such as `setpriv`. */
  readonly through?: readonly string[];
  readonly env?: Environment;
}

interface Start extends AgentOptions {
  readonly args: readonly string[];
}

export class Agent extends Views {
  readonly #child: ChildProcess;
  #log = '';

  private constructor(child: ChildProcess, window: Program) {
    super({ window, address: ADDRESS, patienceMs: PATIENCE_MS });
    this.#child = child;
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

  protected override async evidence(): Promise<string> {
    return `log${this.hasEnded() ? ' of the agent, which has ended' : ''}:\n${this.#log}`;
  }

  protected override hasEnded(): boolean {
    return this.#child.exitCode !== null;
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
}

/** Runs the program to its end in a network namespace. */
export function runProgram(host: Host, start: Start): Promise<Outcome> {
  const [program, args] = commandLine(host, start);
  return run(program, args, start.env === undefined ? {} : { env: start.env });
}

function commandLine(host: Host, { args, through = [] }: Start): ReturnType<typeof within> {
  return within(host, [...through, process.execPath, BUNDLE, ...args]);
}
