/** How the steps start programs: for real, or, on a dry run, by printing what would be started. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Command = readonly [program: string, ...args: string[]];

export interface Answer {
  /** Null where it was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Shell {
  readonly isDryRun: boolean;
  readonly say: (line: string) => void;
  readonly has: (program: string) => boolean;
  /** Runs it on this terminal. Throws where it does not end with 0. */
  readonly run: (...command: Command) => void;
  /** What it prints, trimmed; on a dry run `instead`, in angle brackets. Throws where it does not end with 0. */
  readonly ask: (command: Command, instead: string) => string;
  /** However it ends; on a dry run null. Throws where it cannot be started. */
  readonly attempt: (...command: Command) => Answer | null;
}

export function realShell(say: (line: string) => void): Shell {
  const attempt = (...command: Command): Answer => start(command, 'pipe');
  return {
    isDryRun: false,
    say,
    has: isOnPath,
    attempt,
    run: (...command) => {
      say(`+ ${textOf(command)}`);
      check(command, start(command, 'inherit'));
    },
    ask: (command) => {
      const answer = attempt(...command);
      check(command, answer);
      return answer.stdout.trim();
    },
  };
}

export function dryShell(say: (line: string) => void): Shell {
  const print = (command: Command) => say(`+ ${textOf(command)}`);
  return {
    isDryRun: true,
    say,
    has: isOnPath,
    attempt: (...command) => {
      print(command);
      return null;
    },
    run: (...command) => print(command),
    ask: (command, instead) => {
      print(command);
      return `<${instead}>`;
    },
  };
}

function start(command: Command, streams: 'pipe' | 'inherit'): Answer {
  const [program, ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['inherit', streams, streams],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw new Error(`Cannot run "${program}": ${error.message}`);
  return { code: status, stdout: stdout ?? '', stderr: stderr ?? '' };
}

function check(command: Command, { code, stderr }: Answer): void {
  if (code === 0) return;
  const said = stderr.trim().split('\n').at(-1);
  throw new Error(
    `Cannot run "${textOf(command)}": ${said || (code === null ? 'a signal' : `exit code ${code}`)}`,
  );
}

/** As a shell would read it. */
function textOf(command: Command): string {
  return command
    .map((word) => (/^[\w./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
