/** What the benchmarks share: namespaces of their own, medians, and the table that they print. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';

const INSIDE = 'inside';
/** Of util-linux and iproute2: the machine's own, no packages. */
const PROGRAMS = { unshare: 'unshare', ip: 'ip' };

/**
 * Runs `work` in a network and a pid namespace of its own, with a /proc of its own: the machine's sockets and
 * processes do not disturb, no packet leaves, and what was started ends with it. Starts the script anew to get
 * there; never returns.
 */
export async function inOwnNamespaces(script: string, work: () => Promise<void>): Promise<never> {
  if (process.argv[2] !== INSIDE) {
    const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const namespaces = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child', ...asRoot];
    const command = [...namespaces, process.execPath, script, INSIDE];
    const child = spawn(PROGRAMS.unshare, command, { stdio: ['pipe', 'inherit', 'inherit'] });
    const [code] = await once(child, 'exit');
    process.exit(code ?? 1);
  }
  // Its other end closes when the process outside ends, by Ctrl-C for example.
  process.stdin.on('end', () => process.exit(1)).resume();
  ip('link', 'set', 'lo', 'up');
  await work();
  process.exit(0);
}

/** Runs `ip` with these arguments. */
export function ip(...args: readonly string[]): void {
  execFileSync(PROGRAMS.ip, args);
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Says what machine this is, above a table. */
export function printHeading(title: string): void {
  const cpu = os.cpus()[0]?.model ?? 'unknown';
  const machine = `${os.availableParallelism()} cores (${cpu}), Linux ${os.release()}, Node ${process.version}`;
  console.log(`\n${title}\n${machine}\n`);
}

/** Prints rows of cells, the first of each to the left, the others to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  for (const row of rows) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(cells.join('  ').trimEnd());
  }
}
