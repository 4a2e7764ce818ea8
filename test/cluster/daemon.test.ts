/** A program of the cluster that does not heed SIGTERM holds no test up. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Host } from '../e2e/lib/command.ts';
import { Daemons } from './lib/daemon.ts';
import { describeOnCluster } from './lib/tools.ts';

/** Starts the command as a child of its own, as `nsenter` does. */
const HERE: Host = { name: 'here', enter: ['setsid', '--fork', '--wait'] };
const DEAF = 'trap "" TERM; echo $$; while :; do sleep 0.1; done';

describeOnCluster('a program of a cluster', () => {
  test('that is deaf to SIGTERM is killed, and started again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'daemon-'));
    const daemons = new Daemons(folder);
    const daemon = await daemons.start('deaf', { host: HERE, command: ['sh', '-c', DEAF], graceMs: 300 });
    /** What it said, not what became of it. */
    const pids = async () =>
      (await readFile(daemon.log, 'utf8'))
        .split('\n')
        .filter((line) => /^\d+$/.test(line))
        .map(Number);
    try {
      await daemons.eventually('it runs', async () => (await pids()).length === 1);
      const start = performance.now();
      await daemon.restart();
      expect(performance.now() - start).toBeGreaterThan(290);
      await daemons.eventually('it runs again', async () => (await pids()).length === 2);
      const [first, second] = await pids();
      expect(existsSync(`/proc/${first}`)).toBe(false);
      expect(existsSync(`/proc/${second}`)).toBe(true);
    } finally {
      for (const pid of await pids()) if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
      await rm(folder, { recursive: true });
    }
  });
});
