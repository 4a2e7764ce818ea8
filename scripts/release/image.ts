/** The image for both architectures, under one name: built on bases that are pinned, pushed, and asked what it became. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Shell } from './shell.ts';

const PLATFORMS = 'linux/amd64,linux/arm64';

/** The bundle is built for here. Debian 12's podman and buildah leave it empty, and would take the target's instead. */
export const BUILD_PLATFORM = `BUILDPLATFORM=linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;

interface Engine {
  /** Prints the digest that a registry has for a name. */
  readonly digest: (name: string) => Command;
  readonly publish: (shell: Shell, tag: string, options: readonly string[]) => void;
}

/** Some versions of buildx do not heed {{.Manifest.Digest}} without "json". */
const DOCKER_FORMAT = '--format={{json .Manifest.Digest}}';

const docker: Engine = {
  digest: (name) => ['docker', 'buildx', 'imagetools', 'inspect', DOCKER_FORMAT, name],
  publish: (shell, tag, options) =>
    shell.run(['docker', 'buildx', 'build', ...options, `--tag=${tag}`, '--push', '.']),
};

const podman: Engine = {
  digest: (name) => ['skopeo', 'inspect', '--no-tags', '--format={{.Digest}}', `docker://${name}`],
  publish: (shell, tag, options) => {
    // To a list that is here from before, the build would add.
    if (shell.attempt(['podman', 'manifest', 'exists', tag])?.code === 0)
      shell.run(['podman', 'manifest', 'rm', tag]);
    const own = [`--build-arg=${BUILD_PLATFORM}`, `--manifest=${tag}`];
    shell.run(['podman', 'build', ...options, ...own, '.']);
    shell.run(['podman', 'manifest', 'push', '--all', tag, `docker://${tag}`]);
  },
};

export const ENGINES: ReadonlyMap<string, Engine> = new Map([
  ['docker', docker],
  ['podman', podman],
]);

export interface PushedImage {
  /** `REGISTRY/eks-endpoint-exporter:0.1.0`. */
  readonly tag: string;
  /** Of the index of both architectures: `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly revision: string;
  /** What it was built on and what it is built of: each build argument of the Dockerfile, with name and digest. */
  readonly bases: Readonly<Record<string, { readonly name: string; readonly digest: string }>>;
}

export interface Build {
  readonly engine: Engine;
  /** `REGISTRY/eks-endpoint-exporter:0.1.0`. */
  readonly tag: string;
  readonly version: string;
  /** For the engine's build, beside the release's own. */
  readonly options: readonly string[];
  /** Where what became of it is written: `image.json`. */
  readonly folder: string;
}

/** Throws, before anything is built, where a base's digest cannot be had: nobody could say later what is in it. */
export function releaseImage(shell: Shell, { engine, tag, version, options, folder }: Build): void {
  const revision = shell.ask(['git', 'rev-parse', '--short=12', 'HEAD'], 'revision');
  const digestOf = (name: string) => digestIn(shell.ask(engine.digest(name), `digest of ${name}`), name);
  const bases = Object.fromEntries(
    basesOf(readFileSync('Dockerfile', 'utf8')).map(([arg, name]) => [arg, { name, digest: digestOf(name) }]),
  );
  const pinned = Object.entries(bases).map(([arg, base]) => `${arg}=${withoutTag(base.name)}@${base.digest}`);
  const args = [...pinned, `VERSION=${version}`, `REVISION=${revision}`].map((arg) => `--build-arg=${arg}`);
  // The release's own come last: the last one of a name counts.
  engine.publish(shell, tag, [...options, `--platform=${PLATFORMS}`, ...args]);

  const image: PushedImage = { tag, digest: digestOf(tag), revision, bases };
  if (shell.isDryRun) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'image.json'), `${JSON.stringify(image, null, 2)}\n`);
  console.log(`${tag}@${image.digest}`);
}

/** The build arguments that name an image, with their defaults. */
function basesOf(dockerfile: string): readonly (readonly [string, string])[] {
  return [...dockerfile.matchAll(/^ARG (\w+_IMAGE)=(\S+)$/gm)].map(([, arg = '', name = '']) => [arg, name]);
}

function digestIn(text: string, name: string): string {
  const digest = /^"?(sha256:[\da-f]{64}|<.*>)"?$/.exec(text)?.[1];
  if (digest === undefined) throw new SyntaxError(`Cannot tell the digest of "${name}" from "${text}"`);
  return digest;
}

/** Older engines refuse a name with both tag and digest. A colon before a slash is a port's. */
function withoutTag(name: string): string {
  return name.replace(/:[^/:]+$/, '');
}
