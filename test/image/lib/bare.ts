/** The image by itself: no node around it, a network with nothing but loopback. */
import type { Outcome } from '../../e2e/lib/command.ts';
import { runPodman } from './container.ts';
import { builtImage } from './image.ts';

/** Runs it to its end with these options of podman. */
export async function runBare(options: readonly string[], ...args: readonly string[]): Promise<Outcome> {
  const { id } = await builtImage();
  return runPodman(['run', '--rm', '--pull=never', '--network=none', ...options, id, ...args]);
}
