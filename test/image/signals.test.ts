/** How the container ends, and what stays behind: nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { X_ENI } from '../e2e/lib/cluster.ts';
import { expectRoute } from '../e2e/lib/expect.ts';
import { Container } from './lib/container.ts';
import { podman, STORAGE_FOLDERS } from './lib/engine.ts';
import { readPod } from './lib/manifest.ts';
import { Node } from './lib/node.ts';
import { describeOnContainers } from './lib/tools.ts';

const SECOND_MS = 1000;
const SIGTERM_EXIT = 128 + 15;

describeOnContainers('the end of the container', () => {
  test('SIGTERM ends it in under a second with exit code 0', async () => {
    await using node = await Node.make(X_ENI);
    await using container = await Container.start(node.lab, { pod: readPod() });
    const agent = await container.agent(node.lab);
    const { code, milliseconds } = await container.kill('SIGTERM');
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(SECOND_MS);
    expect(agent.log).toContain('signal=SIGTERM');
  });

  test('podman stop, which begins with SIGTERM, need not wait and need not kill', async () => {
    await using node = await Node.make(X_ENI);
    await using container = await Container.start(node.lab, { pod: readPod() });
    await container.agent(node.lab);
    const start = performance.now();
    await podman('stop', container.name);
    // With podman's own work; the manifest gives five seconds until SIGKILL.
    expect(performance.now() - start).toBeLessThan(4 * SECOND_MS);
    expect(await container.exitCode).toBe(0);
  });

  test('SIGTERM while it is starting ends it in under a second, whatever it has come to', async () => {
    await using node = await Node.make(X_ENI);
    for (const delayMs of [0, 50, 100, 200]) {
      await using container = await Container.start(node.lab, { pod: readPod() });
      await sleep(delayMs);
      const { code, milliseconds } = await container.kill('SIGTERM');
      // Before the first line of the program has run, the signal ends the process by itself.
      expect([0, SIGTERM_EXIT], `after ${delayMs} ms`).toContain(code);
      expect(milliseconds, `after ${delayMs} ms`).toBeLessThan(SECOND_MS);
    }
  });

  test('SIGKILL leaves no process, no mount and no file, and the next container sees all', async () => {
    await using node = await Node.make(X_ENI);
    await using container = await Container.start(node.lab, { pod: readPod() });
    await container.agent(node.lab);
    const { pid } = container;
    const folders = [...(await foldersOf(container)), ...cgroupsOf(pid)];
    expect(folders.length).toBeGreaterThan(3);
    expect(mountsIn(folders).length).toBeGreaterThan(0);
    expect((await container.kill('SIGKILL')).code).toBe(128 + 9);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(mountsIn(folders)).toEqual([]);
    expect(folders.filter(existsSync)).toEqual([]);
    await using next = await Container.start(node.lab, { pod: readPod() });
    await (await next.agent(node.lab)).eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.status.attribution).toBe('process');
    });
  });
});

/** Where podman keeps what is the container's own: its layer, its files, and those while it runs. */
async function foldersOf({ name }: Container): Promise<readonly string[]> {
  const format = '--format={{.Id}} {{.GraphDriver.Data.MergedDir}}';
  const [id = '', merged = ''] = (await podman('inspect', format, name)).trim().split(' ');
  const own = STORAGE_FOLDERS.map((folder) => join(folder, 'overlay-containers', id));
  const folders = [dirname(merged), ...own];
  expect(folders.filter(existsSync)).toEqual(folders);
  return folders;
}

function mountsIn(folders: readonly string[]): readonly string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.filter((line) => folders.some((folder) => line.split(' ')[1]?.startsWith(folder)));
}

/** Folders of the cgroups made for a process, of either version. */
function cgroupsOf(pid: number): readonly string[] {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  return lines
    .map((line) => line.split(':'))
    .map(([, controller = '', path = '']) => join('/sys/fs/cgroup', controller.replace(/^name=/, ''), path))
    .filter((folder) => folder.includes('libpod') && existsSync(folder));
}
