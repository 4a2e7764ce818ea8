/** From the text of a flag's value to the value: each says what is wrong with the text, and what would do. */
import type { LabelMatcher } from './fleet/source.ts';
import {
  type AddressRange,
  formatEndpoint,
  parseAddress,
  parseRange,
  rangesOverlap,
} from './model/address.ts';
import { type EndpointAddress, parseEndpoint, parsePort, readHost, splitPort } from './model/endpoint.ts';
import { type NodeSelector, parseSelector } from './model/fleet/selector.ts';
import { NEVER_AN_X_ENI } from './model/route.ts';
import { GATES, type GateName, UNATTRIBUTED } from './model/status.ts';
import { vpcCidrProblem } from './model/vpc-cidr.ts';
import type { ListenAddress } from './output/server.ts';

/** A value, or what is wrong with its text and what would do. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

/** Nodes that have a gate of their own. */
export interface GateFor {
  readonly selector: NodeSelector;
  readonly gate: GateName;
}

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

/** As Kubernetes allows it: a DNS label (RFC 1123). */
export function readNamespace(text: string): Reading<string> {
  const good = /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/.test(text);
  return good
    ? { value: text }
    : { problem: 'not a namespace; give its name, such as eks-endpoint-exporter' };
}

export function wholeNumberBetween(least: number, most: number): (text: string) => Reading<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most
      ? { value }
      : {
          problem: `not a whole number from ${least} to ${most}; give one such as ${most >= 20 ? 20 : most}`,
        };
  };
}

/** To a URL without its last slash. A login does not belong into a URL: it is shown in lists of processes. */
export function readBaseUrl(text: string, example = 'http://127.0.0.1:9090'): Reading<string> {
  const fix = `give one such as ${example}`;
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url === null) return { problem: `not an http or https URL; ${fix}` };
  if (url.username !== '' || url.password !== '')
    return { problem: `a user or password does not belong here; ${fix}` };
  if (url.search !== '' || url.hash !== '' || /[?#]$/.test(text))
    return { problem: `a query or fragment does not belong here; ${fix}` };
  return { value: `${url.origin}${url.pathname.replace(/\/+$/, '')}` };
}

/** https://prometheus.io/docs/prometheus/latest/querying/basics/#time-series-selectors, in double or single quotes or none. */
export function readMatcher(text: string): Reading<LabelMatcher> {
  const [, name, op, quoted] = /^\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=(?!=))\s*(.*?)\s*$/s.exec(text) ?? [];
  const known = (['=', '!=', '=~', '!~'] as const).find((one) => one === op);
  if (name === undefined || known === undefined || quoted === undefined || name === '__name__')
    return { problem: `not a matcher; give one such as cluster="a" or cluster=~"a|b"` };
  const value = unquoted(quoted);
  if (value === null)
    return {
      problem: String.raw`its value is not a string; give one such as cluster="a" or node=~"a\\.b", with two backslashes in quotes`,
    };
  return { value: { name, op: known, value } };
}

/**
 * A PromQL string; null where its quotes or its escapes do not fit: `"\d"` is not `d`, a regular expression without its backslash
 * would leave nodes out. Without quotes it is taken as it is: shells eat them.
 */
function unquoted(text: string): string | null {
  const [, quote, inside = ''] = /^(["'])(.*)\1$/s.exec(text) ?? [];
  if (quote === undefined) return /^["']|["']$/.test(text) ? null : text;
  if (new RegExp(`(^|[^\\\\])(\\\\\\\\)*${quote}`).test(inside)) return null;
  if (inside.replace(/\\[\\"']/g, '').includes('\\')) return null;
  return inside.replace(/\\(.)/gs, '$1');
}

/** Behind the last `=` stands the gate: a label's value may have one before it. */
export function readGateFor(text: string): Reading<GateFor> {
  const fix = 'give labels and a gate, such as eks.amazonaws.com/compute-type=hybrid=private-ready';
  const at = text.lastIndexOf('=');
  const gate = GATES.find((name) => name === text.slice(at + 1));
  if (at < 0 || gate === undefined) return { problem: `does not end in =${GATES.join(' or =')}; ${fix}` };
  const selector = parseSelector(text.slice(0, at));
  return selector === null
    ? { problem: `not labels that a node has (key, key=value, commas between them); ${fix}` }
    : { value: { selector, gate } };
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
