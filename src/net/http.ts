/** One plain HTTP request: nothing followed, nothing trusted but the authority given. */
import { type Agent, type ClientRequest, type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { TLSSocket } from 'node:tls';
import { messageOf } from '../model/errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a POST; its Content-Type is among the headers. */
  readonly body?: string;
  /** PEM; the only authority that is trusted for https. */
  readonly ca?: string;
  /** Keeps connections for the requests after this one, and knows whom to trust; without it each has one of its own. */
  readonly agent?: Agent;
  /** Aborted: the request is given up, and rejects. */
  readonly signal?: AbortSignal;
  /** For all of it: name, connection, TLS, headers, body. */
  readonly deadlineMs: number;
  /** A longer body is not read to its end. */
  readonly maxBytes: number;
}

export interface HttpReply {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whatever the status, a whole answer is a reply. Rejects with an Error whose message is one sentence. */
export type SendRequest = (request: HttpRequest) => Promise<HttpReply>;

export async function sendRequest(wanted: HttpRequest): Promise<HttpReply> {
  try {
    return await send(wanted);
  } catch (error) {
    throw new Error(`Cannot ask ${JSON.stringify(wanted.url)}: ${messageOf(error)}`);
  }
}

function send({ url, body, deadlineMs, maxBytes, signal, ...wanted }: HttpRequest): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const request = begin(url, wanted);
    const deadline = setTimeout(() => fail(`no whole answer within ${deadlineMs / 1000} s`), deadlineMs);

    function fail(problem: string): void {
      clearTimeout(deadline);
      reject(new Error(problem));
      request.destroy();
    }
    function failWith(error: unknown): void {
      fail(problemOf(error, request));
    }

    request.on('error', failWith);
    // After an answer too: only then is the deadline no more needed.
    request.on('close', () => fail(CLOSED));
    const giveUp = () => fail('it was given up');
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    request.on('close', () => signal?.removeEventListener('abort', giveUp));
    request.on('response', (response) => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      response.on('error', failWith);
      response.on('data', (chunk: Uint8Array) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > maxBytes) fail(`the answer is larger than ${maxBytes} bytes`);
      });
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: textOf(response.headers), body: text });
      });
    });
    request.end(body);
  });
}

/** Every option that the environment could set for Node (proxies, roots, what is verified) is set here. */
function begin(url: string, { method, headers, ca, agent }: Partial<HttpRequest>): ClientRequest {
  // False: a connection for this request alone. What goes wrong is then not the state of an old one.
  const options = { method, headers, agent: agent ?? false } as const;
  if (!/^https:/i.test(url)) return requestHttp(url, options);
  if (agent !== undefined) return requestHttps(url, options);
  if (!ca?.includes('-----BEGIN')) throw new TypeError('there is no CA certificate to trust');
  return requestHttps(url, { ...options, ca, rejectUnauthorized: true });
}

function textOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

const CLOSED = 'the connection was closed before the whole answer was there';

const SENTENCES = new Map([
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', CLOSED],
  ['EPIPE', CLOSED],
  ['EHOSTUNREACH', 'there is no way to that address'],
  ['ENETUNREACH', 'there is no way to that address'],
  ['ETIMEDOUT', 'nothing answers at that address'],
  ['ENOTFOUND', 'there is no such name'],
  ['EAI_AGAIN', 'the name could not be resolved'],
]);

/** As much of a message as tells: names out of a hostile certificate can fill pages. */
const MAX_DETAIL = 200;

function problemOf(error: unknown, { socket }: ClientRequest): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  const message = messageOf(error);
  // OpenSSL says where in its source it stands: its reason is the fifth part.
  const reason = /error:[\dA-F]+:[^:]*:[^:]*:([^:]+)/.exec(message)?.[1] ?? message;
  const [detail = ''] = reason.slice(0, MAX_DETAIL).split('\n');
  if (code === null) return detail;
  const untrusted = socket instanceof TLSSocket && Boolean(socket.authorizationError);
  if (untrusted) return `the certificate is not trusted: ${detail} (${code})`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return `TLS failed: ${detail} (${code})`;
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  return `${SENTENCES.get(code) ?? detail} (${code})`;
}
