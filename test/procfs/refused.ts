import { chmodSync } from 'node:fs';

/**
 * Runs `work` while the paths have these modes; where the tests run as root, whom modes do not refuse, as
 * another uid. The directories above the paths must be open to all.
 */
export async function refused<Result>(
  modes: ReadonlyMap<string, number>,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  for (const [path, mode] of modes) chmodSync(path, mode);
  const root = process.getuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    if (root) process.seteuid?.(0);
    for (const path of modes.keys()) chmodSync(path, 0o755);
  }
}
