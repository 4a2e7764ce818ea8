/**
 * The bill of materials of what is bundled, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). The same input
 * gives the same bytes: there is no time in it, and the serial number is a digest of the rest.
 */
import { createHash } from 'node:crypto';
import type { Bundle, BundledPackage } from './packages.ts';

/** package.json's facts of the program. */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: { readonly node: string };
}

const RUNTIME = 'runtime:node';

/** The document's text. The revision is a commit; null where it is not known. */
export function sbomText(program: Program, bundle: Bundle, revision: string | null): string {
  const document = sbomOf(program, bundle, revision);
  const digest = createHash('sha256').update(JSON.stringify(document)).digest('hex');
  const { $schema, bomFormat, specVersion, ...rest } = document;
  const named = { $schema, bomFormat, specVersion, serialNumber: serialOf(digest), ...rest };
  return `${JSON.stringify(named, null, 2)}\n`;
}

/** A UUID of version 8 (RFC 9562: made as its maker likes) of 122 bits of the digest. */
function serialOf(digest: string): string {
  const variant = ((Number.parseInt(digest.slice(15, 16), 16) & 0x3) | 0x8).toString(16);
  const groups = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(12, 15)}`,
    `${variant}${digest.slice(16, 19)}`,
    digest.slice(19, 31),
  ];
  return `urn:uuid:${groups.join('-')}`;
}

function sbomOf(program: Program, { packages, imports }: Bundle, revision: string | null) {
  // No package URL: the program is in no registry, and pkg:npm would name whoever takes the name there.
  const root = `${program.name}@${program.version}`;
  const refs = new Map(packages.map((one) => [one.folder, purlOf(one)]));
  const refsOf = (folders: readonly string[]) => folders.flatMap((folder) => refs.get(folder) ?? []).sort();
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': root,
        name: program.name,
        version: program.version,
        description: program.description,
        licenses: [{ license: { id: program.license } }],
        ...(revision === null ? {} : { properties: [{ name: `${program.name}:revision`, value: revision }] }),
      },
    },
    components: [
      ...packages.map(componentOf),
      {
        type: 'platform',
        'bom-ref': RUNTIME,
        name: 'Node.js',
        description: `The runtime, ${program.engines.node}, is not part of the bundle. The image has it, and the system's libraries, from its base: a scanner of images lists them`,
      },
    ],
    dependencies: [
      { ref: root, dependsOn: [...refsOf(imports), RUNTIME] },
      ...packages.map((one) => ({ ref: purlOf(one), dependsOn: refsOf(one.imports) })),
      { ref: RUNTIME },
    ],
    // Whether the list is complete: of what is bundled it is, of what the runtime consists of nothing is said.
    compositions: [
      { aggregate: 'complete', assemblies: [root], dependencies: [...refs.values()] },
      { aggregate: 'unknown', assemblies: [RUNTIME] },
    ],
  };
}

function componentOf(one: BundledPackage) {
  const [scope, name] = one.name.startsWith('@') ? one.name.split('/') : [undefined, one.name];
  return {
    type: 'library',
    'bom-ref': purlOf(one),
    ...(scope === undefined ? {} : { group: scope }),
    name,
    version: one.version,
    scope: 'required',
    // Of the package's archive in the registry, as the lock file has it.
    hashes: [{ alg: 'SHA-512', content: Buffer.from(one.sha512, 'base64').toString('hex') }],
    licenses: [{ license: { id: one.licence, acknowledgement: 'declared' } }],
    purl: purlOf(one),
  };
}

/** https://github.com/package-url/purl-spec: the at sign of a scope is written %40. */
function purlOf({ name, version }: BundledPackage): string {
  return `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
}
