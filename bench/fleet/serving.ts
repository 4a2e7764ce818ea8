/** A fleet served by a process of its own, so that its work is not that of whoever measures. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Fleet } from './fleet.ts';
import { serveFleet } from './server.ts';
import type { FleetOptions } from './story.ts';

export interface ServedFleet extends AsyncDisposable {
  readonly url: string;
}

/** Starts this very file as a program; resolves when the fleet can be scraped. */
export async function startFleet(options: FleetOptions): Promise<ServedFleet> {
  const child = fork(import.meta.filename, [JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [url] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [null])]);
  if (typeof url !== 'string') throw new Error('Cannot serve the fleet: its process has ended');
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const { url } = await serveFleet(new Fleet(JSON.parse(process.argv[2] ?? '')));
  process.send?.(url);
  // Whoever started it has ended, in whatever way.
  process.on('disconnect', () => process.exit(0));
}
