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

  /** As `systemctl restart`: ends it with SIGTERM, and starts it again with the same words. */
  async restart(): Promise<void> {
    if (this.#child === null) throw new Error(`Cannot restart "${this.name}": it does not run`);
    const exited = once(this.#child, 'exit');
    const { pid } = this.#child;
    // The child entered the host's namespaces and started the program as a child of its own.
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')), 'SIGTERM');
    await exited;
    await this.start();
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
