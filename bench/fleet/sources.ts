/** What the sources beside the look know on a made node: DNS, EndpointSlice, IMDS, the node's files, probes. */
import { type Lookup, recordLookup, unasked } from '../../src/model/dns.ts';
import { IMDS_INTERVAL_MS, SLICE_INTERVAL_MS } from '../../src/model/freshness.ts';
import type { DnsSeen, Observation, ProbeSeen, StageName, StageResult } from '../../src/model/observation.ts';
import { range } from '../../test/support/observation.ts';
import { CHANCES } from './chance.ts';
import {
  CUSTOM_RESOLVER,
  ENDPOINT,
  known,
  type NodeFacts,
  OUTSIDE_RESOLVER,
  PROBE_INTERVAL_MS,
  PUBLIC,
  RESOLVER,
  SCAN_INTERVAL_MS,
} from './facts.ts';

const VPC_CIDRS = [range('10.0.0.0/16')];
const STAGES: readonly StageName[] = [
  'sockets',
  'owners',
  'endpoint',
  'dns',
  'endpointslice',
  'imds',
  'probe',
  'facts',
];
const FAILURES = {
  tcp: 'no answer within 5 s',
  identity: "the certificate is not signed by this cluster's CA",
};

/** What DNS has said so far, inside the VPC and outside. */
export class NodeDns {
  readonly #facts: NodeFacts;
  #nextMs: number;
  #inside = unasked(ENDPOINT.hostname);
  #outside = unasked(ENDPOINT.hostname);

  constructor(facts: NodeFacts) {
    const { startMs, ttlMs } = facts.cluster;
    this.#facts = facts;
    this.#nextMs = startMs - Math.round(facts.chance(CHANCES.firstLookup) * ttlMs);
  }

  /** Asks each time that an answer's TTL was over by then. */
  seenAt(atMs: number): Pick<Observation, 'dns' | 'outsideDns'> & { readonly dns: DnsSeen } {
    for (; this.#nextMs <= atMs; this.#nextMs += this.#facts.cluster.ttlMs) this.#ask(this.#nextMs);
    return { dns: this.#inside, outsideDns: this.#outside };
  }

  #ask(atMs: number): void {
    const { cluster, story, xEnis, moment, chance } = this.#facts;
    const { flipMs, failing, ttlMs } = cluster;
    const at = moment(atMs);
    const durationSeconds = 0.001 + chance(CHANCES.lookupTime, this.#inside.lookups) / 200;
    const answer = (addresses: readonly string[]): Lookup['result'] => ({
      answer: { addresses: addresses.map(known), ttlSeconds: ttlMs / 1000, at },
    });
    const isCustom = story.role === 'custom-resolver';
    const isFailing = story.role === 'dns-failing' && atMs >= failing.fromMs && atMs < failing.untilMs;
    this.#inside = recordLookup(this.#inside, {
      at,
      durationSeconds,
      servers: [isCustom ? CUSTOM_RESOLVER : RESOLVER],
      result: isFailing
        ? { failure: 'servfail', error: 'the resolver said SERVFAIL' }
        : answer(atMs < flipMs || isCustom ? PUBLIC : xEnis),
    });
    const servers = [OUTSIDE_RESOLVER];
    this.#outside = recordLookup(this.#outside, { at, durationSeconds, servers, result: answer(PUBLIC) });
  }
}

/** What all other sources know by then. */
export function sourcesAt(atMs: number, dns: DnsSeen, facts: NodeFacts) {
  const { cluster, story, xEnis, moment, lastOf } = facts;
  const scans = Math.floor((atMs - cluster.startMs) / SCAN_INTERVAL_MS) + 1;
  return {
    endpointSlice: {
      answer: { addresses: xEnis.map(known), port: 443, at: lastOf(SLICE_INTERVAL_MS, atMs) },
      failingSince: null,
    },
    imds: { answer: { vpcCidrs: VPC_CIDRS, at: lastOf(IMDS_INTERVAL_MS, atMs) } },
    nodeConfig: {
      hosts: story.role === 'hosts-file' ? PUBLIC.slice(0, 1).map(known) : [],
      resolvers: [known(story.role === 'custom-resolver' ? CUSTOM_RESOLVER : RESOLVER)],
      proxies: [],
      at: moment(atMs),
    },
    identities: null,
    probes: probesAt(atMs, dns, facts),
    stages: STAGES.map((stage, index) => stageAt(atMs, dns, { stage, index, facts })),
    procReadErrors: { EACCES: story.role === 'blind' ? 2 * scans : 0 },
  };
}

/** The last probe of each X-ENI and of each address that DNS gives. */
function probesAt(
  atMs: number,
  dns: DnsSeen,
  { story, xEnis, lastOf, chance }: NodeFacts,
): readonly ProbeSeen[] {
  const at = lastOf(PROBE_INTERVAL_MS, atMs);
  const given = dns.answer?.addresses.map(({ text }) => text) ?? [];
  const failsAt = { 'x-eni-unreachable': 'tcp', 'x-eni-stranger': 'identity' } as const;
  const failed =
    story.role === 'x-eni-unreachable' || story.role === 'x-eni-stranger' ? failsAt[story.role] : null;
  return [...new Set([...xEnis, ...given])].map((text, index) => {
    const failedStage = text === xEnis[1] ? failed : null;
    return {
      address: known(text),
      port: 443,
      success: failedStage === null,
      failedStage,
      error: failedStage === null ? null : FAILURES[failedStage],
      durationSeconds: failedStage === 'tcp' ? 5 : 0.003 + chance(CHANCES.probeTime, index, at.wallMs) / 300,
      at,
    };
  });
}

function stageAt(
  atMs: number,
  dns: DnsSeen,
  { stage, index, facts }: { readonly stage: StageName; readonly index: number; readonly facts: NodeFacts },
): StageResult {
  const success = stage !== 'dns' || dns.success;
  const durationSeconds = 0.0005 + facts.chance(CHANCES.stageTime, index, atMs) / 100;
  return { stage, success, durationSeconds, error: success ? null : dns.error, at: facts.moment(atMs) };
}
