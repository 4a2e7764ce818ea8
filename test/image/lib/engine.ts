/**
 * podman and buildah with a storage of their own in the user's cache folder, so that a person's own images and
 * containers are left alone. What is built stays there from run to run.
 */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENT } from '../../e2e/lib/command.ts';

export const CACHE = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'eks-endpoint-exporter',
  'images',
);
/** No storage option of the command line or the machine says otherwise. Below /run: it does not outlive a reboot. */
const RUN = '/run/eks-endpoint-exporter-test';
const [KEPT, RUNNING] = [join(CACHE, 'storage'), join(RUN, 'storage')];
const STORAGE = [`--root=${KEPT}`, `--runroot=${RUNNING}`];
export const STORAGE_FOLDERS = [KEPT, RUNNING] as const;

/** podman's part of any command: where its storage is. */
export const PODMAN = ['podman', ...STORAGE, `--tmpdir=${join(RUN, 'libpod')}`] as const;

/** What podman and buildah need of the environment. */
export const ENGINE_ENVIRONMENT = {
  ...ENVIRONMENT,
  HOME: homedir(),
  CONTAINERS_CONF: join(import.meta.dirname, 'containers.conf'),
};

/** Runs podman to its end; gives its stdout. */
export function podman(...args: readonly string[]): Promise<string> {
  return engine(PODMAN, args);
}

/** Runs buildah to its end; gives its stdout. */
export function buildah(...args: readonly string[]): Promise<string> {
  return engine(['buildah', ...STORAGE], args);
}

/** Whether there is an image of that name. */
export async function hasImage(name: string): Promise<boolean> {
  const names = await podman('images', '--noheading', '--format={{.Repository}}:{{.Tag}}');
  return names.split('\n').includes(name);
}

/**
 * Runs a program that may take minutes, with what it needs to reach package sources: the whole environment of who
 * runs the tests. An exit code other than 0 is an Error with the end of what it said.
 */
export async function build(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: { ...process.env, ...ENGINE_ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`Cannot run "${command.join(' ')}" (code ${code}): ${said.slice(-4000)}`);
  return stdout;
}

async function engine(command: readonly string[], args: readonly string[]): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  return build([...command, ...args]);
}
