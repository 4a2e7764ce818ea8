/** The release notes: what the steps before left, and what npm answers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LICENCES, SBOM } from '../inventory.ts';
import { SIGNATURES, signaturesText, VULNERABILITIES, vulnerabilitiesText } from './audit.ts';
import type { PushedImage } from './image.ts';
import type { Answer, Command, Shell } from './shell.ts';

/** npm that cannot be asked does not end this: the notes then say so. Throws where a step before has not been done. */
export function releaseNotes(shell: Shell, version: string, folder: string): void {
  const file = join(folder, 'notes.md');
  const left = shell.isDryRun ? null : whatStepsLeft(version, folder);
  const ask = (command: Command, textOf: (answer: Answer) => string) => {
    const answer = shell.attempt(command);
    if (answer === null) return '';
    const text = textOf(answer);
    console.log(`${command.join(' ')}: ${text}`);
    return text;
  };
  const vulnerabilities = ask(VULNERABILITIES, vulnerabilitiesText);
  const signatures = ask(SIGNATURES, signaturesText);
  console.log(`-> ${file}`);
  if (left === null) return;
  const { changes, image, packages } = left;
  const bases = Object.entries(image.bases).map(
    ([arg, { name, digest }]) => `- ${arg}: \`${name}\`, \`${digest}\``,
  );
  writeFileSync(
    file,
    `# eks-endpoint-exporter ${version}

${changes}

## Image

\`${image.tag}@${image.digest}\`, for amd64 and arm64, from commit ${image.revision}, with

${bases.join('\n')}

## What is in it

npm packages in the bundle: ${packages.join(', ')}. The image has Node.js and the system's libraries from RUNTIME_IMAGE.
\`${SBOM}\` is the bill of materials (CycloneDX), \`${LICENCES}\` has the licences.

- \`npm audit --omit=dev\`, known vulnerabilities of these packages: ${vulnerabilities}.
- \`npm audit signatures\`, the registry's signatures of all packages that built it: ${signatures}.
`,
  );
}

/** What stands in the changelog below `## 0.1.0 / 2026-11-30`; null where no such heading or nothing below it. */
export function changesOf(changelog: string, version: string): string | null {
  const section = changelog.split(/^## /m).find((text) => text.startsWith(`${version} / `));
  return /^\S+ \/ \d{4}-\d{2}-\d{2}\n\s*(\S.*?)\s*$/s.exec(section ?? '')?.[1] ?? null;
}

function whatStepsLeft(version: string, folder: string) {
  const image: PushedImage = readLeft(join(folder, 'image.json'), 'image');
  const { components }: { components: readonly { group?: string; name: string; version?: string }[] } =
    readLeft(join(folder, SBOM), 'sbom');
  return {
    image,
    changes: changesOf(readFileSync('CHANGELOG.md', 'utf8'), version),
    // The runtime has no version there: it is not in the bundle.
    packages: components
      .filter((component) => component.version !== undefined)
      .map((component) =>
        [component.group, `${component.name} ${component.version}`].filter(Boolean).join('/'),
      ),
  };
}

function readLeft(file: string, step: string) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`Cannot write the notes: "${file}" cannot be read; do the step ${step}`);
  }
}
