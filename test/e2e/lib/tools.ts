/** What the end-to-end tests need of the machine: Linux, root, and a few programs. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';

/** Each program, and the Debian package that has it. */
const PROGRAMS = {
  ip: 'iproute2',
  dnsmasq: 'dnsmasq-base',
  openssl: 'openssl',
  promtool: 'prometheus',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  ss: 'iproute2',
  unshare: 'util-linux',
} as const;

/** Where root's programs are, whatever PATH the shell of a user has. */
export const PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);

/**
 * `describe` for tests on real sockets: skipped with a message where this machine cannot run them, and an error
 * there under CI, so that a green pipeline has run them.
 */
export const describeOnSockets = describeWith('end-to-end', PROGRAMS);

/** The same for other tests, which need these programs, each with its Debian package. */
export function describeWith(what: string, programs: Readonly<Record<string, string>>): Describe {
  return describe.skipIf(!canRun(what, programs));
}

type Describe = ReturnType<typeof describe.skipIf>;

function canRun(what: string, programs: Readonly<Record<string, string>>): boolean {
  const lacks = whatIsMissing(programs);
  if (lacks.length === 0) return true;
  const message = `Cannot run the ${what} tests: ${lacks.join('; ')}`;
  if (process.env['CI']) throw new Error(message);
  console.warn(`${message}. Skipped.`);
  return false;
}

function whatIsMissing(programs: Readonly<Record<string, string>>): readonly string[] {
  const lacks = Object.entries(programs)
    .filter(([program]) => !isOnPath(program))
    .map(([program, packageName]) => `"${program}" is missing (Debian package ${packageName})`);
  if (process.platform !== 'linux') lacks.push(`they need Linux, this is ${process.platform}`);
  else if (process.getuid?.() !== 0) lacks.push('they need root, for namespaces');
  return lacks;
}

function isOnPath(program: string): boolean {
  return PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
