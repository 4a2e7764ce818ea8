import { expect, test, vi } from 'vitest';
import { type Background, scan } from '../../src/agent/scan.ts';
import { Proc } from '../../src/procfs/proc.ts';
import { makeNode } from '../support/made-node.ts';
import { realClock } from '../support/runtime.ts';

const NOTHING_KNOWN: Background = {
  endpoint: null,
  dns: null,
  endpointSlice: null,
  imds: null,
  identities: null,
  probes: null,
  stages: [],
};

const SOCKET = { local: '10.0.0.1:40000', peer: '10.0.0.2:443', state: 'established' } as const;

function scanOf(proc: Proc) {
  return scan({ proc, clients: ['kubelet'], clock: realClock }, () => NOTHING_KNOWN);
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
