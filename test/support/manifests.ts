/** The manifests of this repository, found by walking, and what each YAML document in them is to be judged as. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { type Extent, problemsOf } from './kubernetes-schema.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

type Fields = { readonly [name: string]: unknown };

/** One YAML document. */
export interface Manifest {
  /** File, and where there can be several the place in it. */
  readonly place: string;
  readonly extent: Extent;
  readonly value: unknown;
}

/** What is not Kubernetes', but Prometheus', Alertmanager's, Grafana's and of collectors. Each has tests of its own. */
const OTHERS = [
  'deploy/prometheus/{rules,alertmanager,demo}.yaml',
  'deploy/prometheus/{scrape,tests}/*.yaml',
  'deploy/grafana/**/*.{yaml,md}',
];

/** Every other YAML file at the top level and under deploy/, relative to the repository. */
export function manifestFiles(): readonly string[] {
  return globSync(['*.{yaml,yml}', 'deploy/**/*.{yaml,yml}'], { cwd: ROOT, exclude: OTHERS }).sort();
}

/** The manifests of the repository, its kustomize patches and the YAML in its instructions. */
export function repositoryManifests(): readonly Manifest[] {
  const files = manifestFiles();
  const patches = new Set(files.filter(isKustomization).flatMap(patchFiles));
  return [
    ...files.flatMap((file) => {
      const extent = patches.has(file) ? 'patch' : 'whole';
      const manifests = parseManifests(read(file), { file, extent });
      return [...manifests, ...manifests.flatMap(inlinePatches)];
    }),
    ...globSync('deploy/**/*.md', { cwd: ROOT, exclude: OTHERS }).flatMap((file) =>
      codeBlocks(read(file)).flatMap((text) => {
        const manifests = parseManifests(text, { file, extent: 'patch' });
        return [...manifests, ...manifests.flatMap(inlinePatches)];
      }),
    ),
  ];
}

/** Reads YAML as kubectl does, by YAML 1.1 (`on` is true there). Throws on what is not well-formed, and on a key given twice. */
export function parseManifests(
  text: string,
  { file, extent }: { readonly file: string; readonly extent: Extent },
): readonly Manifest[] {
  return [...parseAllDocuments(text, { version: '1.1', uniqueKeys: true })].map((document, index) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw new SyntaxError(`Cannot read "${file}": ${error.message}`);
    const value: unknown = document.toJS();
    return { place: `${file} #${index + 1} ${String(at(value, 'kind'))}`, extent, value };
  });
}

/** The documents of one whole manifest or patch of the repository. */
export function readManifest(file: string): readonly Manifest[] {
  return parseManifests(read(file), { file, extent: 'whole' });
}

/** One sentence a problem, with the place. */
export function judge({ place, extent, value }: Manifest): readonly string[] {
  return problemsOf(value, extent).map((problem) => `${place}: ${problem}`);
}

/** The value at a path of field names, indexes, and names of list items; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here)) {
      const items: readonly unknown[] = here;
      here = typeof step === 'number' ? items[step] : items.find((item) => at(item, 'name') === step);
    } else {
      here = isFields(here) ? here[step] : undefined;
    }
  }
  return here;
}

/** What a kustomization names and is not there. */
export function missingOf(file: string): readonly string[] {
  const folder = join(ROOT, dirname(file));
  return readManifest(file).flatMap(({ value }) => {
    const named = [...texts(at(value, 'resources')), ...texts(at(value, 'components')), ...patchPaths(value)];
    return named.filter((name) => {
      const path = join(folder, name);
      return (
        !existsSync(path) || (statSync(path).isDirectory() && !existsSync(join(path, 'kustomization.yaml')))
      );
    });
  });
}

export function isKustomization(file: string): boolean {
  return /(^|\/)kustomization\.yaml$/.test(file);
}

function patchFiles(file: string): readonly string[] {
  return readManifest(file).flatMap(({ value }) =>
    patchPaths(value).map((path) => join(dirname(file), path)),
  );
}

function patchPaths(kustomization: unknown): readonly string[] {
  return items(at(kustomization, 'patches')).flatMap((patch) => texts([at(patch, 'path')]));
}

/** Those that are parts of manifests. Lists of operations (RFC 6902) only kustomize itself can judge. */
function inlinePatches({ place, value }: Manifest): readonly Manifest[] {
  return items(at(value, 'patches')).flatMap((patch, index) =>
    texts([at(patch, 'patch')])
      .flatMap((text) => parseManifests(text, { file: `${place} patches[${index}]`, extent: 'patch' }))
      .filter((part) => !Array.isArray(part.value)),
  );
}

/** The blocks of YAML, of which one in a list is indented. */
export function codeBlocks(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^( *)```yaml\n(.*?)^\1```$/gms)].map(([, indent = '', text = '']) =>
    text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): readonly string[] {
  return items(value).filter((item) => typeof item === 'string');
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
