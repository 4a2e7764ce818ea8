/** The steps of a release, for a person to run: docs/release.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseInventory } from './release/attachment.ts';
import { releaseImage } from './release/image.ts';
import { releaseNotes } from './release/notes.ts';
import { missingPrograms, type Options, parseOptions, type Step, USAGE } from './release/options.ts';
import { checkReadiness } from './release/readiness.ts';
import { dryShell, realShell, type Shell } from './release/shell.ts';

interface Plan extends Options {
  readonly version: string;
  /** `REGISTRY/eks-endpoint-exporter`. */
  readonly name: string;
  /** Where what is made for this release is put. */
  readonly folder: string;
}

const DO: Readonly<Record<Step, (shell: Shell, plan: Plan) => void>> = {
  check: (shell, { version }) => checkReadiness(shell, version, readFileSync('CHANGELOG.md', 'utf8')),
  gate: (shell) => shell.run('.ci/run'),
  image: releaseImage,
  sbom: releaseInventory,
  notes: (shell, { version, folder }) => releaseNotes(shell, version, folder),
};

process.exitCode = main(process.argv.slice(2));

/** 0, 1 where a step cannot be done, 64 for a mistake in the command line. */
function main(argv: readonly string[]): number {
  let options: Options | 'help';
  try {
    options = parseOptions(argv);
  } catch (error) {
    console.error(`${messageOf(error)}; --help shows all`);
    return 64;
  }
  if (options === 'help') {
    console.log(USAGE);
    return 0;
  }
  const shell = options.isDryRun ? dryShell(console.log) : realShell(console.log);
  try {
    const missing = options.isDryRun ? [] : missingPrograms(options, shell.has);
    if (missing.length > 0) throw new Error(`Cannot release: ${missing.join('; ')}`);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const name = `${options.registry ?? 'REGISTRY'}/eks-endpoint-exporter`;
    for (const step of options.steps) {
      console.log(`-- ${step}`);
      DO[step](shell, { ...options, version, name, folder: join('release', version) });
    }
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
