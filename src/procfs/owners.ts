import {
  type ClientProcess,
  type LeftOutProcess,
  type OwnersSeen,
  UNKNOWN_NETNS,
} from '../model/observation.ts';
import type { Pauses } from './pauses.ts';
import { MS_PER_TICK, type Proc, ProcReadError } from './proc.ts';

/** The kernel keeps this many bytes of a process's name (TASK_COMM_LEN less the end mark). */
const COMM_BYTES = 15;

interface Candidate {
  readonly client: string;
  readonly comm: string;
  readonly pid: number;
}

/**
 * Finds the processes of the clients by name, and what sockets they hold. A process that vanishes meanwhile is
 * not there; one that may not be read is there, with the reason. Throws where `proc` shows no processes at all,
 * and where the deadline of `pauses` passes.
 */
export async function seeOwners(proc: Proc, clients: readonly string[], pauses: Pauses): Promise<OwnersSeen> {
  const clientOfComm = new Map(clients.map((client) => [commOf(client), client]));
  const processes: ClientProcess[] = [];
  const leftOut: LeftOutProcess[] = [];
  let unreadable = 0;
  const pids = await listPids(proc, pauses);
  const bootTimeMs = proc.bootTimeMs();
  for (const pid of pids) {
    if (pauses.due()) await pauses.pause();
    try {
      const comm = proc.comm(pid);
      const client = comm === null ? undefined : clientOfComm.get(comm);
      if (comm === null || client === undefined) continue;
      const seen = await seeProcess(proc, { client, comm, pid }, { bootTimeMs, pauses });
      if (seen === null) continue;
      if ('reason' in seen) leftOut.push(seen);
      else processes.push(seen);
    } catch (error) {
      if (!(error instanceof ProcReadError)) throw error;
      unreadable += 1;
    }
  }
  return { processes, leftOut, unreadable };
}

/**
 * Without the processes that have vanished since. To be asked after the tables were read: until then the pid,
 * and the inodes that its sockets had, may have gone to others.
 */
export function stillThere(proc: Proc, owners: OwnersSeen): OwnersSeen {
  const processes = owners.processes.flatMap((process) => {
    try {
      return proc.startTicks(process.pid) === process.startTicks ? [process] : [];
    } catch (cause) {
      return [{ ...process, socketInodes: null, error: explain(cause) }];
    }
  });
  return { ...owners, processes };
}

async function listPids(proc: Proc, pauses: Pauses): Promise<number[]> {
  const pids: number[] = [];
  for (const pid of proc.pids()) {
    pids.push(pid);
    if (pauses.due()) await pauses.pause();
  }
  if (pids.length === 0)
    throw new Error(`Cannot find a process in "${proc.root}": it is no /proc file system`);
  return pids.sort((one, other) => one - other);
}

async function seeProcess(
  proc: Proc,
  candidate: Candidate,
  context: { bootTimeMs: number; pauses: Pauses },
): Promise<ClientProcess | LeftOutProcess | null> {
  const { client, comm, pid } = candidate;
  const startTicks = proc.startTicks(pid);
  const uids = proc.uids(pid);
  if (startTicks === null || uids === null) return null;
  const uid = uids.real === 0 ? uids.effective : uids.real;
  const where = seeNetns(proc, pid);
  if (where === null) return null;

  let socketInodes: Set<number> | null = null;
  let { error } = where;
  if (uid === 0 && where.inNode && error === null) {
    try {
      socketInodes = await proc.socketInodes(pid, context.pauses);
      if (socketInodes === null) return null;
    } catch (cause) {
      error = explain(cause);
    }
  }
  // The pid may have gone to another process while we read.
  if (proc.startTicks(pid) !== startTicks || proc.comm(pid) !== comm) return null;
  if (!where.inNode) return { client, pid, reason: 'network-namespace', uid };
  if (uid !== 0) return { client, pid, reason: 'uid', uid };
  const startedAtMs = context.bootTimeMs + startTicks * MS_PER_TICK;
  return { client, pid, startTicks, startedAtMs, netns: where.netns, socketInodes, error };
}

/**
 * The process's network namespace, and whether it is the node's: the agent's own or that of pid 1. Where that
 * may not be read it counts as the node's, because it might be.
 */
function seeNetns(proc: Proc, pid: number): { netns: string; inNode: boolean; error: string | null } | null {
  let netns = UNKNOWN_NETNS;
  try {
    const found = proc.netns(pid);
    if (found === null) return null;
    netns = found;
    const inNode = netns === proc.netns('self') || netns === proc.netns(1);
    return { netns, inNode, error: null };
  } catch (cause) {
    return { netns, inNode: true, error: explain(cause) };
  }
}

function commOf(client: string): string {
  return Buffer.from(client).subarray(0, COMM_BYTES).toString();
}

/** Why a read failed, and what it needs; throws on what is not a failed read (a passed deadline). */
function explain(error: unknown): string {
  if (!(error instanceof ProcReadError)) throw error;
  const refused = error.code === 'EACCES' || error.code === 'EPERM';
  return refused ? `${error.message}; the agent needs uid 0 and SYS_PTRACE` : error.message;
}
