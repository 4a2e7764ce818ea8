/** What a made node is and where: its cluster's addresses, its own, its clock and its chances. */
import type { Address } from '../../src/model/address.ts';
import type { EndpointSeen, Moment } from '../../src/model/observation.ts';
import { address } from '../../test/support/observation.ts';
import { CHANCES, chance } from './chance.ts';
import type { ClusterStory, NodeStory } from './story.ts';

export const ENDPOINT: EndpointSeen = {
  hostname: '0123456789ABCDEF0123456789ABCDEF.gr7.ap-northeast-2.eks.amazonaws.com',
  port: 443,
  source: 'kubelet-kubeconfig',
};
export const PUBLIC = ['3.34.148.207', '3.38.61.180'];
/** EKS gives a cluster two to four. */
const X_ENIS = ['10.0.0.231', '10.0.5.17', '10.0.9.210', '10.0.13.88'];
const FEWEST_X_ENIS = 2;
export const RESOLVER = '10.0.0.2';
export const CUSTOM_RESOLVER = '10.0.0.53';
export const OUTSIDE_RESOLVER = '1.1.1.1';

export const SCAN_INTERVAL_MS = 10_000;
export const PROBE_INTERVAL_MS = 60_000;

/** Monotonic clocks begin somewhere else. */
const MONOTONIC_AT_START_MS = 1_000_000;

export interface NodeFacts {
  readonly cluster: ClusterStory;
  readonly story: NodeStory;
  /** Its own. */
  readonly address: string;
  readonly xEnis: readonly string[];
  /** That wall clock time by both clocks. */
  moment(atMs: number): Moment;
  /** When that was last done by then, of what is done so often; each node has times of its own. */
  lastOf(intervalMs: number, atMs: number): Moment;
  /** This node's chance of that name, from 0 up to 1. */
  chance(...numbers: readonly number[]): number;
}

export function factsOf(cluster: ClusterStory, story: NodeStory, ownAddress: string): NodeFacts {
  const { seed, startMs } = cluster;
  const moment = (atMs: number) => ({ wallMs: atMs, monotonicMs: atMs - startMs + MONOTONIC_AT_START_MS });
  const ofNode = (...numbers: readonly number[]) => chance(seed, story.index, ...numbers);
  const more = Math.floor(chance(seed) * (X_ENIS.length - FEWEST_X_ENIS + 1));
  return {
    cluster,
    story,
    address: ownAddress,
    xEnis: X_ENIS.slice(0, FEWEST_X_ENIS + more),
    moment,
    lastOf: (intervalMs, atMs) => {
      const offset = Math.floor(ofNode(CHANCES.offset, intervalMs) * intervalMs);
      const times = Math.floor((atMs - startMs - offset) / intervalMs);
      return moment(Math.max(startMs, startMs + offset + times * intervalMs));
    },
    chance: ofNode,
  };
}

const KNOWN = new Map<string, Address>();

/** The address of that text, made once for all nodes. */
export function known(text: string): Address {
  const before = KNOWN.get(text) ?? address(text);
  KNOWN.set(text, before);
  return before;
}
