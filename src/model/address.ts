/**
 * IP addresses and ranges as this tool compares them.
 *
 * An address that only wraps an IPv4 address is judged by the one inside: `::ffff:a.b.c.d` (an IPv4 peer of a
 * dual-stack socket) *is* that IPv4 address; `64:ff9b::/96` (RFC 6052, what DNS64 answers) keeps its own text,
 * so that people find it in `ss`, and is compared by the IPv4 address inside.
 */
import ipaddr from 'ipaddr.js';

export interface Address {
  /** Canonical text: dotted decimal, or RFC 5952 for IPv6. */
  readonly text: string;
  /** Canonical text of the address that is judged: equal for equal destinations, the key of every set. */
  readonly key: string;
  /** Family of the judged address. */
  readonly family: 4 | 6;
  /** Octets of the judged address in network order: 4 or 16. */
  readonly octets: readonly number[];
}

/** A block of addresses in CIDR notation; a single address is a block of its own. */
export interface AddressRange {
  readonly text: string;
  readonly family: 4 | 6;
  readonly octets: readonly number[];
  readonly prefixLength: number;
}

const NAT64_PREFIX = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Octets in network order, 4 or 16 of them, to an address. RangeError for any other count. */
export function addressFromOctets(octets: readonly number[]): Address {
  if (octets.length === 4) {
    const text = octets.join('.');
    return { text, key: text, family: 4, octets };
  }
  if (octets.length !== 16) throw new RangeError(`Cannot make an address of ${octets.length} octets`);
  if (startsWith(octets, MAPPED_PREFIX)) return addressFromOctets(octets.slice(12));
  const text = new ipaddr.IPv6([...octets]).toRFC5952String();
  if (startsWith(octets, NAT64_PREFIX)) return { ...addressFromOctets(octets.slice(12)), text };
  return { text, key: text, family: 6, octets };
}

/**
 * An address as `/proc/net/tcp` (8 digits) and `/proc/net/tcp6` (32 digits) print it: 32-bit words, each in
 * the byte order of the host, which is little-endian wherever EKS runs (x86-64, arm64).
 * Null for anything else.
 */
export function addressFromKernelHex(hex: string): Address | null {
  if (!/^(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32})$/.test(hex)) return null;
  const octets: number[] = [];
  for (let at = 0; at < hex.length; at += 8) {
    const word = Number.parseInt(hex.slice(at, at + 8), 16);
    octets.push(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
  }
  return addressFromOctets(octets);
}

/** Strict text to an address: dotted decimal without leading zeros, or IPv6 without a zone. Null otherwise. */
export function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text))
    return addressFromOctets(ipaddr.IPv4.parse(text).toByteArray());
  // The library is lax about the IPv4 part of an IPv6 address: it reads octal and hexadecimal there.
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (tail.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(tail)) return null;
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  return addressFromOctets(ipaddr.IPv6.parse(text).toByteArray());
}

/** An address, or a block in CIDR notation, to a range; bits behind the prefix are cleared. Null otherwise. */
export function parseRange(text: string): AddressRange | null {
  const [host = '', length, ...rest] = text.split('/');
  const address = parseAddress(host);
  if (address === null || rest.length > 0) return null;
  // Where the written address wraps an IPv4 address, the judged one is shorter than what is written.
  const writtenBits = host.includes(':') ? 128 : 32;
  const bits = address.octets.length * 8;
  if (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length)) return null;
  const prefixLength = (length === undefined ? writtenBits : Number(length)) - (writtenBits - bits);
  if (prefixLength < 0 || prefixLength > bits) return null;
  const octets = address.octets.map((octet, index) => octet & maskOctet(prefixLength - index * 8));
  const single = prefixLength === bits;
  const network = addressFromOctets(octets).text;
  return {
    text: single ? network : `${network}/${prefixLength}`,
    family: address.family,
    octets,
    prefixLength,
  };
}

/** True where the judged address lies in the range; always false across families. */
export function rangeContains(range: AddressRange, address: Address): boolean {
  return range.family === address.family && samePrefix(range, address.octets, range.prefixLength);
}

/** True where the two ranges share an address. */
export function rangesOverlap(one: AddressRange, other: AddressRange): boolean {
  const shorter = Math.min(one.prefixLength, other.prefixLength);
  return one.family === other.family && samePrefix(one, other.octets, shorter);
}

/** True where every address of `inner` lies in `outer`. */
export function rangeCovers(outer: AddressRange, inner: AddressRange): boolean {
  return (
    outer.family === inner.family &&
    outer.prefixLength <= inner.prefixLength &&
    samePrefix(outer, inner.octets, outer.prefixLength)
  );
}

/** `address:port` as `ss` writes it, IPv6 in brackets. */
export function formatEndpoint(address: Address, port: number): string {
  return address.text.includes(':') ? `[${address.text}]:${port}` : `${address.text}:${port}`;
}

function samePrefix(range: AddressRange, octets: readonly number[], prefixLength: number): boolean {
  return range.octets.every((octet, index) => {
    const mask = maskOctet(prefixLength - index * 8);
    return (octet & mask) === ((octets[index] ?? 0) & mask);
  });
}

/** The mask of one octet, of which the first `bits` (clamped to 0..8) count. */
function maskOctet(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
}

function startsWith(octets: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((octet, index) => octets[index] === octet);
}
