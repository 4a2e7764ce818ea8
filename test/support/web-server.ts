/** A little HTTP or HTTPS server on loopback that answers as it is told. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface WebServer {
  /** Without a path: `https://127.0.0.1:port`, or with ::1 where that was asked for. */
  readonly url: string;
  readonly port: number;
  /** What was asked, in order. */
  readonly requests: readonly WebRequest[];
  /** Connections that were made and are not closed. */
  readonly open: ReadonlySet<Socket>;
  /** Later requests are answered like this. */
  answer: RequestListener;
}

interface WebRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

interface WebServerOptions {
  readonly host?: '127.0.0.1' | '::1';
  /** Whose certificate of test/fixtures/tls it shows; plain HTTP without. */
  readonly certificate?: 'server' | 'other' | 'misnamed';
}

/** Starts the server; it ends with the test. */
export async function startWebServer(
  answer: RequestListener,
  { host = '127.0.0.1', certificate }: WebServerOptions = {},
): Promise<WebServer> {
  const requests: WebRequest[] = [];
  const open = new Set<Socket>();
  const listener: RequestListener = (request, response) => {
    requests.push({ method: request.method, path: request.url, headers: request.headers });
    server.answer(request, response);
  };
  const listening: Server =
    certificate === undefined
      ? createHttpServer(listener)
      : createHttpsServer(
          { cert: tlsFixture(`${certificate}.crt`), key: tlsFixture(`${certificate}.key`) },
          listener,
        );
  listening.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
  });
  onTestFinished(() => {
    listening.close();
    for (const socket of open) socket.destroy();
  });
  listening.listen(0, host);
  await once(listening, 'listening');
  const port = portOf(listening);
  const scheme = certificate === undefined ? 'http' : 'https';
  const url = `${scheme}://${host === '::1' ? '[::1]' : host}:${port}`;
  const server: WebServer = { url, port, requests, open, answer };
  return server;
}

/** The text of a file of test/fixtures/tls. */
export function tlsFixture(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', name), 'utf8');
}

/** Where a server of the machine listens. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return address.port;
}

/** Answers with this status and body, whatever is asked. */
export function answering(
  status: number,
  body = '',
  headers: Readonly<Record<string, string>> = {},
): RequestListener {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
  };
}

/** A body of this many bytes that goes on for as long as somebody reads. */
export function pouring(bytes: number): RequestListener {
  return (_, response) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let left = bytes;
    function pour(): void {
      while (left > 0 && !response.destroyed) {
        left -= chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', pour);
          return;
        }
      }
      response.end();
    }
    pour();
  };
}

/** A byte now and then, and no end. */
export function trickling(response: Parameters<RequestListener>[1]): void {
  const timer = setInterval(() => response.write(' '), 5);
  response.on('close', () => clearInterval(timer));
}
