/** What is in the image: its base, the program, a link to it, and nothing else; what it says of itself; what it runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runBare } from './lib/bare.ts';
import { argument, packageVersion, ROOT } from './lib/dockerfile.ts';
import { podman } from './lib/engine.ts';
import { buildFor, builtImage, type Image, REVISION } from './lib/image.ts';
import { describeOnContainers } from './lib/tools.ts';
import { type Entry, treeOf } from './lib/tree.ts';

const LINK = '/usr/local/bin/eks-endpoint-exporter';
/** What `dist` may hold: code, licences, a bill of materials. */
const KINDS = /\.(js|json|txt)$|\/(LICENSE|NOTICE)$/;
const FORBIDDEN =
  /bin\/(sh|bash|dash|busybox|env|npm|npx|corepack|yarn|gcc|cc|make|apt|apt-get|dpkg)$|\/\.npm(rc)?$/;
/** Over the base: the bundle is 1.4 MiB. */
const SIZE_LIMIT = 3 * 1024 * 1024;

describeOnContainers('the image', () => {
  let image: Image;
  let base: ReadonlyMap<string, Entry>;
  let tree: ReadonlyMap<string, Entry>;
  beforeAll(async () => {
    image = await builtImage();
    base = await treeOf(argument('RUNTIME_IMAGE'));
    tree = await treeOf(image.name);
  });

  test('is its base and one layer more', async () => {
    const layers = async (name: string): Promise<readonly string[]> =>
      JSON.parse(await podman('image', 'inspect', '--format={{json .RootFS.Layers}}', name));
    const [below, all] = [await layers(argument('RUNTIME_IMAGE')), await layers(image.name)];
    expect(all.slice(0, -1)).toEqual(below);
    // Folders that both have, /usr/local/bin say, are as the base has them: an agent that is not root goes through them.
    for (const [path, entry] of base) expect(tree.get(path), path).toEqual(entry);
  });

  test('adds the program and a link to it, and nothing else', () => {
    const added = [...tree].filter(([path, { kind }]) => !base.has(path) && kind !== 'folder');
    const [links, files] = [added.filter(isLink), added.filter((one) => !isLink(one))];
    expect(links).toEqual([[LINK, expect.objectContaining({ content: '/app/main.js' })]]);
    expect(files.map(([path]) => path)).toContain('/app/main.js');
    expect(files.map(([path]) => path)).toContain('/app/LICENSE');
    for (const [path, { kind }] of files) {
      expect(kind, path).toBe('file');
      expect(path).toMatch(/^\/app\//);
      expect(path).toMatch(KINDS);
    }
  });

  test('has no shell, no package manager, no compiler, no secret of its build', () => {
    expect([...tree.keys()].filter((path) => FORBIDDEN.test(path))).toEqual([]);
    expect([...tree.keys()].filter((path) => /^\/(build|root)\/|node_modules/.test(path))).toEqual([]);
  });

  test('can be read by everyone and written by root alone', () => {
    const app = [...tree].filter(([path]) => path === '/app' || path.startsWith('/app/'));
    expect(app.length).toBeGreaterThan(5);
    for (const [path, { kind, mode, uid }] of app) {
      expect(mode & 0o444, path).toBe(0o444);
      expect(mode & 0o022, path).toBe(0);
      if (kind === 'folder' || path === '/app/main.js') expect(mode & 0o111, path).toBe(0o111);
      expect(uid, path).toBe(0);
    }
  });

  test('is hardly larger than its base', async () => {
    const size = async (name: string) => Number(await podman('image', 'inspect', '--format={{.Size}}', name));
    const over = (await size(image.name)) - (await size(argument('RUNTIME_IMAGE')));
    expect(over).toBeGreaterThan(0);
    expect(over).toBeLessThan(SIZE_LIMIT);
  });

  test('says what it is, runs the agent as uid 0, by a command without a shell', async () => {
    const config = JSON.parse(await podman('image', 'inspect', '--format={{json .Config}}', image.name));
    const { description, license }: { description: string; license: string } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    );
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'eks-endpoint-exporter',
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.version': packageVersion(),
      'org.opencontainers.image.revision': REVISION,
      'org.opencontainers.image.licenses': license,
      'org.opencontainers.image.base.name': argument('RUNTIME_IMAGE'),
    });
    expect(config.User).toBe('0');
    expect(config.Entrypoint.at(0)).toBe('/nodejs/bin/node');
    expect(config.Entrypoint.at(-1)).toBe('/app/main.js');
    for (const flag of config.Entrypoint.slice(1, -1)) expect(flag).toMatch(/^--[a-z-]+(=[\w*/]+)?$/);
    expect(config.Cmd).toEqual(['agent']);
    expect(Object.keys(config.ExposedPorts)).toEqual(['10943/tcp']);
  });

  test('--version and --help, also by the command that kubectl exec gives', async () => {
    const version = `eks-endpoint-exporter ${packageVersion()}\n`;
    const command = '--entrypoint=eks-endpoint-exporter';
    for (const options of [[], [command], [command, '--user=65532:65532', '--cap-drop=ALL']]) {
      expect(await runBare(options, '--version')).toEqual({ code: 0, stdout: version, stderr: '' });
    }
    const help = await runBare([], 'check', '--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('--expect');
    expect(await runBare([], '--no-such-flag')).toMatchObject({ code: 64 });
  });

  test('demo needs a writable /tmp and nothing else: no root, no capability', async () => {
    // Not the agent's command: its Node may write no file.
    const command = '--entrypoint=eks-endpoint-exporter';
    const user = [command, '--user=65532:65532', '--cap-drop=ALL', '--read-only', '--read-only-tmpfs=false'];
    const args = ['demo', '--once', '--phase=3s'];
    const played = await runBare([...user, '--tmpfs=/tmp'], ...args);
    expect(played.code, played.stdout + played.stderr).toBe(0);
    expect(played.stdout).toContain('x-eni');
    const without = await runBare(user, ...args);
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('/tmp');
  });

  test('of another architecture is the same program: nothing of that architecture runs in the build', async () => {
    // A base of which nothing could be run.
    const other = process.arch === 'arm64' ? 'amd64' : 'arm64';
    const built = await buildFor(other);
    expect(await podman('image', 'inspect', '--format={{.Architecture}}', built)).toBe(`${other}\n`);
    const app = (entries: ReadonlyMap<string, Entry>) =>
      [...entries].filter(([path]) => path.startsWith('/app/'));
    expect(app(await treeOf(built))).toEqual(app(tree));
  });
});

test('the build is given nothing but what it reads', async () => {
  const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  expect(readdirSync(ROOT)).toEqual(expect.arrayContaining(allowed));
  const copied = [...readFileSync(join(ROOT, 'Dockerfile'), 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
  expect(copied.flatMap(([, files = '']) => files.split(' ')).sort()).toEqual(allowed.sort());
});

function isLink([, { kind }]: [string, Entry]): boolean {
  return kind === 'link';
}
