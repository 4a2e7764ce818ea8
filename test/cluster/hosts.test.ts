/** The hosts of a cluster go with the process that made them, even where that is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ENVIRONMENT } from '../e2e/lib/command.ts';
import { describeOnCluster } from './lib/tools.ts';

const HOSTS = fileURLToPath(new URL('./lib/hosts.ts', import.meta.url));
const PATIENCE_MS = 10_000;
/** Tells them from any other. */
const SECONDS = 100_000 + process.pid;

/** A program that makes hosts, starts something in each that would go on for ever, and says so. */
function program(folder: string): string {
  const addresses = { node: ['192.168.1.204'], far: ['192.168.1.231'], resolver: '192.168.0.2' };
  const options = { folder, hostname: 'node', ...addresses };
  return `import { spawn } from 'node:child_process';
import { makeHosts } from ${JSON.stringify(HOSTS)};
const hosts = await makeHosts(${JSON.stringify(options)});
for (const host of [hosts.node, hosts.far]) {
  const words = [...host.enter.slice(1), 'sh', '-c', 'mount -t tmpfs tmpfs "$0"; exec setsid sleep ${SECONDS}', ${JSON.stringify(folder)}];
  spawn(host.enter[0], words, { stdio: 'ignore' });
}
console.log(hosts.cgroup);
setInterval(() => {}, 1000);`;
}

/** How many of those programs run, on whatever host. */
function sleepers(): number {
  const commands = globSync('/proc/[0-9]*/cmdline').map((file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      // It has ended meanwhile.
      return '';
    }
  });
  return commands.filter((command) => command === `sleep\0${SECONDS}\0`).length;
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    expect(performance.now(), 'time-out').toBeLessThan(deadline);
    await sleep(100);
  }
}

describeOnCluster('the hosts of a cluster', () => {
  test.each(['SIGKILL', 'SIGINT'] as const)(
    'nothing is left of them when their maker gets %s',
    async (signal) => {
      const folder = await mkdtemp(join(tmpdir(), 'eks-cluster-'));
      const maker = spawn(process.execPath, ['--input-type=module', '--eval', program(folder)], {
        ...{ env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] },
      });
      const [said] = await once(maker.stdout.setEncoding('utf8'), 'data');
      const cgroup = `/sys/fs/cgroup{,/*}${String(said).trim()}`;
      await until(() => sleepers() === 2);
      expect(globSync(cgroup).length).toBeGreaterThan(0);
      maker.kill(signal);
      await until(() => !existsSync(folder));
      expect(globSync(cgroup)).toEqual([]);
      expect(sleepers()).toBe(0);
    },
  );
});
