/** Asks DNS for the endpoint's addresses, again and again as their TTL runs out. */
import { Resolver } from 'node:dns/promises';
import { type Address, parseAddress } from '../model/address.ts';
import { keptSeconds, type Lookup, recordLookup, unasked } from '../model/dns.ts';
import { messageOf } from '../model/errors.ts';
import type { Clock, DnsFailure, DnsSeen, Moment, StageResult } from '../model/observation.ts';

/** One lookup of both families: how it ended, and whom it asked. Never rejects. */
export type Resolve = (hostname: string) => Promise<Resolution>;
export type Resolution =
  | { readonly servers: readonly string[]; readonly records: readonly DnsRecord[] }
  | { readonly servers: readonly string[]; readonly failure: DnsFailure; readonly error: string };
export interface DnsRecord {
  readonly address: string;
  readonly ttl: number;
}

/** A resolver that is slower than this has not answered: the whole lookup, both families, every retry. */
const LOOKUP_DEADLINE_MS = 5_000;
/** c-ares doubles the time-out at each try: two tries of one server take 1.5 s + 3 s, within the deadline. */
const TRY_TIMEOUT_MS = 1_500;
const TRIES = 2;

/** After a failure DNS is asked again this soon. */
const RETRY_MS = 3_000;

/** Holds what DNS last said of one name. Asks on its own timer from `follow` to `stop`. */
export class DnsSource {
  readonly #resolve: Resolve;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #seen: DnsSeen | null = null;
  #stage: StageResult | null = null;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | null = null;
  #stopped = false;

  /** `onChange` is called after an answer of other addresses than the one before. */
  constructor({
    resolve,
    clock,
    onChange = () => {},
  }: {
    resolve: Resolve;
    clock: Clock;
    onChange?: () => void;
  }) {
    this.#resolve = resolve;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Null before the name is known. */
  get seen(): DnsSeen | null {
    return this.#seen;
  }

  /** How the last lookup ended; null before the first. */
  get stage(): StageResult | null {
    return this.#stage;
  }

  /**
   * Follows this name from now on; another name than before forgets everything about that one. An address is no
   * name: there is nothing to ask.
   */
  follow(hostname: string): void {
    if (this.#seen?.hostname.toLowerCase() === hostname.toLowerCase() || this.#stopped) return;
    this.#forget();
    if (parseAddress(hostname) !== null) return;
    this.#seen = unasked(hostname);
    void this.ask();
  }

  /** Asks now, or joins the lookup under way; never rejects. Nothing to ask before a name is known. */
  ask(): Promise<void> {
    const before = this.#seen;
    if (before === null || this.#stopped) return Promise.resolve();
    if (this.#asking === null) {
      const asking = this.#lookup(before.hostname, () => this.#asking === asking);
      this.#asking = asking;
    }
    return this.#asking;
  }

  /** Asks no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#seen = null;
    this.#stage = null;
    this.#asking = null;
  }

  /** `isWanted`: no other name is followed since; the answer for one that is not belongs to nobody. */
  async #lookup(hostname: string, isWanted: () => boolean): Promise<void> {
    clearTimeout(this.#timer);
    const startedAt = this.#clock();
    const resolution = await this.#resolve(hostname).catch(unforeseen);
    if (this.#seen === null || !isWanted()) return;
    const at = this.#clock();
    const durationSeconds = (at.monotonicMs - startedAt.monotonicMs) / 1000;
    const lookup: Lookup = {
      at,
      durationSeconds,
      servers: resolution.servers,
      result: resultOf(resolution, at),
    };
    const before = this.#seen;
    this.#seen = recordLookup(before, lookup);
    const { success, error, answer } = this.#seen;
    this.#stage = { stage: 'dns', success, durationSeconds, error, at };
    this.#asking = null;
    if (this.#stopped) return;
    if (before.answer === null ? answer !== null : this.#seen.changes > before.changes) this.#onChange();
    const inMs = success && answer !== null ? keptSeconds(answer.ttlSeconds) * 1000 : RETRY_MS;
    this.#timer = setTimeout(() => void this.ask(), inMs);
    this.#timer.unref();
  }
}

function unforeseen(error: unknown): Resolution {
  return { servers: [], failure: 'other', error: messageOf(error) };
}

/** EKS gives an endpoint 2 to 4 addresses; an answer of far more is no endpoint's. */
const MAX_ADDRESSES = 64;

/** Judges the records: an address that is none fails the lookup, and so do no addresses, or far too many. */
function resultOf(resolution: Resolution, at: Moment): Lookup['result'] {
  if ('failure' in resolution) return { failure: resolution.failure, error: resolution.error };
  const addresses = new Map<string, Address>();
  for (const { address: text } of resolution.records) {
    const address = parseAddress(text);
    if (address === null)
      return { failure: 'other', error: `the answer holds no address: ${JSON.stringify(text)}` };
    addresses.set(address.text, address);
  }
  if (addresses.size > MAX_ADDRESSES)
    return { failure: 'other', error: `the answer holds ${addresses.size} addresses: that is no endpoint's` };
  if (addresses.size === 0) return { failure: 'no-addresses', error: 'the name has no addresses' };
  return {
    answer: {
      addresses: [...addresses.values()],
      ttlSeconds: Math.min(...resolution.records.map(({ ttl }) => ttl)),
      at,
    },
  };
}

/**
 * Asks the resolvers of /etc/resolv.conf (or these), past /etc/hosts, for A and AAAA. The answer is complete when
 * both families answered; having no records of a family is an answer.
 */
export function systemResolver(servers: readonly string[] | null = null): Resolve {
  return async (hostname) => {
    // A new one each time: that is what reads resolv.conf anew.
    const resolver = new Resolver({ timeout: TRY_TIMEOUT_MS, tries: TRIES });
    if (servers !== null) resolver.setServers(servers);
    return resolveBoth(hostname, resolver);
  };
}

async function resolveBoth(hostname: string, resolver: Resolver): Promise<Resolution> {
  const servers = resolver.getServers();
  const deadline = setTimeout(() => resolver.cancel(), LOOKUP_DEADLINE_MS);
  try {
    const families = await Promise.all([
      ask(() => resolver.resolve4(hostname, { ttl: true })),
      ask(() => resolver.resolve6(hostname, { ttl: true })),
    ]);
    const records = families.flatMap((family) => ('records' in family ? family.records : []));
    const failed = families.flatMap((family) =>
      'code' in family && !isNoRecords(family.code) ? [family.code] : [],
    );
    const [code] = failed;
    if (code !== undefined)
      return { servers, failure: failureOf(code), error: `${sentenceOf(code)} (${code})` };
    const missing = families.every((family) => 'code' in family && family.code === 'ENOTFOUND');
    if (missing)
      return { servers, failure: 'nxdomain', error: `there is no name ${JSON.stringify(hostname)} in DNS` };
    return { servers, records };
  } finally {
    clearTimeout(deadline);
  }
}

async function ask(
  query: () => Promise<readonly DnsRecord[]>,
): Promise<{ readonly records: readonly DnsRecord[] } | { readonly code: string }> {
  try {
    return { records: await query() };
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN' };
  }
}

/** No records of this family, or no such name: some servers say the latter for a family that is merely empty. */
function isNoRecords(code: string): boolean {
  return code === 'ENODATA' || code === 'ENOTFOUND';
}

function failureOf(code: string): DnsFailure {
  if (code === 'ETIMEOUT' || code === 'ECANCELLED') return 'timeout';
  if (code === 'ESERVFAIL') return 'servfail';
  return code === 'EREFUSED' || code === 'ECONNREFUSED' ? 'refused' : 'other';
}

function sentenceOf(code: string): string {
  const failure = failureOf(code);
  if (failure === 'timeout') return 'the resolver did not answer in time';
  if (failure === 'servfail') return 'the resolver failed';
  return failure === 'refused' ? 'the resolver refused' : 'the lookup failed';
}
