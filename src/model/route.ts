/** Address -> route: how a peer is reached, from known sets first and address ranges last. */
import {
  type Address,
  type AddressRange,
  addressFromOctets,
  parseAddress,
  parseRange,
  rangeContains,
  rangeCovers,
  rangesOverlap,
} from './address.ts';
import type { DnsSeen, Moment, Observation } from './observation.ts';
import type { Settings } from './settings.ts';
import type { Route, XEniSource } from './status.ts';

/** What is known about addresses at one look. */
export interface Knowledge {
  /** Addresses known to hold X-ENIs only (`--x-eni`). */
  readonly xEnis: readonly AddressRange[];
  readonly vpcCidrs: readonly AddressRange[];
  readonly vpcFrom: 'config' | 'imds';
  /** The EndpointSlice as last read, however old; null while it has not been read. */
  readonly slice: { readonly addresses: readonly Address[]; readonly port: number } | null;
  /** The current DNS answer of the endpoint; null while there is none. */
  readonly dns: readonly Address[] | null;
  /** Addresses of earlier answers: they prove the endpoint, never an X-ENI. */
  readonly earlier: readonly Address[];
  /**
   * Addresses that the node's own files give the endpoint: its kubeconfig, where it names no host but an address, and
   * its hosts file. They prove the endpoint, never an X-ENI.
   */
  readonly pinned: readonly Address[];
  /** Addresses that were X-ENIs before the eyes of this agent and no longer are. They prove the endpoint. */
  readonly former: readonly Address[];
}

/** The parts of an observation that come from sources beside the look. */
type Sources = Pick<Observation, 'at' | 'endpoint' | 'dns' | 'endpointSlice' | 'imds' | 'nodeConfig'>;

/**
 * For how long the last answer counts as the current one while DNS fails. X-ENIs are replaced within days: what an
 * hour-old answer called an X-ENI is still one of the VPC's addresses, and nobody knows more.
 */
const CURRENT_FOR_MS = 3_600_000;

/** Puts together what the operator said and what the sources saw. */
export function knowledgeOf(
  settings: Pick<Settings, 'xEnis' | 'vpcCidrs'>,
  { dns, endpoint, endpointSlice, imds, nodeConfig, at }: Sources,
  former: readonly Address[] = [],
): Knowledge {
  const answer = currentAnswer(dns, at);
  const literal = endpoint && parseAddress(endpoint.hostname);
  const isGiven = settings.vpcCidrs.length > 0;
  return {
    xEnis: settings.xEnis,
    vpcCidrs: isGiven ? settings.vpcCidrs : (imds?.answer?.vpcCidrs ?? []),
    vpcFrom: isGiven ? 'config' : 'imds',
    slice: endpointSlice?.answer ?? null,
    dns: answer,
    earlier: [...(answer === null ? (dns?.answer?.addresses ?? []) : []), ...(dns?.earlier ?? [])],
    pinned: [...(literal === null ? [] : [literal]), ...(nodeConfig?.hosts ?? [])],
    former,
  };
}

/** The addresses of the last answer while it counts as the current one, else null. */
export function currentAnswer(dns: DnsSeen | null, now: Moment): readonly Address[] | null {
  const answer = dns?.answer ?? null;
  const isCurrent = answer !== null && now.monotonicMs - answer.at.monotonicMs <= CURRENT_FOR_MS;
  return isCurrent ? answer.addresses : null;
}

/** The route to an address, the first that fits. (`proxy` is a matter of the client, not of the address.) */
export function routeOf(address: Address, known: Knowledge): Route {
  if (xEniSources(address, known).length > 0) return 'x-eni';
  if (isIn(known.vpcCidrs, address)) return 'vpc';
  return isGloballyReachable(address) ? 'public' : 'private';
}

/**
 * Which sources say that the address is an X-ENI's; none where it is not taken for one.
 *
 * - A private address in the DNS answer alone proves nothing (it may be a proxy, a tunnel, a NAT64): the current
 *   answer counts only within the VPC's CIDRs, and only while the slice says nothing of that family.
 * - A globally reachable address from the slice or `--x-eni` counts only within the known CIDRs of the VPC; for IPv6
 *   also while none are known, because there X-ENIs have global addresses.
 */
export function xEniSources(address: Address, known: Knowledge): readonly XEniSource[] {
  if (isIn(NEVER_AN_X_ENI, address)) return [];
  const sources: XEniSource[] = [];
  const trusted = mayBeInVpc(address, known.vpcCidrs);
  if (trusted && holds(known.slice?.addresses, address)) sources.push('endpointslice');
  if (trusted && isIn(known.xEnis, address)) sources.push('config');
  if (!sliceHas(known, address.family) && holds(known.dns, address) && isIn(known.vpcCidrs, address))
    sources.push('dns');
  return sources;
}

/** Every single address that is known as an X-ENI, with its sources. */
export function knownXEnis(known: Knowledge): readonly XEni[] {
  const candidates = [...(known.slice?.addresses ?? []), ...(known.dns ?? []), ...singles(known.xEnis)];
  return distinct(candidates)
    .map((address) => ({ address, sources: xEniSources(address, known) }))
    .filter(({ sources }) => sources.length > 0);
}

export interface XEni {
  readonly address: Address;
  readonly sources: readonly XEniSource[];
}

/**
 * The X-ENIs that a node must reach now, of each family: those of the slice, and those that DNS leads to, however they
 * are known; without either those of `--x-eni`.
 */
export function currentXEnis(known: Knowledge): readonly Address[] {
  const all = knownXEnis(known);
  return ([4, 6] as const).flatMap((family) => {
    const ofFamily = all.filter(({ address }) => address.family === family);
    const current = ofFamily.filter(
      ({ address, sources }) => sources.includes('endpointslice') || holds(known.dns, address),
    );
    const best = current.length > 0 || sliceHas(known, family) ? current : ofFamily;
    return best.map(({ address }) => address);
  });
}

/** Whether the slice says which X-ENIs of that family there are; it holds the primary family of Services only. */
export function sliceHas({ slice }: Knowledge, family: 4 | 6): boolean {
  return slice?.addresses.some((address) => address.family === family) ?? false;
}

/** Whether the list holds the address, by what is judged of it. */
export function holds(addresses: readonly Address[] | null | undefined, address: Address): boolean {
  return addresses?.some(({ key }) => key === address.key) ?? false;
}

/** Each address once, in order. */
export function distinct(addresses: readonly Address[]): readonly Address[] {
  return [...new Map(addresses.map((address) => [address.key, address])).values()];
}

/** Those of `xEnis` that `xEniSources` does not take for X-ENIs, wholly or in part, however they were given. */
export function untrustedXEnis({
  xEnis,
  vpcCidrs,
}: Pick<Knowledge, 'xEnis' | 'vpcCidrs'>): readonly AddressRange[] {
  return xEnis.filter((range) => {
    if (specialPurposeCovers(range) || vpcCidrs.some((cidr) => rangeCovers(cidr, range))) return false;
    return range.family === 4 || vpcCidrs.some(({ family }) => family === 6);
  });
}

/** Unspecified, loopback, link-local and multicast: never an X-ENI, whatever source gives them. */
export const NEVER_AN_X_ENI = ranges([
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
]);

export function isLoopback(address: Address): boolean {
  return address.family === 4 ? address.octets[0] === 127 : address.text === '::1';
}

/** True where IANA's registries do not say that the address is for a special purpose without global reach. */
export function isGloballyReachable(address: Address): boolean {
  if (isIn(MULTICAST, address)) return false;
  return isIn(GLOBALLY_REACHABLE_EXCEPTIONS, address) || !isIn(NOT_GLOBALLY_REACHABLE, address);
}

/** True where no address of the range is globally reachable by IANA's registries. */
export function specialPurposeCovers(range: AddressRange): boolean {
  return (
    NOT_GLOBALLY_REACHABLE.some((special) => rangeCovers(special, range)) &&
    !GLOBALLY_REACHABLE_EXCEPTIONS.some((exception) => rangesOverlap(exception, range))
  );
}

const MULTICAST = ranges(['224.0.0.0/4', 'ff00::/8']);

/**
 * IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates): the blocks whose column
 * "Globally Reachable" says False. Blocks where it says N/A (6to4, Teredo, deprecated relay anycast) are left out:
 * where it is not certain that an address is private, it counts as public.
 */
const NOT_GLOBALLY_REACHABLE = ranges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b:1::/48',
  '100::/64',
  '100:0:0:1::/64',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
]);

/** The same registries: smaller blocks within those above whose column says True, or N/A. */
const GLOBALLY_REACHABLE_EXCEPTIONS = ranges([
  '192.0.0.9/32',
  '192.0.0.10/32',
  '2001::/32',
  '2001:1::1/128',
  '2001:1::2/128',
  '2001:1::3/128',
  '2001:3::/32',
  '2001:4:112::/48',
  '2001:20::/28',
  '2001:30::/28',
]);

function mayBeInVpc(address: Address, vpcCidrs: readonly AddressRange[]): boolean {
  if (!isGloballyReachable(address) || isIn(vpcCidrs, address)) return true;
  return address.family === 6 && !vpcCidrs.some((cidr) => cidr.family === 6);
}

/** The single addresses among the ranges. */
function singles(list: readonly AddressRange[]): readonly Address[] {
  return list
    .filter(({ octets, prefixLength }) => prefixLength === octets.length * 8)
    .map(({ octets }) => addressFromOctets(octets));
}

export function isIn(list: readonly AddressRange[], address: Address): boolean {
  return list.some((range) => rangeContains(range, address));
}

function ranges(texts: readonly string[]): readonly AddressRange[] {
  return texts.map((text) => {
    const range = parseRange(text);
    if (range === null) throw new SyntaxError(`Cannot read range ${JSON.stringify(text)}`);
    return range;
  });
}
