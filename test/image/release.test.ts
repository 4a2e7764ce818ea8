/**
 * Step image as a person runs it, by podman: the committed Dockerfile and scripts, real builds, pushes and pulls. A
 * registry on loopback stands for those of the bases and for the person's own; nothing is stored here but what it gave.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LICENCES, SBOM } from '../../scripts/inventory.ts';
import { type Outcome, run } from '../e2e/lib/command.ts';
import { describeWith, PATH } from '../e2e/lib/tools.ts';
import { makeRepository, type Repository } from '../scripts/lib/repository.ts';
import { makeBaseImages } from './lib/base-images.ts';
import { argument, packageVersion, ROOT } from './lib/dockerfile.ts';
import { ENGINE_ENVIRONMENT, podman } from './lib/engine.ts';
import { emptyBase, withNpm } from './lib/image.ts';
import { Registry } from './lib/registry.ts';

const describeOnRelease = describeWith('release', {
  buildah: 'buildah',
  git: 'git',
  mmdebstrap: 'mmdebstrap',
  npm: 'npm, or Node.js from its makers',
  podman: 'podman',
  runc: 'runc',
  skopeo: 'skopeo',
});

const HERE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const OTHER = HERE === 'arm64' ? 'amd64' : 'arm64';
const VERSION = packageVersion();
const PUSHED = `team/eks-endpoint-exporter:${VERSION}`;
const PATIENCE_MS = 600_000;

describeOnRelease('a release by podman', () => {
  let registry: Registry;
  let home: string;
  let repository: Repository;
  beforeAll(async () => {
    registry = await Registry.start();
    home = makeHome(registry.host);
    repository = makeRelease();
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await run('umount', [join(home, 'root', 'overlay')]);
    rmSync(home, { recursive: true, force: true });
  });

  test('without a base whose digest can be had builds nothing, and says which', async () => {
    const { code, stderr } = await release('image');
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toContain(`docker://${argument('BUILD_IMAGE')}": `);
    expect(registry.tags.size).toBe(0);
  });

  test('is an index of both architectures, built here, on the bases whose digests it tells', {
    timeout: PATIENCE_MS,
  }, async () => {
    await makeBaseImages();
    // What builds is here of this machine's architecture alone: of the other one, nothing could be run.
    await pushList(argument('BUILD_IMAGE'), [argument('BUILD_IMAGE')]);
    await pushList(argument('RUNTIME_IMAGE'), [argument('RUNTIME_IMAGE'), await emptyBase(OTHER)]);

    const { code, stderr } = await release('image', 'sbom');
    expect(code, stderr).toBe(0);
    const image = JSON.parse(fileOf('image.json'));
    expect(image).toEqual({
      tag: `${registry.host}/${PUSHED}`,
      digest: registry.tags.get(PUSHED),
      revision: repository.git('rev-parse', '--short=12', 'HEAD'),
      bases: {
        BUILD_IMAGE: baseOf('BUILD_IMAGE'),
        RUNTIME_IMAGE: baseOf('RUNTIME_IMAGE'),
      },
    });
    const { digest } = baseOf('RUNTIME_IMAGE');
    const images = imagesOf(image.digest);
    expect(images.map(({ architecture }) => architecture).sort()).toEqual(['amd64', 'arm64']);
    for (const { architecture, config, layers } of images) {
      const base = imagesOf(digest).find((one) => one.architecture === architecture);
      expect(config.rootfs.diff_ids.slice(0, -1)).toEqual(base?.config.rootfs.diff_ids);
      expect(config.config.Labels).toMatchObject({
        'org.opencontainers.image.base.name': `${argument('RUNTIME_IMAGE')}@${digest}`,
        'org.opencontainers.image.revision': image.revision,
      });
      for (const file of [SBOM, LICENCES]) expect(fileIn(layers.at(-1) ?? '', file)).toBe(fileOf(file));
    }
  });

  test('done again replaces what it was', { timeout: PATIENCE_MS }, async () => {
    const { code, stderr } = await release('image');
    expect(code, stderr).toBe(0);
    expect(imagesOf(JSON.parse(fileOf('image.json')).digest)).toHaveLength(2);
  });

  function release(...steps: readonly string[]): Promise<Outcome> {
    const env = { ...ENGINE_ENVIRONMENT, HOME: home, PATH: [home, PATH].join(delimiter) };
    const args = [
      'scripts/release.ts',
      ...steps,
      '--engine=podman',
      `--registry=${registry.host}/team`,
      '--',
    ];
    // In the repository.
    const inside = [`--chdir=${repository.root}`, process.execPath];
    return withNpm((npm) => run('env', [...inside, ...args, ...npm], { env, timeoutMs: PATIENCE_MS }));
  }

  function fileOf(name: string): string {
    return readFileSync(join(repository.root, 'release', VERSION, name), 'utf8');
  }

  function baseOf(arg: string): { readonly name: string; readonly digest: string | undefined } {
    return { name: argument(arg), digest: registry.tags.get(pathOf(argument(arg))) };
  }

  async function pushList(name: string, images: readonly string[]): Promise<void> {
    // A run that was ended in the middle leaves its own behind.
    const list = `localhost/eks-test-list-${process.pid}`;
    await podman('manifest', 'create', list, ...images.map((image) => `containers-storage:${image}`));
    try {
      const to = `docker://${registry.host}/${pathOf(name)}`;
      await podman('manifest', 'push', '--all', '--tls-verify=false', list, to);
    } finally {
      await podman('manifest', 'rm', list);
    }
  }

  /** Of an index that has been pushed. */
  function imagesOf(index: string | undefined) {
    const read = (digest: string) => JSON.parse(registry.content(digest).toString());
    const { manifests }: { manifests: readonly { digest: string; platform: { architecture: string } }[] } =
      read(index ?? '');
    return manifests.map(({ digest, platform }) => {
      const { config, layers }: { config: { digest: string }; layers: readonly { digest: string }[] } =
        read(digest);
      return { ...platform, config: read(config.digest), layers: layers.map((layer) => layer.digest) };
    });
  }

  function fileIn(layer: string, name: string): string {
    const input = registry.content(layer);
    return execFileSync('tar', ['-xzOf', '-', `app/${name}`], { input, encoding: 'utf8' });
  }
});

/** As the registry on loopback has it: the name without its own registry. */
function pathOf(name: string): string {
  const path = name.slice(name.indexOf('/') + 1);
  return path.includes(':') ? path : `${path}:latest`;
}

/** A person's: what asks the registries of the bases asks the one on loopback, and podman has a storage of its own. */
function makeHome(registry: string): string {
  const home = mkdtempSync(join(tmpdir(), 'eks-release-'));
  const folder = join(home, '.config', 'containers');
  mkdirSync(folder, { recursive: true });
  const mirrored = ['BUILD_IMAGE', 'RUNTIME_IMAGE'].map((arg) => argument(arg).split('/')[0]);
  const entries = [...mirrored.map((prefix) => `prefix = "${prefix}"\n`), ''];
  writeFileSync(
    join(folder, 'registries.conf'),
    entries.map((prefix) => `[[registry]]\n${prefix}location = "${registry}"\ninsecure = true\n`).join(''),
  );
  const storage = ['root', 'runroot', 'tmpdir'].map((name) => `--${name}=${join(home, name)}`);
  const program = execFileSync('sh', ['-c', 'command -v podman'], { encoding: 'utf8' }).trim();
  writeFileSync(join(home, 'podman'), `#!/bin/sh\nexec ${program} ${storage.join(' ')} "$@"\n`);
  chmodSync(join(home, 'podman'), 0o755);
  return home;
}

/** This tree's sources and packages, committed and tagged. */
function makeRelease(): Repository {
  const repository = makeRepository();
  const files = ['Dockerfile', '.dockerignore', 'LICENSE', 'package.json', 'package-lock.json'];
  for (const name of [...files, 'scripts', 'src', 'node_modules'])
    cpSync(join(ROOT, name), join(repository.root, name), { recursive: true, verbatimSymlinks: true });
  repository.write('.gitignore', 'dist\nnode_modules\nrelease\n');
  repository.write('CHANGELOG.md', `## ${VERSION} / 2026-11-30\n\n- [FEATURE] All.\n`);
  repository.git('add', '.');
  repository.git('commit', '--quiet', '--message=all');
  repository.git('tag', `v${VERSION}`);
  return repository;
}
