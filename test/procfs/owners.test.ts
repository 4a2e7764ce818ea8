import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NODE_NETNS, type ProcTree, type TreeProcess, writeProcTree } from '../../src/demo/proc-tree.ts';
import type { OwnersSeen } from '../../src/model/observation.ts';
import { seeOwners, stillThere } from '../../src/procfs/owners.ts';
import { Pauses } from '../../src/procfs/pauses.ts';
import { Proc } from '../../src/procfs/proc.ts';
import { refused } from './refused.ts';

const KUBELET: TreeProcess = { pid: 2931, comm: 'kubelet', startTicks: 1500 };
const KUBE_PROXY: TreeProcess = { pid: 3140, comm: 'kube-proxy', startTicks: 2500 };
const POD_NETNS = 'net:[4026532500]';
const NODE: ProcTree = {
  bootTimeSeconds: 1_790_000_000,
  processes: [KUBELET, KUBE_PROXY, { pid: 4000, comm: 'coredns', netns: POD_NETNS }],
  sockets: [
    { pid: 2931, local: '192.168.1.204:44084', peer: '3.34.148.207:443', state: 'established', inode: 501 },
    { pid: 2931, local: '[::]:10250', state: 'listen', inode: 502 },
    { pid: 3140, local: '192.168.1.204:51246', peer: '3.38.61.180:443', state: 'established', inode: 503 },
    { pid: 4000, local: '10.0.0.9:53', state: 'listen', inode: 504 },
  ],
};
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'proc-'));
  fs.chmodSync(root, 0o755);
});

afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

function look(
  proc = new Proc(root),
  clients: readonly string[] = ['kubelet', 'kube-proxy'],
): Promise<OwnersSeen> {
  return seeOwners(proc, clients, new Pauses(() => 0, 5000));
}

function lookAt(processes: readonly TreeProcess[], tree: ProcTree = {}): Promise<OwnersSeen> {
  writeProcTree(root, { ...tree, processes });
  return look();
}

/** A /proc in which something happens after the descriptors of a process were read. */
class ChangingProc extends Proc {
  readonly #change: () => void;

  constructor(path: string, change: () => void) {
    super(path);
    this.#change = change;
  }

  override async socketInodes(pid: number, pauses: Pauses): Promise<Set<number> | null> {
    const inodes = await super.socketInodes(pid, pauses);
    this.#change();
    return inodes;
  }
}

describe('clients', () => {
  test('are found by name, with their sockets', async () => {
    writeProcTree(root, NODE);
    expect(await look()).toEqual({
      processes: [
        {
          client: 'kubelet',
          pid: 2931,
          startTicks: 1500,
          startedAtMs: 1_790_000_015_000,
          netns: NODE_NETNS,
          socketInodes: new Set([501, 502]),
          error: null,
        },
        {
          client: 'kube-proxy',
          pid: 3140,
          startTicks: 2500,
          startedAtMs: 1_790_000_025_000,
          netns: NODE_NETNS,
          socketInodes: new Set([503]),
          error: null,
        },
      ],
      leftOut: [],
      unreadable: 0,
    });
  });

  test('a long name is compared as far as the kernel keeps it', async () => {
    const name = 'aws-k8s-agent-with-a-long-name';
    writeProcTree(root, {
      processes: [
        { pid: 7, comm: name },
        { pid: 8, comm: 'aws-k8s-agent' },
      ],
    });
    const { processes } = await look(new Proc(root), [name]);
    expect(processes).toMatchObject([{ client: name, pid: 7 }]);
  });

  test('several processes of one name', async () => {
    const { processes } = await lookAt([KUBELET, { pid: 50, comm: 'kubelet' }]);
    expect(processes.map(({ pid }) => pid)).toEqual([50, 2931]);
  });

  test('a name that only begins like a client is another', async () => {
    const { processes } = await lookAt([
      { pid: 7, comm: 'kubelet2' },
      { pid: 8, comm: 'kube' },
    ]);
    expect(processes).toEqual([]);
  });
});

describe('who is left out', () => {
  test.each([
    ['of another uid', { uid: 1000 }, 'uid', 1000],
    ['of another real uid', { uid: { real: 1000, effective: 0 } }, 'uid', 1000],
    ['of another effective uid', { uid: { real: 0, effective: 65534 } }, 'uid', 65534],
    ['in another network namespace', { netns: POD_NETNS }, 'network-namespace', 0],
    [
      'of another uid in another network namespace',
      { uid: 1000, netns: POD_NETNS },
      'network-namespace',
      1000,
    ],
  ])('a process %s', async (_, difference, reason, uid) => {
    const { processes, leftOut, unreadable } = await lookAt([{ ...KUBELET, ...difference }, KUBE_PROXY]);
    expect(processes.map(({ client }) => client)).toEqual(['kube-proxy']);
    expect(leftOut).toEqual([{ client: 'kubelet', pid: 2931, reason, uid }]);
    expect(unreadable).toBe(0);
  });

  test('not who is in the network namespace of pid 1, wherever the agent is', async () => {
    const agent: TreeProcess = { pid: 900, comm: 'node', netns: POD_NETNS };
    expect((await lookAt([KUBELET, agent], { self: 900 })).processes).toHaveLength(1);
  });

  test('not who is in the network namespace of the agent, wherever pid 1 is', async () => {
    const pid1: TreeProcess = { pid: 1, comm: 'systemd', netns: POD_NETNS };
    const agent: TreeProcess = { pid: 900, comm: 'node' };
    expect((await lookAt([KUBELET, agent, pid1], { self: 900 })).processes).toHaveLength(1);
  });
});

describe('refused reads', () => {
  test.each([
    ['that may not be listed', 0],
    ['that may be listed and not followed', 0o444],
  ])('descriptors %s', async (_, mode) => {
    writeProcTree(root, NODE);
    const proc = new Proc(root);
    const { processes, unreadable } = await refused(new Map([[join(root, '2931/fd'), mode]]), () =>
      look(proc),
    );
    expect(processes.map(({ client, socketInodes }) => [client, socketInodes])).toEqual([
      ['kubelet', null],
      ['kube-proxy', new Set([503])],
    ]);
    expect(processes[0]?.error).toBe(
      `Cannot read "${root}/2931/fd": EACCES; the agent needs uid 0 and SYS_PTRACE`,
    );
    expect(unreadable).toBe(0);
    expect(proc.readErrors).toEqual({ EACCES: 1 });
  });

  test('a network namespace', async () => {
    writeProcTree(root, NODE);
    const { processes } = await refused(new Map([[join(root, '2931/ns'), 0o444]]), () => look());
    expect(processes[0]).toMatchObject({
      client: 'kubelet',
      netns: '',
      socketInodes: null,
      error: `Cannot read "${root}/2931/ns/net": EACCES; the agent needs uid 0 and SYS_PTRACE`,
    });
  });

  test("pid 1's network namespace: a client in another than the agent's is not left out, it is not known", async () => {
    writeProcTree(root, {
      self: 900,
      processes: [KUBELET, KUBE_PROXY, { pid: 900, comm: 'node' }].map((process) =>
        process === KUBELET ? { ...process, netns: POD_NETNS } : process,
      ),
    });
    const { processes, leftOut } = await refused(new Map([[join(root, '1/ns'), 0o444]]), () => look());
    expect(leftOut).toEqual([]);
    expect(processes).toMatchObject([
      { client: 'kubelet', netns: POD_NETNS, socketInodes: null },
      { client: 'kube-proxy', netns: NODE_NETNS, error: null },
    ]);
    expect(processes[0]?.error).toContain('1/ns/net": EACCES');
  });

  test.each(['comm', 'status', 'stat'])('a %s: the process might be a client', async (name) => {
    writeProcTree(root, NODE);
    const { processes, unreadable } = await refused(new Map([[join(root, '2931', name), 0]]), () => look());
    expect(processes.map(({ client }) => client)).toEqual(['kube-proxy']);
    expect(unreadable).toBe(1);
  });
});

describe('processes that vanish', () => {
  test('before they are looked at', async () => {
    writeProcTree(root, NODE);
    fs.rmSync(join(root, '2931/comm'));
    expect(await look()).toMatchObject({ processes: [{ client: 'kube-proxy' }], leftOut: [], unreadable: 0 });
  });

  test('after their descriptors were read', async () => {
    writeProcTree(root, { ...NODE, processes: [KUBELET] });
    const proc = new ChangingProc(root, () => writeProcTree(root, {}));
    expect(await look(proc)).toEqual({ processes: [], leftOut: [], unreadable: 0 });
    expect(proc.readErrors).toEqual({ EACCES: 0 });
  });

  test.each([
    ['of the same name', { ...KUBELET, startTicks: 1501 }],
    ['of another name', { ...KUBELET, comm: 'nginx' }],
  ])('and whose pid goes to a process %s', async (_, next) => {
    writeProcTree(root, { ...NODE, processes: [KUBELET] });
    const proc = new ChangingProc(root, () => writeProcTree(root, { processes: [next] }));
    expect((await look(proc)).processes).toEqual([]);
  });

  test('a zombie of a client is none', async () => {
    writeProcTree(root, { processes: [KUBELET] });
    const stat = join(root, '2931/stat');
    fs.writeFileSync(stat, fs.readFileSync(stat, 'utf8').replace(') S ', ') Z '));
    expect(await look()).toEqual({ processes: [], leftOut: [], unreadable: 0 });
  });

  test('are dropped later, too, and those whose pid was given away', async () => {
    writeProcTree(root, NODE);
    const proc = new Proc(root);
    const owners = await look(proc);
    expect(stillThere(proc, owners)).toEqual(owners);
    writeProcTree(root, { ...NODE, processes: [KUBELET, { ...KUBE_PROXY, startTicks: 9999 }] });
    expect(stillThere(proc, owners).processes.map(({ client }) => client)).toEqual(['kubelet']);
    writeProcTree(root, {});
    expect(stillThere(proc, owners)).toEqual({ processes: [], leftOut: [], unreadable: 0 });
  });

  test('those that may no longer be asked have no sockets that are known', async () => {
    writeProcTree(root, NODE);
    const proc = new Proc(root);
    const owners = await look(proc);
    const later = await refused(new Map([[join(root, '2931/stat'), 0]]), () => stillThere(proc, owners));
    expect(later.processes.map(({ socketInodes }) => socketInodes)).toEqual([null, new Set([503])]);
    expect(later.processes[0]?.error).toContain('2931/stat": EACCES');
  });
});

describe('a wrong --path.procfs', () => {
  test('that is not there', async () => {
    await expect(look(new Proc(`${root}/nowhere`))).rejects.toThrow(`Cannot read "${root}/nowhere": ENOENT`);
  });

  test('that shows no processes', async () => {
    fs.writeFileSync(join(root, 'stat'), 'btime 1\n');
    await expect(look()).rejects.toThrow(`Cannot find a process in "${root}": it is no /proc file system`);
  });
});

test('looking ends at the deadline', async () => {
  writeProcTree(root, NODE);
  let nowMs = 0;
  const hurried = new Pauses(() => (nowMs += 10), 15);
  await expect(seeOwners(new Proc(root), ['kubelet'], hurried)).rejects.toThrow('not done within 0.015 s');
});
