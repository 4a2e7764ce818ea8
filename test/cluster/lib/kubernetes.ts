/**
 * The programs of a Kubernetes cluster, built from source by Go: ../kubernetes/go.mod says of which versions, and go.sum
 * what they consist of. A build takes minutes; what it gives is kept outside the repository, in $XDG_CACHE_HOME or ~/.cache.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { arch, homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('../kubernetes/', import.meta.url));

/** Each program, and the package that it is. */
const PACKAGES = {
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  pause: './pause',
  containerd: 'github.com/containerd/containerd/v2/cmd/containerd',
  'containerd-shim-runc-v2': 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
  ctr: 'github.com/containerd/containerd/v2/cmd/ctr',
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
} as const;

/** Folders of builds that go on, each with its pid. */
const MAKING = 'making-';

type ProgramName = keyof typeof PACKAGES;

const NAMES: readonly string[] = Object.keys(PACKAGES);

/** Where the programs are: the folder is made to be put on a PATH. */
export interface Binaries {
  readonly folder: string;
  path(program: ProgramName): string;
}

let built: Promise<Binaries> | null = null;

/** Builds the programs where this machine has not got them yet, with a line on stderr for each. */
export function binaries(): Promise<Binaries> {
  built ??= find();
  return built;
}

/** Path of a kubectl of that release. */
export async function kubectl(): Promise<string> {
  return (await binaries()).path('kubectl');
}

async function find(): Promise<Binaries> {
  const { name, versions } = await identity();
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'eks-endpoint-exporter');
  const folder = join(cache, name);
  if (!(await exists(folder))) await build(cache, folder, versions);
  return { folder, path: (program) => join(folder, program) };
}

interface Versions {
  readonly kubernetes: string;
  readonly containerd: string;
}

/** The name says for people what is in the folder, and holds all that decides it. */
async function identity(): Promise<{ readonly name: string; readonly versions: Versions }> {
  const mod = await readFile(join(MODULE, 'go.mod'), 'utf8');
  const hash = createHash('sha256').update(mod).update(NAMES.join());
  for (const file of ['go.sum', 'pause/main.go']) hash.update(await readFile(join(MODULE, file)));
  const versions = {
    kubernetes: versionOf(mod, 'k8s.io/kubernetes'),
    containerd: versionOf(mod, 'github.com/containerd/containerd/v2'),
  };
  return {
    name: `kubernetes-${versions.kubernetes}-${arch()}-${hash.digest('hex').slice(0, 12)}`,
    versions,
  };
}

function versionOf(mod: string, path: string): string {
  const version = mod
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/^require /, '')
        .split(' '),
    )
    .find(([name]) => name === path)?.[1];
  if (version === undefined) throw new Error(`Cannot find the version of "${path}" in "${MODULE}go.mod"`);
  return version;
}

/** Into a folder beside it first: what is in the cache under its name is whole. */
async function build(cache: string, folder: string, versions: Versions): Promise<void> {
  await checkGo();
  await mkdir(cache, { recursive: true });
  await removeLeftovers(cache);
  const making = join(cache, `${MAKING}${process.pid}`);
  await mkdir(making);
  try {
    const start = performance.now();
    for (const [index, [name, path]] of Object.entries(PACKAGES).entries()) {
      const seconds = Math.round((performance.now() - start) / 1000);
      console.error(
        `Building ${name} of Kubernetes ${versions.kubernetes} (${index + 1} of ${NAMES.length}, ${seconds} s so far)`,
      );
      await go(['build', ...flags(versions), '-o', join(making, name), path]);
    }
    for (const file of ['go.mod', 'go.sum']) await copyFile(join(MODULE, file), join(making, file));
    await rename(making, folder);
    console.error(`Built in ${Math.round((performance.now() - start) / 1000)} s, kept in "${folder}"`);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** Of builds that were killed. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const pid = name.startsWith(MAKING) ? name.slice(MAKING.length) : null;
    if (pid !== null && !(await exists(`/proc/${pid}`))) await rm(join(cache, name), { recursive: true });
  }
}

/** Kubernetes' own build sets the version likewise: without it the programs take each other for strangers. */
function flags({ kubernetes, containerd }: Versions): readonly string[] {
  const set = [
    `-X k8s.io/component-base/version.gitVersion=${kubernetes}`,
    `-X github.com/containerd/containerd/v2/version.Version=${containerd}`,
  ];
  return ['-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', ['-s', '-w', ...set].join(' ')];
}

/** In the module's folder, where a Go that is too old says so, or brings the one that go.mod asks for. */
async function checkGo(): Promise<void> {
  const wanted = /^go (\S+)$/m.exec(await readFile(join(MODULE, 'go.mod'), 'utf8'))?.[1] ?? '?';
  const remedy = `install Go ${wanted} or newer (https://go.dev/dl), or 1.21 or newer with GOTOOLCHAIN=auto`;
  let version: string;
  try {
    version = (await go(['env', 'GOVERSION'])).trim();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const detail = isMissing ? '"go" is not on the PATH' : error instanceof Error ? error.message : error;
    throw new Error(`Cannot build Kubernetes: ${detail}: ${remedy}`);
  }
  if (!isAtLeast(version.replace(/^go/, ''), wanted)) {
    throw new Error(`Cannot build Kubernetes: "go" is ${version}: ${remedy}`);
  }
}

function isAtLeast(version: string, wanted: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number.parseFloat);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Where Go finds its modules is for its own environment to say. Gives its stdout. */
async function go(args: readonly string[]): Promise<string> {
  const child = spawn('go', args, {
    ...{ cwd: MODULE, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CGO_ENABLED: '0' } },
  });
  const said = Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
  ]);
  const [code] = await once(child, 'close');
  const [stdout, stderr] = await said;
  if (code === 0) return stdout.join('');
  throw new Error(`"go ${args.join(' ')}" says: ${stderr.join('').trim().slice(-2000)}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
