/** The image for both architectures, under one name: built, pushed, and asked what it became. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './options.ts';
import type { Shell } from './shell.ts';
import { type PlatformSize, sizesOf } from './sizes.ts';

/** The Dockerfile builds on the builder's own architecture; only the base differs. So neither needs emulation. */
const PLATFORMS = 'linux/amd64,linux/arm64';

export interface PushedImage {
  /** `REGISTRY/eks-endpoint-exporter`. */
  readonly name: string;
  readonly version: string;
  /** Of the index of both architectures, `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /** Null where the registry could not be asked. */
  readonly sizes: readonly PlatformSize[] | null;
}

export interface Build {
  readonly engine: Engine;
  /** `REGISTRY/eks-endpoint-exporter`. */
  readonly name: string;
  readonly version: string;
  /** Where what became of it is written. */
  readonly folder: string;
}

/** Writes `image.json` into the folder. On a dry run it prints the commands. */
export function releaseImage(shell: Shell, build: Build): void {
  const revision = shell.ask(['git', 'rev-parse', '--short=12', 'HEAD'], 'revision');
  if (!shell.isDryRun) mkdirSync(build.folder, { recursive: true });
  const file = join(build.folder, 'digest');
  if (build.engine === 'docker') pushByDocker(shell, build, { revision, file });
  else pushByPodman(shell, build, { revision, file });

  const digest = shell.isDryRun ? '<digest>' : digestIn(readFileSync(file, 'utf8'));
  const { name, version, engine } = build;
  const sizes = sizesOf(shell, engine, `${name}@${digest}`);
  if (shell.isDryRun) return;
  const image: PushedImage = { name, version, digest, sizes };
  writeFileSync(join(build.folder, 'image.json'), `${JSON.stringify(image, null, 2)}\n`);
  shell.say(`${name}@${digest}`);
}

/** What step image wrote. Throws where it has not been done for this version. */
export function pushedImage(folder: string): PushedImage {
  try {
    return JSON.parse(readFileSync(join(folder, 'image.json'), 'utf8'));
  } catch {
    throw new Error(
      `Cannot tell the image's digest: "${join(folder, 'image.json')}" cannot be read; do the step image`,
    );
  }
}

function pushByDocker(
  shell: Shell,
  build: Build,
  { revision, file }: { revision: string; file: string },
): void {
  const tag = `${build.name}:${build.version}`;
  const args = ['--platform', PLATFORMS, ...buildArguments(build.version, revision), '--tag', tag];
  shell.run('docker', 'buildx', 'build', ...args, '--metadata-file', file, '--push', '.');
}

/** A list of the same name may lie here from before; a second build would add to it. */
function pushByPodman(
  shell: Shell,
  build: Build,
  { revision, file }: { revision: string; file: string },
): void {
  const tag = `${build.name}:${build.version}`;
  if (shell.attempt('podman', 'manifest', 'exists', tag)?.code !== 1)
    shell.run('podman', 'manifest', 'rm', tag);
  const args = ['--platform', PLATFORMS, ...buildArguments(build.version, revision), '--manifest', tag];
  shell.run('podman', 'build', ...args, '.');
  shell.run('podman', 'manifest', 'push', '--all', '--digestfile', file, tag, `docker://${tag}`);
}

function buildArguments(version: string, revision: string): readonly string[] {
  return ['--build-arg', `VERSION=${version}`, '--build-arg', `REVISION=${revision}`];
}

/** podman's --digestfile is the digest, buildx's --metadata-file JSON with it. Throws where neither is there. */
function digestIn(text: string): string {
  const digest = text.trimStart().startsWith('{') ? JSON.parse(text)['containerimage.digest'] : text.trim();
  if (typeof digest === 'string' && /^sha256:[\da-f]{64}$/.test(digest)) return digest;
  throw new SyntaxError(`Cannot tell the image's digest from "${text.trim().slice(0, 80)}"`);
}
