/** Who asks Prometheus, and whom it trusts: what the files that the flags name hold. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../../model/errors.ts';
import type { PrometheusTarget } from '../source.ts';

type ReadFile = (path: string) => Promise<string>;

/** The queries of a round come one after the other: they share a connection. */
export async function makeAgent(target: PrometheusTarget, readFile: ReadFile): Promise<HttpAgent> {
  const read = (flag: string, path: string | null) => readPem(flag, path, readFile);
  const ca = await read('--prometheus-ca-file', target.caFile);
  const cert = await read('--prometheus-cert-file', target.certFile);
  const key = await read('--prometheus-key-file', target.keyFile);
  const pem = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, text]) => text !== null));
  try {
    createSecureContext(pem);
    // An authority that is no certificate is none to it: it would say so only of the server's.
    if (ca !== null) createSecureContext({ cert: ca });
  } catch (error) {
    const files = [target.caFile, target.certFile, target.keyFile].filter((path) => path !== null);
    throw new Error(
      `Cannot use ${files.map((path) => JSON.stringify(path)).join(' and ')} for TLS: ${reasonOf(error)}; give PEM files that are whole, and a key that is the certificate's and has no password`,
    );
  }
  if (!/^https:/i.test(target.url)) return new HttpAgent({ keepAlive: true });
  // Without a CA file the authorities that Node trusts; whatever the environment says of verifying.
  return new HttpsAgent({ ...pem, keepAlive: true, rejectUnauthorized: true });
}

/** Headers that say who asks. Read at each round: tokens are changed while one waits. */
export async function readCredentials(
  { bearerTokenFile, username, passwordFile }: PrometheusTarget,
  readFile: ReadFile,
): Promise<Readonly<Record<string, string>>> {
  if (bearerTokenFile !== null) {
    const token = await readSecret('--prometheus-bearer-token-file', bearerTokenFile, readFile);
    if (/^[\x21-\x7e]+$/.test(token)) return { authorization: `Bearer ${token}` };
    const what = token === '' ? 'it is empty' : 'what it holds cannot be sent';
    throw new Error(
      `Cannot use ${JSON.stringify(bearerTokenFile)} (--prometheus-bearer-token-file): ${what}; give a file with the token alone`,
    );
  }
  if (username === null || passwordFile === null) return {};
  const password = await readSecret('--prometheus-password-file', passwordFile, readFile);
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** Editors and `echo` end a file with a newline. */
async function readSecret(flag: string, path: string, readFile: ReadFile): Promise<string> {
  return (await readNamed(flag, path, readFile)).replace(/\r?\n$/, '');
}

async function readPem(flag: string, path: string | null, readFile: ReadFile): Promise<string | null> {
  if (path === null) return null;
  const text = await readNamed(flag, path, readFile);
  if (text.includes('-----BEGIN ')) return text;
  throw new Error(`Cannot use ${JSON.stringify(path)} (${flag}): there is no PEM in it; give a PEM file`);
}

async function readNamed(flag: string, path: string, readFile: ReadFile): Promise<string> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(
      `Cannot read ${JSON.stringify(path)} (${flag}): ${messageOf(error)}; give a file that this user may read`,
    );
  }
}

/** OpenSSL says where in its source it stands: its reason is the fifth part. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return /error:[\dA-F]+:[^:]*:[^:]*:([^:]+)/.exec(message)?.[1] ?? message;
}
