import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TreeSocket, writeProcTree } from '../../src/demo/proc-tree.ts';

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'proc-'));
});

afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

function read(path: string): string {
  return fs.readFileSync(join(root, path), 'utf8');
}

function rows(table: 'tcp' | 'tcp6', ...sockets: TreeSocket[]): string[] {
  writeProcTree(root, { sockets });
  return read(`1/net/${table}`).split('\n').slice(1, -1);
}

/** Every path of the tree, sorted; links are not followed. */
function paths(directory = ''): string[] {
  return fs
    .readdirSync(join(root, directory), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? [path, ...paths(path)] : [path];
    })
    .sort();
}

describe("tables look like the kernel's", () => {
  test('a row of tcp, filled to 149 characters', () => {
    const [row] = rows('tcp', {
      local: '192.168.1.204:44084',
      peer: '3.34.148.207:443',
      state: 'established',
      inode: 501,
    });
    expect(row).toBe(
      '   0: CC01A8C0:AC34 CF942203:01BB 01 00000000:00000000 00:00000000 00000000     0        0 501 1 00000000000001F5 20 4 30 10 -1'.padEnd(
        149,
      ),
    );
    expect(
      read('1/net/tcp')
        .split('\n')
        .slice(0, -1)
        .map(({ length }) => length),
    ).toEqual([149, 149]);
  });

  test('a row of tcp6', () => {
    const [row] = rows('tcp6', {
      local: '[::1]:48632',
      peer: '[2001:db8::c000:201]:443',
      state: 'close-wait',
      inode: 9,
    });
    expect(row).toBe(
      '   0: 00000000000000000000000001000000:BDF8 B80D01200000000000000000010200C0:01BB 08 00000000:00000000 00:00000000 00000000     0        0 9 1 0000000000000009 20 4 30 10 -1',
    );
  });

  test.each([
    ['[::ffff:192.168.1.231]:443', '0000000000000000FFFF0000E701A8C0:01BB'],
    ['[64:ff9b::3.34.148.207]:443', '9BFF64000000000000000000CF942203:01BB'],
    ['[::]:0', '00000000000000000000000000000000:0000'],
  ])('%s', (peer, hex) => {
    expect(rows('tcp6', { local: '[::1]:1', peer, state: 'established' })[0]).toContain(` ${hex} 01 `);
  });

  test('listeners, retransmits and unacknowledged bytes', () => {
    expect(rows('tcp', { local: '0.0.0.0:22', state: 'listen' })[0]).toContain(
      ' 00000000:0016 00000000:0000 0A ',
    );
    expect(
      rows('tcp', {
        local: '10.0.0.1:1',
        peer: '10.0.0.2:443',
        state: 'syn-sent',
        retransmits: 3,
        sendQueueBytes: 257,
      })[0],
    ).toContain(' 02 00000101:00000000 00:00000000 00000003 ');
  });

  test.each([
    [0, '     0        0 7 1 '],
    [1000, '  1000        0 7 1 '],
    [4_294_967_294, ' 4294967294        0 7 1 '],
  ])('the uid %d in its column', (uid, column) => {
    const [row] = rows('tcp', { local: '0.0.0.0:22', state: 'listen', inode: 7, uid });
    expect(row).toContain(` 00000000${column}`);
    expect(row).toHaveLength(149);
  });

  test('a connection in TIME_WAIT has no inode', () => {
    const [row] = rows('tcp', { local: '10.0.0.1:1', peer: '10.0.0.2:443', state: 'time-wait', inode: 77 });
    expect(row?.trim().split(/\s+/)[9]).toBe('0');
  });

  test.each(['10.0.0.1', '10.0.0.256:1', '10.0.0.1:65536', '::1:443', '[10.0.0.1:1', '[fe80::1%eth0]:1', ''])(
    '%j is no endpoint',
    (local) => {
      expect(() => rows('tcp', { local, state: 'listen' })).toThrow(SyntaxError);
    },
  );
});

describe('a tree', () => {
  test('has pid 1 and self, and a process for every socket that names one', () => {
    writeProcTree(root, {
      sockets: [
        { process: 'kubelet', pid: 2931, local: '10.0.0.1:1', peer: '10.0.0.2:443', state: 'established' },
      ],
    });
    expect(read('1/comm')).toBe('systemd\n');
    expect(read('self/comm')).toBe('systemd\n');
    expect(read('2931/comm')).toBe('kubelet\n');
    expect(fs.readlinkSync(join(root, '2931/fd/3'))).toBe('socket:[20001]');
    expect(read('2931/net/tcp')).toBe(read('1/net/tcp'));
  });

  test('has a table for every network namespace', () => {
    writeProcTree(root, {
      processes: [{ pid: 7, comm: 'pod', netns: 'net:[7]' }],
      sockets: [
        { local: '0.0.0.0:22', state: 'listen' },
        { pid: 7, local: '0.0.0.0:80', state: 'listen' },
        { local: '0.0.0.0:81', state: 'listen', netns: 'net:[7]' },
      ],
    });
    expect(read('1/net/tcp').split('\n')).toHaveLength(3);
    expect(read('7/net/tcp').split('\n')).toHaveLength(4);
  });

  test('has an environment where one is given, and loses it with it', () => {
    const process = { pid: 7, comm: 'kubelet' };
    writeProcTree(root, { processes: [{ ...process, environ: { A: '1', B: 'x=y z' } }] });
    expect(read('7/environ')).toBe('A=1\0B=x=y z\0');
    writeProcTree(root, { processes: [{ ...process, environ: {} }] });
    expect(read('7/environ')).toBe('');
    writeProcTree(root, { processes: [process] });
    expect(paths()).toContain('7/cmdline');
    expect(paths()).not.toContain('7/environ');
  });

  test('that is written again shows what is new, and nothing else', () => {
    const kubelet = {
      pid: 2931,
      comm: 'kubelet',
      files: { '/etc/a': 'a', '/etc/b': 'b' },
      links: { '/l': 'm' },
    };
    const socket: TreeSocket = { pid: 2931, local: '10.0.0.1:1', peer: '10.0.0.2:443', state: 'established' };
    const after = {
      processes: [{ pid: 2931, comm: 'kubelet', files: { '/etc/b': 'B' } }],
      sockets: [{ ...socket, inode: 9 }],
    };
    writeProcTree(root, after);
    const expected = paths();
    writeProcTree(root, {
      processes: [kubelet, { pid: 50, comm: 'gone', netns: 'net:[50]', files: { '/x/y/z': '' } }],
      sockets: [socket, socket, { ...socket, pid: 50 }],
      self: 50,
    });
    expect(paths().length).toBeGreaterThan(expected.length);
    writeProcTree(root, after);
    expect(paths()).toEqual(expected);
    expect(fs.readlinkSync(join(root, '2931/fd/3'))).toBe('socket:[9]');
    expect(read('2931/root/etc/b')).toBe('B');
    expect(fs.readlinkSync(join(root, 'self'))).toBe('1');
  });

  test('a reader who has a table open keeps the old one whole', () => {
    writeProcTree(root, { sockets: [{ local: '0.0.0.0:22', state: 'listen' }] });
    const old = read('1/net/tcp');
    const file = fs.openSync(join(root, '1/net/tcp'), 'r');
    writeProcTree(root, { sockets: [{ local: '0.0.0.0:23', state: 'listen' }] });
    expect(fs.readFileSync(file, 'utf8')).toBe(old);
    fs.closeSync(file);
    expect(read('1/net/tcp')).not.toBe(old);
  });

  test('nothing that it did not make is removed', () => {
    fs.mkdirSync(join(root, 'mine/1'), { recursive: true });
    fs.writeFileSync(join(root, 'mine/1/file'), '');
    writeProcTree(root, {});
    writeProcTree(root, {});
    expect(fs.existsSync(join(root, 'mine/1/file'))).toBe(true);
  });
});
