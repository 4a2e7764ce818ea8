import { describe, expect, test, vi } from 'vitest';
import { type Background, scan } from '../../src/agent/scan.ts';
import type { Settings } from '../../src/model/settings.ts';
import { Proc } from '../../src/procfs/proc.ts';
import { makeNode } from '../support/made-node.ts';
import { ENDPOINT, settings, UNKNOWN_MACHINE } from '../support/observation.ts';
import { realClock } from '../support/runtime.ts';

const NOTHING_KNOWN: Background = {
  endpoint: null,
  dns: null,
  outsideDns: null,
  endpointSlice: null,
  imds: null,
  nodeConfig: null,
  identities: null,
  probes: null,
  machine: UNKNOWN_MACHINE,
  stages: [],
};

const SOCKET = { local: '10.0.0.1:40000', peer: '10.0.0.2:443', state: 'established' } as const;

function scanOf(proc: Proc, wishes: Partial<Settings> = {}, known: Background = NOTHING_KNOWN) {
  return scan({ proc, settings: settings(wishes), clock: realClock }, () => known);
}

test('a look sees owners and their sockets, each stage with its success and duration', async () => {
  const seen = await scanOf(new Proc(makeNode({ sockets: [{ ...SOCKET, process: 'kubelet', pid: 7 }] })));
  expect(seen.owners?.processes.map(({ client, pid }) => [client, pid])).toEqual([['kubelet', 7]]);
  expect(seen.tables?.flatMap(({ sockets }) => sockets.map(({ peerPort }) => peerPort))).toEqual([443]);
  expect(seen.stages.map(({ stage, success, error }) => [stage, success, error])).toEqual([
    ['sockets', true, null],
    ['owners', true, null],
  ]);
  for (const { durationSeconds } of seen.stages) expect(durationSeconds).toBeGreaterThanOrEqual(0);
});

test('owners that cannot be read do not spoil the tables', async () => {
  const proc = new Proc(makeNode({ sockets: [SOCKET] }));
  vi.spyOn(proc, 'bootTimeMs').mockImplementation(() => {
    throw new Error('no boot time');
  });
  const seen = await scanOf(proc);
  expect(seen.owners).toBeNull();
  expect(seen.tables?.[0]?.rows).toBe(1);
  expect(seen.stages.map(({ stage, error }) => [stage, error])).toEqual([
    ['sockets', null],
    ['owners', 'no boot time'],
  ]);
});

test('tables that cannot be read do not spoil the owners', async () => {
  const proc = new Proc(makeNode({ sockets: [{ ...SOCKET, process: 'kubelet', pid: 7 }] }));
  vi.spyOn(proc, 'readTable').mockRejectedValue(new Error('EIO'));
  const seen = await scanOf(proc);
  expect(seen.tables).toBeNull();
  expect(seen.owners?.processes).toHaveLength(1);
  expect(seen.stages[0]).toMatchObject({ stage: 'sockets', success: false, error: 'EIO' });
});

test('a process that is another one after the tables were read is not taken for the client', async () => {
  const proc = new Proc(makeNode({ sockets: [{ ...SOCKET, process: 'kubelet', pid: 7 }] }));
  const readTable = proc.readTable.bind(proc);
  vi.spyOn(proc, 'readTable').mockImplementation(async (...args) => {
    const there = await readTable(...args);
    vi.spyOn(proc, 'startTicks').mockReturnValue(999_999);
    return there;
  });
  expect((await scanOf(proc)).owners?.processes).toEqual([]);
});

test('owners that cannot be checked once more fail their stage', async () => {
  const proc = new Proc(makeNode({ sockets: [{ ...SOCKET, process: 'kubelet', pid: 7 }] }));
  const readTable = proc.readTable.bind(proc);
  vi.spyOn(proc, 'readTable').mockImplementation(async (...args) => {
    const there = await readTable(...args);
    vi.spyOn(proc, 'startTicks').mockImplementation(() => {
      throw new Error('EACCES');
    });
    return there;
  });
  const seen = await scanOf(proc);
  expect(seen.owners).toBeNull();
  expect(seen.stages[1]).toMatchObject({ stage: 'owners', success: false, error: 'EACCES' });
});

describe('where sockets are told by their addresses', () => {
  const known: Background = { ...NOTHING_KNOWN, endpoint: ENDPOINT };
  const sockets = [
    { ...SOCKET, process: 'kubelet', pid: 7, inode: 21 },
    { ...SOCKET, local: '10.0.0.1:40001', peer: '10.0.0.2:8443', inode: 22 },
    { ...SOCKET, local: '10.0.0.1:40002', process: 'agent', pid: 9, inode: 23 },
  ] as const;

  test("owners are not asked for, and every socket to the endpoint's port is kept but the agent's own", async () => {
    const proc = new Proc(makeNode({ sockets, self: 9 }));
    const seen = await scanOf(proc, { attribution: 'address' }, known);
    expect(seen.owners).toBeNull();
    expect(seen.stages.map(({ stage }) => stage)).toEqual(['sockets']);
    expect(seen.tables?.flatMap(({ unattributed }) => unattributed?.map(({ inode }) => inode))).toEqual([21]);
  });

  test('where owners are read whole they are not collected', async () => {
    const seen = await scanOf(new Proc(makeNode({ sockets })), {}, known);
    expect(seen.tables?.map(({ unattributed }) => unattributed)).toEqual([null]);
  });

  test('where owners cannot be read they are', async () => {
    const proc = new Proc(makeNode({ sockets, self: 9 }));
    vi.spyOn(proc, 'bootTimeMs').mockImplementation(() => {
      throw new Error('no boot time');
    });
    const seen = await scanOf(proc, {}, known);
    expect(seen.tables?.flatMap(({ unattributed }) => unattributed?.map(({ inode }) => inode))).toEqual([21]);
  });

  test("the slice's port counts too", async () => {
    const at = { wallMs: 0, monotonicMs: 0 };
    const endpointSlice = { answer: { addresses: [], port: 8443, at }, failingSince: null };
    const proc = new Proc(makeNode({ sockets, self: 9 }));
    const seen = await scanOf(proc, { attribution: 'address' }, { ...known, endpointSlice });
    expect(seen.tables?.flatMap(({ unattributed }) => unattributed?.map(({ inode }) => inode))).toEqual([
      21, 22,
    ]);
  });
});
