/**
 * A program that runs within a network namespace and does there what it is told, a request a line on stdin, an
 * answer a line on stdout: stands in for kubelet and kube-proxy on the node, and for what they talk to.
 *
 *   node stand-in.ts [--comm=kubelet] [--uid=1000] [--kubeconfig=PATH]
 *
 * It ends when stdin does, so that it never outlives the test.
 */
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as sendHttp } from 'node:http';
import { request as sendHttps } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { parseArgs } from 'node:util';
import { type ListenOptions, type Rule, Servers } from './servers.ts';

export type Request =
  | ({ readonly do: 'connect' } & ConnectOptions)
  | ({ readonly do: 'begin' } & ConnectOptions)
  | { readonly do: 'write'; readonly id: number; readonly text: string }
  | { readonly do: 'exchange'; readonly id: number; readonly text: string }
  | { readonly do: 'close'; readonly id: number }
  | ({ readonly do: 'listen' } & ListenOptions)
  | { readonly do: 'unlisten' | 'served' | 'tally'; readonly address: string; readonly port: number }
  | {
      readonly do: 'answer';
      readonly address: string;
      readonly port: number;
      readonly rules: readonly Rule[];
    }
  | ({ readonly do: 'fetch'; readonly url: string } & FetchOptions)
  | { readonly do: 'resolve'; readonly hostname: string; readonly server?: string };

export interface ConnectOptions {
  /** An address, or a name for the resolver of the namespace (getaddrinfo). */
  readonly host: string;
  readonly port: number;
  /** Source address and port; the kernel's choice where they are not given. */
  readonly localAddress?: string;
  readonly localPort?: number;
  /** With TLS: the name to be shown a certificate for, and the authority that signed it. */
  readonly tls?: { readonly servername: string; readonly ca: string };
}

export interface Connection {
  readonly id: number;
  /** `address:port`, as the program sees them. */
  readonly local: string;
  readonly peer: string;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The authority to trust with https. */
  readonly ca?: string;
}

export interface Fetched {
  readonly status: number;
  readonly body: string;
}

const EXCHANGE_MS = 5000;
const FETCH_MS = 10_000;

const servers = new Servers();
const connections = new Map<number, Socket>();
let opened = 0;

if (import.meta.main) {
  const { values } = parseArgs({
    options: { comm: { type: 'string' }, uid: { type: 'string' }, kubeconfig: { type: 'string' } },
  });
  if (values.comm !== undefined) rename(values.comm);
  // The real, the effective and the saved one: as a program that another user started.
  if (values.uid !== undefined) process.setuid?.(Number(values.uid));
  say({ value: { pid: process.pid } });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say({ value: await obey(JSON.parse(line)) });
    } catch (error) {
      say({ error: String(error) });
    }
  }
  process.exit(0);
}

/** The name of the main thread is what /proc/<pid>/comm shows. `process.title` would overwrite the cmdline. */
function rename(comm: string): void {
  writeFileSync('/proc/self/comm', comm);
  const now = readFileSync('/proc/self/comm', 'utf8').trim();
  if (now !== comm) throw new Error(`Cannot take the name "${comm}": it is "${now}"`);
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function obey(request: Request): Promise<unknown> {
  switch (request.do) {
    case 'connect':
      return connect(request);
    case 'begin':
      return begin(request).id;
    case 'write':
      return void find(request.id).write(request.text);
    case 'exchange':
      return exchange(find(request.id), request.text);
    case 'close':
      return close(request.id);
    case 'listen':
      return servers.listen(request);
    case 'unlisten':
      return servers.unlisten(request.address, request.port);
    case 'answer':
      return servers.answer(request.address, request.port, request.rules);
    case 'served':
      return servers.served(request.address, request.port);
    case 'tally':
      return servers.tally(request.address, request.port);
    case 'fetch':
      return fetchText(request.url, request);
    case 'resolve':
      return resolve(request.hostname, request.server);
  }
}

async function connect(options: ConnectOptions): Promise<Connection> {
  const { id, socket } = begin(options);
  await once(socket, options.tls === undefined ? 'connect' : 'secureConnect');
  return {
    id,
    local: `${socket.localAddress}:${socket.localPort}`,
    peer: `${socket.remoteAddress}:${socket.remotePort}`,
  };
}

/** Begins to open a connection. What arrives on it is dropped; a peer that goes away is nothing to die of. */
function begin(options: ConnectOptions): { readonly id: number; readonly socket: Socket } {
  const { host, port, localAddress, localPort, tls } = options;
  const from = {
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  };
  const socket =
    tls === undefined ? connectTcp({ host, port, ...from }) : connectTls({ host, port, ...from, ...tls });
  socket.on('error', () => {});
  socket.resume();
  opened += 1;
  connections.set(opened, socket);
  return { id: opened, socket };
}

function find(id: number): Socket {
  const socket = connections.get(id);
  if (socket === undefined) throw new Error(`Cannot find connection "${id}": there is none`);
  return socket;
}

/** Says something to the peer and waits for its answer. */
async function exchange(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(EXCHANGE_MS) });
  return String(data);
}

async function close(id: number): Promise<void> {
  const socket = find(id);
  connections.delete(id);
  socket.destroy();
  if (!socket.closed) await once(socket, 'close');
}

async function fetchText(url: string, options: FetchOptions): Promise<Fetched> {
  const send = url.startsWith('https:') ? sendHttps : sendHttp;
  const request = send(url, { ...options, agent: false, timeout: FETCH_MS }).end();
  request.on('timeout', () => request.destroy(new Error(`"${url}" has not answered`)));
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error(`"${url}" has not answered`);
  const parts = await response.setEncoding('utf8').toArray();
  return { status: response.statusCode ?? 0, body: parts.join('') };
}

/** Every address that DNS gives for a name, asked of the namespace's resolver or of the given server. */
async function resolve(hostname: string, server?: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  if (server !== undefined) resolver.setServers([server]);
  const families = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return families.flatMap((family) => (family.status === 'fulfilled' ? family.value : []));
}
