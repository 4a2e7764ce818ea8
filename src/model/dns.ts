/** What is known of the endpoint's DNS answer: a fold of lookups. */
import type { Address } from './address.ts';
import type { DnsAnswer, DnsFailure, DnsSeen, Moment } from './observation.ts';

/** How one lookup of the endpoint's name ended. */
export interface Lookup {
  readonly at: Moment;
  readonly durationSeconds: number;
  /** The resolvers that were asked. */
  readonly servers: readonly string[];
  readonly result: { readonly answer: DnsAnswer } | { readonly failure: DnsFailure; readonly error: string };
}

/** Earlier addresses that are remembered: far more than EKS gives a cluster in a year, and a bound for a liar. */
const MAX_EARLIER = 256;

/** A TTL is kept between these: 0 must not become a flood, nor a day hide a flip. */
const MIN_TTL_SECONDS = 1;
const MAX_TTL_SECONDS = 300;

/** For how long an answer of this TTL is kept. */
export function keptSeconds(ttlSeconds: number): number {
  return Math.min(Math.max(ttlSeconds, MIN_TTL_SECONDS), MAX_TTL_SECONDS);
}

/** The state before the first lookup has ended. */
export function unasked(hostname: string): DnsSeen {
  return {
    hostname,
    success: false,
    error: null,
    answer: null,
    changedAt: null,
    earlier: [],
    failingSince: null,
    durationSeconds: 0,
    lookups: 0,
    changes: 0,
    failures: { timeout: 0, nxdomain: 0, 'no-addresses': 0, servfail: 0, refused: 0, other: 0 },
    servers: [],
  };
}

/** Adds a lookup. A failure keeps the last complete answer; an answer in another order is no change. */
export function recordLookup(before: DnsSeen, lookup: Lookup): DnsSeen {
  const { result, durationSeconds, servers } = lookup;
  const asked = { ...before, durationSeconds, servers, lookups: before.lookups + 1 };
  if ('failure' in result) {
    const failures = { ...before.failures, [result.failure]: before.failures[result.failure] + 1 };
    const failingSince = before.failingSince ?? lookup.at;
    return { ...asked, success: false, error: result.error, failingSince, failures };
  }
  const { answer } = result;
  const known = { ...asked, success: true, error: null, failingSince: null, answer };
  const previous = before.answer?.addresses;
  if (previous === undefined || sameAddresses(previous, answer.addresses)) return known;
  return {
    ...known,
    changedAt: answer.at,
    changes: before.changes + 1,
    earlier: without([...previous, ...before.earlier], answer.addresses).slice(0, MAX_EARLIER),
  };
}

function sameAddresses(one: readonly Address[], other: readonly Address[]): boolean {
  return without(one, other).length === 0 && without(other, one).length === 0;
}

function without(addresses: readonly Address[], others: readonly Address[]): readonly Address[] {
  const keys = new Set(others.map((other) => other.key));
  return addresses.filter((address) => !keys.has(address.key));
}
