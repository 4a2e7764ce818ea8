/** Programs that run until they are told to end, what each says in a file of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENVIRONMENT, type Environment, type Host, within } from '../../e2e/lib/command.ts';

interface DaemonOptions {
  readonly host: Host;
  readonly command: readonly string[];
  readonly env?: Environment;
  /** Between SIGTERM and SIGKILL, and after that; 30 s unless said. */
  readonly graceMs?: number;
}

const TAIL_LINES = 25;
const POLL_MS = 200;
/** For whatever a cluster does by itself; a machine under load takes its time. */
export const PATIENCE_MS = 120_000;

class Daemon {
  readonly name: string;
  readonly log: string;
  readonly #options: DaemonOptions;
  #child: ChildProcess | null = null;

  constructor(name: string, log: string, options: DaemonOptions) {
    this.name = name;
    this.log = log;
    this.#options = options;
  }

  async start(): Promise<void> {
    const file = await open(this.log, 'a');
    const { host, command, env = {} } = this.#options;
    const [program, args] = within(host, command);
    this.#child = spawn(program, args, {
      ...{ env: { ...ENVIRONMENT, ...env }, stdio: ['ignore', file.fd, file.fd] },
    });
    await once(this.#child, 'spawn');
    await file.close();
  }

  /** As `systemctl restart`: ends it with SIGTERM, at length with SIGKILL, and starts it again with the same words. */
  async restart(): Promise<void> {
    if (this.#child === null || this.hasEnded)
      throw new Error(`Cannot restart "${this.name}": it does not run`);
    await this.#stop(this.#child);
    await this.start();
  }

  async #stop(child: ChildProcess): Promise<void> {
    // The child entered the host's namespaces and started the program as a child of its own.
    const [pid] = /^\d+/.exec(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')) ?? [];
    if (pid === undefined) throw new Error(`Cannot end "${this.name}": its program has not begun`);
    const exited = once(child, 'exit').then(() => true);
    const { graceMs = 30_000 } = this.#options;
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      process.kill(Number(pid), signal);
      if (await Promise.race([exited, sleep(graceMs, false, { ref: false })])) return;
    }
    throw new Error(`Cannot end "${this.name}": it goes on ${graceMs} ms after SIGKILL`);
  }

  get hasEnded(): boolean {
    return this.#child?.exitCode !== null || this.#child.signalCode !== null;
  }
}

export class Daemons {
  readonly #folder: string;
  readonly #all: Daemon[] = [];

  /** `folder`: of the logs. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The name becomes that of the log. */
  async start(name: string, options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(name, join(this.#folder, `${name}.log`), options);
    await daemon.start();
    this.#all.push(daemon);
    return daemon;
  }

  /** Waits until something is so; fails at once when a program has ended meanwhile. */
  async eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await isSo())) {
      const ended = this.#all.filter(({ hasEnded }) => hasEnded).map(({ name }) => name);
      if (ended.length > 0) throw new Error(`Cannot wait until ${what}: ${ended.join(', ')} ended`);
      if (performance.now() > deadline) throw new Error(`It has not come to pass that ${what}`);
      await sleep(POLL_MS);
    }
  }

  /** What each program said last. */
  async tails(): Promise<string> {
    const tails = this.#all.map(async ({ log, hasEnded }) => {
      const lines = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-TAIL_LINES);
      return `--- ${log}${hasEnded ? ' (has ended)' : ''}\n${lines.join('\n')}`;
    });
    return (await Promise.all(tails)).join('\n');
  }
}

export type { Daemon };
