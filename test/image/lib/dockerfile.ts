/** The committed Dockerfile, as far as the tests read it: the names of its bases are written there and nowhere else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..', '..');

/** The default of a build argument. */
export function argument(name: string): string {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const value = new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`Cannot find a default for "ARG ${name}" in the Dockerfile`);
  return value;
}

/** package.json's. */
export function packageVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );
  return version;
}
