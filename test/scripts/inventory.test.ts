/** What is in the bundle, from the real tree: bundled here as scripts/build.ts does it. `npm test` builds dist first. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { build, type Metafile } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUNDLE } from '../../scripts/bundle.ts';
import { licencesText } from '../../scripts/inventory/licences.ts';
import { type BundledPackage, bundledPackages, type LockFile } from '../../scripts/inventory/packages.ts';
import { inventoryOf, LICENCES, SBOM } from '../../scripts/inventory.ts';

const ROOT = join(import.meta.dirname, '..', '..');

async function bundle() {
  const { metafile, outputFiles } = await build({ ...BUNDLE, absWorkingDir: ROOT, write: false });
  return { metafile, text: outputFiles.map((file) => file.text).join('\n') };
}

/** Reads the real tree, of one revision. */
function inventory(metafile: Metafile, revision = '0123456789ab') {
  const texts = inventoryOf(metafile, { root: ROOT, revision });
  return { sbom: texts.get(SBOM) ?? '', licences: texts.get(LICENCES) ?? '' };
}

function libraries(sbom: string) {
  const {
    components,
  }: { components: { type: string; purl: string; licenses: [{ license: { id: string } }] }[] } =
    JSON.parse(sbom);
  return components.filter(({ type }) => type === 'library');
}

describe('the bill of materials', () => {
  test('lists the packages whose code is in the bundle, by the comments that esbuild puts above it', async () => {
    const { metafile, text } = await bundle();
    const inCode = [...text.matchAll(/^\s*\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(
      ([, name]) => name,
    );
    const listed = libraries(inventory(metafile).sbom).map(({ purl }) =>
      purl.replace(/^pkg:npm\/(.+)@[^@]+$/, '$1').replace('%40', '@'),
    );
    expect(listed.sort()).toEqual([...new Set(inCode)].sort());
    // Those that `npm sbom --omit dev` leaves out.
    expect(listed).toEqual(expect.arrayContaining(['yaml', '@opentelemetry/api']));
  });

  test('is the one that lies in dist', async () => {
    const shipped = readFileSync(join(ROOT, 'dist', SBOM), 'utf8');
    const { properties = [{ value: 'unknown' }] } = JSON.parse(shipped).metadata.component;
    const { sbom, licences } = inventory((await bundle()).metafile, properties[0].value);
    expect(sbom).toBe(shipped);
    expect(licences).toBe(readFileSync(join(ROOT, 'dist', LICENCES), 'utf8'));
  });

  test('has the same bytes for the same input, and another serial number for another revision', async () => {
    const [once, again] = await Promise.all([bundle(), bundle()]);
    expect(inventory(again.metafile)).toEqual(inventory(once.metafile));
    const serials = ['0123456789ab', 'ba9876543210', 'unknown'].map(
      (revision) => JSON.parse(inventory(once.metafile, revision).sbom).serialNumber,
    );
    expect(new Set(serials).size).toBe(3);
    expect(serials[0]).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  test('is valid by the schema of CycloneDX 1.6, unknown fields refused', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    const { sbom } = inventory((await bundle()).metafile);
    expect(await validator.validate(sbom)).toBeNull();
    expect(await validator.validate(sbom.replace('"scope": "required"', '"scope": "needed"'))).not.toBeNull();
    expect(await validator.validate(sbom.replace('"purl"', '"url"'))).not.toBeNull();
  });

  test('says who imports whom, and names everything that it refers to', async () => {
    const document = JSON.parse(inventory((await bundle()).metafile).sbom);
    const dependencies: { ref: string; dependsOn?: string[] }[] = document.dependencies;
    const refs = dependencies.map(({ ref }) => ref);
    const components: { 'bom-ref': string }[] = [document.metadata.component, ...document.components];
    expect(refs).toEqual(components.map((one) => one['bom-ref']));
    expect(refs).toEqual(expect.arrayContaining(dependencies.flatMap(({ dependsOn = [] }) => dependsOn)));
    const bare = (ref: string) => ref.replace(/@[^@]*$/, '');
    const reached = new Map(dependencies.map(({ ref, dependsOn = [] }) => [bare(ref), dependsOn.map(bare)]));
    expect(reached.get('eks-endpoint-exporter')).toContain('pkg:npm/prom-client');
    expect(reached.get('eks-endpoint-exporter')).not.toContain('pkg:npm/tdigest');
    expect(reached.get('pkg:npm/prom-client')).toEqual(['pkg:npm/%40opentelemetry/api', 'pkg:npm/tdigest']);
  });
});

describe('the licences', () => {
  test('have a text for each package of the bundle', async () => {
    const { sbom, licences } = inventory((await bundle()).metafile);
    for (const { purl, licenses } of libraries(sbom)) {
      const [, name = '', version] = /^pkg:npm\/(.+)@([^@]+)$/.exec(purl) ?? [];
      expect(licences).toContain(`\n${name.replace('%40', '@')} ${version}: ${licenses[0].license.id}\n`);
    }
    expect(
      licences.match(/^Copyright|^\s+Apache License$|Permission to use/gim)?.length,
    ).toBeGreaterThanOrEqual(libraries(sbom).length);
  });

  describe('of a made package', () => {
    let root: string;
    const one: BundledPackage = {
      folder: 'node_modules/made',
      name: 'made',
      version: '1.0.0',
      licence: 'MIT',
      sha512: '',
      imports: [],
    };
    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), 'inventory-'));
      mkdirSync(join(root, one.folder), { recursive: true });
      writeFileSync(join(root, one.folder, 'package.json'), '{"version":"1.0.0"}');
      writeFileSync(join(root, one.folder, 'LICENCE.md'), 'Take it\r\n');
      writeFileSync(join(root, one.folder, 'NOTICE'), 'Made by me');
    });
    afterEach(() => rmSync(root, { recursive: true }));

    test('go along with its notice', () => {
      expect(licencesText([one], root)).toMatch(/\nmade 1\.0\.0: MIT\n-+\n\nTake it\n\nMade by me\n$/);
    });

    test.each(['GPL-3.0-only', '(MIT OR GPL-3.0-only)', 'UNLICENSED'])('under %s are refused', (licence) => {
      expect(() => licencesText([{ ...one, licence }], root)).toThrow(
        `"made" is under "${licence}", which is not`,
      );
    });

    test('without a text, or of another version than the lock file has, are refused, both at once', () => {
      rmSync(join(root, one.folder, 'LICENCE.md'));
      rmSync(join(root, one.folder, 'NOTICE'));
      expect(() => licencesText([{ ...one, version: '1.0.1' }], root)).toThrow(
        'Cannot ship what is bundled: "made" has no text of its licence; "made" is installed as 1.0.0, the lock file says 1.0.1; run npm ci',
      );
    });
  });
});

describe('the packages of a bundle', () => {
  const FACTS = { version: '1.0.0', license: 'MIT', integrity: 'sha1-AA== sha512-AAAA' };

  /** A bundle of these files; those with a 0 were shaken off. */
  function metafileOf(files: Record<string, number>): Metafile {
    const inputs = Object.entries(files).map(([file, bytesInOutput]) => [file, { bytesInOutput }]);
    const outputs = {
      'dist/main.js': { bytes: 1, inputs: Object.fromEntries(inputs), imports: [], exports: [] },
    };
    return { inputs: Object.fromEntries(inputs.map(([file]) => [file, { bytes: 1, imports: [] }])), outputs };
  }

  test('are told apart by the folder, one within another too, and those shaken off do not count', () => {
    const lock: LockFile = {
      packages: {
        'node_modules/@a/b': FACTS,
        'node_modules/@a/b/node_modules/c': { ...FACTS, version: '2.0.0' },
      },
    };
    const files = {
      'src/main.ts': 1,
      'node_modules/@a/b/node_modules/c/index.js': 1,
      'node_modules/@a/b/index.js': 1,
      'node_modules/d/index.js': 0,
    };
    expect(bundledPackages(metafileOf(files), lock).packages).toMatchObject([
      { name: '@a/b', version: '1.0.0', licence: 'MIT', sha512: 'AAAA' },
      { name: 'c', version: '2.0.0' },
    ]);
  });

  test.each<[string, string, LockFile, string]>([
    ['a file of nobody', 'vendor/x.js', {}, 'Cannot tell what "vendor/x.js" in the bundle belongs to'],
    ['a package that the lock file lacks', 'node_modules/x/x.js', {}, 'Cannot describe "node_modules/x"'],
    [
      'a package without integrity',
      'node_modules/x/x.js',
      { packages: { 'node_modules/x': { version: '1.0.0', license: 'MIT' } } },
      'Cannot describe "node_modules/x": package-lock.json has no version, licence or sha512 of it',
    ],
    [
      'a package whose licence is no text',
      'node_modules/x/x.js',
      { packages: { 'node_modules/x': { ...FACTS, license: { type: 'MIT' } } } },
      'Cannot describe "node_modules/x"',
    ],
  ])('%s is refused', (_, file, lock, message) => {
    expect(() => bundledPackages(metafileOf({ [file]: 1 }), lock)).toThrow(message);
  });
});
