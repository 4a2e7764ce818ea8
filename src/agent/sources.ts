/** What is known of the endpoint beside the looks: every source on its own timer, the newest of each for a look. */

import type { EndpointDiscovery } from '../endpoint/discovery.ts';
import { DnsSource, type Resolve } from '../endpoint/dns.ts';
import { EndpointSliceSource, type ReadFile } from '../endpoint/endpointslice.ts';
import type { Handshake } from '../endpoint/handshake.ts';
import { ImdsSource } from '../endpoint/imds.ts';
import type { NodeConfigSource } from '../endpoint/node-config.ts';
import { Prober } from '../endpoint/prober.ts';
import { type AskMachine, FactsSource } from '../machine/facts.ts';
import type { Address } from '../model/address.ts';
import { targetsOf } from '../model/judge.ts';
import type { Machine } from '../model/machine.ts';
import type { Clock, DnsSeen, OwnersSeen } from '../model/observation.ts';
import { holds } from '../model/route.ts';
import type { Settings } from '../model/settings.ts';
import type { Stranger } from '../model/targets.ts';
import type { SendRequest } from '../net/http.ts';
import type { Background } from './scan.ts';

/** How the sources reach what is outside the process. */
export interface Edges {
  readonly resolve: Resolve;
  /** Asks this server alone. */
  readonly resolveAt: (server: string) => Resolve;
  readonly request: SendRequest;
  readonly handshake: Handshake;
  /** A file of the agent's own, not of the node's processes. */
  readonly readFile: ReadFile;
  readonly askMachine: AskMachine;
  /** 0 to 1: intervals are spread by it. */
  readonly random: () => number;
}

export interface SourceOptions {
  /** The API server as pods reach it; null where the agent does not run in one. */
  readonly service: { readonly host: string; readonly port: number } | null;
  readonly readsSlice: boolean;
  /** Null: not asked. */
  readonly imdsEndpoint: string | null;
  /** Null: none is asked. */
  readonly outsideResolver: string | null;
}

interface SourceParts {
  readonly settings: Settings;
  readonly options: SourceOptions;
  readonly discovery: EndpointDiscovery;
  readonly nodeConfig: NodeConfigSource;
  /** What is known of the machine at once. */
  readonly machine: Machine;
  readonly edges: Edges;
  readonly clock: Clock;
}

/** A pod that kubelet probes now and then must not make it read the slice each time. */
const MET_FOR_MS = 3_600_000;
/** Far more than X-ENIs are replaced in an hour. */
const MAX_MET = 256;

export class Sources {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #discovery: EndpointDiscovery;
  readonly #nodeConfig: NodeConfigSource;
  readonly #dns: DnsSource;
  readonly #outsideDns: DnsSource | null;
  readonly #slice: EndpointSliceSource | null;
  readonly #imds: ImdsSource | null;
  readonly #prober: Prober | null;
  readonly #facts: FactsSource;
  /** An address that is probed, or a stranger, has answered otherwise than before. */
  onAnswer: () => void = () => {};
  /** Peers nobody knew, and when the slice was read again for them. */
  readonly #met = new Map<string, number>();
  #lastDns: DnsSeen | null = null;

  constructor({ settings, options, discovery, nodeConfig, machine, edges, clock }: SourceParts) {
    const { service, readsSlice, imdsEndpoint, outsideResolver } = options;
    const { resolve, resolveAt, request, handshake, readFile, askMachine, random } = edges;
    const onChange = () => this.#aim();
    this.#settings = settings;
    this.#clock = clock;
    this.#discovery = discovery;
    this.#nodeConfig = nodeConfig;
    this.#dns = new DnsSource({ resolve, clock, onChange: () => this.#onDns() });
    this.#outsideDns =
      outsideResolver === null ? null : new DnsSource({ resolve: resolveAt(outsideResolver), clock });
    this.#slice = readsSlice
      ? new EndpointSliceSource({ request, readFile, clock, random, service, onChange })
      : null;
    this.#imds =
      imdsEndpoint === null
        ? null
        : new ImdsSource({ request, endpoint: imdsEndpoint, clock, random, onChange });
    const { probeIntervalMs } = settings;
    this.#prober =
      probeIntervalMs === null
        ? null
        : new Prober({
            handshake,
            clock,
            random,
            intervalMs: probeIntervalMs,
            onChange: () => this.onAnswer(),
          });
    this.#facts = new FactsSource({ known: machine, askMachine, clock });
  }

  /** The newest of what each source knows. */
  get background(): Background {
    const sources = [
      this.#discovery,
      this.#dns,
      ...[this.#slice, this.#imds, this.#prober].filter((source) => source !== null),
      this.#facts,
    ];
    return {
      endpoint: this.#discovery.seen,
      dns: this.#dns.seen,
      outsideDns: this.#outsideDns?.seen ?? null,
      endpointSlice: this.#slice?.seen ?? null,
      imds: this.#imds?.seen ?? null,
      nodeConfig: this.#nodeConfig.seen,
      identities: this.#prober?.identities ?? null,
      probes: this.#prober?.probes ?? null,
      machine: this.#facts.seen,
      stages: sources.map(({ stage }) => stage).filter((stage) => stage !== null),
    };
  }

  /** Begins to ask those that need to know nothing of the endpoint. */
  start(): void {
    void this.#slice?.ask();
    void this.#imds?.ask();
  }

  /** Asks what the machine is, the first time only; resolves when it is answered, or too late. */
  askMachine(): Promise<void> {
    return this.#facts.ask();
  }

  /** Reads the node's files: where the endpoint is, and how its clients are told to reach it. Never rejects. */
  async discover(owners: OwnersSeen | null): Promise<void> {
    await this.#discovery.refresh(owners);
    await this.#nodeConfig.refresh(owners, this.#discovery.seen);
    const { seen } = this.#discovery;
    if (seen !== null) {
      this.#dns.follow(seen.hostname);
      this.#outsideDns?.follow(seen.hostname);
    }
    this.#aim();
  }

  /** One round of everything; resolves when each source has answered or failed. */
  async refresh(owners: OwnersSeen | null): Promise<void> {
    const machine = this.askMachine();
    await this.discover(owners);
    await this.ask();
    this.#aim();
    await Promise.all([this.#prober?.round(), machine]);
  }

  /** Asks everyone but the machine and the addresses that are probed; resolves when each has answered or failed. */
  async ask(): Promise<void> {
    await Promise.all([this.#dns, this.#outsideDns, this.#slice, this.#imds].map((source) => source?.ask()));
  }

  /**
   * Takes up the peers that nobody knows: a new one may be an X-ENI that the slice has by now; one that was seen in
   * two looks is asked for its certificate.
   */
  meet(strangers: readonly Stranger[]): void {
    const nowMs = this.#clock().monotonicMs;
    for (const [key, metAtMs] of this.#met) if (nowMs - metAtMs >= MET_FOR_MS) this.#met.delete(key);
    const isNew = ({ address: { key }, isTold }: Stranger) => !isTold && !this.#met.has(key);
    const unmet = strangers.filter(isNew).slice(0, MAX_MET - this.#met.size);
    for (const { address } of unmet) this.#met.set(address.key, nowMs);
    if (unmet.length > 0) this.#slice?.askSoon();
    this.#prober?.identify(strangers.filter(({ seenTwice }) => seenTwice));
  }

  /** Resolves when every stranger that was met has been asked. */
  async identified(): Promise<void> {
    await this.#prober?.identified();
  }

  stop(): void {
    const asked = [this.#dns, this.#outsideDns, this.#slice, this.#imds, this.#prober, this.#facts];
    for (const source of [...asked, this.#nodeConfig]) source?.stop();
  }

  /** Tells the prober whom to probe by now. */
  #aim(): void {
    const { seen, ca } = this.#discovery;
    if (seen === null) {
      this.#prober?.follow([], { missing: 'the endpoint is not known yet' });
      return;
    }
    const targets = targetsOf(this.#settings, { ...this.background, at: this.#clock() });
    this.#prober?.follow(targets, 'pem' in ca ? { hostname: seen.hostname, ca: ca.pem } : ca);
  }

  /** An address that is new in the answer and not in the slice may be an X-ENI that is new altogether. */
  #onDns(): void {
    const before = this.#lastDns?.answer?.addresses;
    this.#lastDns = this.#dns.seen;
    const known = this.#slice?.seen.answer?.addresses;
    const isNew = (address: Address) => !holds(before, address) && !holds(known, address);
    if (before !== undefined && this.#lastDns?.answer?.addresses.some(isNew)) this.#slice?.askSoon();
    this.#aim();
  }
}
