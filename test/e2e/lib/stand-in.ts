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
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { parseArgs } from 'node:util';

export type Request =
  | ({ readonly do: 'connect' } & ConnectOptions)
  | ({ readonly do: 'listen' } & ListenOptions)
  | { readonly do: 'close'; readonly id: number }
  | { readonly do: 'fetch'; readonly url: string }
  | { readonly do: 'resolve'; readonly hostname: string };

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

export interface ListenOptions {
  /** Whether `::` leaves IPv4 to others. */
  readonly ipv6Only?: boolean;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Connection {
  readonly id: number;
  /** `address:port`, as the program sees them. */
  readonly local: string;
  readonly peer: string;
}

export interface Fetched {
  readonly status: number;
  readonly body: string;
}

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
      return open(request);
    case 'listen':
      return Promise.all(request.addresses.map((address) => listen(address, request)));
    case 'close':
      return close(request.id);
    case 'fetch':
      return fetchText(request.url);
    case 'resolve':
      return resolve(request.hostname);
  }
}

async function open(options: ConnectOptions): Promise<Connection> {
  const { host, port, localAddress, localPort, tls } = options;
  const from = {
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  };
  const socket =
    tls === undefined ? connectTcp({ host, port, ...from }) : connectTls({ host, port, ...from, ...tls });
  await once(socket, tls === undefined ? 'connect' : 'secureConnect');
  keep(socket);
  opened += 1;
  connections.set(opened, socket);
  return {
    id: opened,
    local: `${socket.localAddress}:${socket.localPort}`,
    peer: `${socket.remoteAddress}:${socket.remotePort}`,
  };
}

async function close(id: number): Promise<void> {
  const socket = connections.get(id);
  if (socket === undefined) throw new Error(`Cannot close connection "${id}": there is none`);
  connections.delete(id);
  socket.destroy();
  await once(socket, 'close');
}

/** Accepts connections and keeps them. On `::` IPv4 connections too, whose addresses the kernel shows as mapped. */
async function listen(address: string, { port, tls, ipv6Only = false }: ListenOptions): Promise<void> {
  const server = tls === undefined ? createTcpServer(keep) : createTlsServer(tls, keep);
  server.listen({ host: address, port, ipv6Only });
  await once(server, 'listening');
}

/** What arrives is read and dropped; a peer that goes away is nothing to die of. */
function keep(socket: Socket): void {
  socket.on('error', () => {});
  socket.resume();
}

async function fetchText(url: string): Promise<Fetched> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  return { status: answer.status, body: await answer.text() };
}

/** Every address that DNS gives for a name. */
async function resolve(hostname: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  const families = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return families.flatMap((family) => (family.status === 'fulfilled' ? family.value : []));
}
