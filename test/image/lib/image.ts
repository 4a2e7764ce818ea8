/** The image: the committed Dockerfile, built as it is. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD_PLATFORM } from '../../../scripts/release/image.ts';
import { makeBaseImages } from './base-images.ts';
import { packageVersion, ROOT } from './dockerfile.ts';
import { build, buildah, CACHE, podman } from './engine.ts';

/** As containerd writes what daemonset.yaml calls "eks-endpoint-exporter:0.1.0". */
const IMAGE = `docker.io/library/eks-endpoint-exporter:${packageVersion()}`;
/** In the labels, and in what `--version` and the metrics say. */
export const REVISION = '0123456789ab';

const ARCHIVE = '.docker.tar';

export interface Image {
  readonly name: string;
  readonly id: string;
  /** Path of a docker-archive, for `ctr images import`. Written on demand and kept. */
  archive(): Promise<string>;
}

let made: Promise<Image> | null = null;

/** Builds it once in a process; layers that are there from an earlier run are used again. */
export function builtImage(): Promise<Image> {
  made ??= make();
  return made;
}

async function make(): Promise<Image> {
  await makeBaseImages();
  await bud([`--tag=${IMAGE}`]);
  const id = (await podman('image', 'inspect', '--format={{.Id}}', IMAGE)).trim();
  // Layers of former states of the tree, and the build's stage, which has no name: after a day it is made anew.
  await podman('image', 'prune', '--force', '--filter=until=24h');
  return { name: IMAGE, id, archive: () => archive(id) };
}

/** Builds it for another architecture, on a base that is empty. Gives its name. */
export async function buildFor(arch: Arch): Promise<string> {
  await builtImage();
  const name = `localhost/eks-test:${arch}`;
  const options = [BUILD_PLATFORM, `RUNTIME_IMAGE=${await emptyBase(arch)}`];
  await bud([`--platform=linux/${arch}`, ...options.map((arg) => `--build-arg=${arg}`), `--tag=${name}`]);
  return name;
}

type Arch = 'amd64' | 'arm64';

/** A base of which nothing could be run. Gives its name. */
export async function emptyBase(arch: Arch): Promise<string> {
  const name = `localhost/eks-test-empty:${arch}`;
  const folder = await mkdtemp(join(tmpdir(), 'eks-empty-'));
  try {
    const tar = join(folder, 'empty.tar');
    await build(['tar', '--create', `--file=${tar}`, '--files-from=/dev/null']);
    await podman('import', '--quiet', `--arch=${arch}`, tar, name);
  } finally {
    await rm(folder, { recursive: true });
  }
  return name;
}

async function bud(options: readonly string[]): Promise<void> {
  await withNpm((npm) =>
    buildah(
      ...['bud', '--runtime=runc', '--pull-never', '--layers', '--force-rm', '--quiet'],
      ...[...npm, `--build-arg=REVISION=${REVISION}`, ...options, ROOT],
    ),
  );
}

/** The options with which npm in a build, buildah's or podman's, reaches its registry as it does out here. */
export async function withNpm<T>(use: (options: readonly string[]) => Promise<T>): Promise<T> {
  const temporary = await mkdtemp(join(tmpdir(), 'eks-image-'));
  try {
    const npmrc = join(temporary, 'npmrc');
    const { text, certificates } = await npmConfiguration();
    await writeFile(npmrc, text, { mode: 0o600 });
    const volumes = certificates.map((file) => `--volume=${file}:${file}:ro`);
    return await use(['--network=host', `--secret=id=npmrc,src=${npmrc}`, ...volumes]);
  } finally {
    await rm(temporary, { recursive: true });
  }
}

async function archive(id: string): Promise<string> {
  const file = join(CACHE, `${id.slice(0, 20)}${ARCHIVE}`);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere) return file;
  await mkdir(CACHE, { recursive: true });
  const beside = `${file}.${process.pid}`;
  await podman('save', '--quiet', '--format=docker-archive', `--output=${beside}`, IMAGE);
  await rename(beside, file);
  await removeOldArchives(file);
  return file;
}

/** Those of former states of the tree; who is reading one reads on. */
async function removeOldArchives(kept: string): Promise<void> {
  const names = await readdir(CACHE);
  const old = names
    .map((name) => join(CACHE, name))
    .filter((path) => path !== kept && path.endsWith(ARCHIVE));
  for (const path of old) await rm(path, { force: true });
}

/**
 * How npm reaches its registry from here, for npm in the build: what the user's and the machine's npm configuration
 * say, and who signs what answers. A secret of the build: nothing of it stays in a layer.
 */
async function npmConfiguration(): Promise<{
  readonly text: string;
  readonly certificates: readonly string[];
}> {
  const get = async (key: string) => (await build(['npm', 'config', 'get', key])).trim();
  const files = await Promise.all(['globalconfig', 'userconfig'].map(get));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const configured = await get('cafile');
  const cafile = configured === 'null' ? process.env['NODE_EXTRA_CA_CERTS'] : configured;
  if (cafile === undefined) return { text: texts.join('\n'), certificates: [] };
  return { text: [...texts, `cafile=${cafile}`, ''].join('\n'), certificates: [cafile] };
}
