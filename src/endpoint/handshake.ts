/** Whether an address is this cluster's API server: one TCP and TLS connection, without a request. */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { messageOf } from '../model/errors.ts';
import type { ProbeStage } from '../model/observation.ts';
import { certificatesOf } from './pem.ts';

export interface HandshakeTarget {
  /** An address, never a name. */
  readonly address: string;
  readonly port: number;
  /** The endpoint's name (or address, without brackets), that the certificate must be for. */
  readonly hostname: string;
  /** PEM, one certificate or several: the only authority. */
  readonly ca: string;
  readonly deadlineMs: number;
}

export type HandshakeResult =
  | { readonly failedStage: null; readonly error: null }
  | {
      readonly failedStage: ProbeStage;
      readonly error: string;
      /** Whether the certificate is another CA's: whatever else is wrong with it may be wrong with ours, or with this node. */
      readonly otherCa: boolean;
    };

/** Connects, looks at the certificate and closes; never rejects. */
export type Handshake = (target: HandshakeTarget) => Promise<HandshakeResult>;

/** For so long is waited for the other side to close as well: a round trip of the slowest path to an API server. */
const CLOSE_MS = 500;
/** An API server's certificate names about ten. */
const MAX_NAMES = 10;
const MAX_NAMES_CHARACTERS = 300;

/**
 * Whoever completes it with a certificate that the CA signed for the name is this cluster's API server. It is always
 * completed and closed in order, whatever the certificate: a Go server logs handshakes that are cut short
 * ("http: TLS handshake error ... EOF"). Nothing is open any more when the promise resolves.
 */
export const handshake: Handshake = async (target) => {
  let stage: ProbeStage = 'tcp';
  try {
    const secureContext = secureContextOf(target.ca);
    if (secureContext === null) return failure('identity', `the CA cannot be used: ${caProblem(target.ca)}`);
    const socket = connect({
      host: target.address,
      port: target.port,
      // RFC 6066, section 3: an address is never sent.
      ...(isIP(target.hostname) === 0 && { servername: target.hostname }),
      secureContext,
      // Node checks all the same, and says what it found in `authorized`; the name is checked below.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    socket.once('connect', () => {
      stage = 'tls';
    });
    return await judged(socket, target);
  } catch (error) {
    // A reset that comes before Node could say that it is connected is the reset of a connection nevertheless.
    return failure(codeOf(error) === 'ECONNRESET' ? 'tls' : stage, sentenceOf(error));
  }
};

/** Why a text cannot be used as CA, as the end of a sentence; null where it can be. */
export function caProblem(pem: string): string | null {
  return certificatesOf(pem) === null ? 'it holds no PEM certificate (-----BEGIN CERTIFICATE-----)' : null;
}

/** Rejects where the handshake was not completed. */
async function judged(socket: TLSSocket, target: HandshakeTarget): Promise<HandshakeResult> {
  // Errors that come when all is said and done have no other listener, and would end the process.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const deadline = setTimeout(() => {
    const what = socket.connecting ? 'the address did not answer' : 'connected, but no TLS handshake';
    socket.destroy(new Error(`${what} within ${target.deadlineMs / 1000} s`));
  }, target.deadlineMs);
  try {
    await once(socket, 'secureConnect');
    const problem = identityProblem(socket, target.hostname);
    // With TLS 1.3 the server has yet to receive our Finished: it follows with close_notify and FIN, and what the
    // server sent meanwhile (session tickets) is read, for data left unread would turn the FIN into a reset.
    const hurry = setTimeout(() => socket.destroy(), CLOSE_MS);
    socket.end();
    socket.resume();
    await closed;
    clearTimeout(hurry);
    return problem ?? { failedStage: null, error: null };
  } finally {
    clearTimeout(deadline);
    socket.destroy();
    await closed;
  }
}

/** Why the certificate is not this cluster's for that name; null where it is. */
function identityProblem(socket: TLSSocket, hostname: string): HandshakeResult | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Error('the server showed no certificate');
  if (!socket.authorized) {
    const code = String(socket.authorizationError);
    return failure('identity', chainProblem(code, certificate), OTHER_CA_CODES.has(code));
  }
  // As Go does: the subject's common name is no name, and a wildcard stands for a whole label.
  const isNamed = isIP(hostname)
    ? certificate.checkIP(hostname)
    : certificate.checkHost(hostname, { subject: 'never', partialWildcards: false });
  if (isNamed !== undefined) return null;
  return failure(
    'identity',
    `the certificate is not for ${JSON.stringify(hostname)}; ${namesOf(certificate)}`,
  );
}

/**
 * Not signed by our CA. Of several problems OpenSSL tells the last that it finds, and looks for the issuer first, then
 * at purposes and dates: while the clock is wrong also another CA's certificate is only one of a wrong date.
 */
const OTHER_CA_CODES: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** `code`: OpenSSL's, as Node names it (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
function chainProblem(code: string, certificate: X509Certificate): string {
  const names = namesOf(certificate);
  if (OTHER_CA_CODES.has(code))
    return `the certificate is not signed by the cluster's CA (${code}); ${names}`;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `the certificate or its CA's has expired by this node's clock (${code}); it is valid until ${certificate.validTo}; ${names}`;
    case 'CERT_NOT_YET_VALID':
      return `the certificate or its CA's is not valid yet by this node's clock (${code}); it is valid from ${certificate.validFrom}; ${names}`;
    default:
      return `the certificate cannot be trusted (${code}); ${names}`;
  }
}

/** Whom a certificate names: no more of it than a line, for it may be a stranger's. */
function namesOf({ subjectAltName }: X509Certificate): string {
  if (subjectAltName === undefined) return 'it names nobody';
  const all = subjectAltName.replaceAll(/\b(?:DNS|IP Address):/g, '').split(', ');
  const names = all.slice(0, MAX_NAMES).join(', ').slice(0, MAX_NAMES_CHARACTERS);
  return `it names ${names}${all.length > MAX_NAMES ? ` and ${all.length - MAX_NAMES} more` : ''}`;
}

/** The last one made: it takes a millisecond, and the CA changes once in years. */
let last: { readonly ca: string; readonly context: SecureContext } | null = null;

/** Null where there is no certificate: Node would trust the public authorities. */
function secureContextOf(ca: string): SecureContext | null {
  if (last?.ca !== ca) {
    const certificates = certificatesOf(ca);
    if (certificates === null) return null;
    // As Go does: whatever is in the file is an authority, signed by itself or not.
    const context = createSecureContext({ ca: certificates, allowPartialTrustChain: true });
    last = { ca, context };
  }
  return last.context;
}

function failure(failedStage: ProbeStage, error: string, otherCa = false): HandshakeResult {
  return { failedStage, error, otherCa };
}

/** What went wrong on the way, with the system's or OpenSSL's code where there is one. */
function sentenceOf(error: unknown): string {
  const code = codeOf(error);
  if (code === null) return messageOf(error);
  // OpenSSL's errors carry their file and line in the message, and the reason by itself.
  if (error instanceof Error && 'reason' in error)
    return `no TLS handshake: ${String(error.reason)} (${code})`;
  return `${SENTENCES.get(code) ?? messageOf(error)} (${code})`;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null;
}

const SENTENCES: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'the node does not let the connection out'],
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was closed before the TLS handshake was complete'],
  ['EHOSTUNREACH', 'the address cannot be reached'],
  ['ENETUNREACH', 'there is no way to the network of the address'],
  ['EPERM', 'the node does not let the connection out'],
  ['EPIPE', 'the connection was closed before the TLS handshake was complete'],
  ['ETIMEDOUT', 'the address did not answer'],
]);
