/** The licences of what is bundled, with their texts: each of them asks that it goes along with every copy. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledPackage } from './packages.ts';

/** What may be shipped within a program under Apache-2.0 by sending the text along, and asks for no more. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
]);
const TEXTS = /^(?:licen[cs]e|copying|notice)/i;
const RULE = '-'.repeat(78);

/**
 * One text of all licences. Throws, with every problem, where a licence is none of those above, a package has no text of
 * it, or what is installed below `root` is not what the lock file says.
 */
export function licencesText(packages: readonly BundledPackage[], root: string): string {
  const problems: string[] = [];
  const sections = packages.map((one) => {
    const texts = textsOf(join(root, one.folder));
    const installed = installedVersion(join(root, one.folder));
    if (!ALLOWED.has(one.licence)) {
      problems.push(`"${one.name}" is under "${one.licence}", which is not among ${[...ALLOWED].join(', ')}`);
    }
    if (texts.length === 0) problems.push(`"${one.name}" has no text of its licence`);
    if (installed !== one.version) {
      problems.push(
        `"${one.name}" is installed as ${installed}, the lock file says ${one.version}; run npm ci`,
      );
    }
    return [RULE, `${one.name} ${one.version}: ${one.licence}`, RULE, '', ...texts].join('\n');
  });
  if (problems.length > 0) throw new Error(`Cannot ship what is bundled: ${problems.join('; ')}`);
  return [HEAD, ...sections].join('\n');
}

const HEAD = `These packages are within this program's files, each under the licence that follows it. Node.js and the system's
libraries, which an image has from its base, come with their own.
`;

/** LICENSE before NOTICE, as they sort. */
function textsOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => TEXTS.test(name))
    .sort()
    .map((name) => `${readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim()}\n`);
}

function installedVersion(folder: string): unknown {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}
