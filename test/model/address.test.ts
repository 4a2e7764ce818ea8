import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Address,
  type AddressRange,
  addressFromKernelHex,
  addressFromOctets,
  formatEndpoint,
  parseAddress,
  parseRange,
  rangeContains,
  rangeCovers,
  rangesOverlap,
} from '../../src/model/address.ts';

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`not an address: ${text}`);
  return parsed;
}

function range(text: string): AddressRange {
  const parsed = parseRange(text);
  if (parsed === null) throw new Error(`not a range: ${text}`);
  return parsed;
}

/** As the kernel prints it on a little-endian machine. */
function kernelHex(octets: readonly number[]): string {
  const hex = octets.map((octet) => octet.toString(16).toUpperCase().padStart(2, '0'));
  return hex.flatMap((_, index) => hex[(index - (index % 4)) * 2 + 3 - index] ?? []).join('');
}

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.array(octet, { minLength: 4, maxLength: 4 });
const ipv6 = fc.array(octet, { minLength: 16, maxLength: 16 });

describe('addresses from the kernel', () => {
  test.each([
    ['0100007F', '127.0.0.1', 4],
    ['CF942203', '3.34.148.207', 4],
    ['E701A8C0', '192.168.1.231', 4],
    ['00000000', '0.0.0.0', 4],
    ['00000000000000000000000001000000', '::1', 6],
    ['00000000000000000000000000000000', '::', 6],
    ['0000000000000000FFFF0000E701A8C0', '192.168.1.231', 4],
    ['05f6002600f0ff10b7b9ffd1cdc0ec5b', '2600:f605:10ff:f000:d1ff:b9b7:5bec:c0cd', 6],
  ])('%s is %s', (hex, text, family) => {
    const parsed = addressFromKernelHex(hex);
    expect(parsed).toMatchObject({ text, key: text, family });
  });

  test.each([
    '',
    '0100007',
    '0100007F0',
    '0100007G',
    ' 100007F',
    `${'0'.repeat(31)}`,
    `${'0'.repeat(33)}`,
    '0x00007F',
  ])('%j is none', (hex) => {
    expect(addressFromKernelHex(hex)).toBeNull();
  });

  test('any address comes back from its hexadecimal form', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (octets) => {
        expect(addressFromKernelHex(kernelHex(octets))).toEqual(addressFromOctets(octets));
      }),
    );
  });
});

describe('addresses from text', () => {
  test('any address comes back from its own text', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (octets) => {
        const made = addressFromOctets(octets);
        expect(parseAddress(made.text)).toEqual(made);
      }),
    );
  });

  test.each([
    // RFC 5952: section 4.1 leading zeros, 4.2.2 one group, 4.2.3 the longest and the first run, 4.3 lower case.
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
    ['2001:db8::192.0.2.1', '2001:db8::c000:201'],
    ['0:0:0:0:0:0:0:0', '::'],
  ])('%s is written %s', (written, text) => {
    expect(address(written)).toMatchObject({ text, key: text, family: 6 });
  });

  test.each(['::ffff:192.168.1.231', '::FFFF:c0a8:1e7', '0:0:0:0:0:ffff:192.168.1.231'])(
    'the mapped %s is the IPv4 address',
    (written) => {
      expect(address(written)).toEqual(address('192.168.1.231'));
    },
  );

  test('a NAT64 address keeps its text and is judged by the IPv4 address inside', () => {
    expect(address('64:ff9b::3.34.148.207')).toEqual({
      text: '64:ff9b::322:94cf',
      key: '3.34.148.207',
      family: 4,
      octets: [3, 34, 148, 207],
    });
    expect(address('64:ff9b:1::3.34.148.207').family).toBe(6);
    expect(address('64:ff9b::1:3.34.148.207').family).toBe(6);
  });

  test.each([
    '',
    ' ',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.04',
    '0x1.2.3.4',
    '1.2.3.256',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.4\n',
    '1.2.3.4:443',
    '3232235777',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '[::1]',
    '::1/128',
    'fe80::1%eth0',
    '::1%',
    '::ffff:1.2.3.256',
    '::ffff:01.2.3.4',
    '::ffff:0x10.2.3.4',
    '64:ff9b::010.0.0.1',
    'localhost',
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test('octets of another length are a mistake of the caller', () => {
    expect(() => addressFromOctets([1, 2, 3])).toThrow(RangeError);
    expect(() => addressFromOctets([])).toThrow('Cannot make an address of 0 octets');
  });

  test('an endpoint has brackets around IPv6 only', () => {
    expect(formatEndpoint(address('192.168.1.231'), 443)).toBe('192.168.1.231:443');
    expect(formatEndpoint(address('2001:db8::1'), 443)).toBe('[2001:db8::1]:443');
    expect(formatEndpoint(address('64:ff9b::3.34.148.207'), 443)).toBe('[64:ff9b::322:94cf]:443');
    expect(formatEndpoint(address('::ffff:10.0.0.1'), 10250)).toBe('10.0.0.1:10250');
  });
});

describe('ranges', () => {
  test.each([
    ['192.168.0.0/16', '192.168.0.0/16', 16],
    ['192.168.1.231/16', '192.168.0.0/16', 16],
    ['10.255.255.255/9', '10.128.0.0/9', 9],
    ['192.168.1.231', '192.168.1.231', 32],
    ['192.168.1.231/32', '192.168.1.231', 32],
    ['255.255.255.255/0', '0.0.0.0/0', 0],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33', 33],
    ['2001:db8::1/128', '2001:db8::1', 128],
    ['2001:db8::1', '2001:db8::1', 128],
    ['ffff::/0', '::/0', 0],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8', 8],
    ['::ffff:10.1.2.3', '10.1.2.3', 32],
  ])('%s is %s', (written, text, prefixLength) => {
    expect(parseRange(written)).toMatchObject({ text, prefixLength });
  });

  test.each([
    '',
    '/',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/ 8',
    '10.0.0.0/8 ',
    '10.0.0.0/1e1',
    '10.0.0.0/255.0.0.0',
    '10.0.0/8',
    '2001:db8::/129',
    '2001:db8::/1000',
    'fe80::%eth0/64',
    '::ffff:10.0.0.0/95',
  ])('%j is none', (text) => {
    expect(parseRange(text)).toBeNull();
  });

  test.each([
    ['192.168.0.0/16', '192.168.255.255', true],
    ['192.168.0.0/16', '192.169.0.0', false],
    ['192.168.0.0/17', '192.168.128.0', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['10.0.0.1/32', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.0', false],
    ['::/0', '2001:db8::1', true],
    ['2001:db8::1/128', '2001:db8::1', true],
    ['2001:db8::1/128', '2001:db8::2', false],
    ['2001:db8::/127', '2001:db8::1', true],
    // Other families, both ways; wrapped IPv4 addresses are of family 4.
    ['::/0', '10.0.0.1', false],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::ffff:10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '64:ff9b::10.0.0.1', true],
  ])('%s, %s in it: %s', (block, text, expected) => {
    expect(rangeContains(range(block), address(text))).toBe(expected);
  });

  test('an address lies in every range made of it, and not in one that differs within the prefix', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.nat(), (octets, seed) => {
        const one = addressFromOctets(octets);
        const bits = octets.length * 8;
        const length = seed % (bits + 1);
        const made = parseRange(`${one.text}/${length}`);
        // A wrapped address has no range of its family that is shorter than the wrapping.
        if (made === null || one.octets.length !== octets.length || one.text !== one.key) return;
        expect(rangeContains(made, one)).toBe(true);
        expect(parseRange(made.text)).toEqual(made);
        if (length === 0) return;
        const bit = seed % length;
        const flipped = octets.map((value, index) => value ^ (index === bit >> 3 ? 0x80 >> (bit & 7) : 0));
        expect(rangeContains(made, addressFromOctets(flipped))).toBe(false);
      }),
    );
  });

  test('two ranges overlap where one covers the other', () => {
    expect(rangesOverlap(range('10.0.0.0/8'), range('10.1.0.0/16'))).toBe(true);
    expect(rangesOverlap(range('10.1.0.0/16'), range('10.0.0.0/8'))).toBe(true);
    expect(rangesOverlap(range('10.0.0.0/16'), range('10.1.0.0/16'))).toBe(false);
    expect(rangesOverlap(range('0.0.0.0/0'), range('::/0'))).toBe(false);
    expect(rangeCovers(range('10.0.0.0/8'), range('10.1.0.0/16'))).toBe(true);
    expect(rangeCovers(range('10.1.0.0/16'), range('10.0.0.0/8'))).toBe(false);
    expect(rangeCovers(range('10.1.0.0/16'), range('10.1.0.0/16'))).toBe(true);
    expect(rangeCovers(range('11.0.0.0/8'), range('10.1.0.0/16'))).toBe(false);
    expect(rangeCovers(range('::/0'), range('10.1.0.0/16'))).toBe(false);
  });
});
