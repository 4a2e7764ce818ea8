/** The files of an image, as its root filesystem has them. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { podman } from './engine.ts';

export interface Entry {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  /** Of a file its digest, of a link where it leads; else empty. */
  readonly content: string;
}

/** Every path of an image, from "/". */
export async function treeOf(image: string): Promise<ReadonlyMap<string, Entry>> {
  const root = (await podman('image', 'mount', image)).trim();
  try {
    return new Map(pathsBelow(root, '').map((path) => [path, entryOf(join(root, path))]));
  } finally {
    await podman('image', 'unmount', image);
  }
}

/** Does not follow links, as a recursive readdir would: some lead out of the image. */
function pathsBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((each) => {
    const path = `${folder}/${each.name}`;
    return each.isDirectory() ? [path, ...pathsBelow(root, path)] : [path];
  });
}

function entryOf(path: string): Entry {
  const stat = lstatSync(path);
  const own = { mode: stat.mode & 0o7777, uid: stat.uid };
  if (stat.isSymbolicLink()) return { kind: 'link', ...own, content: readlinkSync(path) };
  if (stat.isDirectory()) return { kind: 'folder', ...own, content: '' };
  if (!stat.isFile()) return { kind: 'other', ...own, content: '' };
  const content = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { kind: 'file', ...own, content };
}
