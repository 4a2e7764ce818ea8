/** What the person who releases says. */
import { parseArgs } from 'node:util';

const STEPS = ['check', 'gate', 'image', 'sbom', 'notes'] as const;
export type Step = (typeof STEPS)[number];
const ENGINES = ['docker', 'podman'] as const;
export type Engine = (typeof ENGINES)[number];

export interface Options {
  /** In the order in which they are done, whatever order they were given in: `check` first, asked for or not. */
  readonly steps: readonly Step[];
  /** `host[:port][/path]`; null where no step needs it. */
  readonly registry: string | null;
  readonly engine: Engine;
  readonly isDryRun: boolean;
  readonly isSigned: boolean;
}

export const USAGE = `Usage: npm run release -- STEP... [OPTION]...

Steps, done in this order:
  check   nothing uncommitted, a tag for package.json's version, a section for it in CHANGELOG.md; done before any other
  gate    .ci/run: everything that has to pass
  image   built for amd64 and arm64, pushed to the registry; prints its digest
  sbom    bill of materials and licences into release/VERSION, and to the image where a tool for it is here
  notes   release/VERSION/notes.md
  all     all of them

Options:
  --registry REGISTRY   host[:port][/path], where image ends up as REGISTRY/eks-endpoint-exporter:VERSION
  --engine ENGINE       docker (the default; with buildx) or podman
  --sign                sign the image and its bill of materials, with cosign
  --dry-run             print each command, run none, judge and write nothing
  --help                this
`;

/** "help" where that is asked for. Throws RangeError, with every problem. */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const { values, positionals, problems: mistakes } = parse(argv);
  if (values.help) return 'help';
  const problems = [...mistakes];
  const unknown = positionals.filter((word) => word !== 'all' && !STEPS.some((step) => step === word));
  const steps = STEPS.filter(
    (step) => step === 'check' || positionals.includes(step) || positionals.includes('all'),
  );
  const engine = ENGINES.find((one) => one === (values.engine ?? 'docker'));
  const registry = values.registry ?? null;

  problems.push(...unknown.map((word) => `step "${word}": unknown; give ${STEPS.join(', ')} or all`));
  if (positionals.length === 0 && problems.length === 0)
    problems.push(`no step: give ${STEPS.join(', ')} or all`);
  if (engine === undefined)
    problems.push(`--engine "${values.engine}": unknown; give ${ENGINES.join(' or ')}`);
  if (registry !== null && !isRegistry(registry)) {
    problems.push(
      `--registry "${registry}": not host[:port][/path]; give ghcr.io/you, or docker.io/you for Docker Hub`,
    );
  }
  if (registry === null && steps.includes('image'))
    problems.push('--registry is missing: step image pushes to it');
  if (problems.length > 0 || engine === undefined) throw new RangeError(problems.join('; '));
  return { steps, registry, engine, isDryRun: values['dry-run'] ?? false, isSigned: values.sign ?? false };
}

const DECLARED = {
  registry: { type: 'string' },
  engine: { type: 'string' },
  'dry-run': { type: 'boolean' },
  sign: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

function parse(argv: readonly string[]) {
  try {
    return { ...parseArgs({ args: [...argv], options: DECLARED, allowPositionals: true }), problems: [] };
  } catch (error) {
    const nothing = parseArgs({ args: [], options: DECLARED, allowPositionals: true });
    return {
      ...nothing,
      problems: [error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error)],
    };
  }
}

/** With a host in it: docker and podman would each complete "you" in their own way. */
function isRegistry(text: string): boolean {
  const [host = '', ...path] = text.split('/');
  const isHost = /^[a-z\d](?:[a-z\d.-]*[a-z\d])?(?::\d{1,5})?$/i.test(host);
  const isNamed = /[.:]/.test(host) || host === 'localhost';
  return isHost && isNamed && path.every((part) => /^[a-z\d]+(?:[._-]+[a-z\d]+)*$/.test(part));
}

/** What of the programs that the steps need is not here: seen before anything is pushed. */
export function missingPrograms(
  { steps, engine, isSigned }: Options,
  has: (program: string) => boolean,
): readonly string[] {
  const needed = [...(steps.includes('image') ? [engine] : []), ...(isSigned ? ['cosign'] : [])];
  return needed
    .filter((program) => !has(program))
    .map((program) => `"${program}" is missing; ${WHENCE[program]}`);
}

const WHENCE: Readonly<Record<string, string>> = {
  docker: 'install it with buildx, or give --engine podman',
  podman: 'install it and skopeo, or give --engine docker',
  cosign:
    'https://docs.sigstore.dev has it; to sign, it asks for a login to an OIDC provider in the browser, or takes the token that CI gives',
};
