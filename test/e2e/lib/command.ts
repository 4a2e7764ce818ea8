/** Runs a program to its end. */
import { spawn } from 'node:child_process';
import { PATH } from './tools.ts';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing of the test runner's own environment reaches what it starts. */
export const ENVIRONMENT = { PATH, LC_ALL: 'C' };

export type Environment = Readonly<Record<string, string>>;

interface RunOptions {
  readonly input?: string;
  /** Beside the tests' own. */
  readonly env?: Environment;
  readonly timeoutMs?: number;
}

/** Runs a program with `input` as its stdin; killed after `timeoutMs`, 30 s unless said (code null). */
export async function run(
  command: string,
  args: readonly string[],
  { input = '', env = {}, timeoutMs = 30_000 }: RunOptions = {},
): Promise<Outcome> {
  const all = { ...ENVIRONMENT, ...env };
  const child = spawn(command, args, { env: all, timeout: timeoutMs, killSignal: 'SIGKILL' });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // A program that does not read its input may be gone already.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code, stdout, stderr] = await Promise.all([
    closed,
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
  ]);
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** As `run`; any exit code but 0 is an Error with what the program said. Gives its stdout. */
export async function must(command: string, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { input });
  if (code !== 0) throw new Error(`Cannot run "${[command, ...args].join(' ')}": ${stderr || stdout}`);
  return stdout;
}

/** A network namespace. */
export interface Host {
  /** As `ip netns` knows it. */
  readonly name: string;
  /** The command that runs another one in it. */
  readonly enter: readonly [string, ...(readonly string[])];
}

/** Program and arguments that run a command on a host. */
export function within({ enter: [program, ...args] }: Host, command: readonly string[]): Words {
  return [program, [...args, ...command]];
}

type Words = readonly [string, readonly string[]];
