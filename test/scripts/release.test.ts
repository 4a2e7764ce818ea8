/** The steps of a release as a person runs them, in a made repository. Nothing is published: stand-ins take what would be. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DIGEST, makeRepository, REGISTRY_ANSWERS, type Repository } from './lib/repository.ts';

const IMAGE = ['image', '--registry', 'registry.example/team'];
const NAME = 'registry.example/team/eks-endpoint-exporter';

/** buildx that writes what it pushed where it is told to. */
const DOCKER = `
if [ "$2" = build ]; then
  while [ "$1" != --metadata-file ]; do shift; done
  echo '{"containerimage.digest":"${DIGEST}"}' >"$2"
  exit
fi
${REGISTRY_ANSWERS}`;
const PODMAN = `
[ "$2" = exists ] && exit 1
while [ $# -gt 0 ]; do [ "$1" = --digestfile ] && printf %s ${DIGEST} >"$2"; shift; done
exit 0`;
/** npm whose build leaves the two files, and which has been told that all is well. */
const NPM = `
case "$*" in
*build) mkdir -p dist; echo '{"components":[{"group":"@a","name":"b","version":"1.0.0"},{"name":"Node.js"}]}' >dist/sbom.cdx.json; echo text >dist/THIRD-PARTY-LICENSES.txt ;;
*signatures*) echo '{"invalid":[],"missing":[]}' ;;
*) echo '{"auditReportVersion":2,"vulnerabilities":{},"metadata":{}}' ;;
esac`;

function fileOf({ root }: Repository, name: string): string {
  return readFileSync(join(root, 'release', '1.2.3', name), 'utf8');
}

test.concurrent('a dry run prints each command, starts none and writes nothing', () => {
  const repository = makeRepository();
  for (const program of ['git', 'docker', 'npm', 'cosign']) repository.standIn(program, 'exit 1');
  const { code, stdout, stderr } = repository.release('all', '--sign', '--dry-run', ...IMAGE);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatchInlineSnapshot(`
    "-- check
    + git status --porcelain
    + git tag --points-at HEAD
    -- gate
    + .ci/run
    -- image
    + git rev-parse --short=12 HEAD
    + docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=1.2.3 --build-arg 'REVISION=<revision>' --tag registry.example/team/eks-endpoint-exporter:1.2.3 --metadata-file release/1.2.3/digest --push .
    + docker buildx imagetools inspect --raw 'registry.example/team/eks-endpoint-exporter@<digest>'
    -- sbom
    + npm run --silent build
    dist/sbom.cdx.json -> release/1.2.3/sbom.cdx.json
    dist/THIRD-PARTY-LICENSES.txt -> release/1.2.3/THIRD-PARTY-LICENSES.txt
    + cosign sign --recursive 'registry.example/team/eks-endpoint-exporter@<digest>'
    + cosign attest --type cyclonedx --predicate release/1.2.3/sbom.cdx.json 'registry.example/team/eks-endpoint-exporter@<digest>'
    -- notes
    + git rev-parse --short=12 HEAD
    + npm audit --omit=dev --json
    + npm audit signatures --json
    -> release/1.2.3/notes.md
    "
  `);
  expect(repository.commands()).toEqual([]);
  expect(existsSync(join(repository.root, 'release'))).toBe(false);
});

test.concurrent('podman builds one list of both architectures and pushes all of it', () => {
  const { stdout } = makeRepository().release('--engine=podman', '--dry-run', ...IMAGE);
  expect(stdout).toMatchInlineSnapshot(`
    "-- check
    + git status --porcelain
    + git tag --points-at HEAD
    -- image
    + git rev-parse --short=12 HEAD
    + podman manifest exists registry.example/team/eks-endpoint-exporter:1.2.3
    + podman manifest rm registry.example/team/eks-endpoint-exporter:1.2.3
    + podman build --platform linux/amd64,linux/arm64 --build-arg VERSION=1.2.3 --build-arg 'REVISION=<revision>' --manifest registry.example/team/eks-endpoint-exporter:1.2.3 .
    + podman manifest push --all --digestfile release/1.2.3/digest registry.example/team/eks-endpoint-exporter:1.2.3 docker://registry.example/team/eks-endpoint-exporter:1.2.3
    + skopeo inspect --raw 'docker://registry.example/team/eks-endpoint-exporter@<digest>'
    "
  `);
});

test.concurrent('an image, its files and the notes: each from what the step before left', () => {
  const repository = makeRepository();
  repository.standIn('docker', DOCKER);
  repository.standIn('npm', NPM);
  repository.standIn('oras', '');
  const revision = repository.git('rev-parse', '--short=12', 'HEAD');
  expect(repository.release('sbom', 'notes', ...IMAGE)).toMatchObject({ code: 0, stderr: '' });

  expect(JSON.parse(fileOf(repository, 'image.json'))).toEqual({
    name: NAME,
    version: '1.2.3',
    digest: DIGEST,
    sizes: [
      { platform: 'linux/amd64', bytes: 40_250_000 },
      { platform: 'linux/arm64', bytes: 39_250_000 },
    ],
  });
  expect(repository.commands()).toContain(
    `oras attach --artifact-type application/vnd.cyclonedx+json ${NAME}@${DIGEST} release/1.2.3/sbom.cdx.json:application/vnd.cyclonedx+json`,
  );
  expect(repository.commands()[0]).toContain(`--build-arg VERSION=1.2.3 --build-arg REVISION=${revision} `);
  expect(fileOf(repository, 'notes.md').replace(revision, 'REVISION')).toMatchInlineSnapshot(`
    "# eks-endpoint-exporter 1.2.3

    - [FEATURE] It says so.

    ## Image

    \`registry.example/team/eks-endpoint-exporter:1.2.3@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\`

    From commit REVISION. To fetch, base included: linux/amd64 40.3 MB, linux/arm64 39.3 MB.

    ## What is in it

    npm packages in the bundle: @a/b 1.0.0. The image has Node.js and the system's libraries from its base.

    | file | | KiB |
    |---|---|---|
    | \`sbom.cdx.json\` | bill of materials, CycloneDX | 0.1 |
    | \`THIRD-PARTY-LICENSES.txt\` | licences, with their texts | 0.0 |

    - \`npm audit --omit=dev\`, known vulnerabilities of what is in it: none.
    - \`npm audit signatures\`, the registry's signatures of all packages that built it: all good.
    "
  `);
});

test.concurrent('with podman the digest is that of --digestfile; without skopeo the notes have no sizes', () => {
  const repository = makeRepository();
  repository.standIn('podman', PODMAN);
  repository.standIn('skopeo', 'echo "no such registry" >&2; exit 1');
  const { code, stdout } = repository.release('--engine=podman', ...IMAGE);
  expect(code).toBe(0);
  expect(stdout).toContain('The sizes could not be asked for: no such registry');
  expect(JSON.parse(fileOf(repository, 'image.json'))).toMatchObject({ digest: DIGEST, sizes: null });
  expect(repository.commands().some((command) => command.startsWith('podman manifest rm'))).toBe(false);
});

test.concurrent('npm that cannot be asked is said in the notes and on the terminal; without oras the files stay here', () => {
  const repository = makeRepository();
  repository.standIn('docker', DOCKER);
  repository.standIn('npm', NPM);
  expect(repository.release('sbom', ...IMAGE)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('The bill of materials stays in release/1.2.3: without "oras"'),
  });
  repository.standIn('npm', 'echo "npm error network down" >&2; exit 1');
  const { code, stdout } = repository.release('notes');
  expect(code).toBe(0);
  expect(stdout.match(/could not be asked\*\*/g)).toHaveLength(2);
  expect(
    fileOf(repository, 'notes.md').match(/could not be asked\*\* \(npm error network down\)/g),
  ).toHaveLength(2);
  expect(fileOf(repository, 'notes.md')).not.toMatch(/: (?:none|all good)\./);
});

describe('one sentence, and nothing is done', () => {
  test.concurrent.each<[string, (repository: Repository) => unknown, string]>([
    [
      'something uncommitted',
      ({ write }) => write('new.ts', ''),
      'Cannot release 1.2.3: 1 uncommitted: new.ts; commit or remove what is not meant\n',
    ],
    [
      'no tag',
      ({ git }) => git('tag', '--delete', 'v1.2.3'),
      `Cannot release 1.2.3: HEAD has no tag "v1.2.3", package.json's version (it has: none); git tag -s v1.2.3\n`,
    ],
    [
      'the tag of another version, and no section of the changelog',
      ({ git, write }) => {
        write('CHANGELOG.md', '# Changelog\n\n## Unreleased (1.2.3)\n\n- New.\n');
        git('commit', '--quiet', '--all', '--message=more');
        git('tag', 'v1.2.4');
      },
      `Cannot release 1.2.3: HEAD has no tag "v1.2.3", package.json's version (it has: v1.2.4); git tag -s v1.2.3; CHANGELOG.md has no section for 1.2.3: it has "## Unreleased (1.2.3)"; give it a heading "## 1.2.3 / YYYY-MM-DD"\n`,
    ],
    [
      'no repository',
      ({ root }) => rmSync(join(root, '.git'), { recursive: true }),
      'Cannot run "git status --porcelain": fatal: not a git repository',
    ],
  ])('%s', (_, change, message) => {
    const repository = makeRepository();
    repository.standIn('docker', DOCKER);
    change(repository);
    const { code, stderr } = repository.release(...IMAGE);
    expect(stderr.startsWith(message), stderr).toBe(true);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
    expect(repository.commands()).toEqual([]);
  });

  test.concurrent('a push that fails is no release', () => {
    const repository = makeRepository();
    repository.standIn('docker', 'exit 7');
    const { code, stderr } = repository.release('sbom', 'notes', ...IMAGE);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Cannot run "docker buildx build .*": exit code 7\n$/);
    expect(repository.commands()).toHaveLength(1);
  });

  test.concurrent('an engine that does not say what it pushed', () => {
    const repository = makeRepository();
    repository.standIn('docker', DOCKER.replace(DIGEST, 'latest'));
    expect(repository.release(...IMAGE).stderr).toContain('Cannot tell the image\'s digest from "{');
  });

  test.concurrent.each<[string, string]>([
    [
      'notes',
      'Cannot tell the image\'s digest: "release/1.2.3/image.json" cannot be read; do the step image\n',
    ],
    [
      'sbom',
      'Cannot tell the image\'s digest: "release/1.2.3/image.json" cannot be read; do the step image\n',
    ],
  ])('step %s without the one before', (step, message) => {
    const repository = makeRepository();
    repository.standIn('npm', NPM);
    repository.standIn('oras', '');
    expect(repository.release(step)).toMatchObject({ code: 1, stderr: message });
  });
});
