/**
 * The steps of a release in a made repository, as far as they judge by themselves; programs that would publish are
 * stand-ins. test/image/release.test.ts has a real build and push.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeRepository, type Repository } from './lib/repository.ts';

const IMAGE = ['image', '--registry', 'registry.example/team'];
const DIGEST = `sha256:${'d'.repeat(64)}`;
const LEFT = {
  tag: 'registry.example/team/eks-endpoint-exporter:1.2.3',
  digest: DIGEST,
  revision: '0123456789ab',
  bases: { RUNTIME_IMAGE: { name: 'gcr.io/b/c', digest: `sha256:${'b'.repeat(64)}` } },
};
const SBOM = { components: [{ group: '@a', name: 'b', version: '1.0.0' }, { name: 'Node.js' }] };

function fileOf({ root }: Repository, name: string): string {
  return readFileSync(join(root, 'release', '1.2.3', name), 'utf8');
}

test.concurrent('a dry run tells each step, starts nothing and writes nothing', () => {
  const repository = makeRepository();
  for (const program of ['git', 'docker', 'npm', 'node']) repository.standIn(program, 'exit 1');
  const { code, stdout, stderr } = repository.release('all', '--dry-run', ...IMAGE);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.match(/^-- .*/gm)).toEqual(['-- check', '-- gate', '-- image', '-- sbom', '-- notes']);
  expect(repository.commands()).toEqual([]);
  expect(existsSync(join(repository.root, 'release'))).toBe(false);
});

test.concurrent('docker is given both bases by digest, and what the person adds cannot replace them', () => {
  const repository = makeRepository();
  repository.standIn('docker', `case "$*" in *inspect*) echo '"${DIGEST}"' ;; esac`);
  const added = ['--', '--secret', 'id=npmrc,src=x', '--build-arg=RUNTIME_IMAGE=other'];
  expect(repository.release(...IMAGE, ...added)).toMatchObject({ code: 0, stderr: '' });
  const build = repository.commands().find((command) => command.startsWith('docker buildx build')) ?? '';
  expect(build).toContain('--secret id=npmrc,src=x ');
  expect(build).toContain(`--build-arg=BUILD_IMAGE=localhost:5000/a@${DIGEST}`);
  expect(build.slice(build.lastIndexOf('--build-arg=RUNTIME_IMAGE=')).split(' ')[0]).toBe(
    `--build-arg=RUNTIME_IMAGE=gcr.io/b/c@${DIGEST}`,
  );
  expect(JSON.parse(fileOf(repository, 'image.json')).bases).toEqual({
    BUILD_IMAGE: { name: 'localhost:5000/a:1', digest: DIGEST },
    RUNTIME_IMAGE: { name: 'gcr.io/b/c', digest: DIGEST },
  });
});

test.concurrent('the notes say what the steps before left, and that npm could not be asked', () => {
  const repository = makeRepository();
  repository.write('release/1.2.3/image.json', JSON.stringify(LEFT));
  repository.write('release/1.2.3/sbom.cdx.json', JSON.stringify(SBOM));
  repository.standIn('npm', 'echo "npm error network down" >&2; exit 1');
  expect(repository.release('notes')).toMatchObject({ code: 0, stderr: '' });
  expect(fileOf(repository, 'notes.md')).toMatchInlineSnapshot(`
    "# eks-endpoint-exporter 1.2.3

    - [FEATURE] It says so.

    ## Image

    \`registry.example/team/eks-endpoint-exporter:1.2.3@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\`, for amd64 and arm64, from commit 0123456789ab, with

    - RUNTIME_IMAGE: \`gcr.io/b/c\`, \`sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\`

    ## What is in it

    npm packages in the bundle: @a/b 1.0.0. The image has Node.js and the system's libraries from RUNTIME_IMAGE.
    \`sbom.cdx.json\` is the bill of materials (CycloneDX), \`THIRD-PARTY-LICENSES.txt\` has the licences.

    - \`npm audit --omit=dev\`, known vulnerabilities of these packages: **could not be asked** (npm error network down), which says nothing of the packages.
    - \`npm audit signatures\`, the registry's signatures of all packages that built it: **could not be asked** (npm error network down), which says nothing of the packages.
    "
  `);
});

describe('one sentence, and nothing is done', () => {
  test.concurrent.each<[string, (repository: Repository) => unknown, string]>([
    [
      'something uncommitted',
      ({ write }) => write('new.ts', ''),
      'Cannot release 1.2.3: 1 uncommitted, the first "?? new.ts"\n',
    ],
    [
      'the tag of another version',
      ({ git }) => [git('tag', '--delete', 'v1.2.3'), git('tag', 'v1.2.4')],
      `Cannot release 1.2.3: HEAD has no tag "v1.2.3", package.json's version\n`,
    ],
    ...[
      '## Unreleased (1.2.3)\n\n- New.\n',
      '## 1.2.3 / soon\n\n- New.\n',
      '## 1.2.3 / 2026-11-30\n\n## 1.2.2 / 2026-01-01\n\n- Old.\n',
      '## 11.2.3 / 2026-11-30\n\n- Other.\n',
    ].map((text): [string, (repository: Repository) => unknown, string] => [
      `the changelog ${JSON.stringify(text)}`,
      ({ git, write }) => {
        write('CHANGELOG.md', text);
        git('commit', '--quiet', '--all', '--message=more');
        git('tag', '--force', 'v1.2.3');
      },
      'Cannot release 1.2.3: CHANGELOG.md has nothing below a heading "## 1.2.3 / YYYY-MM-DD"\n',
    ]),
    [
      'no repository',
      ({ root }) => rmSync(join(root, '.git'), { recursive: true }),
      'Cannot run "git status --short": fatal: not a git repository',
    ],
  ])('%s', (_, change, message) => {
    const repository = makeRepository();
    repository.standIn('docker', '');
    change(repository);
    const { code, stderr } = repository.release(...IMAGE);
    expect(stderr.startsWith(message), stderr).toBe(true);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(repository.commands()).toEqual([]);
  });

  test.concurrent.each<[string, string, RegExp]>([
    ['cannot be had', 'exit 7', /^Cannot run "docker buildx imagetools inspect .*": it ended with 7\n$/],
    ['is none', 'echo latest', /^Cannot tell the digest of "localhost:5000\/a:1" from "latest"\n$/],
  ])('a digest that %s', (_, script, message) => {
    const repository = makeRepository();
    repository.standIn('docker', script);
    expect(repository.release(...IMAGE)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
    expect(repository.commands()).toHaveLength(1);
    expect(existsSync(join(repository.root, 'release'))).toBe(false);
  });

  test.concurrent('a program that is not here', () => {
    expect(makeRepository().release(...IMAGE)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Cannot run "docker", which this step needs: .*ENOENT\n$/),
    });
  });

  test.concurrent('notes without the step before', () => {
    expect(makeRepository().release('notes')).toMatchObject({
      code: 1,
      stderr: 'Cannot write the notes: "release/1.2.3/image.json" cannot be read; do the step image\n',
    });
  });

  test.concurrent.each<[string[], string]>([
    [[], 'Unknown step ""'],
    [['toString'], 'Unknown step "toString"'],
    [['check', '--engine=kaniko'], 'Unknown engine "kaniko": give docker or podman'],
    [['check', '--force'], "Unknown option '--force'"],
    [['check', '--registry'], "Option '--registry <value>' argument missing"],
    [['all'], 'Step image pushes to --registry host[:port][/path], not ""'],
    ...['you', 'https://ghcr.io/you', 'ghcr.io/you:1.0', 'ghcr.io/', 'ghcr.io/You', '-x.y/z'].map(
      (name): [string[], string] => [
        ['image', `--registry=${name}`],
        `Step image pushes to --registry host[:port][/path], not "${name}"`,
      ],
    ),
  ])('%j', (args, message) => {
    const { code, stderr } = makeRepository().release(...args);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 64, lines: 1 });
    expect(stderr.startsWith(message), stderr).toBe(true);
  });

  test.concurrent('a --dry-run that npm took for itself, for want of a --', () => {
    expect(makeRepository({ npm_config_dry_run: 'true' }).release('check')).toMatchObject({
      code: 64,
      stdout: '',
      stderr: expect.stringContaining('npm run release -- STEP --dry-run'),
    });
  });

  test.concurrent.each([
    'docker.io/you',
    'localhost:5000',
    'localhost/a',
    '1.dkr.ecr.eu-west-1.amazonaws.com',
  ])('but not for registry %s', (name) => {
    expect(makeRepository().release('image', '--dry-run', `--registry=${name}`)).toMatchObject({ code: 0 });
  });
});
