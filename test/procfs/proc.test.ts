import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TreeSocket, writeProcTree } from '../../src/demo/proc-tree.ts';
import { Pauses } from '../../src/procfs/pauses.ts';
import { Proc, ProcReadError } from '../../src/procfs/proc.ts';
import { refused } from './refused.ts';

const PID = 2931;
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

function sockets(count: number): TreeSocket[] {
  return Array.from({ length: count }, (_, index) => ({
    pid: PID,
    process: 'kubelet',
    local: `10.0.${index >> 16}.1:${index & 0xffff}`,
    peer: '10.0.0.2:443',
    state: 'established',
    inode: 1000 + index,
  }));
}

async function readAll(
  pid: number | 'self',
  table: 'tcp' | 'tcp6',
): Promise<{ there: boolean; text: string }> {
  const decoder = new TextDecoder();
  let text = '';
  const parser = {
    push(bytes: Uint8Array): void {
      text += decoder.decode(bytes, { stream: true });
    },
  };
  return { there: await proc.readTable(pid, table, parser, pauses()), text };
}

describe('facts of a process', () => {
  test('are what the tree says', () => {
    writeProcTree(root, {
      bootTimeSeconds: 1_790_000_000,
      processes: [
        {
          pid: PID,
          comm: 'kubelet',
          uid: { real: 0, effective: 1000 },
          startTicks: 4711,
          cmdline: ['/usr/bin/kubelet', '', '--v=2'],
          netns: 'net:[42]',
        },
      ],
    });
    expect([...proc.pids()].sort()).toEqual([1, PID]);
    expect(proc.comm(PID)).toBe('kubelet');
    expect(proc.uids(PID)).toEqual({ real: 0, effective: 1000 });
    expect(proc.startTicks(PID)).toBe(4711);
    expect(proc.bootTimeMs()).toBe(1_790_000_000_000);
    expect(proc.netns(PID)).toBe('net:[42]');
    expect(proc.netns('self')).toBe('net:[4026531840]');
    expect(proc.cmdline(PID)).toEqual(['/usr/bin/kubelet', '', '--v=2']);
  });

  test.each(['a b', 'a) R 1 2 (b', ')', '((', '1 (x) S'])('the start time behind the name %j', (comm) => {
    writeProcTree(root, { processes: [{ pid: PID, comm, startTicks: 4711 }] });
    expect(proc.startTicks(PID)).toBe(4711);
    expect(proc.comm(PID)).toBe(comm);
  });

  test('a zombie has vanished', () => {
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet' }] });
    const stat = join(root, String(PID), 'stat');
    fs.writeFileSync(stat, fs.readFileSync(stat, 'utf8').replace(') S ', ') Z '));
    expect(proc.startTicks(PID)).toBeNull();
  });

  test('a kernel thread has no arguments', () => {
    writeProcTree(root, { processes: [{ pid: 2, comm: 'kthreadd', cmdline: [] }] });
    expect(proc.cmdline(2)).toEqual([]);
  });

  test("the environment is the tree's", () => {
    const environ = { HTTPS_PROXY: 'http://proxy:3128', EMPTY: '', EQUALS: 'a=b', LINES: 'a\nb' };
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet', environ }] });
    expect(proc.environ(PID)).toEqual(environ);
  });

  test.each<[string, string, Record<string, string>]>([
    ['of a name that comes twice the first value counts, as in Go', 'A=1\0B=2\0A=3\0', { A: '1', B: '2' }],
    ['that it is empty counts too', 'A=\0A=3\0', { A: '' }],
    ['what is no variable is left out', 'A\0=B\0\0C=3\0', { C: '3' }],
    ['the last NUL may be missing', 'A=1\0B=2', { A: '1', B: '2' }],
    ['a kernel thread has none', '', {}],
    ['octets that are no UTF-8 spoil nothing else', 'A=\xff\0B=2\0', { A: '\ufffd', B: '2' }],
  ])('in an environment, %s', (_, text, environ) => {
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet' }] });
    fs.writeFileSync(join(root, `${PID}/environ`), text, 'latin1');
    expect(proc.environ(PID)).toEqual(environ);
  });

  test('a name that every object has is a name like any other', () => {
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet' }] });
    fs.writeFileSync(join(root, `${PID}/environ`), '__proto__=x\0toString=y\0');
    expect(Object.entries(proc.environ(PID) ?? {}).sort()).toEqual([
      ['__proto__', 'x'],
      ['toString', 'y'],
    ]);
  });

  test('an environment of 256 KiB is read, a larger one is refused as a whole', () => {
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet' }] });
    const file = join(root, `${PID}/environ`);
    fs.writeFileSync(file, 'A='.padEnd(256 * 1024 - 5, 'x').concat('\0B=2\0'));
    expect(proc.environ(PID)).toMatchObject({ B: '2' });
    fs.appendFileSync(file, 'C');
    expect(() => proc.environ(PID)).toThrow(`Cannot read "${file}": larger than 256 KiB`);
  });

  test('a process that is not there is null everywhere, and no error', async () => {
    writeProcTree(root, {});
    expect(proc.comm(PID)).toBeNull();
    expect(proc.uids(PID)).toBeNull();
    expect(proc.startTicks(PID)).toBeNull();
    expect(proc.netns(PID)).toBeNull();
    expect(await proc.socketInodes(PID, pauses())).toBeNull();
    expect(await readAll(PID, 'tcp')).toEqual({ there: false, text: '' });
    expect(proc.cmdline(PID)).toBeNull();
    expect(proc.environ(PID)).toBeNull();
    expect(proc.readFileUnderRoot(PID, '/x')).toBeNull();
    expect(proc.readFileUnderRoot(PID, 'x')).toBeNull();
    expect(proc.readErrors).toEqual({ EACCES: 0 });
  });

  test('files that are not what they should be throw', () => {
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet' }] });
    for (const name of [`${PID}/stat`, `${PID}/status`, 'stat']) fs.writeFileSync(join(root, name), '');
    expect(() => proc.startTicks(PID)).toThrow(`Cannot read "${root}/${PID}/stat": no start time`);
    expect(() => proc.uids(PID)).toThrow('no line "Uid:"');
    expect(() => proc.bootTimeMs()).toThrow('no line "btime"');
  });

  test.each([
    ['99999999999999', 99_999_999_999_999],
    ['1000000000000000', null],
    ['18446744073709551615', null],
    ['-1', null],
    ['1e3', null],
  ])('a start time of %s ticks: what no machine can have is refused', (ticks, expected) => {
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet', startTicks: 4711 }] });
    const stat = join(root, String(PID), 'stat');
    fs.writeFileSync(stat, fs.readFileSync(stat, 'utf8').replace(' 4711 ', ` ${ticks} `));
    if (expected === null) expect(() => proc.startTicks(PID)).toThrow('no start time');
    else expect(proc.startTicks(PID)).toBe(expected);
  });

  test.each([
    ['99999999999', 99_999_999_999_000],
    ['100000000000', null],
    ['-5', null],
  ])('a boot time of %s s: what no date can hold is refused', (seconds, expected) => {
    writeProcTree(root, {});
    fs.writeFileSync(join(root, 'stat'), `cpu 0\nbtime ${seconds}\n`);
    if (expected === null) expect(() => proc.bootTimeMs()).toThrow('no line "btime"');
    else expect(proc.bootTimeMs()).toBe(expected);
  });

  test('a root that is not there throws', () => {
    const nowhere = new Proc(join(root, 'nowhere'));
    expect(() => [...nowhere.pids()]).toThrow(`Cannot read "${root}/nowhere": ENOENT`);
  });
});

describe('refused reads throw and are counted', () => {
  test('files, links and descriptors, by errno', async () => {
    const kubelet = { pid: PID, comm: 'kubelet', environ: { A: '1' } };
    writeProcTree(root, { processes: [kubelet], sockets: sockets(3) });
    await refused(
      new Map([
        [join(root, `${PID}/status`), 0],
        [join(root, `${PID}/environ`), 0],
        [join(root, `${PID}/ns`), 0o444],
      ]),
      () => {
        expect(() => proc.uids(PID)).toThrow(`Cannot read "${root}/${PID}/status": EACCES`);
        expect(() => proc.environ(PID)).toThrow(`Cannot read "${root}/${PID}/environ": EACCES`);
        expect(() => proc.netns(PID)).toThrow(ProcReadError);
      },
    );
    expect(proc.readErrors).toEqual({ EACCES: 3 });
  });

  test('descriptors that cannot even be listed', async () => {
    writeProcTree(root, { sockets: sockets(3) });
    await refused(new Map([[join(root, `${PID}/fd`), 0]]), async () => {
      await expect(proc.socketInodes(PID, pauses())).rejects.toThrow(
        `Cannot read "${root}/${PID}/fd": EACCES`,
      );
    });
    expect(proc.readErrors).toEqual({ EACCES: 1 });
  });

  test('descriptors that can be listed and not followed, as for uid 0 without SYS_PTRACE', async () => {
    writeProcTree(root, { sockets: sockets(3) });
    await refused(new Map([[join(root, `${PID}/fd`), 0o444]]), async () => {
      await expect(proc.socketInodes(PID, pauses())).rejects.toThrow(
        `Cannot read "${root}/${PID}/fd": EACCES`,
      );
    });
    expect(proc.readErrors).toEqual({ EACCES: 1 });
  });

  test('another failure is counted under its own name', () => {
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet' }] });
    fs.rmSync(join(root, `${PID}/comm`));
    fs.mkdirSync(join(root, `${PID}/comm`));
    expect(() => proc.comm(PID)).toThrow('EISDIR');
    expect(proc.readErrors).toEqual({ EACCES: 0, EISDIR: 1 });
  });
});

describe('descriptors', () => {
  test('only sockets count', async () => {
    writeProcTree(root, { sockets: sockets(2) });
    for (const [name, target] of [
      ['0', '/dev/null'],
      ['1', 'pipe:[1003]'],
      ['20', 'anon_inode:[eventpoll]'],
      ['21', '/socket:[7]'],
      ['22', 'socket:[x]'],
    ] as const) {
      fs.symlinkSync(target, join(root, `${PID}/fd/${name}`));
    }
    expect(await proc.socketInodes(PID, pauses())).toEqual(new Set([1000, 1001]));
  });

  test('50,000 descriptors are read with pauses in between', { timeout: 60_000 }, async () => {
    writeProcTree(root, { sockets: sockets(1) });
    for (let fd = 10; fd < 50_009; fd += 1)
      fs.symlinkSync(`socket:[${100_000 + fd}]`, join(root, `${PID}/fd/${fd}`));
    let nowMs = 0;
    let paused = 0;
    class CountedPauses extends Pauses {
      override async pause(): Promise<void> {
        paused += 1;
        await super.pause();
      }
    }
    // Every look at the clock finds it a quarter of a millisecond further.
    const inodes = await proc.socketInodes(PID, new CountedPauses(() => (nowMs += 0.25), 60_000));
    expect(inodes?.size).toBe(50_000);
    expect(paused).toBeGreaterThan(1000);
  });

  test('descriptors that close while they are listed are normal', async () => {
    writeProcTree(root, { sockets: sockets(600) });
    let nowMs = 0;
    class ClosingPauses extends Pauses {
      override async pause(): Promise<void> {
        fs.rmSync(join(root, `${PID}/fd`), { recursive: true, force: true });
        fs.mkdirSync(join(root, `${PID}/fd`));
        await super.pause();
      }
    }
    const inodes = await proc.socketInodes(PID, new ClosingPauses(() => (nowMs += 1), 60_000));
    expect(inodes?.size).toBeLessThan(600);
    expect(inodes?.size).toBeGreaterThan(0);
    expect(proc.readErrors).toEqual({ EACCES: 0 });
  });

  test('reading ends at the deadline', async () => {
    writeProcTree(root, { sockets: sockets(600) });
    let nowMs = 0;
    const hurried = new Pauses(() => (nowMs += 1), 50);
    await expect(proc.socketInodes(PID, hurried)).rejects.toThrow('not done within 0.05 s');
  });
});

describe('tables', () => {
  test('are read to their end', async () => {
    writeProcTree(root, { sockets: sockets(2000) });
    const { there, text } = await readAll(PID, 'tcp');
    expect(there).toBe(true);
    expect(text).toBe(fs.readFileSync(join(root, `${PID}/net/tcp`), 'utf8'));
    expect(text.split('\n')).toHaveLength(2002);
  });

  test('a kernel without IPv6 has no second one', async () => {
    writeProcTree(root, { sockets: sockets(1) });
    fs.rmSync(join(root, `${PID}/net/tcp6`));
    expect(await readAll('self', 'tcp6')).toEqual({ there: false, text: '' });
  });

  test.runIf(process.platform === 'linux')('are closed whatever happens', async () => {
    writeProcTree(root, { sockets: sockets(2000) });
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    const failing = {
      push(): never {
        throw new RangeError('enough');
      },
    };
    await expect(proc.readTable(PID, 'tcp', failing, pauses())).rejects.toThrow('enough');
    let nowMs = 0;
    const hurried = new Pauses(() => (nowMs += 10), 20);
    await expect(proc.readTable(PID, 'tcp', { push() {} }, hurried)).rejects.toThrow('not done within');
    await expect(proc.socketInodes(PID, new Pauses(() => (nowMs += 10), 20))).rejects.toThrow(
      'not done within',
    );
    for (const _ of proc.pids()) break;
    expect(open()).toBe(before);
  });

  test('a table that cannot be read to its end throws and is counted', async () => {
    writeProcTree(root, { sockets: sockets(1) });
    const tcp = fs.realpathSync(join(root, `${PID}/net/tcp`));
    fs.rmSync(tcp);
    fs.mkdirSync(tcp);
    await expect(readAll(PID, 'tcp')).rejects.toThrow(`Cannot read "${root}/${PID}/net/tcp": EISDIR`);
    expect(proc.readErrors).toEqual({ EACCES: 0, EISDIR: 1 });
  });
});

describe('files under the root of a process', () => {
  function read(path: string): string | null {
    const bytes = proc.readFileUnderRoot(PID, path);
    return bytes && Buffer.from(bytes).toString();
  }

  function write(links: Record<string, string>, cwd = '/'): void {
    const files = { '/etc/kubeconfig': 'the file', '/var/lib/kubelet/pki/ca.crt': 'the CA' };
    writeProcTree(root, { processes: [{ pid: PID, comm: 'kubelet', files, links, cwd }] });
  }

  test.each([
    ['/etc/kubeconfig', 'the file'],
    ['//etc/./../etc/kubeconfig', 'the file'],
    ['/../../../etc/kubeconfig', 'the file'],
    ['/absolute', 'the file'],
    ['/x/relative', 'the file'],
    ['/x/up', 'the file'],
    ['/x/escaping', 'the file'],
    ['/lib/kubelet/pki/ca.crt', 'the CA'],
    ['/chain', 'the CA'],
  ])('%s', (path, content) => {
    write({
      '/absolute': '/etc/kubeconfig',
      '/x/relative': '../etc/kubeconfig',
      '/x/up': '../../../../etc/kubeconfig',
      '/x/escaping': `/../${'../'.repeat(20)}etc/kubeconfig`,
      '/lib': '/var/lib',
      '/chain': '/chain2/pki/ca.crt',
      '/chain2': 'lib/kubelet/',
    });
    expect(read(path)).toBe(content);
  });

  test.each([
    ['kubelet/pki/ca.crt', 'the CA'],
    ['../lib/kubelet/pki/ca.crt', 'the CA'],
    ['./../../etc/kubeconfig', 'the file'],
  ])('%s from the working directory', (path, content) => {
    write({}, '/var/lib');
    expect(read(path)).toBe(content);
  });

  test('an absolute link never leads out of the root', () => {
    const outside = join(root, 'outside');
    fs.writeFileSync(outside, 'ours');
    write({ '/a': outside, '/b': '/d/outside', '/d': root });
    expect(read('/a')).toBeNull();
    expect(read('/b')).toBeNull();
  });

  test('links without an end throw', () => {
    write({ '/a': 'b', '/b': '/a' });
    expect(() => read('/a')).toThrow('too many symbolic links');
  });

  test('40 links are followed, 41 are not', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 41 }, (_, index) => [`/link${index}`, `/link${index + 1}`]),
    );
    write({ ...chain, '/link40': '/etc/kubeconfig' });
    expect(read('/link1')).toBe('the file');
    expect(() => read('/link0')).toThrow('too many symbolic links');
  });

  test('no directories', () => {
    write({});
    expect(() => read('/etc')).toThrow('not a regular file');
    expect(() => read('/')).toThrow('not a regular file');
    expect(() => read('/etc/kubeconfig/x')).toThrow('ENOTDIR');
  });

  test('at most 1 MiB', () => {
    write({});
    const file = join(root, `${PID}/root/big`);
    fs.writeFileSync(file, Buffer.alloc(1024 * 1024, 7));
    expect(proc.readFileUnderRoot(PID, '/big')).toEqual(Buffer.alloc(1024 * 1024, 7));
    fs.appendFileSync(file, 'x');
    expect(() => read('/big')).toThrow('larger than 1 MiB');
  });

  test('a refused file throws and is counted', async () => {
    write({});
    await refused(new Map([[join(root, `${PID}/root/etc/kubeconfig`), 0]]), () =>
      expect(() => read('/etc/kubeconfig')).toThrow('EACCES'),
    );
    expect(proc.readErrors).toEqual({ EACCES: 1 });
  });
});
