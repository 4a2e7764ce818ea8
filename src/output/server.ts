/** The HTTP server: which paths there are and how they answer; what they say comes from `Content`. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Log } from '../log.ts';
import { CONTENT_POLICY } from './page/policy.ts';

export interface ListenAddress {
  /** Null: every address of the machine, IPv6 and IPv4. */
  readonly host: string | null;
  /** 0: any free port. */
  readonly port: number;
}

/** What the server serves. `maxWaitMs` is how long an answer may wait for a look. */
export interface Content {
  /** Null before there is anything to say. */
  metrics(maxWaitMs: number): Promise<{ readonly type: string; readonly body: string } | null>;
  /** The node status as JSON text; null before the first look. */
  status(maxWaitMs: number): Promise<string | null>;
  /** HTML. */
  page(maxWaitMs: number): Promise<string>;
  healthy(): boolean;
  ready(): boolean;
}

export interface ServerOptions {
  readonly listen: readonly ListenAddress[];
  readonly content: Content;
  readonly log: Log;
}

export interface RunningServer {
  /** As bound, in the order of `listen`. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** Ends every connection, idle or not. */
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** Compressed for those who ask for it. */
  readonly gzip?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

type Responder = (content: Content, maxWaitMs: number) => Reply | Promise<Reply>;

const RESPONDERS: ReadonlyMap<string, Responder> = new Map<string, Responder>([
  ['/', replyPage],
  ['/metrics', replyMetrics],
  ['/api/v1/status', replyStatus],
  ['/-/healthy', replyHealthy],
  ['/healthz', replyHealthy],
  ['/-/ready', replyReady],
  ['/readyz', replyReady],
]);

const NO_LOOK = 'no look at the node has ended yet';

/** Prometheus's own default scrape timeout is 10 s; 80 % leaves it time to read the answer. */
const DEFAULT_SCRAPE_TIMEOUT_SECONDS = 10;
const SHARE_OF_SCRAPE_TIMEOUT = 0.8;
/** A longer scrape timeout is not one that Prometheus would be given. */
const LONGEST_SCRAPE_TIMEOUT_SECONDS = 3600;

const TIMEOUTS = {
  // A request is a line and some headers: who needs longer than this for it is holding the connection.
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 5_000,
  // Longer than the usual scrape intervals, so that a scraper keeps its connection.
  keepAliveTimeout: 65_000,
};

/**
 * Opens every address, or none: rejects with a sentence that names the address that cannot be opened.
 * Once it runs, neither a request nor a content function that throws ends it.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { content, log } = options;
  const servers: Server[] = [];
  try {
    for (const address of options.listen) {
      const server = await listen(address, (request, response) => {
        void respond(request, response, { content, log });
      });
      // Without a listener a failed accept (too many open files) would end the process.
      server.on('error', (error) => log.error('Cannot accept a connection', { error: error.message }));
      servers.push(server);
    }
  } catch (error) {
    await closeServers(servers);
    throw error;
  }
  return { addresses: servers.map(boundAddress), close: () => closeServers(servers) };
}

async function listen(address: ListenAddress, handler: RequestListener): Promise<Server> {
  if (address.host !== null) return listenOn(address, address.host, handler);
  try {
    return await listenOn(address, '::', handler);
  } catch (error) {
    const code = error instanceof Error ? codeOf(error.cause) : null;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return listenOn(address, '0.0.0.0', handler);
  }
}

/** What a request can get wrong is answered by node:http itself (400, 408, 431), where nothing listens to `clientError`. */
function listenOn(address: ListenAddress, host: string, handler: RequestListener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(TIMEOUTS, handler);
    server.once('error', (error) => {
      const detail = codeOf(error) === 'EADDRINUSE' ? 'another process listens there' : error.message;
      reject(new Error(`Cannot listen on "${formatListen(address)}": ${detail}`, { cause: error }));
    });
    server.listen({ host, port: address.port }, () => {
      server.removeAllListeners('error');
      resolve(server);
    });
  });
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { content, log }: { readonly content: Content; readonly log: Log },
): Promise<void> {
  const path = pathOf(request.url ?? '/');
  try {
    send(request, response, await replyTo(request, path, content));
  } catch (error) {
    log.error('Cannot answer a request', { path, error: String(error) });
    send(request, response, text(500, 'this cannot be answered: the log says why'));
  }
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const zipped = reply.gzip && acceptsGzip(request.headers['accept-encoding']);
  // In the main thread: 20 KB take a fraction of a millisecond, and zlib in four threads costs 25 MB of arenas.
  const body = zipped ? gzipSync(reply.body) : Buffer.from(reply.body);
  response.writeHead(reply.status, {
    'content-type': reply.type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(reply.gzip ? { vary: 'accept-encoding' } : {}),
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    ...reply.headers,
  });
  response.end(body);
}

async function replyTo(request: IncomingMessage, path: string, content: Content): Promise<Reply> {
  const responder = RESPONDERS.get(path);
  if (responder === undefined) {
    return text(404, `nothing here; there are ${[...RESPONDERS.keys()].join(' ')}`);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    // The connection is closed because the body of such a request is not read.
    const headers = { allow: 'GET, HEAD', connection: 'close' };
    return { ...text(405, 'only GET and HEAD are answered'), headers };
  }
  return responder(content, maxWaitMs(request.headers['x-prometheus-scrape-timeout-seconds']));
}

async function replyMetrics(content: Content, maxWaitMs: number): Promise<Reply> {
  const metrics = await content.metrics(maxWaitMs);
  if (metrics === null) return text(503, NO_LOOK);
  return { status: 200, type: metrics.type, body: metrics.body, gzip: true };
}

async function replyStatus(content: Content, maxWaitMs: number): Promise<Reply> {
  const json = await content.status(maxWaitMs);
  const type = 'application/json; charset=utf-8';
  if (json === null) return { status: 503, type, body: `${JSON.stringify({ error: NO_LOOK })}\n` };
  return { status: 200, type, body: json };
}

async function replyPage(content: Content, maxWaitMs: number): Promise<Reply> {
  const headers = { 'content-security-policy': CONTENT_POLICY, 'referrer-policy': 'no-referrer' };
  const body = await content.page(maxWaitMs);
  return { status: 200, type: 'text/html; charset=utf-8', body, gzip: true, headers };
}

function replyHealthy(content: Content): Reply {
  return content.healthy() ? text(200, 'ok') : text(503, 'no look at the node has ended for 3 minutes');
}

function replyReady(content: Content): Reply {
  return content.ready() ? text(200, 'ok') : text(503, NO_LOOK);
}

const TEXT = 'text/plain; charset=utf-8';

function text(status: number, sentence: string): Reply {
  return { status, type: TEXT, body: `${sentence}\n` };
}

/** The path of a request target (RFC 9112, origin form or absolute form), without its query. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/s, '') || '/';
}

/** Whether `Accept-Encoding` (RFC 9110, 12.5.3) asks for gzip: by name or by `*`, and not with `q=0`. */
function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const item of (header ?? '').toLowerCase().split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    weights.set(coding, Number(weight));
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}

/** The wait that the scraper's own time-out allows, which Prometheus sends in seconds. */
function maxWaitMs(header: string | readonly string[] | undefined): number {
  const given = typeof header === 'string' && /^\d{1,4}(?:\.\d+)?$/.test(header) ? Number(header) : 0;
  const sane = given > 0 && given <= LONGEST_SCRAPE_TIMEOUT_SECONDS;
  return Math.round((sane ? given : DEFAULT_SCRAPE_TIMEOUT_SECONDS) * 1000 * SHARE_OF_SCRAPE_TIMEOUT);
}

function boundAddress(server: Server): { host: string; port: number } {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('Cannot tell the port of a server');
  return { host: bound.address, port: bound.port };
}

async function closeServers(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    ),
  );
}

function formatListen({ host, port }: ListenAddress): string {
  return `${host?.includes(':') ? `[${host}]` : (host ?? '')}:${port}`;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error ? String(error.code) : null;
}
