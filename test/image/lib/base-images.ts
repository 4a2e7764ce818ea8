/**
 * Stand-ins for the two images that the Dockerfile begins with, under the very names that it gives them, so that it
 * is built as it is and no image registry is asked: Debian's packages (mmdebstrap) and Node's binary, as `npm ci`
 * brought it. They are what the real ones are as far as the Dockerfile can tell: node:26-trixie-slim has a shell, Node
 * and npm; distroless has Node at /nodejs/bin/node, the libraries it needs, and no shell.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argument, ROOT } from './dockerfile.ts';
import { build, hasImage, podman } from './engine.ts';

/** Of each Dockerfile's Debian: "trixie", "debian13". */
const SUITE = 'trixie';
/** Raised when the way they are made changes. */
const RECIPE = '2';
const KEPT = 'localhost/eks-test-base';
const LIBRARIES = ['base-files', 'libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'netbase'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const NODE = join(ROOT, 'node_modules', 'node', 'bin', 'node');
/** distroless' users. */
const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
`;

interface Base {
  /** The Dockerfile's build argument that names it. */
  readonly argument: string;
  readonly packages: readonly string[];
  /** Shell commands that put Node and the rest into the new root, `$1`. */
  readonly hooks: readonly string[];
  readonly config: readonly string[];
}

/** Makes those that are not there yet, or were made of something else. Gives their names. */
export async function makeBaseImages(): Promise<readonly string[]> {
  const npm = await npmFolder();
  const files = await mkdtemp(join(tmpdir(), 'eks-base-'));
  try {
    await writeFile(join(files, 'passwd'), PASSWD);
    const passwd = `install -m 644 "${join(files, 'passwd')}" "$1/etc/passwd"`;
    const bases = [buildBase(npm, passwd), runtimeBase(passwd)];
    const versions = await versionsOf(npm);
    const kept: string[] = [];
    for (const base of bases) kept.push(await make(base, join(files, 'root.tar'), versions));
    await forgetOthers(kept);
    return bases.map((base) => argument(base.argument));
  } finally {
    await rm(files, { recursive: true });
  }
}

function buildBase(npm: string, passwd: string): Base {
  return {
    argument: 'BUILD_IMAGE',
    packages: [...LIBRARIES, 'dash', 'coreutils', 'sed'],
    hooks: [
      passwd,
      'mkdir -p "$1/usr/local/bin" "$1/usr/local/lib/node_modules"',
      `cp "${NODE}" "$1/usr/local/bin/node"`,
      `cp -r "${npm}" "$1/usr/local/lib/node_modules/npm"`,
      'ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"',
    ],
    config: [`ENV PATH=${PATH}`, 'CMD ["node"]'],
  };
}

function runtimeBase(passwd: string): Base {
  return {
    argument: 'RUNTIME_IMAGE',
    packages: LIBRARIES,
    hooks: [passwd, 'mkdir -p "$1/nodejs/bin"', `cp "${NODE}" "$1/nodejs/bin/node"`],
    config: [`ENV PATH=${PATH}`, 'ENTRYPOINT ["/nodejs/bin/node"]', 'USER 0', 'WORKDIR /'],
  };
}

/** Under a second name, by what it is made of, it is found again in a later run. */
async function make(base: Base, tar: string, versions: string): Promise<string> {
  const name = argument(base.argument);
  const { packages, config } = base;
  const recipe = [RECIPE, SUITE, versions, ...packages, ...base.hooks.map(withoutFolders), ...config].join(
    '\n',
  );
  const kept = `${KEPT}:${createHash('sha256').update(recipe).digest('hex').slice(0, 20)}`;
  if (!(await hasImage(kept))) {
    process.stderr.write(`making ${name} of Debian ${SUITE} and Node\n`);
    const hooks = base.hooks.map((hook) => `--extract-hook=${hook}`);
    await build([
      'mmdebstrap',
      '--quiet',
      '--variant=extract',
      `--include=${packages.join(',')}`,
      ...hooks,
      SUITE,
      tar,
    ]);
    await podman('import', '--quiet', ...config.flatMap((change) => ['--change', change]), tar, kept);
  }
  await podman('tag', kept, name);
  return kept;
}

/** Bases made of something else lose their names, so that they go with the next pruning. */
async function forgetOthers(kept: readonly string[]): Promise<void> {
  const names = await podman('images', '--noheading', '--format={{.Repository}}:{{.Tag}}');
  const old = names.split('\n').filter((name) => name.startsWith(`${KEPT}:`) && !kept.includes(name));
  for (const name of old) await podman('untag', name);
}

/** The folder of the passwd file is another one in each run. */
function withoutFolders(hook: string): string {
  return hook.replaceAll(tmpdir(), '').replace(/eks-base-\w+/, '');
}

async function versionsOf(npm: string): Promise<string> {
  const versions = [join(ROOT, 'node_modules', 'node'), npm].map(async (folder) => {
    const { version }: { readonly version: string } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    );
    return version;
  });
  return (await Promise.all(versions)).join(' ');
}

/** Where the machine's npm is: the one that installed the tree. */
async function npmFolder(): Promise<string> {
  const command = await build(['sh', '-c', 'command -v npm']);
  return join(await realpath(command.trim()), '..', '..');
}
