/** The bill of materials and the licences: into the release's folder, and to the image where a tool for that is here. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LICENCES, SBOM } from '../inventory.ts';
import { pushedImage } from './image.ts';
import type { Shell } from './shell.ts';

export interface Attachment {
  readonly folder: string;
  /** `REGISTRY/eks-endpoint-exporter`, for a dry run; else step image's counts. */
  readonly name: string;
  readonly isSigned: boolean;
}

/**
 * The image has the same two files in /app: they are made of the lock file, the sources and the commit, and of nothing
 * else. Throws where they are to be put to an image, and step image has not been done.
 */
export function releaseInventory(shell: Shell, { folder, name, isSigned }: Attachment): void {
  shell.run('npm', 'run', '--silent', 'build');
  for (const file of [SBOM, LICENCES]) {
    shell.say(`${join('dist', file)} -> ${join(folder, file)}`);
    if (shell.isDryRun) continue;
    mkdirSync(folder, { recursive: true });
    copyFileSync(join('dist', file), join(folder, file));
  }
  attach(shell, { folder, name, isSigned });
}

function attach(shell: Shell, { folder, name, isSigned }: Attachment): void {
  const sbom = join(folder, SBOM);
  if (!isSigned && !shell.has('oras')) {
    shell.say(
      `The bill of materials stays in ${folder}: without "oras", or --sign, it is not put beside the image`,
    );
    return;
  }
  const reference = shell.isDryRun ? `${name}@<digest>` : referenceOf(folder);
  if (isSigned) {
    shell.run('cosign', 'sign', '--recursive', reference);
    shell.run('cosign', 'attest', '--type', 'cyclonedx', '--predicate', sbom, reference);
    return;
  }
  const type = 'application/vnd.cyclonedx+json';
  shell.run('oras', 'attach', '--artifact-type', type, reference, `${sbom}:${type}`);
}

function referenceOf(folder: string): string {
  const { name, digest } = pushedImage(folder);
  return `${name}@${digest}`;
}
