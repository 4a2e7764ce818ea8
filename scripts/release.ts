/** The steps of a release, for a person to run: docs/release.md. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LICENCES, SBOM } from './inventory.ts';
import { type Build, ENGINES, releaseImage } from './release/image.ts';
import { changesOf, releaseNotes } from './release/notes.ts';
import { Shell } from './release/shell.ts';

const USAGE = `Usage: npm run release -- STEP... [OPTION]... [-- BUILD-OPTION...]

Steps, done in this order:
  check   nothing uncommitted, a tag for package.json's version, a section for it in CHANGELOG.md; done before any other
  gate    .ci/run: everything that has to pass
  image   built for amd64 and arm64 on bases named by digest, pushed to the registry; release/VERSION/image.json
  sbom    bill of materials and licences, into release/VERSION
  notes   release/VERSION/notes.md
  all     all of them

Options:
  --registry REGISTRY   host[:port][/path]: the image becomes REGISTRY/eks-endpoint-exporter:VERSION
  --engine ENGINE       docker (the default; with buildx) or podman (with skopeo)
  --dry-run             print each command; run none, judge and write nothing
  --help                this
  -- BUILD-OPTION...    for "docker buildx build" or "podman build", as --secret id=npmrc,src=$HOME/.npmrc
`;

const STEPS: ReadonlyMap<string, (shell: Shell, build: Build) => void> = new Map([
  ['check', check],
  ['gate', (shell) => shell.run(['.ci/run'])],
  ['image', releaseImage],
  ['sbom', writeInventory],
  ['notes', (shell, { version, folder }) => releaseNotes(shell, version, folder)],
]);

/** With a host in it: docker and podman would each complete "you" in their own way. */
const REGISTRY = /^(localhost|[a-z\d][a-z\d-]*(?=[.:])[a-z\d.-]*)(:\d{1,5})?(\/[a-z\d]+([._-]+[a-z\d]+)*)*$/;

process.exitCode = main(process.argv.slice(2));

/** 0, 1 where a step cannot be done, 64 for a mistake in the command line. */
function main(argv: readonly string[]): number {
  let options: ReturnType<typeof parseOptions>;
  try {
    // Without the `--`, npm takes the flag for itself, and every step would be done in earnest.
    if (process.env['npm_config_dry_run'] === 'true')
      throw new RangeError('npm took --dry-run for itself: write npm run release -- STEP --dry-run');
    options = parseOptions(argv);
  } catch (error) {
    console.error(`${firstSentence(error)}; --help shows all`);
    return 64;
  }
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  try {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const { registry, steps, isDryRun, ...rest } = options;
    const tag = `${registry}/eks-endpoint-exporter:${version}`;
    const shell = new Shell(isDryRun);
    for (const [step, run] of STEPS) {
      if (!steps.has(step)) continue;
      console.log(`-- ${step}`);
      run(shell, { ...rest, version, tag, folder: join('release', version) });
    }
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** Null for help. Throws for a mistake. */
function parseOptions(argv: readonly string[]) {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const { values, positionals } = parseArgs({
    args: argv.slice(0, end),
    allowPositionals: true,
    options: {
      registry: { type: 'string' },
      engine: { type: 'string', default: 'docker' },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const known = [...STEPS.keys(), 'all'];
  const wrong = positionals.length === 0 ? '' : positionals.find((step) => !known.includes(step));
  if (wrong !== undefined) throw new RangeError(`Unknown step "${wrong}": give ${known.join(', ')}`);
  const steps = new Set(['check', ...(positionals.includes('all') ? known : positionals)]);
  const { registry } = values;
  const engine = ENGINES.get(values.engine);
  if (engine === undefined) {
    throw new RangeError(`Unknown engine "${values.engine}": give ${[...ENGINES.keys()].join(' or ')}`);
  }
  if (steps.has('image') && !REGISTRY.test(registry ?? '')) {
    throw new RangeError(
      `Step image pushes to --registry host[:port][/path], not "${registry ?? ''}": give ghcr.io/you, or docker.io/you for Docker Hub`,
    );
  }
  return { steps, registry, engine, isDryRun: values['dry-run'], options: argv.slice(end + 1) };
}

/** Whether what lies here is what the tag says. Throws, with every problem; a dry run judges nothing. */
function check(shell: Shell, { version }: Build): void {
  const uncommitted = shell.ask(['git', 'status', '--short'], 'changes').split('\n');
  const tags = shell.ask(['git', 'tag', '--points-at', 'HEAD'], 'tags').split('\n');
  if (shell.isDryRun) return;
  const problems: string[] = [];
  if (uncommitted[0] !== '')
    problems.push(`${uncommitted.length} uncommitted, the first "${uncommitted[0]}"`);
  if (!tags.includes(`v${version}`)) problems.push(`HEAD has no tag "v${version}", package.json's version`);
  if (changesOf(readFileSync('CHANGELOG.md', 'utf8'), version) === null) {
    problems.push(`CHANGELOG.md has nothing below a heading "## ${version} / YYYY-MM-DD"`);
  }
  if (problems.length > 0) throw new Error(`Cannot release ${version}: ${problems.join('; ')}`);
}

/** Built as for the image, which has the same two files in /app: they are made of the lock file, the sources and the commit alone. */
function writeInventory(shell: Shell, { folder }: Build): void {
  shell.run(['node', 'scripts/build.ts', '--without-kubernetes-client']);
  for (const file of [SBOM, LICENCES]) {
    console.log(`dist/${file} -> ${join(folder, file)}`);
    if (shell.isDryRun) continue;
    mkdirSync(folder, { recursive: true });
    copyFileSync(join('dist', file), join(folder, file));
  }
}

/** Node's own words go on with advice. */
function firstSentence(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('. ')[0] ?? '';
}
