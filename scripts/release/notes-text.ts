/** The text that goes with a release. */
import type { Verdict } from './audit.ts';
import type { PushedImage } from './image.ts';

export interface Release {
  readonly image: PushedImage;
  readonly revision: string;
  /** The changelog's section. */
  readonly changes: string;
  /** `npm audit --omit=dev`. */
  readonly vulnerabilities: Verdict;
  /** `npm audit signatures`. */
  readonly signatures: Verdict;
  /** Each file beside the image, with what it is and its size. */
  readonly files: readonly { readonly name: string; readonly what: string; readonly bytes: number }[];
  /** Packages in the bundle. */
  readonly packages: readonly string[];
}

/** Markdown. */
export function notesText({ image, revision, changes, ...rest }: Release): string {
  return `# eks-endpoint-exporter ${image.version}

${changes}

## Image

\`${image.name}:${image.version}@${image.digest}\`

From commit ${revision}. ${sizesText(image)}

## What is in it

npm packages in the bundle: ${rest.packages.join(', ')}. The image has Node.js and the system's libraries from its base.

| file | | KiB |
|---|---|---|
${rest.files.map(({ name, what, bytes }) => `| \`${name}\` | ${what} | ${(bytes / 1024).toFixed(1)} |`).join('\n')}

- \`npm audit --omit=dev\`, known vulnerabilities of what is in it: ${verdictText(rest.vulnerabilities, 'none')}.
- \`npm audit signatures\`, the registry's signatures of all packages that built it: ${verdictText(rest.signatures, 'all good')}.
`;
}

function sizesText({ sizes }: PushedImage): string {
  if (sizes === null) return 'Its size could not be asked for.';
  const each = sizes.map(({ platform, bytes }) => `${platform} ${(bytes / 1e6).toFixed(1)} MB`);
  return `To fetch, base included: ${each.join(', ')}.`;
}

/** Without a full stop. */
export function verdictText(verdict: Verdict, clean: string): string {
  switch (verdict.kind) {
    case 'clean':
      return clean;
    case 'found':
      return `**found:** ${verdict.lines.join('; ')}`;
    case 'not asked':
      return `**could not be asked** (${verdict.reason}), which says nothing of the packages`;
  }
}
