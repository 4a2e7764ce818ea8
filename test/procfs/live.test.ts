import { once } from 'node:events';
import * as net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { clientSockets } from '../../src/model/connections.ts';
import type { ClientProcess, OwnersSeen, Socket, SocketTable } from '../../src/model/observation.ts';
import { seeOwners, stillThere } from '../../src/procfs/owners.ts';
import { Pauses } from '../../src/procfs/pauses.ts';
import { Proc } from '../../src/procfs/proc.ts';
import { seeTables } from '../../src/procfs/tables.ts';
import { observation } from '../support/observation.ts';

/** This machine's kernel: the test opens sockets and finds itself. */
const proc = new Proc('/proc');
const open: (net.Server | net.Socket)[] = [];

afterEach(() => {
  for (const one of open.splice(0)) {
    if (one instanceof net.Socket) one.destroy();
    else one.close();
  }
});

function pauses(): Pauses {
  return new Pauses(() => performance.now(), 60_000);
}

/** A listener on `host` and one connection to it as `target`; both of its ends are ours. */
async function connect(host: string, target: string): Promise<{ port: number; clientPort: number }> {
  const { server, port } = await listen({ host, port: 0, ipv6Only: false });
  const client = net.connect(port, target);
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  open.push(client, accepted);
  return { port, clientPort: client.localPort ?? 0 };
}

async function listen(options: net.ListenOptions): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer();
  open.push(server);
  server.listen(options);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** Ourselves as a client, as `seeOwners` makes one of uid 0. */
async function ourselves(): Promise<ClientProcess> {
  const startTicks = proc.startTicks(process.pid);
  const netns = proc.netns('self');
  const socketInodes = await proc.socketInodes(process.pid, pauses());
  if (startTicks === null || netns === null) throw new Error('not there');
  return { client: 'us', pid: process.pid, startTicks, startedAtMs: 0, netns, socketInodes, error: null };
}

async function look(): Promise<{ owners: OwnersSeen; table: SocketTable }> {
  const owners: OwnersSeen = { processes: [await ourselves()], leftOut: [], unreadable: 0 };
  const [table] = await seeTables(proc, owners, { ports: null, pauses: pauses() });
  if (table === undefined) throw new Error('no table');
  return { owners, table };
}

/** Where our process listens, as far as it is believed: only a listener of uid 0 is. */
function believed(...ports: readonly number[]): readonly number[] {
  return process.geteuid?.() === 0 ? ports : [];
}

function portsOf({ listeners }: SocketTable, ...among: readonly number[]): readonly number[] {
  return listeners.map(({ port }) => port).filter((port) => among.includes(port));
}

function brief({ state, local, localPort, peer, peerPort }: Socket): string {
  return `${state} ${local.text} ${localPort} ${peer.text} ${peerPort}`;
}

describe.runIf(process.platform === 'linux')('on the live kernel', () => {
  test.each([
    ['IPv4', '127.0.0.1', '127.0.0.1', '127.0.0.1', '0.0.0.0'],
    ['IPv6', '::1', '::1', '::1', '::'],
    ['IPv4 to a dual-stack listener', '::', '127.0.0.1', '127.0.0.1', '::'],
  ])(
    'finds its own listener and both ends of its connection: %s',
    async (_, host, target, seen, unspecified) => {
      const { port, clientPort } = await connect(host, target);
      const { table } = await look();
      const rows = table.sockets.map(brief);
      expect(rows).toContain(`listen ${host} ${port} ${unspecified} 0`);
      expect(rows).toContain(`established ${seen} ${clientPort} ${seen} ${port}`);
      expect(rows).toContain(`established ${seen} ${port} ${seen} ${clientPort}`);
      expect(portsOf(table, port, clientPort)).toEqual(believed(port));
      expect(table.rejectedRows).toBe(0);
    },
  );

  test('a socket of another process is not ours', async () => {
    const { port } = await connect('127.0.0.1', '127.0.0.1');
    const owners: OwnersSeen = {
      processes: [{ ...(await ourselves()), socketInodes: new Set() }],
      leftOut: [],
      unreadable: 0,
    };
    const [seen] = await seeTables(proc, owners, { ports: null, pauses: pauses() });
    if (seen === undefined) throw new Error('no table');
    expect(seen.sockets).toEqual([]);
    expect(portsOf(seen, port)).toEqual(believed(port));
  });

  test('whoever listens on the local port of a connection at other addresses has not accepted it', async () => {
    const { port, clientPort } = await connect('127.0.0.1', '127.0.0.1');
    await listen({ host: '127.0.0.9', port: clientPort });
    await listen({ host: '::1', port: clientPort, ipv6Only: true });
    const { owners, table } = await look();
    expect(portsOf(table, clientPort)).toEqual(believed(clientPort, clientPort));
    const sockets = [...clientSockets({ ...observation(), owners, tables: [table] }).values()];
    const acceptedAt = new Map(sockets.map(({ socket, accepted }) => [socket.localPort, accepted]));
    expect(acceptedAt.get(clientPort)).toBe(false);
    expect(acceptedAt.get(port)).toBe(believed(port).length > 0);
  });

  test('finds its own process by name, or leaves it out for its uid', async () => {
    await connect('127.0.0.1', '127.0.0.1');
    const name = proc.comm(process.pid) ?? '';
    const owners = await seeOwners(proc, [name], pauses());
    const uid = process.getuid?.() ?? 0;
    if (uid === 0) {
      const us = owners.processes.find(({ pid }) => pid === process.pid);
      expect(us).toMatchObject({ client: name, netns: proc.netns('self'), error: null });
      expect(us?.socketInodes?.size).toBeGreaterThanOrEqual(3);
      const age = Date.now() - (us?.startedAtMs ?? 0);
      expect(Math.abs(age - process.uptime() * 1000)).toBeLessThan(60_000);
      expect(stillThere(proc, owners).processes).toContain(us);
    } else {
      expect(owners.leftOut).toContainEqual({ client: name, pid: process.pid, reason: 'uid', uid });
    }
  });

  test('knows its own arguments, its uids and its files', () => {
    expect(proc.cmdline(process.pid)?.length).toBeGreaterThan(0);
    expect(proc.uids(process.pid)).toEqual({ real: process.getuid?.(), effective: process.geteuid?.() });
    expect(
      new TextDecoder().decode(proc.readFileUnderRoot(process.pid, '/proc/version') ?? undefined),
    ).toContain('Linux');
    expect(proc.readFileUnderRoot(process.pid, 'package.json')?.length).toBeGreaterThan(0);
  });
});
