/** A little DNS server on 127.0.0.1 that answers as it is told, to whatever name (RFC 1035, over UDP). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';

const TYPES = { 1: 'A', 28: 'AAAA' } as const;
const RCODES = { noerror: 0, servfail: 2, nxdomain: 3, refused: 5 } as const;
const HEADER_BYTES = 12;

interface DnsServerRecord {
  readonly address: string;
  readonly ttl: number;
}

/** Records (none: there are no such records), a failure, or no answer at all. */
export type DnsServerAnswer =
  | readonly DnsServerRecord[]
  | Exclude<keyof typeof RCODES, 'noerror'>
  | 'silence';

export interface DnsServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** What was asked, in order: `A abc.example`. */
  readonly questions: readonly string[];
  /** Later questions are answered like this. */
  answers: { A: DnsServerAnswer; AAAA: DnsServerAnswer };
}

/** Starts the server; it ends with the test. */
export async function startDnsServer(answers: DnsServer['answers']): Promise<DnsServer> {
  const socket = createSocket('udp4');
  onTestFinished(() => {
    socket.close();
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const questions: string[] = [];
  const server: DnsServer = { address: `127.0.0.1:${socket.address().port}`, questions, answers };
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${type} ${name}`);
    const answer = server.answers[type];
    if (answer === 'silence') return;
    socket.send(
      reply(query.subarray(0, end), typeof answer === 'string' ? answer : 'noerror', answer),
      port,
      address,
    );
  });
  return server;
}

function readQuestion(query: Buffer): { name: string; type: 'A' | 'AAAA'; end: number } {
  const labels: string[] = [];
  let offset = HEADER_BYTES;
  for (let length = query[offset] ?? 0; length > 0; length = query[offset] ?? 0) {
    labels.push(query.toString('latin1', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
  const type = query.readUInt16BE(offset + 1);
  if (type !== 1 && type !== 28) throw new RangeError(`Cannot answer a question of type ${type}`);
  return { name: labels.join('.'), type: TYPES[type], end: offset + 5 };
}

/** The question back, with the answer behind it. */
function reply(question: Buffer, rcode: keyof typeof RCODES, answer: DnsServerAnswer): Buffer {
  const records = typeof answer === 'string' ? [] : answer.map(encodeRecord);
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  // A response, recursion desired and available.
  header.writeUInt16BE(0x8180 | RCODES[rcode], 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question.subarray(HEADER_BYTES), ...records]);
}

function encodeRecord({ address, ttl }: DnsServerRecord): Buffer {
  const octets = parseAddress(address)?.octets ?? [];
  const fixed = Buffer.alloc(12);
  // The name of the question, by its offset.
  fixed.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  fixed.writeUInt16BE(octets.length === 4 ? 1 : 28, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(ttl, 6);
  fixed.writeUInt16BE(octets.length, 10);
  return Buffer.concat([fixed, Buffer.from(octets)]);
}
