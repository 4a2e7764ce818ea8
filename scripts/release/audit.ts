/** What npm knows of the packages, in the notes' words: not to have been told is not to have found nothing. */
import type { Answer, Command } from './shell.ts';

export const VULNERABILITIES: Command = ['npm', 'audit', '--omit=dev', '--json'];
export const SIGNATURES: Command = ['npm', 'audit', 'signatures', '--json'];

interface Report {
  readonly vulnerabilities?: Readonly<Record<string, { name: string; severity: string; range: string }>>;
  readonly invalid?: readonly { name: string; version: string }[];
  readonly missing?: readonly { name: string; version: string }[];
  readonly error?: { readonly summary?: string };
  readonly message?: string;
}

/** Of `npm audit --json`. */
export function vulnerabilitiesText(answer: Answer): string {
  const { vulnerabilities } = read(answer);
  const found =
    vulnerabilities &&
    Object.values(vulnerabilities).map(({ name, range, severity }) => `${name} ${range}: ${severity}`);
  return textOf(answer, found, 'none');
}

/** Of `npm audit signatures --json`: all installed packages, those that only build and test too. */
export function signaturesText(answer: Answer): string {
  const { invalid, missing } = read(answer);
  const found =
    invalid &&
    missing &&
    [...invalid, ...missing].map((one) => `${one.name} ${one.version}: no good signature`);
  return textOf(answer, found, 'all good');
}

/** npm's exit code is 1 for findings and for errors alike; 1 without findings is no good news. */
function textOf(answer: Answer, found: readonly string[] | undefined, good: string): string {
  if (found !== undefined && found.length > 0) return `**found:** ${found.join('; ')}`;
  if (found !== undefined && answer.code === 0) return good;
  return `**could not be asked** (${reasonOf(answer)}), which says nothing of the packages`;
}

/** npm writes an error's summary into the JSON, and where that is empty, as with a proxy's answer, a message. */
function reasonOf(answer: Answer): string {
  const { error, message } = read(answer);
  const said = answer.stderr.split('\n').find((line) => line.startsWith('npm error'));
  const reason = error?.summary || message || said || `npm ended with ${answer.code}, without a reason`;
  return reason.split('\n')[0]?.trim() ?? '';
}

function read({ stdout }: Answer): Report {
  try {
    return JSON.parse(stdout) ?? {};
  } catch {
    return {};
  }
}
