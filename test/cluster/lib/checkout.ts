/** This checkout as its users have it: with their own lines in kustomization.yaml. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../../e2e/lib/command.ts';
import { ROOT } from '../../support/manifests.ts';

/** What a user may say in kustomization.yaml. */
export interface Choice {
  /** Folders of deploy/. */
  readonly components?: readonly string[];
  readonly resources?: readonly string[];
  readonly env?: Environment;
  /** Of the image, in a registry. */
  readonly newName?: string;
}

const IMAGE = 'eks-endpoint-exporter';
/** Of the variables in the patch. */
const INDENT = ' '.repeat(18);

/** Makes `folder` such a checkout: the committed lines of kustomization.yaml edited where they stand. */
export async function writeCheckout(folder: string, choice: Choice): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of ['daemonset.yaml', 'deploy']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  const text = await readFile(join(ROOT, 'kustomization.yaml'), 'utf8');
  await writeFile(join(folder, 'kustomization.yaml'), edited(text, choice));
}

function edited(
  text: string,
  { components = [], resources = [], env = {}, newName = IMAGE }: Choice,
): string {
  const { EKS_ENDPOINT_EXPECT: expectation = 'any', ...others } = env;
  const variables = Object.entries(others).map(([name, value]) => JSON.stringify({ name, value }));
  const edits: readonly (readonly [from: string, to: string])[] = [
    ['components: []', `components: [${components.join(', ')}]`],
    [`newName: ${IMAGE}`, `newName: ${newName}`],
    ['value: any', [`value: ${expectation}`, ...variables].join(`\n${INDENT}- `)],
    ...resources.map((resource) => [`# - ${resource}\n`, `- ${resource}\n`] as const),
  ];
  return edits.reduce((before, [from, to]) => {
    if (before.split(from).length !== 2) throw new Error(`Cannot edit "${from}": it is not there once`);
    return before.replace(from, to);
  }, text);
}
