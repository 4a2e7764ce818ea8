/** A certificate authority, made by openssl. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from './command.ts';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** PEM. */
  readonly ca: string;
  /** Path of the same. */
  readonly file: string;
  /** A serving certificate, signed by the authority, for names as openssl writes them: `DNS:kubernetes`, `IP:10.100.0.1`. */
  issue(...names: readonly string[]): Promise<Certificate>;
}

/** Makes an authority, its files in `folder`, which need not exist. */
export async function makeAuthority(folder: string): Promise<Authority> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'ca.crt');
  const ca = await request(folder, 'ca', ['-subj', '/CN=kubernetes']);
  let issued = 0;
  return {
    ca: ca.cert,
    file,
    // A common name holds 64 characters at most, which a host name may exceed: the names are in subjectAltName.
    issue: (...names) => {
      issued += 1;
      return request(folder, `server-${issued}`, [
        ...['-subj', '/CN=kube-apiserver', '-addext', `subjectAltName=${names.join(',')}`],
        ...['-CA', file, '-CAkey', join(folder, 'ca.key')],
        ...['-addext', 'basicConstraints=critical,CA:FALSE'],
      ]);
    },
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
