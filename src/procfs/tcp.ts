import { type Address, addressFromKernelHex } from '../model/address.ts';
import { TCP_STATES, type TcpState } from '../model/observation.ts';

/*
 * net/tcp and net/tcp6, as net/ipv4/tcp_ipv4.c (get_tcp4_sock, get_timewait4_sock, get_openreq4) and
 * net/ipv6/tcp_ipv6.c print them; described in Documentation/networking/proc_net_tcp.rst:
 *
 *   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 *    4: 0100007F:94C4 0100007F:86E5 01 00000000:00000000 00:00000000 00000000     0        0 10292 2 000...
 *
 * Addresses are one (tcp) or four (tcp6) 32-bit words in the byte order of the host; ports are plain
 * hexadecimal, counters before `uid` too, the rest is decimal. A TIME_WAIT row, a connection that is still to be
 * accepted and an MPTCP subflow have inode 0. `sl` widens from row 10,000 on and moves all behind it, so there are
 * no fixed offsets; what follows the inode differs by state and is not read.
 */

/** One row. It is a view that the parser uses again: take what is needed during the visit. */
export interface TcpRow {
  readonly state: TcpState;
  readonly local: Address;
  readonly localPort: number;
  readonly peer: Address;
  readonly peerPort: number;
  readonly uid: number;
  readonly inode: number;
  /** `tx_queue`: bytes not yet acknowledged. */
  readonly sendQueueBytes: number;
  /** `retrnsmt`: unrecovered time-outs of the same segment. */
  readonly retransmits: number;
}

/** Longer than any row of any kernel (149 characters in tcp, about 180 in tcp6). */
const MAX_LINE_BYTES = 512;
/** More than one read of the kernel gives (about 4 KiB). */
const PIECE_BYTES = 8192;

const NEWLINE = 0x0a;
const BLANK = 0x20;
const COLON = 0x3a;

const HEX_DIGITS = new Int8Array(256).fill(-1);
for (const digit of '0123456789ABCDEFabcdef') HEX_DIGITS[digit.charCodeAt(0)] = Number.parseInt(digit, 16);

/**
 * Parses a table that comes in pieces of any size; a piece's buffer may be used again after `push`. Calls
 * `visit` for every row that is one in every field up to the inode. All other lines, the last one too where
 * it has no end, count as rejected: `push` never throws by itself, whatever the bytes.
 */
export class TcpTableParser {
  readonly #visit: (row: TcpRow) => void;
  readonly #row = new RowView();
  /**
   * All lines are read from here, whatever arrays callers pass: the engine then makes one code for it. A Buffer,
   * because indexOf takes half the time of a Uint8Array's.
   */
  readonly #work = Buffer.alloc(MAX_LINE_BYTES + PIECE_BYTES);
  /** Length of the begun line at the start of `#work`; more than MAX_LINE_BYTES where it is not kept any more. */
  #begunBytes = 0;
  #header: 'awaited' | 'seen' | 'missing' = 'awaited';
  #rows = 0;
  #rejectedRows = 0;

  constructor(visit: (row: TcpRow) => void) {
    this.#visit = visit;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.#pushPiece(bytes.subarray(at, at + PIECE_BYTES));
    }
  }

  /** How many rows there were. SyntaxError where the first line was not the header: that was no table. */
  end(): { rows: number; rejectedRows: number } {
    if (this.#header !== 'seen') throw new SyntaxError('Cannot parse a TCP table: its header is missing');
    if (this.#begunBytes > 0) this.#rejectedRows += 1;
    this.#begunBytes = 0;
    return { rows: this.#rows, rejectedRows: this.#rejectedRows };
  }

  #pushPiece(piece: Uint8Array): void {
    const work = this.#work;
    const keptBytes = Math.min(this.#begunBytes, MAX_LINE_BYTES);
    let tooLong = this.#begunBytes > MAX_LINE_BYTES;
    work.set(piece, keptBytes);
    const length = keptBytes + piece.length;
    let start = 0;
    for (;;) {
      const end = work.indexOf(NEWLINE, start);
      if (end < 0 || end >= length) break;
      this.#take(start, tooLong || end - start > MAX_LINE_BYTES);
      tooLong = false;
      start = end + 1;
    }
    this.#begunBytes = tooLong ? this.#begunBytes : length - start;
    work.copyWithin(0, start, length);
  }

  /** One line of `#work`, with its newline. */
  #take(start: number, tooLong: boolean): void {
    if (this.#header === 'awaited') {
      this.#header = !tooLong && isHeader(this.#work, start) ? 'seen' : 'missing';
    } else if (!tooLong && this.#row.read(this.#work, start)) {
      this.#rows += 1;
      this.#visit(this.#row);
    } else {
      this.#rejectedRows += 1;
    }
  }
}

function isHeader(bytes: Uint8Array, start: number): boolean {
  const at = skipBlanks(bytes, start);
  return String.fromCharCode(...bytes.subarray(at, at + 3)) === 'sl ';
}

class RowView implements TcpRow {
  state: TcpState = 'close';
  localPort = 0;
  peerPort = 0;
  uid = 0;
  inode = 0;
  sendQueueBytes = 0;
  retransmits = 0;
  #bytes: Uint8Array = new Uint8Array();
  #localAt = 0;
  #peerAt = 0;
  #addressDigits = 0;

  get local(): Address {
    return this.#address(this.#localAt);
  }

  get peer(): Address {
    return this.#address(this.#peerAt);
  }

  /**
   * Takes over the line at `start`, which ends with a newline; false where a field up to the inode is not what
   * the kernel prints: "%4d: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5u %8d %lu".
   */
  read(bytes: Uint8Array, start: number): boolean {
    const sl = skipBlanks(bytes, start);
    const slEnd = skipDecimal(bytes, sl);
    if (slEnd === sl || bytes[slEnd] !== COLON || bytes[slEnd + 1] !== BLANK) return false;

    const local = slEnd + 2;
    const localEnd = skipHex(bytes, local);
    const digits = localEnd - local;
    const localPort = hex4(bytes, localEnd + 1);
    if ((digits !== 8 && digits !== 32) || bytes[localEnd] !== COLON || localPort < 0) return false;
    if (bytes[localEnd + 5] !== BLANK) return false;

    const peer = localEnd + 6;
    const peerEnd = skipHex(bytes, peer);
    const peerPort = hex4(bytes, peerEnd + 1);
    if (peerEnd - peer !== digits || bytes[peerEnd] !== COLON || peerPort < 0) return false;
    if (bytes[peerEnd + 5] !== BLANK) return false;

    const st = peerEnd + 6;
    const state = TCP_STATES[hex2(bytes, st) - 1];
    if (state === undefined || bytes[st + 2] !== BLANK) return false;

    const txQueue = st + 3;
    const sendQueueBytes = hex8(bytes, txQueue);
    if (sendQueueBytes < 0 || bytes[txQueue + 8] !== COLON) return false;
    const rxQueueEnd = skipHex(bytes, txQueue + 9);
    if (rxQueueEnd !== txQueue + 17 || bytes[rxQueueEnd] !== BLANK) return false;

    const timer = rxQueueEnd + 1;
    if (hex2(bytes, timer) < 0 || bytes[timer + 2] !== COLON) return false;
    const when = timer + 3;
    const whenEnd = skipHex(bytes, when);
    // A long: eight digits or more.
    if (whenEnd < when + 8 || whenEnd > when + 16 || bytes[whenEnd] !== BLANK) return false;

    const retransmits = hex8(bytes, whenEnd + 1);
    if (retransmits < 0 || bytes[whenEnd + 9] !== BLANK) return false;

    const uid = skipBlanks(bytes, whenEnd + 9);
    const uidEnd = skipDecimal(bytes, uid);
    if (uidEnd === uid || bytes[uidEnd] !== BLANK) return false;
    const timeout = skipBlanks(bytes, uidEnd);
    const timeoutEnd = skipDecimal(bytes, timeout);
    if (timeoutEnd === timeout || bytes[timeoutEnd] !== BLANK) return false;
    const inodeAt = skipBlanks(bytes, timeoutEnd);
    const inodeEnd = skipDecimal(bytes, inodeAt);
    const inode = decimal(bytes, inodeAt, inodeEnd);
    if (inodeEnd === inodeAt || inode > Number.MAX_SAFE_INTEGER) return false;
    if (bytes[inodeEnd] !== BLANK && bytes[inodeEnd] !== NEWLINE) return false;

    this.state = state;
    this.localPort = localPort;
    this.peerPort = peerPort;
    this.uid = decimal(bytes, uid, uidEnd);
    this.inode = inode;
    this.sendQueueBytes = sendQueueBytes;
    this.retransmits = retransmits;
    this.#bytes = bytes;
    this.#localAt = local;
    this.#peerAt = peer;
    this.#addressDigits = digits;
    return true;
  }

  #address(at: number): Address {
    const hex = String.fromCharCode(...this.#bytes.subarray(at, at + this.#addressDigits));
    const address = addressFromKernelHex(hex);
    if (address === null) throw new TypeError(`Cannot decode the address "${hex}": its row is gone`);
    return address;
  }
}

function skipBlanks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === BLANK) at += 1;
  return at;
}

function skipDecimal(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x30 || byte > 0x39) return at;
    at += 1;
  }
}

function skipHex(bytes: Uint8Array, start: number): number {
  let at = start;
  while (digit(bytes, at) >= 0) at += 1;
  return at;
}

/** The value of one hexadecimal digit. This and the numbers made of it are negative where a digit is none. */
function digit(bytes: Uint8Array, at: number): number {
  return HEX_DIGITS[bytes[at] ?? 0] ?? -1;
}

// Written out without loops: a table may have 500,000 rows, and these digits are most of each.
function hex2(bytes: Uint8Array, at: number): number {
  return (digit(bytes, at) << 4) | digit(bytes, at + 1);
}

function hex4(bytes: Uint8Array, at: number): number {
  return (hex2(bytes, at) << 8) | hex2(bytes, at + 2);
}

function hex8(bytes: Uint8Array, at: number): number {
  const high = hex4(bytes, at);
  const low = hex4(bytes, at + 4);
  return (high | low) < 0 ? -1 : ((high << 16) | low) >>> 0;
}

function decimal(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 10 + (bytes[at] ?? 0) - 0x30;
  return value;
}
