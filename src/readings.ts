/** From the text of a flag's value to the value: each says what is wrong with the text, and what would do. */
import {
  type AddressRange,
  formatEndpoint,
  parseAddress,
  parseRange,
  rangesOverlap,
} from './model/address.ts';
import { type EndpointAddress, parseEndpoint, parsePort, readHost, splitPort } from './model/endpoint.ts';
import { NEVER_AN_X_ENI } from './model/route.ts';
import { UNATTRIBUTED } from './model/status.ts';
import { vpcCidrProblem } from './model/vpc-cidr.ts';
import type { ListenAddress } from './output/server.ts';

/** A value, or what is wrong with its text and what would do. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

export function oneOf<T extends string>(choices: readonly T[]): (text: string) => Reading<T> {
  return (text) => {
    const value = choices.find((choice) => choice === text);
    return value === undefined ? { problem: `unknown; give ${orList(choices)}` } : { value };
  };
}

export function readSwitch(text: string): Reading<boolean> {
  if (text === 'true' || text === '1') return { value: true };
  if (text === 'false' || text === '0') return { value: false };
  return { problem: 'neither true nor false; give true or false' };
}

const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** A whole number with one unit to milliseconds; null for anything else. */
function parseDuration(text: string): number | null {
  const [, digits, unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  const unitMs = UNIT_MS.get(unit);
  return unitMs === undefined ? null : Number(digits) * unitMs;
}

/** Both ends, written as durations, are allowed. */
export function durationBetween(shortest: string, longest: string): (text: string) => Reading<number> {
  return (text) => {
    const value = parseDuration(text);
    if (value === null) {
      return { problem: 'not a duration; give a whole number with ms, s, m or h, such as 10s' };
    }
    const inRange = value >= (parseDuration(shortest) ?? 0) && value <= (parseDuration(longest) ?? 0);
    return inRange ? { value } : { problem: `out of range; give ${shortest} to ${longest}` };
  };
}

export function pathSuchAs(example: string): (text: string) => Reading<string> {
  return (text) => (text === '' ? { problem: `empty; give a path such as ${example}` } : { value: text });
}

export function readNodeName(text: string): Reading<string> {
  const good = /^[^\s\p{C}]{1,253}$/u.test(text);
  return good ? { value: text } : { problem: 'not a name; give 1 to 253 characters without blanks' };
}

/** The kernel's TASK_COMM_LEN is 16, one of them for the final NUL. */
const LONGEST_COMM_BYTES = 15;

export function readClient(text: string): Reading<string> {
  if (text === '') return { problem: "empty; give a process's name as in /proc/<pid>/comm" };
  if (/[\s\p{C}/]/u.test(text)) {
    return { problem: "not a process's name; give it as in /proc/<pid>/comm, without a path and blanks" };
  }
  if (text.includes(',')) return { problem: 'not one name; give the flag once for each' };
  if (text === UNATTRIBUTED)
    return { problem: 'stands for sockets whose owners are not told apart; give a process of another name' };
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > LONGEST_COMM_BYTES) {
    // As a stream: a character that is cut in two is left out.
    const kept = new TextDecoder().decode(bytes.subarray(0, LONGEST_COMM_BYTES), { stream: true });
    return { problem: `longer than the ${LONGEST_COMM_BYTES} bytes that the kernel keeps; give ${kept}` };
  }
  return { value: text };
}

/** A wider range is not a cluster's subnets: one flag must not turn half the world into X-ENIs. */
const WIDEST_X_ENI = { 4: 16, 6: 48 };

export function readXEni(text: string): Reading<AddressRange> {
  const reading = readRange(
    text,
    'an address or CIDR; give one such as 10.0.3.17 or 10.0.3.0/24, and the flag once for each',
  );
  if ('problem' in reading) return reading;
  const range = reading.value;
  const widest = WIDEST_X_ENI[range.family];
  if (range.prefixLength < widest) {
    return { problem: `wider than /${widest}; give the CIDRs of the cluster's subnets` };
  }
  if (NEVER_AN_X_ENI.some((never) => rangesOverlap(never, range))) {
    return {
      problem: 'an X-ENI is never at an unspecified, loopback, link-local or multicast address; leave it out',
    };
  }
  return reading;
}

export function readVpcCidr(text: string): Reading<AddressRange> {
  const wanted = "a CIDR; give the VPC's, such as 192.168.0.0/16, and the flag once for each";
  if (!text.includes('/')) return { problem: `not ${wanted}` };
  const reading = readRange(text, wanted);
  if ('problem' in reading) return reading;
  const problem = vpcCidrProblem(reading.value);
  return problem === null ? reading : { problem: `${problem}; give the VPC's CIDRs` };
}

/** A block with bits set behind its prefix is refused: it is a typo in one or the other. */
function readRange(text: string, wanted: string): Reading<AddressRange> {
  const range = parseRange(text);
  const written = parseAddress(text.split('/')[0] ?? '');
  if (range === null || written === null) return { problem: `not ${wanted}` };
  if (written.octets.some((octet, index) => octet !== range.octets[index])) {
    return { problem: `not a network, there are bits set behind the prefix; give ${range.text}` };
  }
  return { value: range };
}

export function readEndpoint(text: string): Reading<EndpointAddress> {
  const parsed = parseEndpoint(text);
  return 'problem' in parsed ? parsed : { value: parsed };
}

const NOT_A_PORT = { problem: 'not a port; give one from 1 to 65535' };

/** To a URL without a path and without the last slash. */
export function readImdsEndpoint(text: string): Reading<string> {
  const fix = 'give one such as http://169.254.169.254 or http://[fd00:ec2::254]:80';
  const [, scheme, authority = ''] = /^(https?):\/\/(.*?)\/?$/is.exec(text) ?? [];
  if (scheme === undefined) return { problem: `not an http or https URL; ${fix}` };
  if (authority.includes('@')) return { problem: `user information does not belong here; ${fix}` };
  if (/[/?#]/.test(authority)) return { problem: `a path or query does not belong here; ${fix}` };
  const { host, port } = splitPort(authority);
  const url = `${scheme.toLowerCase()}://${host}`;
  // Names that URLs do not take: those that end in a hexadecimal number, and broken Punycode.
  if (readHost(host) === null || !URL.canParse(url)) return { problem: `not a host name or address; ${fix}` };
  if (port === null) return { value: url };
  return isDestinationPort(port) ? { value: `${url}:${port}` } : NOT_A_PORT;
}

/** To the form that `Resolver.setServers` of node:dns takes. A name would need a resolver of its own. */
export function readResolver(text: string): Reading<string> {
  const { host, port } = splitPort(text);
  const [, bracketed] = /^\[(.*:.*)\]$/s.exec(host) ?? [];
  const address = parseAddress(bracketed ?? host);
  if (address === null) {
    return {
      problem: 'not an IP address; give one such as 8.8.8.8, 8.8.8.8:53 or [2001:4860:4860::8888]:53',
    };
  }
  if (port === null) return { value: address.text };
  return isDestinationPort(port) ? { value: formatEndpoint(address, Number(port)) } : NOT_A_PORT;
}

/** Whether it is a port to connect to: not 0, which stands for any free one to listen on. */
function isDestinationPort(text: string): boolean {
  return text !== '0' && parsePort(text) !== null;
}

export function readListenAddress(text: string): Reading<ListenAddress> {
  const fix = 'give :port, host:port or [address]:port, such as :10943';
  if (text === '') return { problem: `empty; ${fix}` };
  const { host, port } = splitPort(text);
  if (port === null) return { problem: `without a port; ${fix}` };
  const portNumber = parsePort(port);
  if (portNumber === null) return { problem: 'not a port; give one from 0 (any free one) to 65535' };
  if (host === '') return { value: { host: null, port: portNumber } };
  const hostname = readHost(host);
  if (hostname === null) return { problem: `not a host name or address; ${fix}` };
  return { value: { host: hostname, port: portNumber } };
}

function orList(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
