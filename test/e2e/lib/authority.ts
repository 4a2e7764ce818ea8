/** The cluster's certificate authority, made by openssl. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from './command.ts';

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** PEM. */
  readonly ca: string;
  /** A serving certificate for a name, signed by the authority. Like EKS's it names no address. */
  issue(hostname: string): Promise<Certificate>;
}

/** Makes an authority, its files in `folder`. */
export async function makeAuthority(folder: string): Promise<Authority> {
  const ca = await request(folder, 'ca', ['-subj', '/CN=kubernetes']);
  return {
    ca: ca.cert,
    // A common name holds 64 characters at most, which a host name may exceed: the name is in subjectAltName.
    issue: (hostname) =>
      request(folder, 'server', [
        ...['-subj', '/CN=kube-apiserver', '-addext', `subjectAltName=DNS:${hostname},DNS:kubernetes`],
        ...['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key')],
        ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ]),
  };
}

async function request(folder: string, name: string, args: readonly string[]): Promise<Certificate> {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  await must('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'],
    ...['-keyout', files.key, '-out', files.cert, ...args],
  ]);
  return { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8') };
}
