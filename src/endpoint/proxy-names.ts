/** The addresses of proxies that are given by name: what a client is connected to is one of them. */
import { type Address, parseAddress } from '../model/address.ts';
import type { Clock } from '../model/observation.ts';
import { DnsSource, type Resolve } from './dns.ts';

/** The clients of a node share one proxy; a bound for an environment that is made up. */
const MAX_NAMES = 4;

/** Asks DNS for a few names, each on a timer of its own, from `follow` to `stop`. */
export class ProxyNames {
  readonly #parts: ProxyNamesParts;
  /** By name, in lower case. */
  readonly #sources = new Map<string, DnsSource>();

  constructor(parts: ProxyNamesParts) {
    this.#parts = parts;
  }

  /** Follows these from now on, and no others; of more than four the first. An address is no name. */
  follow(hosts: readonly string[]): void {
    const names = hosts.filter((host) => parseAddress(host) === null).map((host) => host.toLowerCase());
    const wanted = new Set([...new Set(names)].slice(0, MAX_NAMES));
    for (const [name, source] of this.#sources) {
      if (wanted.has(name)) continue;
      source.stop();
      this.#sources.delete(name);
    }
    for (const name of wanted) {
      if (this.#sources.has(name)) continue;
      const source = new DnsSource(this.#parts);
      this.#sources.set(name, source);
      source.follow(name);
    }
  }

  /** Resolves when every name has been asked for once. */
  async asked(): Promise<void> {
    const unasked = [...this.#sources.values()].filter(({ seen }) => seen?.lookups === 0);
    await Promise.all(unasked.map((source) => source.ask()));
  }

  /** What the host's addresses are, and were; or why they are not known. */
  addressesOf(host: string): { readonly addresses: readonly Address[]; readonly error: string | null } {
    const address = parseAddress(host);
    if (address !== null) return { addresses: [address], error: null };
    const seen = this.#sources.get(host.toLowerCase())?.seen;
    const addresses = [...(seen?.answer?.addresses ?? []), ...(seen?.earlier ?? [])];
    if (addresses.length > 0) return { addresses, error: null };
    const reason = seen
      ? (seen.error ?? 'DNS has not answered yet')
      : `more than ${MAX_NAMES} proxies have names`;
    return { addresses, error: `Cannot resolve the proxy ${JSON.stringify(host)}: ${reason}` };
  }

  /** Asks no more. */
  stop(): void {
    this.follow([]);
  }
}

export interface ProxyNamesParts {
  readonly resolve: Resolve;
  readonly clock: Clock;
}
