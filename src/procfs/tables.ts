import type { Listener, OwnersSeen, Socket, SocketTable, TcpTableName } from '../model/observation.ts';
import { UNKNOWN_NETNS } from './owners.ts';
import type { Pauses } from './pauses.ts';
import { type Proc, ProcReadError } from './proc.ts';
import { type TcpRow, TcpTableParser } from './tcp.ts';

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
  pauses: Pauses,
): Promise<SocketTable[]> {
  const namespaces = namespacesOf(owners);
  if (namespaces.size === 0) return [await seeNodeTable(proc, pauses)];
  const tables: SocketTable[] = [];
  for (const [netns, { pids, socketInodes }] of namespaces) {
    for (const pid of pids) {
      const table = await seeTable(proc, { pid, netns, socketInodes }, pauses);
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

async function seeNodeTable(proc: Proc, pauses: Pauses): Promise<SocketTable> {
  for (const pid of [1, 'self'] as const) {
    const netns = netnsOf(proc, pid);
    if (netns === null) continue;
    const table = await seeTable(proc, { pid, netns, socketInodes: new Set() }, pauses);
    if (table !== null) return table;
  }
  throw new Error(`Cannot read a TCP table in "${proc.root}": neither pid 1 nor the agent itself is there`);
}

/** The tables as `pid` sees them; null where it vanished, so that they might be those of another namespace. */
async function seeTable(
  proc: Proc,
  from: { pid: number | 'self'; netns: string; socketInodes: ReadonlySet<number> },
  pauses: Pauses,
): Promise<SocketTable | null> {
  const { pid, netns, socketInodes } = from;
  const sockets = new Map<number, Socket>();
  const listeners: Listener[] = [];
  let rows = 0;
  let rejectedRows = 0;

  const visitorOf = (table: TcpTableName) => (row: TcpRow) => {
    if (row.state === 'listen' && row.uid === 0)
      listeners.push({ table, local: row.local, port: row.localPort });
    if (!socketInodes.has(row.inode) || sockets.has(row.inode)) return;
    const { local, localPort, peer, peerPort, state, inode, sendQueueBytes, retransmits } = row;
    sockets.set(inode, {
      table,
      local,
      localPort,
      peer,
      peerPort,
      state,
      inode,
      sendQueueBytes,
      retransmits,
    });
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
  return { netns, sockets: [...sockets.values()], listeners, rows, rejectedRows };
}

function netnsOf(proc: Proc, pid: number | 'self'): string | null {
  try {
    return proc.netns(pid);
  } catch (error) {
    if (!(error instanceof ProcReadError)) throw error;
    return UNKNOWN_NETNS;
  }
}
