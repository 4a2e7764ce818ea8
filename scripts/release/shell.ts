/** How the steps start programs: for real, or, on a dry run, by printing what would be started. */
import { spawnSync } from 'node:child_process';

export type Command = readonly [program: string, ...args: string[]];

export interface Answer {
  /** Null where it was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Shell {
  readonly isDryRun: boolean;

  constructor(isDryRun: boolean) {
    this.isDryRun = isDryRun;
  }

  /** Runs it on this terminal. Throws where it does not end with 0. */
  run(command: Command): void {
    console.log(`+ ${textOf(command)}`);
    if (!this.isDryRun) check(command, start(command, 'inherit'));
  }

  /** What it prints, trimmed; on a dry run `instead`, in angle brackets. Throws where it does not end with 0. */
  ask(command: Command, instead: string): string {
    const answer = this.attempt(command);
    if (answer === null) return `<${instead}>`;
    check(command, answer);
    return answer.stdout.trim();
  }

  /** However it ends; on a dry run null. Throws where it cannot be started. */
  attempt(command: Command): Answer | null {
    if (!this.isDryRun) return start(command, 'pipe');
    console.log(`+ ${textOf(command)}`);
    return null;
  }
}

function start(command: Command, streams: 'pipe' | 'inherit'): Answer {
  const [program, ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['inherit', streams, streams],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined)
    throw new Error(`Cannot run "${program}", which this step needs: ${error.message}`);
  return { code: status, stdout: stdout ?? '', stderr: stderr ?? '' };
}

function check(command: Command, { code, stderr }: Answer): void {
  const said = stderr.trim().split('\n').at(-1) || `it ended with ${code ?? 'a signal'}`;
  if (code !== 0) throw new Error(`Cannot run "${textOf(command)}": ${said}`);
}

/** As a shell would read it. */
function textOf(command: Command): string {
  return command
    .map((word) => (/^[\w./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
