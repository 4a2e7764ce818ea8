/** Writes the release notes: what the steps before left, and what npm is asked for. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LICENCES, SBOM } from '../inventory.ts';
import { SIGNATURES, signaturesOf, type Verdict, VULNERABILITIES, vulnerabilitiesOf } from './audit.ts';
import { sectionOf } from './changelog.ts';
import { pushedImage } from './image.ts';
import { notesText, verdictText } from './notes-text.ts';
import type { Answer, Command, Shell } from './shell.ts';

const FILES = new Map([
  [SBOM, 'bill of materials, CycloneDX'],
  [LICENCES, 'licences, with their texts'],
]);

/** npm that cannot be asked does not end this: the notes then say so. Throws where a step before has not been done. */
export function releaseNotes(shell: Shell, version: string, folder: string): void {
  const file = join(folder, 'notes.md');
  const left = shell.isDryRun ? null : whatStepsLeft(version, folder);
  const revision = shell.ask(['git', 'rev-parse', '--short=12', 'HEAD'], 'revision');
  const vulnerabilities = judge(shell, VULNERABILITIES, vulnerabilitiesOf);
  const signatures = judge(shell, SIGNATURES, signaturesOf);
  if (left !== null) writeFileSync(file, notesText({ ...left, revision, vulnerabilities, signatures }));
  shell.say(`-> ${file}`);
}

function whatStepsLeft(version: string, folder: string) {
  return {
    image: pushedImage(folder),
    changes: sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version),
    packages: packagesIn(join(folder, SBOM)),
    files: [...FILES].map(([name, what]) => ({ name, what, bytes: statSync(join(folder, name)).size })),
  };
}

function packagesIn(file: string): readonly string[] {
  let sbom: { components: readonly { group?: string; name: string; version?: string }[] };
  try {
    sbom = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`Cannot tell what is in the bundle: "${file}" cannot be read; do the step sbom`);
  }
  // The runtime has no version there: it is not in the bundle.
  return sbom.components.flatMap(({ group, name, version }) =>
    version === undefined ? [] : [`${group === undefined ? '' : `${group}/`}${name} ${version}`],
  );
}

function judge(shell: Shell, command: Command, verdictOf: (answer: Answer) => Verdict): Verdict {
  const answer = shell.attempt(...command);
  if (answer === null) return { kind: 'not asked', reason: 'a dry run' };
  const verdict = verdictOf(answer);
  shell.say(`${command.join(' ')}: ${verdictText(verdict, 'good')}`);
  return verdict;
}
