/** What a stand-in listens with: servers of plain TCP, TLS and HTTP, each of which can be closed and opened again. */
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';

export interface ListenOptions {
  readonly addresses: readonly string[];
  readonly port: number;
  /** Whether `::` leaves IPv4 to others. */
  readonly ipv6Only?: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** With these it speaks HTTP: the first that fits a request answers it, else 404. */
  readonly rules?: readonly Rule[];
}

/** What a request must have, where given, and the answer to it. */
export interface Rule {
  readonly method?: string;
  readonly path?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly reply: Reply;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** So many bytes of blanks before the body. */
  readonly padding?: number;
  /** How long it takes to say anything. */
  readonly delayMs?: number;
}

/** A request that was answered. */
export interface Served {
  readonly request: string;
  readonly status: number;
}

/** What the connections to an address came to. */
export interface Tally {
  readonly accepted: number;
  /** Handshakes that were completed. */
  readonly handshakes: number;
  /** Handshakes that were not: what an API server writes into its log. */
  readonly brokenHandshakes: number;
  /** Connections that ended with a reset or the like, after a handshake where there is TLS. */
  readonly broken: number;
}

interface Listening {
  readonly server: Server;
  rules: readonly Rule[];
  readonly served: Served[];
  tally: Tally;
}

export class Servers {
  readonly #listening = new Map<string, Listening>();

  /** Accepts connections, keeps them and sends back what arrives. On `::` IPv4 connections too. */
  async listen({ addresses, ...options }: ListenOptions): Promise<void> {
    await Promise.all(addresses.map((address) => this.#listen(address, options)));
  }

  /** Accepts no more: the host refuses. The connections that there are stay. */
  unlisten(address: string, port: number): void {
    const key = keyOf(address, port);
    this.#find(key).server.close();
    this.#listening.delete(key);
  }

  /** From now on a HTTP server answers so. */
  answer(address: string, port: number, rules: readonly Rule[]): void {
    this.#find(keyOf(address, port)).rules = rules;
  }

  served(address: string, port: number): readonly Served[] {
    return this.#find(keyOf(address, port)).served;
  }

  tally(address: string, port: number): Tally {
    return this.#find(keyOf(address, port)).tally;
  }

  async #listen(address: string, options: Omit<ListenOptions, 'addresses'>): Promise<void> {
    const { port, tls, ipv6Only = false, rules = [] } = options;
    const hold = (socket: Socket) => {
      socket.on('error', () => count('broken'));
      socket.on('data', (data) => socket.write(data));
    };
    const serve = (request: IncomingMessage, response: ServerResponse) => reply(listening, request, response);
    const server =
      options.rules === undefined
        ? tls === undefined
          ? createTcpServer(hold)
          : createTlsServer(tls, hold)
        : tls === undefined
          ? createHttpServer(serve)
          : createHttpsServer(tls, serve);
    const tally = { accepted: 0, handshakes: 0, brokenHandshakes: 0, broken: 0 };
    const listening: Listening = { server, rules, served: [], tally };
    const count = (what: keyof Tally) => {
      tally[what] += 1;
    };
    server.on('connection', () => count('accepted'));
    server.on('secureConnection', () => count('handshakes'));
    server.on('tlsClientError', () => count('brokenHandshakes'));
    server.listen({ host: address, port, ipv6Only });
    await once(server, 'listening');
    this.#listening.set(keyOf(address, port), listening);
  }

  #find(key: string): Listening {
    const found = this.#listening.get(key);
    if (found === undefined) throw new Error(`Cannot find a server at "${key}"`);
    return found;
  }
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}

async function reply(
  listening: Listening,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  const rule = listening.rules.find((each) => fits(each, request));
  const { status, headers = {}, body = '', padding = 0, delayMs = 0 } = rule?.reply ?? { status: 404 };
  listening.served.push({ request: `${request.method} ${request.url}`, status });
  await sleep(delayMs);
  response.on('error', () => {});
  response.writeHead(status, headers).end(' '.repeat(padding) + body);
}

function fits({ method, path, headers = {} }: Rule, request: IncomingMessage): boolean {
  return (
    (method === undefined || method === request.method) &&
    (path === undefined || path === request.url) &&
    Object.entries(headers).every(([name, value]) => request.headers[name] === value)
  );
}
