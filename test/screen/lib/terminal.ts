/** A real terminal: a tmux of its own, of a given size, in which one program runs. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, '..', '..', '..', 'dist', 'main.js');
/** Longer than anything these tests wait for; only one that fails waits so long. */
const PATIENCE_MS = 30_000;

interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Of the program, beside those that every program has. */
  readonly env?: Readonly<Record<string, string>>;
  /** A shell's line with `$MAIN` for the program and its runtime; without it, `$MAIN` and the arguments. */
  readonly script?: string;
}

/** Use with `await using`: nothing of it stays behind. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts the program in it; what it printed and its exit code stay to be read when it has ended. */
  static async start(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const { columns = 80, rows = 24, env = {}, script = `$MAIN ${args.join(' ')}` } = options;
    const terminal = new Terminal(await mkdtemp(join(tmpdir(), 'eks-endpoint-terminal-')));
    const variables = {
      PATH: process.env['PATH'] ?? '',
      LC_ALL: 'C.UTF-8',
      MAIN: `${process.execPath} ${MAIN}`,
      ...env,
    };
    const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    // The pane's own TERM, unless a test has another: tmux sets it.
    const clean = ['env', '-i', ...words, ...('TERM' in env ? [] : ['TERM=screen-256color'])];
    // Ctrl-C reaches the shell as well: it must live on to tell the exit code.
    const shell = ['sh', '-c', `trap : INT; ${script}; echo "exit code $?"; exec sleep 1000`];
    await terminal.#tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), ...clean, ...shell);
    return terminal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server').catch(() => null);
    await rm(this.#folder, { recursive: true });
  }

  /** What is on the screen, a line each, without blanks at their ends. */
  async lines(): Promise<readonly string[]> {
    return (await this.#tmux('capture-pane', '-p')).split('\n').slice(0, -1);
  }

  /** The same with its colours, as escapes. */
  async painted(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** All that was written to the normal screen, the lines that tmux broke joined again. */
  async history(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-');
  }

  async cursorIsShown(): Promise<boolean> {
    return (await this.#ask('cursor_flag')) === '1';
  }

  /** Whether the program has a screen of its own, which goes when it ends. */
  async isOnOtherScreen(): Promise<boolean> {
    return (await this.#ask('alternate_on')) === '1';
  }

  /** Whether lines go on in the next one. */
  async wraps(): Promise<boolean> {
    return (await this.#ask('wrap_flag')) === '1';
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** As tmux names keys: `C-c`. */
  async press(key: string): Promise<void> {
    await this.#tmux('send-keys', key);
  }

  /** Waits until the screen has it; gives the screen then. */
  async until(text: RegExp | string): Promise<string> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const seen = (await this.lines()).join('\n');
      if (typeof text === 'string' ? seen.includes(text) : text.test(seen)) return seen;
      if (performance.now() > end) throw new Error(`The screen never had ${text}; it has:\n${seen}`);
      await sleep(100);
    }
  }

  /** Waits until the program has ended; gives its exit code. */
  async exitCode(): Promise<number> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const code = /^exit code (\d+)$/m.exec(await this.history())?.[1];
      if (code !== undefined) return Number(code);
      if (performance.now() > end) throw new Error(`It does not end; it shows:\n${await this.history()}`);
      await sleep(100);
    }
  }

  async #ask(variable: string): Promise<string> {
    return (await this.#tmux('display-message', '-p', `#{${variable}}`)).trim();
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-S', join(this.#folder, 'socket'), '-f', '/dev/null', ...args]);
    return stdout;
  }
}
