import { isHosts } from '../model/attribution.ts';
import {
  type InboundPeer,
  KUBELET_PORT,
  type Listener,
  type OwnersSeen,
  type Socket,
  type SocketTable,
  type TcpTableName,
  UNKNOWN_NETNS,
} from '../model/observation.ts';
import { isLoopback } from '../model/route.ts';
import type { Pauses } from './pauses.ts';
import { type Proc, ProcReadError } from './proc.ts';
import { type TcpRow, TcpTableParser } from './tcp.ts';

/** What of the tables is wanted beside the sockets of the clients. */
export interface Wanted {
  /** Peers' ports of the sockets that are told by their addresses alone; null where owners tell them. */
  readonly ports: ReadonlySet<number> | null;
}

/** The clients of one network namespace: any of their pids shows its tables. */
interface Namespace {
  readonly pids: (number | 'self')[];
  readonly socketInodes: Set<number>;
}

/**
 * Reads the TCP tables of every network namespace in which a client is, through one of its processes. Where
 * there is no client, or no client's namespace is known, those of pid 1, else of the agent itself.
 * A namespace all of whose processes have vanished has no table. Throws where a table cannot be read to its end.
 */
export async function seeTables(
  proc: Proc,
  owners: OwnersSeen | null,
  { ports, pauses }: Wanted & { readonly pauses: Pauses },
): Promise<SocketTable[]> {
  const namespaces = namespacesOf(owners);
  if (namespaces.size === 0) return [await seeNodeTable(proc, ports, pauses)];
  const tables: SocketTable[] = [];
  for (const [netns, { pids, socketInodes }] of namespaces) {
    for (const pid of pids) {
      const table = await seeTable(proc, { pid, netns, socketInodes, ports }, pauses);
      if (table === null) continue;
      tables.push(table);
      break;
    }
  }
  return tables;
}

function namespacesOf(owners: OwnersSeen | null): Map<string, Namespace> {
  const namespaces = new Map<string, Namespace>();
  for (const { pid, netns, socketInodes } of owners?.processes ?? []) {
    if (netns === UNKNOWN_NETNS) continue;
    const namespace = namespaces.get(netns) ?? { pids: [], socketInodes: new Set() };
    namespaces.set(netns, namespace);
    namespace.pids.push(pid);
    for (const inode of socketInodes ?? []) namespace.socketInodes.add(inode);
  }
  return namespaces;
}

/**
 * Pid 1 is the node's. Without SYS_PTRACE its namespace may not be read: then the agent's own comes first, of which at
 * least that is known, if it is the node's by what listens there.
 */
async function seeNodeTable(proc: Proc, ports: Wanted['ports'], pauses: Pauses): Promise<SocketTable> {
  const isFirst = netnsOf(proc, 1) !== UNKNOWN_NETNS;
  let other: SocketTable | null = null;
  for (const pid of isFirst ? ([1, 'self'] as const) : (['self', 1] as const)) {
    const netns = netnsOf(proc, pid);
    if (netns === null) continue;
    const table = await seeTable(proc, { pid, netns, socketInodes: new Set(), ports }, pauses);
    if (table !== null && (isFirst || isHosts(table))) return table;
    other = table ?? other;
  }
  if (other !== null) return other;
  throw new Error(`Cannot read a TCP table in "${proc.root}": neither pid 1 nor the agent itself is there`);
}

/** The tables as `pid` sees them; null where it vanished, so that they might be those of another namespace. */
async function seeTable(
  proc: Proc,
  from: { pid: number | 'self'; netns: string; socketInodes: ReadonlySet<number> } & Wanted,
  pauses: Pauses,
): Promise<SocketTable | null> {
  const { pid, netns, socketInodes, ports } = from;
  const sockets = new Map<number, Socket>();
  const unattributed = new Map<number, Socket>();
  const listeners: Listener[] = [];
  const inbound = new Inbound();
  const own = new OwnSockets(proc, pauses);
  let rows = 0;
  let rejectedRows = 0;

  // A row can come twice: whatever is kept is kept once, by its inode or its addresses.
  const visitorOf = (table: TcpTableName) => (row: TcpRow) => {
    if (row.state === 'listen' && row.uid === 0)
      listeners.push({ table, local: row.local, port: row.localPort });
    if (row.localPort === KUBELET_PORT && row.state === 'established') inbound.add(row);
    if (row.inode === 0) return;
    if (socketInodes.has(row.inode) && !sockets.has(row.inode)) sockets.set(row.inode, socketOf(row, table));
    if (ports?.has(row.peerPort) && !unattributed.has(row.inode) && !own.has(row.inode))
      unattributed.set(row.inode, socketOf(row, table));
  };

  for (const table of ['tcp', 'tcp6'] as const) {
    const parser = new TcpTableParser(visitorOf(table));
    if (await proc.readTable(pid, table, parser, pauses)) {
      const counts = parser.end();
      rows += counts.rows;
      rejectedRows += counts.rejectedRows;
    } else if (table === 'tcp' && netnsOf(proc, pid) === netns) {
      // The process is there, its table is not: better no answer than an empty one.
      throw new Error(`Cannot read "${proc.root}/${pid}/net/tcp": there is no such file`);
    }
  }
  if (netnsOf(proc, pid) !== netns) return null;
  return {
    netns,
    sockets: [...sockets.values()],
    unattributed: ports === null ? null : [...unattributed.values()],
    listeners,
    inbound: inbound.peers,
    rows,
    rejectedRows,
  };
}

/** What is kept of a row, which the parser uses again. */
function socketOf(row: TcpRow, table: TcpTableName): Socket {
  const { local, localPort, peer, peerPort, state, inode, sendQueueBytes, retransmits } = row;
  return { table, local, localPort, peer, peerPort, state, inode, sendQueueBytes, retransmits };
}

/** Counts the connections to the kubelet's port by their peers. */
class Inbound {
  readonly #seen = new Set<string>();
  readonly #peers = new Map<string, InboundPeer>();

  add({ local, peer, peerPort }: TcpRow): void {
    const connection = `${local.text} ${peer.text} ${peerPort}`;
    if (isLoopback(peer) || this.#seen.has(connection)) return;
    this.#seen.add(connection);
    const before = this.#peers.get(peer.key);
    this.#peers.set(peer.key, { peer, connections: (before?.connections ?? 0) + 1 });
  }

  get peers(): readonly InboundPeer[] {
    return [...this.#peers.values()];
  }
}

/**
 * The agent's own sockets: its probes go to the very addresses that are looked for. They are read anew after each
 * pause, because between two pauses none can be opened or closed.
 */
class OwnSockets {
  readonly #proc: Proc;
  readonly #pauses: Pauses;
  #inodes: ReadonlySet<number> = new Set();
  #stretch = -1;

  constructor(proc: Proc, pauses: Pauses) {
    this.#proc = proc;
    this.#pauses = pauses;
  }

  has(inode: number): boolean {
    if (this.#stretch !== this.#pauses.stretches) {
      this.#stretch = this.#pauses.stretches;
      this.#inodes = this.#proc.ownSocketInodes();
    }
    return this.#inodes.has(inode);
  }
}

/** The process's network namespace; UNKNOWN_NETNS where it may not be read, null where the process is not there. */
export function netnsOf(proc: Proc, pid: number | 'self'): string | null {
  try {
    return proc.netns(pid);
  } catch (error) {
    if (!(error instanceof ProcReadError)) throw error;
    return UNKNOWN_NETNS;
  }
}
