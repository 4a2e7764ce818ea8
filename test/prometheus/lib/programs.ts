/**
 * Prometheus and promtool of several releases: the machine's where it has that release, else the package of the Debian
 * release that has it, unpacked and kept outside the repository, in $XDG_CACHE_HOME or ~/.cache. Nothing is installed.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, run } from '../../e2e/lib/command.ts';

export interface Release {
  /** What the version begins with; `programs` sees to it. */
  readonly name: '2.42' | '2.53' | '3';
  /** Of the Debian release that has it. */
  readonly codename: string;
  readonly packages: readonly string[];
}

/** Debian's of three releases. The last one is not out yet: its minor version still changes. */
export const RELEASES: readonly [Release, ...(readonly Release[])] = [
  { name: '2.42', codename: 'bookworm', packages: ['prometheus'] },
  { name: '2.53', codename: 'trixie', packages: ['prometheus', 'promtool'] },
  { name: '3', codename: 'forky', packages: ['prometheus', 'promtool'] },
];

export interface Programs {
  /** Paths, or names of what is on the PATH. */
  readonly prometheus: string;
  readonly promtool: string;
  /** Whole, as both say it. */
  readonly version: string;
}

const TIMEOUT_MS = 300_000;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Folders of fetches that go on, each with its pid. */
const FETCHING = 'fetching-';

const found = new Map<string, Promise<Programs>>();

/** Fetches the programs where this machine has not got them yet, with a line on stderr. */
export function programs(release: Release): Promise<Programs> {
  const known = found.get(release.name) ?? find(release);
  found.set(release.name, known);
  return known;
}

async function find(release: Release): Promise<Programs> {
  const installed = { prometheus: 'prometheus', promtool: 'promtool' };
  const version = await versionOf(installed.prometheus).catch(() => null);
  if (version !== null && isOf(release, version)) return verified(release, installed);
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'eks-endpoint-exporter');
  await mkdir(cache, { recursive: true });
  const folder = join(cache, (await kept(cache, release)) ?? (await fetch(cache, release)));
  return verified(release, { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') });
}

/** That both are of the release, and of one version. */
async function verified(release: Release, paths: Omit<Programs, 'version'>): Promise<Programs> {
  const [version, tool] = await Promise.all([versionOf(paths.prometheus), versionOf(paths.promtool)]);
  if (version !== tool || !isOf(release, version)) {
    throw new Error(
      `Cannot test with Prometheus ${release.name}: "${paths.prometheus}" is ${version}, "${paths.promtool}" is ${tool}`,
    );
  }
  return { ...paths, version };
}

function isOf({ name }: Release, version: string): boolean {
  return version.startsWith(`${name}.`);
}

/** The first line is `prometheus, version 2.42.0+ds (branch: ...)`; old releases of promtool write it to stderr. */
async function versionOf(program: string): Promise<string> {
  const { stdout, stderr } = await run(program, ['--version']);
  const version = /, version (\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1];
  if (version === undefined) throw new Error(`Cannot read the version of "${program}": ${stdout}${stderr}`);
  return version;
}

/** What an earlier run has fetched. */
async function kept(cache: string, { codename }: Release): Promise<string | undefined> {
  return (await readdir(cache))
    .filter((name) => name.startsWith(`prometheus-${codename}-`))
    .sort()
    .at(-1);
}

/** With an APT of its own, which knows of that release and of nothing else. Gives the name of the folder. */
async function fetch(cache: string, release: Release): Promise<string> {
  await removeLeftovers(cache);
  const folder = join(cache, `${FETCHING}${process.pid}-${release.codename}`);
  await mkdir(folder);
  try {
    console.error(`Fetching Prometheus ${release.name} of Debian ${release.codename}`);
    const apt = await privateApt(folder, release.codename);
    await apt('update', '--error-on=any');
    await apt('download', ...release.packages);
    const archives = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
    for (const archive of archives)
      await must('dpkg-deb', ['-x', join(folder, archive), join(folder, 'root')]);
    const version = archives
      .map((name) => /^prometheus_(.+)_/.exec(name)?.[1])
      .find((one) => one !== undefined);
    if (version === undefined) throw new Error(`Cannot find "prometheus" among "${archives.join()}"`);
    const name = `prometheus-${release.codename}-${version}`;
    await rename(join(folder, 'root', 'usr', 'bin'), join(cache, name)).catch(
      (error: NodeJS.ErrnoException) => {
        // Another run was faster.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      },
    );
    return name;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its state is in the folder, and what it downloads goes there. */
async function privateApt(
  folder: string,
  codename: string,
): Promise<(...args: readonly string[]) => Promise<string>> {
  const sources = join(folder, 'sources.list');
  await mkdir(join(folder, 'state', 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  await writeFile(join(folder, 'status'), '');
  await writeFile(sources, `deb [signed-by=${KEYRING}] ${await mirror()} ${codename} main\n`);
  const options = [
    `Dir::State=${join(folder, 'state')}`,
    `Dir::State::status=${join(folder, 'status')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferences=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    `APT::Default-Release=${codename}`,
    // The user that APT would download as may not enter root's home.
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=3',
  ].map((option) => `--option=${option}`);
  return (...args) =>
    must('sh', ['-c', 'cd "$0" && exec apt-get --quiet=2 "$@"', folder, ...options, ...args]);
}

/** Where this machine has Debian from. */
async function mirror(): Promise<string> {
  const targets = [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    'Origin: Debian',
    'Label: Debian',
  ];
  const [uri = ''] = (await must('apt-get', targets)).split('\n');
  if (uri === '')
    throw new Error('Cannot tell where this machine has Debian from: run "apt-get update" first');
  return uri;
}

async function must(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr }: Outcome = await run(program, args, {
    env: proxies(),
    timeoutMs: TIMEOUT_MS,
  });
  if (code !== 0)
    throw new Error(`Cannot fetch Prometheus: "${program} ${args.join(' ')}" says: ${stderr || stdout}`);
  return stdout;
}

/** APT goes by them. */
function proxies(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      /^(https?|no)_proxy$|^APT_CONFIG$/i.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}

/** Of runs that were killed. */
async function removeLeftovers(cache: string): Promise<void> {
  const alive = new Set(await readdir('/proc'));
  for (const name of await readdir(cache)) {
    const pid = name.startsWith(FETCHING) ? name.slice(FETCHING.length).split('-')[0] : undefined;
    if (pid !== undefined && !alive.has(pid)) await rm(join(cache, name), { recursive: true, force: true });
  }
}
