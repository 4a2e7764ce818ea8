/** What npm knows of the packages: known vulnerabilities, and whether the registry's signatures are good. */
import type { Answer } from './shell.ts';

/** Not to have been told is not to have found nothing. */
export type Verdict =
  | { readonly kind: 'clean' }
  | { readonly kind: 'found'; readonly lines: readonly string[] }
  | { readonly kind: 'not asked'; readonly reason: string };

export const VULNERABILITIES = ['npm', 'audit', '--omit=dev', '--json'] as const;
export const SIGNATURES = ['npm', 'audit', 'signatures', '--json'] as const;

interface AuditReport {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly name: string; readonly severity: string; readonly range: string }>
  >;
}
interface SignatureReport {
  readonly invalid?: readonly SignedPackage[];
  readonly missing?: readonly SignedPackage[];
}
interface SignedPackage {
  readonly name: string;
  readonly version: string;
}

/** Of `npm audit --json`, whose exit code is 1 for vulnerabilities and for an error alike. */
export function vulnerabilitiesOf(answer: Answer): Verdict {
  const report: AuditReport | null = read(answer.stdout);
  if (report?.auditReportVersion === undefined || report.vulnerabilities === undefined)
    return notAsked(answer);
  const lines = Object.values(report.vulnerabilities).map(
    ({ name, severity, range }) => `${name} ${range}: ${severity}`,
  );
  return verdictOf(answer, lines);
}

/** Of `npm audit signatures --json`: all installed packages, those that only build and test too. */
export function signaturesOf(answer: Answer): Verdict {
  const report: SignatureReport | null = read(answer.stdout);
  if (report?.invalid === undefined || report.missing === undefined) return notAsked(answer);
  const lines = [
    ...report.invalid.map(({ name, version }) => `${name} ${version}: the signature is not good`),
    ...report.missing.map(({ name, version }) => `${name} ${version}: no signature`),
  ];
  return verdictOf(answer, lines);
}

/** What npm says by its exit code alone is no good news either. */
function verdictOf(answer: Answer, lines: readonly string[]): Verdict {
  if (lines.length > 0) return { kind: 'found', lines };
  return answer.code === 0 ? { kind: 'clean' } : notAsked(answer);
}

/** npm writes an error's summary into the JSON, and where that is empty, as with a proxy's answer, a message. */
function notAsked({ stdout, stderr, code }: Answer): Verdict {
  const failure: { message?: string; error?: { summary?: string } } | null = read(stdout);
  const error = stderr.split('\n').find((line) => line.startsWith('npm error'));
  const reason =
    failure?.error?.summary || failure?.message || error || `npm ended with ${code}, without a reason`;
  return { kind: 'not asked', reason: reason.split('\n')[0]?.trim() ?? '' };
}

function read(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
