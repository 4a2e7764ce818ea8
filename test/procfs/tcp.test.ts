import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressFromOctets } from '../../src/model/address.ts';
import type { Socket as RowOfTable } from '../../src/model/observation.ts';

/** The parser does not know which table it reads. */
type Socket = Omit<RowOfTable, 'table'>;

import { type TcpRow, TcpTableParser } from '../../src/procfs/tcp.ts';

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     ';
const HEADER6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

// From a real machine (Linux 6.18, x86-64): a listener, an accepted connection, TIME_WAIT, unsent bytes.
const LISTEN =
  '   1: 0100007F:86E5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10291 1 000000004b0adbcc 100 0 0 10 0                     ';
const ESTABLISHED =
  '   2: 0100007F:86E5 0100007F:94C4 01 00000000:00000003 00:00000000 00000000     0        0 10293 1 0000000032e8926f 20 4 30 10 -1                    ';
const TIME_WAIT =
  '   3: 0100007F:86E5 0100007F:94D4 06 00000000:00000000 03:0000175B 00000000     0        0 0 3 00000000943b75a1                                      ';
// The kubelet of scenario public-node-1 opening a connection anew, three time-outs in.
const SYN_SENT =
  '10001: CC01A8C0:AC34 CF942203:01BB 02 00000001:00000000 01:000001F3 00000003     0        0 40123 2 0000000050eadc86 800 0 0 1 7';
const LISTEN6 =
  '   0: 00000000000000000000000000000000:D347 00000000000000000000000000000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 10298 3 0000000008858fc4 100 0 0 10 0';
const MAPPED6 =
  '   3: 0000000000000000FFFF00000100007F:D347 0000000000000000FFFF00000100007F:840A 01 00000000:00000000 00:00000000 00000000     0        0 0 1 000000008c00d785 20 0 0 10 -1';
const IPV6 =
  '   1: 00000000000000000000000001000000:BDF8 00000000000000000000000001000000:D347 01 00000000:00000000 00:00000000 00000000     0        0 10300 2 000000004468109f 20 0 0 10 -1';

interface Parsed {
  readonly sockets: Socket[];
  readonly rows: number;
  readonly rejectedRows: number;
}

function parse(...pieces: readonly Uint8Array[]): Parsed {
  const sockets: Socket[] = [];
  const parser = new TcpTableParser((row: TcpRow) => {
    const { local, localPort, peer, peerPort, state, inode, sendQueueBytes, retransmits } = row;
    sockets.push({ local, localPort, peer, peerPort, state, inode, sendQueueBytes, retransmits });
  });
  for (const piece of pieces) {
    const shared = Uint8Array.from(piece);
    parser.push(shared);
    shared.fill(0x41);
  }
  return { sockets, ...parser.end() };
}

function parseText(text: string): Parsed {
  return parse(Buffer.from(text, 'latin1'));
}

function brief({ local, localPort, peer, peerPort, state, inode }: Socket): string {
  return `${state} ${local.text} ${localPort} ${peer.text} ${peerPort} ${inode}`;
}

describe('rows of real machines', () => {
  test.each([
    ['a listener', LISTEN, 'listen 127.0.0.1 34533 0.0.0.0 0 10291'],
    ['an accepted connection', ESTABLISHED, 'established 127.0.0.1 34533 127.0.0.1 38084 10293'],
    ['a connection in TIME_WAIT', TIME_WAIT, 'time-wait 127.0.0.1 34533 127.0.0.1 38100 0'],
    [
      'a connection that opens, from row 10,000 on',
      SYN_SENT,
      'syn-sent 192.168.1.204 44084 3.34.148.207 443 40123',
    ],
    ['an IPv6 listener', LISTEN6, 'listen :: 54087 :: 0 10298'],
    ['an IPv6 connection', IPV6, 'established ::1 48632 ::1 54087 10300'],
    ['an IPv4 peer of a dual-stack socket', MAPPED6, 'established 127.0.0.1 54087 127.0.0.1 33802 0'],
  ])('%s', (_, row, expected) => {
    const { sockets, rows, rejectedRows } = parseText(`${HEADER}\n${row}\n`);
    expect(sockets.map(brief)).toEqual([expected]);
    expect({ rows, rejectedRows }).toEqual({ rows: 1, rejectedRows: 0 });
  });

  test('unacknowledged bytes and retransmits', () => {
    const [socket] = parseText(`${HEADER}\n${SYN_SENT}\n`).sockets;
    expect(socket).toMatchObject({ sendQueueBytes: 1, retransmits: 3 });
    const full = SYN_SENT.replace('00000001:00000000', 'FFFFFFFE:00000000');
    expect(parseText(`${HEADER}\n${full}\n`).sockets[0]).toMatchObject({ sendQueueBytes: 0xfffffffe });
  });

  test('all states', () => {
    const rows = Array.from({ length: 12 }, (_, index) =>
      ESTABLISHED.replace(' 01 ', ` ${(index + 1).toString(16).toUpperCase().padStart(2, '0')} `),
    );
    expect(parseText([HEADER, ...rows, ''].join('\n')).sockets.map(({ state }) => state)).toEqual([
      'established',
      'syn-sent',
      'syn-recv',
      'fin-wait-1',
      'fin-wait-2',
      'time-wait',
      'close',
      'close-wait',
      'last-ack',
      'listen',
      'closing',
      'new-syn-recv',
    ]);
  });

  test('a table without rows', () => {
    expect(parseText(`${HEADER6}\n`)).toEqual({ sockets: [], rows: 0, rejectedRows: 0 });
  });

  test.each([
    ['a timer wider than eight digits', ESTABLISHED.replace('00:00000000 ', '02:000100000000 ')],
    ['a wide sl', ESTABLISHED.replace('   2:', '1000000:')],
    ['a wide uid', ESTABLISHED.replace('     0        0 10293', ' 4294967294        0 10293')],
    ['lower-case digits', ESTABLISHED.replace('86E5', '86e5')],
    ['a row that ends behind the inode', ESTABLISHED.slice(0, ESTABLISHED.indexOf('10293') + 5)],
  ])('%s', (_, row) => {
    expect(parseText(`${HEADER}\n${row}\n`).sockets.map(brief)).toEqual([
      'established 127.0.0.1 34533 127.0.0.1 38084 10293',
    ]);
  });
});

describe('broken rows are rejected and counted', () => {
  test.each([
    ['a port over ffff', ESTABLISHED.replace('86E5', '186E5')],
    ['a short port', ESTABLISHED.replace('86E5', '6E5')],
    ['an address that is not hexadecimal', ESTABLISHED.replace('0100007F', '010000ZF')],
    ['an address of seven digits', ESTABLISHED.replace('0100007F', '100007F')],
    ['an address of 16 digits', ESTABLISHED.replace('0100007F', '0100007F0100007F')],
    ['addresses of two families', ESTABLISHED.replace('0100007F:94C4', `${'0'.repeat(32)}:94C4`)],
    ['an unknown state', ESTABLISHED.replace(' 01 ', ' 0D ')],
    ['state 00', ESTABLISHED.replace(' 01 ', ' 00 ')],
    ['a state that is not hexadecimal', ESTABLISHED.replace(' 01 ', ' 0x ')],
    ['a short queue', ESTABLISHED.replace('00000000:00000003', '0000000:00000003')],
    ['a long queue', ESTABLISHED.replace('00000000:00000003', '00000000:000000030')],
    ['a queue that is not hexadecimal', ESTABLISHED.replace('00000000:00000003', '0000-001:00000003')],
    ['no timer', ESTABLISHED.replace(' 00:00000000', '')],
    ['a short timer', ESTABLISHED.replace(' 00:00000000', ' 00:0000000')],
    ['retransmits that are not hexadecimal', ESTABLISHED.replace(' 00000000 ', ' 0000000g ')],
    ['a negative uid', ESTABLISHED.replace('     0        0 10293', '    -1        0 10293')],
    ['no timeout', ESTABLISHED.replace('     0        0 10293 1', '     0 10293')],
    ['an inode that is not a number', ESTABLISHED.replace('10293', '1029x')],
    ['an inode that no number can hold', ESTABLISHED.replace('10293', '18446744073709551615')],
    ['no inode', ESTABLISHED.slice(0, ESTABLISHED.indexOf('10293'))],
    ['no sl', ESTABLISHED.slice(5)],
    ['an sl that is not a number', ESTABLISHED.replace('   2:', '   x:')],
    ['a tab for a blank', ESTABLISHED.replace(' 01 ', '\t01 ')],
    ['an empty line', ''],
    ['blanks', ' '.repeat(149)],
    ['a second header', HEADER],
    ['a zero byte', ESTABLISHED.replace('0100007F', '010\x00007F')],
    ['binary junk', '\x7fELF\x02\x01\x01\x00\xff\xfe\x80'],
    ['a row that goes on for too long', ESTABLISHED.padEnd(513)],
  ])('%s', (_, row) => {
    const { sockets, rows, rejectedRows } = parseText(`${HEADER}\n${LISTEN}\n${row}\n${TIME_WAIT}\n`);
    expect(sockets.map(({ state }) => state)).toEqual(['listen', 'time-wait']);
    expect({ rows, rejectedRows }).toEqual({ rows: 2, rejectedRows: 1 });
  });

  test('every beginning of a row that does not reach the end of the inode', () => {
    for (let length = 0; length < ESTABLISHED.indexOf('10293') + 1; length += 1) {
      const { rows, rejectedRows } = parseText(`${HEADER}\n${ESTABLISHED.slice(0, length)}\n${LISTEN}\n`);
      expect({ length, rows, rejectedRows }).toEqual({ length, rows: 1, rejectedRows: 1 });
    }
  });

  test('a last row without an end, complete as it looks', () => {
    const { rows, rejectedRows } = parseText(`${HEADER}\n${LISTEN}\n${ESTABLISHED}`);
    expect({ rows, rejectedRows }).toEqual({ rows: 1, rejectedRows: 1 });
  });

  test('a line of a megabyte is one rejected row', () => {
    const { rows, rejectedRows } = parseText(`${HEADER}\n${ESTABLISHED}${'0'.repeat(1 << 20)}\n${LISTEN}\n`);
    expect({ rows, rejectedRows }).toEqual({ rows: 1, rejectedRows: 1 });
  });
});

describe('what is no table', () => {
  test.each([
    ['nothing', ''],
    ['rows without a header', `${LISTEN}\n${ESTABLISHED}\n`],
    ['a header without an end', HEADER],
    ['an empty first line', `\n${HEADER}\n${LISTEN}\n`],
    ['another file', 'Name:\tkubelet\nUid:\t0\t0\t0\t0\n'],
    ['a line of a megabyte', `${'x'.repeat(1 << 20)}\n`],
  ])('%s', (_, text) => {
    expect(() => parseText(text)).toThrow(SyntaxError);
    expect(() => parseText(text)).toThrow('Cannot parse a TCP table: its header is missing');
  });
});

describe('in any pieces', () => {
  /** Cuts `bytes` at the places given. */
  function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
    const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  }

  const line = fc.oneof(
    fc.constantFrom(LISTEN, ESTABLISHED, TIME_WAIT, SYN_SENT, LISTEN6, MAPPED6, ''),
    fc.string({ unit: 'binary-ascii', maxLength: 200 }),
    fc.nat({ max: 1200 }).map((length) => ' '.repeat(length)),
  );
  const bytes = fc
    .array(
      fc.oneof(
        line.map((text) => Buffer.from(`${text}\n`, 'latin1')),
        fc.uint8Array({ maxLength: 700 }),
      ),
    )
    .map((parts) => Buffer.concat([Buffer.from(`${HEADER}\n`), ...parts]));

  test('every line is one row or one rejected row, and pieces make no difference', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 30 }), (table, places) => {
        const whole = parse(table);
        const newlines = table.filter((byte) => byte === 0x0a).length;
        const tornLines = table.at(-1) === 0x0a ? 0 : 1;
        expect(whole.rows + whole.rejectedRows).toBe(newlines - 1 + tornLines);
        expect(whole.sockets).toHaveLength(whole.rows);
        expect(parse(...cut(table, places))).toEqual(whole);
      }),
    );
  });

  test('one byte at a time', () => {
    const table = Buffer.from(`${HEADER}\n${LISTEN}\n${SYN_SENT}\n${MAPPED6}\n`);
    expect(parse(...cut(table, [...table.keys()]))).toEqual(parse(table));
    expect(parse(table).rows).toBe(3);
  });

  test('any row comes back as it was written', () => {
    const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
    const port = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        octets,
        port,
        octets,
        port,
        fc.nat({ max: 2 ** 40 }),
        (local, localPort, peer, peerPort, inode) => {
          const hex = (value: number, digits: number) =>
            value.toString(16).toUpperCase().padStart(digits, '0');
          const word = (address: number[]) =>
            address
              .map((octet) => hex(octet, 2))
              .reverse()
              .join('');
          const row = `9999: ${word(local)}:${hex(localPort, 4)} ${word(peer)}:${hex(peerPort, 4)} 01 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`;
          expect(parseText(`${HEADER}\n${row}\n`).sockets).toEqual([
            {
              local: addressFromOctets(local),
              localPort,
              peer: addressFromOctets(peer),
              peerPort,
              state: 'established',
              inode,
              sendQueueBytes: 0,
              retransmits: 0,
            },
          ]);
        },
      ),
    );
  });
});

test('what the visitor throws comes through', () => {
  const parser = new TcpTableParser(() => {
    throw new RangeError('enough');
  });
  expect(() => parser.push(Buffer.from(`${HEADER}\n${LISTEN}\n`))).toThrow('enough');
});
