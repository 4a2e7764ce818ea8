/**
 * Which npm packages are in the bundle. esbuild says it (its metafile), the lock file says what each is. npm's own
 * `npm sbom --omit dev` would leave out `yaml`, because a development dependency can use it too (npm/cli#7909).
 */
import type { Metafile } from 'esbuild';

export interface BundledPackage {
  /** Of the root of the repository, which is its key in the lock file: `node_modules/yaml`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** An SPDX id, as the package declares it. */
  readonly licence: string;
  /** SHA-512 of the package's archive, base64, without the prefix `sha512-`. */
  readonly sha512: string;
  /** Folders of the packages in the bundle that it imports. */
  readonly imports: readonly string[];
}

export interface Bundle {
  /** Sorted by folder. */
  readonly packages: readonly BundledPackage[];
  /** Folders of the packages that the program's own files import. */
  readonly imports: readonly string[];
}

/** A lock file of version 3, as far as it is read here. */
export interface LockFile {
  readonly packages?: Readonly<
    Record<string, { readonly version?: string; readonly license?: unknown; readonly integrity?: string }>
  >;
}

const OWN = 'src/';

/** Throws where a part of the bundle belongs to no package of the lock file, or the lock file lacks a fact of it. */
export function bundledPackages(metafile: Metafile, lock: LockFile): Bundle {
  const files = filesInBundle(metafile);
  const folders = new Set([...files].filter((file) => !file.startsWith(OWN)).map(folderOf));
  const importsOf = (isOwner: (file: string) => boolean, self: string): readonly string[] => {
    const imported = [...files]
      .filter(isOwner)
      .flatMap((file) => metafile.inputs[file]?.imports ?? [])
      .filter(({ path, external }) => !external && files.has(path) && !path.startsWith(OWN))
      .map(({ path }) => folderOf(path));
    return [...new Set(imported)].filter((folder) => folder !== self).sort();
  };
  return {
    packages: [...folders].sort().map((folder) => ({
      folder,
      ...factsOf(folder, lock),
      imports: importsOf((file) => !file.startsWith(OWN) && folderOf(file) === folder, folder),
    })),
    imports: importsOf((file) => file.startsWith(OWN), ''),
  };
}

/** Inputs of which something is in an output: what was shaken off does not ship. */
function filesInBundle({ outputs }: Metafile): ReadonlySet<string> {
  return new Set(
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs)
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .map(([file]) => file),
    ),
  );
}

function folderOf(file: string): string {
  const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
  if (folder === undefined) {
    throw new TypeError(
      `Cannot tell what "${file}" in the bundle belongs to: it is neither below src nor of a package`,
    );
  }
  return folder;
}

function factsOf(
  folder: string,
  lock: LockFile,
): Pick<BundledPackage, 'name' | 'version' | 'licence' | 'sha512'> {
  const locked = lock.packages?.[folder];
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const { version, license: licence } = locked ?? {};
  const sha512 = /(?:^|\s)sha512-([A-Za-z\d+/=]+)/.exec(locked?.integrity ?? '')?.[1];
  if (version === undefined || typeof licence !== 'string' || sha512 === undefined) {
    throw new TypeError(
      `Cannot describe "${folder}": package-lock.json has no version, licence or sha512 of it`,
    );
  }
  return { name, version, licence, sha512 };
}
