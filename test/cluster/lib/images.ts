/** An image of one static program, made without a builder: an archive as `docker save` writes it. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { must } from '../../e2e/lib/command.ts';

/** Node's names of architectures in OCI's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface ImageOptions {
  /** With its registry, as kubelet asks for it. */
  readonly name: string;
  /** Path of the program, which becomes the entry point. */
  readonly program: string;
  /** An empty folder of its own. */
  readonly folder: string;
}

/** Gives the path of the archive. Links beside the program lead into the folder /usr, which can be mounted. */
export async function makeImage({ name, program, folder }: ImageOptions): Promise<string> {
  const root = join(folder, 'root');
  await mkdir(join(root, 'usr'), { recursive: true });
  await copyFile(program, join(root, basename(program)));
  for (const link of ['bin', 'sbin', 'lib', 'lib64'])
    await must('ln', ['-s', `usr/${link}`, join(root, link)]);
  const layer = join(folder, 'layer.tar');
  await must('tar', ['--create', `--file=${layer}`, `--directory=${root}`, '--owner=0', '--group=0', '.']);
  const config = {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: { Entrypoint: [`/${basename(program)}`] },
    rootfs: {
      type: 'layers',
      diff_ids: [
        `sha256:${createHash('sha256')
          .update(await readFile(layer))
          .digest('hex')}`,
      ],
    },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'image.tar');
  await must('tar', [
    '--create',
    `--file=${archive}`,
    `--directory=${folder}`,
    'manifest.json',
    'config.json',
    'layer.tar',
  ]);
  return archive;
}
