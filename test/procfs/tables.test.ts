import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NODE_NETNS, type ProcTree, type TreeSocket, writeProcTree } from '../../src/demo/proc-tree.ts';
import { formatEndpoint } from '../../src/model/address.ts';
import { clientSockets } from '../../src/model/connections.ts';
import type { OwnersSeen, SocketTable } from '../../src/model/observation.ts';
import { seeOwners } from '../../src/procfs/owners.ts';
import { Pauses } from '../../src/procfs/pauses.ts';
import { Proc, ProcReadError } from '../../src/procfs/proc.ts';
import { seeTables } from '../../src/procfs/tables.ts';
import { observation } from '../support/observation.ts';
import { refused } from './refused.ts';

const POD_NETNS = 'net:[4026532500]';
const NODE: ProcTree = {
  processes: [{ pid: 900, comm: 'node', netns: POD_NETNS }],
  sockets: [
    {
      pid: 2931,
      process: 'kubelet',
      local: '192.168.1.204:44084',
      peer: '3.34.148.207:443',
      state: 'established',
    },
    {
      pid: 3140,
      process: 'kube-proxy',
      local: '192.168.1.204:51246',
      peer: '3.38.61.180:443',
      state: 'syn-sent',
      retransmits: 2,
      sendQueueBytes: 1,
    },
    {
      pid: 2931,
      process: 'kubelet',
      local: '[::ffff:192.168.1.204]:10250',
      peer: '[::ffff:192.168.1.231]:60974',
      state: 'established',
    },
    { pid: 2931, process: 'kubelet', local: '[::]:10250', state: 'listen' },
    { pid: 77, process: 'sshd', local: '0.0.0.0:22', state: 'listen' },
    { local: '192.168.1.204:44090', peer: '3.34.148.207:443', state: 'time-wait' },
    { pid: 900, local: '10.0.0.9:50000', peer: '192.168.1.231:443', state: 'established' },
  ],
};
let root: string;
let proc: Proc;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'proc-'));
  fs.chmodSync(root, 0o755);
  proc = new Proc(root);
});

afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

function pauses(): Pauses {
  return new Pauses(() => 0, 5000);
}

function owners(): Promise<OwnersSeen> {
  return seeOwners(proc, ['kubelet', 'kube-proxy'], pauses());
}

async function see(
  seen: OwnersSeen | null,
  ports: ReadonlySet<number> | null = null,
): Promise<SocketTable[]> {
  return await seeTables(proc, seen, { ports, pauses: pauses() });
}

function brief(table: SocketTable | undefined): string[] {
  return (table?.sockets ?? []).map(
    ({ state, peer, peerPort, inode }) => `${inode} ${state} ${formatEndpoint(peer, peerPort)}`,
  );
}

function listening(table: SocketTable | undefined): string[] {
  return (table?.listeners ?? []).map(({ local, port }) => formatEndpoint(local, port));
}

/** A /proc in which `vanish` happens just before the tables of a process are opened. */
class VanishingProc extends Proc {
  readonly #vanish: () => void;

  constructor(path: string, vanish: () => void) {
    super(path);
    this.#vanish = vanish;
  }

  override readTable(...[pid, table, parser, stops]: Parameters<Proc['readTable']>): Promise<boolean> {
    this.#vanish();
    return super.readTable(pid, table, parser, stops);
  }
}

describe('the tables of a node', () => {
  test("hold the clients' sockets of both families, and where root listens", async () => {
    writeProcTree(root, NODE);
    const tables = await see(await owners());
    expect(tables).toHaveLength(1);
    expect(brief(tables[0]).sort()).toEqual([
      '20001 established 3.34.148.207:443',
      '20002 syn-sent 3.38.61.180:443',
      '20003 established 192.168.1.231:60974',
      '20004 listen [::]:0',
    ]);
    expect(tables[0]).toMatchObject({ netns: NODE_NETNS, rows: 6, rejectedRows: 0 });
    expect(listening(tables[0])).toEqual(['0.0.0.0:22', '[::]:10250']);
    expect(tables[0]?.sockets.find(({ inode }) => inode === 20002)).toMatchObject({
      retransmits: 2,
      sendQueueBytes: 1,
      localPort: 51246,
    });
  });

  test('a kernel without IPv6', async () => {
    writeProcTree(root, NODE);
    fs.rmSync(join(root, '2931/net/tcp6'));
    const [table] = await see(await owners());
    expect(brief(table)).toEqual(['20001 established 3.34.148.207:443', '20002 syn-sent 3.38.61.180:443']);
    expect(table?.rows).toBe(4);
  });

  test('a row that the kernel prints twice counts once among the sockets', async () => {
    writeProcTree(root, NODE);
    const tcp = fs.realpathSync(join(root, '2931/net/tcp'));
    const rows = fs.readFileSync(tcp, 'utf8').split('\n');
    fs.writeFileSync(tcp, [...rows.slice(0, 3), ...rows.slice(1)].join('\n'));
    const [table] = await see(await owners());
    expect(brief(table).filter((socket) => socket.startsWith('20001'))).toHaveLength(1);
    expect(table?.rows).toBe(8);
  });

  test('rows that do not parse are counted, over both families', async () => {
    writeProcTree(root, NODE);
    for (const name of ['tcp', 'tcp6'])
      fs.appendFileSync(join(root, '2931/net', name), '   9: junk\n   10: torn');
    expect(await see(await owners())).toMatchObject([{ rows: 6, rejectedRows: 4 }]);
  });

  test('of every network namespace in which a client is', async () => {
    const pod: TreeSocket = {
      pid: 5000,
      local: '10.0.0.7:40000',
      peer: '192.168.1.231:443',
      state: 'established',
    };
    writeProcTree(root, {
      processes: [
        { pid: 5000, comm: 'kube-proxy', netns: POD_NETNS },
        { pid: 900, comm: 'node', netns: POD_NETNS },
      ],
      sockets: [...(NODE.sockets ?? []), pod],
      self: 900,
    });
    const tables = await see(await owners());
    expect(tables.map(({ netns }) => netns)).toEqual([NODE_NETNS, POD_NETNS]);
    expect(brief(tables[1])).toEqual(['20008 established 192.168.1.231:443']);
    expect(tables[1]?.rows).toBe(2);
  });
});

describe('listeners', () => {
  const kubelet: TreeSocket = {
    pid: 2931,
    process: 'kubelet',
    local: '192.168.1.204:44084',
    peer: '3.34.148.207:443',
    state: 'established',
  };

  /** Whether kubelet's connection passes for one that its peer opened, in a node that has this socket too. */
  async function acceptedBeside(other: TreeSocket): Promise<boolean[]> {
    writeProcTree(root, { sockets: [kubelet, other] });
    const seen = await owners();
    const look = { ...observation(), owners: seen, tables: await see(seen) };
    return [...clientSockets(look).values()].map(({ accepted }) => accepted);
  }

  test.each([
    ['of root', 0, true],
    ['of uid 1000: it hides nothing', 1000, false],
  ])('%s on the local port of a connection, at every address', async (_, uid, accepted) => {
    for (const local of ['0.0.0.0:44084', '192.168.1.204:44084']) {
      expect(await acceptedBeside({ local, state: 'listen', uid })).toEqual([accepted]);
    }
  });

  test('of root in the other family: an IPv6-only one, as the kernel then allows', async () => {
    expect(await acceptedBeside({ local: '[::]:44084', state: 'listen' })).toEqual([false]);
  });

  test('are rows in LISTEN only', async () => {
    expect(await acceptedBeside({ local: '0.0.0.0:44084', state: 'close' })).toEqual([false]);
  });

  test('of uids other than 0 are not among the listeners, though their rows count', async () => {
    writeProcTree(root, {
      sockets: [
        kubelet,
        { local: '[::]:44084', state: 'listen', uid: 1000 },
        { local: '0.0.0.0:22', state: 'listen' },
        { local: '127.0.0.1:8080', state: 'listen', uid: 65_534 },
        { local: '[::1]:9090', state: 'listen' },
      ],
    });
    const [table] = await see(await owners());
    expect(listening(table)).toEqual(['0.0.0.0:22', '[::1]:9090']);
    expect(table).toMatchObject({ rows: 5, rejectedRows: 0 });
  });
});

describe('without a client', () => {
  test.each([
    ['owners that are not known', null],
    ['no process of a client', { processes: [], leftOut: [], unreadable: 0 }],
  ])('pid 1 shows the table: %s', async (_, seen) => {
    writeProcTree(root, { ...NODE, self: 900 });
    expect(await see(seen)).toMatchObject([
      { netns: NODE_NETNS, sockets: [], rows: 6, listeners: [{ port: 22 }, { port: 10250 }] },
    ]);
  });

  test('the agent itself where there is no pid 1', async () => {
    writeProcTree(root, { ...NODE, self: 900 });
    fs.rmSync(join(root, '1'), { recursive: true });
    expect(await see(null)).toMatchObject([{ netns: POD_NETNS, rows: 1 }]);
  });

  test('it throws where there is neither', async () => {
    writeProcTree(root, {});
    fs.rmSync(join(root, '1'), { recursive: true });
    await expect(see(null)).rejects.toThrow('neither pid 1 nor the agent itself is there');
  });

  test('a namespace that may not be named does not hide its table', async () => {
    writeProcTree(root, NODE);
    const modes = new Map(['1', '2931', '3140'].map((pid) => [join(root, pid, 'ns'), 0o444]));
    const tables = await refused(modes, async () => see(await owners()));
    expect(tables).toMatchObject([{ netns: '', sockets: [], rows: 6 }]);
  });
});

describe('processes that vanish', () => {
  test('another one of the same namespace shows its table', async () => {
    writeProcTree(root, NODE);
    const seen = await owners();
    proc = new VanishingProc(root, () => fs.rmSync(join(root, '2931'), { recursive: true, force: true }));
    expect(await see(seen)).toMatchObject([{ netns: NODE_NETNS, rows: 6 }]);
  });

  test('a namespace without any has no table', async () => {
    writeProcTree(root, NODE);
    const seen = await owners();
    proc = new VanishingProc(root, () => writeProcTree(root, {}));
    expect(await see(seen)).toEqual([]);
  });

  test('a pid that comes to be in another namespace does not show the table of that one', async () => {
    writeProcTree(root, { sockets: (NODE.sockets ?? []).filter(({ process }) => process === 'kubelet') });
    const seen = await owners();
    writeProcTree(root, { processes: [{ pid: 2931, comm: 'nginx', netns: POD_NETNS }] });
    expect(await see(seen)).toEqual([]);
  });
});

describe('a table that cannot be read to its end throws', () => {
  test.each([
    ['an empty file', (path: string) => fs.writeFileSync(path, ''), 'its header is missing'],
    ['no file though the process is there', (path: string) => fs.rmSync(path), 'there is no such file'],
    [
      'a failing read',
      (path: string) => {
        fs.rmSync(path);
        fs.mkdirSync(path);
      },
      'EISDIR',
    ],
  ])('%s', async (_, spoil, message) => {
    writeProcTree(root, NODE);
    const seen = await owners();
    spoil(fs.realpathSync(join(root, '2931/net/tcp')));
    await expect(see(seen)).rejects.toThrow(message);
  });

  test('a refused one', async () => {
    writeProcTree(root, NODE);
    const seen = await owners();
    await expect(
      refused(new Map([[fs.realpathSync(join(root, '2931/net/tcp6')), 0]]), () => see(seen)),
    ).rejects.toThrow('tcp6": EACCES');
  });

  test('one that takes too long', async () => {
    writeProcTree(root, NODE);
    const seen = await owners();
    let nowMs = 0;
    const hurried = new Pauses(() => (nowMs += 10), 15);
    await expect(seeTables(proc, seen, { ports: null, pauses: hurried })).rejects.toThrow(
      'not done within 0.015 s',
    );
  });
});

describe('connections to the kubelet', () => {
  const inbound = (peer: string, local = '10.0.0.1:10250') =>
    ({ local, peer, state: 'established' }) as const;
  const of = (seen: readonly SocketTable[]) =>
    seen.flatMap(({ inbound: peers }) => peers.map(({ peer, connections }) => `${peer.text} ${connections}`));

  test('are counted by peer, whoever holds them; loopback and other ports and states are not', async () => {
    writeProcTree(root, {
      sockets: [
        inbound('10.0.0.7:40000'),
        inbound('10.0.0.7:40001'),
        inbound('[::ffff:10.0.0.7]:40002', '[::ffff:10.0.0.1]:10250'),
        inbound('10.0.0.8:40000'),
        inbound('127.0.0.1:40000', '127.0.0.1:10250'),
        inbound('10.0.0.9:40000', '10.0.0.1:10251'),
        { ...inbound('10.0.0.9:40001'), state: 'close-wait' },
      ],
    });
    expect(of(await see(null))).toEqual(['10.0.0.7 3', '10.0.0.8 1']);
  });

  test('count once where a row comes twice', async () => {
    writeProcTree(root, { sockets: [inbound('10.0.0.7:40000'), inbound('10.0.0.7:40000')] });
    expect(of(await see(null))).toEqual(['10.0.0.7 1']);
  });
});

describe("sockets to the endpoint's ports", () => {
  const to = (peer: string, more: object = {}) =>
    ({ local: '10.0.0.1:40000', peer, state: 'established', ...more }) as const;
  const of = (seen: readonly SocketTable[]) =>
    seen.map(({ unattributed }) => unattributed?.map(({ inode }) => inode) ?? 'not asked for');

  test('are kept whoever holds them where they are asked for, once, and none without an inode', async () => {
    writeProcTree(root, {
      sockets: [
        to('10.0.0.2:443', { inode: 11 }),
        to('10.0.0.2:443', { inode: 11 }),
        to('10.0.0.2:8443', { inode: 12 }),
        to('10.0.0.2:80', { inode: 13 }),
        to('10.0.0.2:443', { inode: 0 }),
      ],
    });
    expect(of(await see(null, new Set([443, 8443])))).toEqual([[11, 12]]);
    expect(of(await see(null, new Set()))).toEqual([[]]);
    expect(of(await see(null))).toEqual(['not asked for']);
  });

  test("the agent's own are left out", async () => {
    writeProcTree(root, {
      self: 9,
      sockets: [
        to('10.0.0.2:443', { inode: 11, process: 'node', pid: 9 }),
        to('10.0.0.2:443', { inode: 12, process: 'curl', pid: 10 }),
      ],
    });
    expect(of(await see(null, new Set([443])))).toEqual([[12]]);
  });
});

describe("whose tables are the node's where no client is seen", () => {
  const listening = { local: '0.0.0.0:10250', state: 'listen' } as const;
  const OTHER = 'net:[4026532999]';

  /** As without SYS_PTRACE: the link of pid 1 cannot be read, its tables can. */
  async function seeWithoutPtrace(): Promise<SocketTable | undefined> {
    const netns = proc.netns.bind(proc);
    vi.spyOn(proc, 'netns').mockImplementation((pid) => {
      if (pid === 1) throw new ProcReadError('/proc/1/ns/net', 'EACCES');
      return netns(pid);
    });
    const [table] = await see(null, new Set([443]));
    vi.restoreAllMocks();
    return table;
  }

  test("the agent's own, where something of root's listens on the kubelet's port there", async () => {
    writeProcTree(root, { self: 9, processes: [{ pid: 9, comm: 'node' }], sockets: [listening] });
    expect((await seeWithoutPtrace())?.netns).toBe(proc.netns('self'));
  });

  test("else those of pid 1, the agent's being of its own namespace", async () => {
    const processes = [{ pid: 9, comm: 'node', netns: OTHER }];
    writeProcTree(root, { self: 9, processes, sockets: [listening] });
    const table = await seeWithoutPtrace();
    expect(table?.netns).toBe('');
    expect(table?.listeners.map(({ port }) => port)).toEqual([10_250]);
  });
});
