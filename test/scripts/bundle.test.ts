/** What esbuild makes of src, and which command loads what of it. */
import { join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { BUNDLE, BUNDLE_WITHOUT_CLIENT } from '../../scripts/bundle.ts';
import { inventoryOf, LICENCES, SBOM } from '../../scripts/inventory.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CLIENT = 'node_modules/@kubernetes/client-node/';
/** What comes along with the client, and nothing else of this program uses. */
const OF_THE_CLIENT = ['js-yaml', 'socks', 'openid-client', 'jsonpath-plus'];

async function bundle(options: typeof BUNDLE | typeof BUNDLE_WITHOUT_CLIENT): Promise<Metafile> {
  const { metafile } = await build({ ...options, absWorkingDir: ROOT, write: false });
  return metafile;
}

/** Sources within what is loaded at once with this entry or chunk: what it imports when it runs is left out. */
function loadedWith(source: string, { outputs }: Metafile): ReadonlySet<string> {
  const [start] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source) ?? [];
  if (start === undefined) throw new RangeError(`Cannot find a chunk for "${source}"`);
  const files = new Set([start]);
  for (const file of files) {
    for (const { path, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && outputs[path] !== undefined) files.add(path);
    }
  }
  return new Set([...files].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {})));
}

function packagesOf(files: Iterable<string>): readonly string[] {
  const names = [...files].map(
    (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(relative('.', file))?.[1],
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

describe('the bundle', () => {
  let metafile: Metafile;
  beforeAll(async () => {
    metafile = await bundle(BUNDLE);
  });

  test('the agent, check and watch load nothing of a fleet, of Kubernetes or of schemas', () => {
    for (const command of ['agent', 'check', 'watch']) {
      const loaded = [
        ...loadedWith('src/main.ts', metafile),
        ...loadedWith(`src/commands/${command}.ts`, metafile),
      ];

      for (const name of ['valibot', '@kubernetes/client-node', ...OF_THE_CLIENT]) {
        expect(packagesOf(loaded), command).not.toContain(name);
      }
      expect(
        loaded.filter((file) => file.startsWith('src/fleet/')),
        command,
      ).toEqual([]);
    }
    expect(packagesOf(loadedWith('src/commands/agent.ts', metafile))).toContain('prom-client');
  });

  test('verify loads the client when there is a kubeconfig to read, and not before', () => {
    for (const file of [
      'src/commands/verify.ts',
      'src/fleet/kubernetes/open.ts',
      'src/fleet/kubernetes/kubeconfig.ts',
    ]) {
      expect(packagesOf(loadedWith(file, metafile)), file).not.toContain('@kubernetes/client-node');
    }
    const [chunk] = Object.values(metafile.outputs).filter(({ entryPoint }) =>
      entryPoint?.startsWith(CLIENT),
    );
    expect(packagesOf(Object.keys(chunk?.inputs ?? {}))).toEqual(expect.arrayContaining(OF_THE_CLIENT));
  });

  test('of the client only what reads kubeconfigs', () => {
    const inputs = new Set(Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs)));
    expect([...inputs]).toContain(`${CLIENT}dist/config.js`);
    expect([...inputs]).not.toContain(`${CLIENT}dist/exec.js`);
    expect(packagesOf(inputs)).not.toContain('tar-fs');
  });
});

describe('the bundle of the image', () => {
  test('is the same without the client: neither in the code, nor in the bill of materials, nor among the licences', async () => {
    const [all, without] = await Promise.all([bundle(BUNDLE), bundle(BUNDLE_WITHOUT_CLIENT)]);
    const inputsOf = ({ outputs }: Metafile) =>
      new Set(Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)));
    const left = [...inputsOf(all)].filter((file) => !inputsOf(without).has(file));
    expect(packagesOf(left)).toEqual(expect.arrayContaining(['@kubernetes/client-node', ...OF_THE_CLIENT]));
    expect(left.filter((file) => file.startsWith('src/'))).toEqual(['src/fleet/kubernetes/no-undici.ts']);
    const texts = inventoryOf(without, { root: ROOT, revision: 'unknown' });
    const shipped = packagesOf(inputsOf(without));
    expect(shipped).toEqual(expect.arrayContaining(['valibot', 'prom-client']));
    for (const name of packagesOf(left).filter((one) => !shipped.includes(one))) {
      expect(texts.get(SBOM), name).not.toContain(`"pkg:npm/${name.replace('@', '%40')}@`);
      expect(texts.get(LICENCES), name).not.toContain(`\n${name} `);
    }
  });

  test('and what it imports of the client is found missing, not something else', async () => {
    const { outputs } = await bundle(BUNDLE_WITHOUT_CLIENT);
    const external = Object.values(outputs).flatMap(({ imports }) => imports.filter((one) => one.external));
    const others = external.map(({ path }) => path).filter((path) => !path.startsWith('node:'));
    expect(others).toContain('@kubernetes/client-node');
    expect(external.find(({ path }) => path === '@kubernetes/client-node')?.kind).toBe('dynamic-import');
  });
});
