/** What is in the bundle, beside the bundle: the bill of materials, and the licences with their texts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { licencesText } from './inventory/licences.ts';
import { bundledPackages } from './inventory/packages.ts';
import { sbomText } from './inventory/sbom.ts';

export const SBOM = 'sbom.cdx.json';
export const LICENCES = 'THIRD-PARTY-LICENSES.txt';

/** The two texts, by the name of their file. Paths of the metafile are those below `root`. A revision of "unknown" is none. */
export function inventoryOf(
  metafile: Metafile,
  { root, revision }: { readonly root: string; readonly revision: string },
): ReadonlyMap<string, string> {
  const bundle = bundledPackages(metafile, readJson(join(root, 'package-lock.json')));
  const program = readJson(join(root, 'package.json'));
  return new Map([
    [SBOM, sbomText(program, bundle, revision === 'unknown' ? null : revision)],
    [LICENCES, licencesText(bundle.packages, root)],
  ]);
}

/** Writes both into the folder of the bundle. */
export function writeInventory(metafile: Metafile, folder: string, revision: string): void {
  for (const [name, text] of inventoryOf(metafile, { root: '.', revision })) {
    writeFileSync(join(folder, name), text);
  }
}

function readJson(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
