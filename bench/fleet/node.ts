/** One node of a made fleet: what its agent would see at a moment, judged look by look by the agent's own model. */
import { emptyHistory, type History } from '../../src/model/history.ts';
import { judge } from '../../src/model/judge.ts';
import type { Observation } from '../../src/model/observation.ts';
import type { Settings } from '../../src/model/settings.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import type { SelfUsage } from '../../src/output/family.ts';
import { settings } from '../../test/support/observation.ts';
import { CHANCES } from './chance.ts';
import { factsOf, known, type NodeFacts, PROBE_INTERVAL_MS, SCAN_INTERVAL_MS } from './facts.ts';
import { makeScene } from './scene.ts';
import { NodeDns, sourcesAt } from './sources.ts';
import type { ClusterStory, NodeStory } from './story.ts';

/** After a longer time without a look, `x-eni` and what needs ten seconds of it want another two. */
const LONGEST_GAP_MS = 2 * SCAN_INTERVAL_MS;

export class FleetNode {
  readonly #facts: NodeFacts;
  readonly #settings: Settings;
  readonly #dns: NodeDns;
  #scene: { readonly moves: number; readonly observation: Observation } | null = null;
  #history: History;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(
    { name, address }: { readonly name: string; readonly address: string },
    cluster: ClusterStory,
    story: NodeStory,
  ) {
    this.#facts = factsOf(cluster, story, address);
    this.#settings = settingsOf(name, cluster);
    this.#dns = new NodeDns(this.#facts);
    this.#history = emptyHistory(this.#facts.moment(cluster.startMs));
  }

  /** The status at that moment; at an earlier one than before, the last. */
  statusAt(atMs: number): NodeStatus {
    for (const lookMs of this.#looksUntil(atMs)) this.#look(lookMs);
    const { lastStatus } = this.#history;
    if (lastStatus === null) throw new RangeError(`Cannot tell of ${atMs}: the story begins later`);
    return lastStatus;
  }

  /** What its exporter has cost by then. */
  selfAt(atMs: number): SelfUsage {
    const { cluster, chance } = this.#facts;
    const runsSeconds = (atMs - cluster.startMs) / 1000;
    const minute = Math.floor(atMs / 60_000);
    return {
      revision: '0123456789abcdef0123456789abcdef01234567',
      nodeVersion: process.version,
      cpuSeconds: 0.6 + runsSeconds * (0.004 + chance(CHANCES.cpu) / 1000),
      residentBytes: Math.round((78 + 8 * chance(CHANCES.memory, minute)) * 1024 * 1024),
      openFds: 24,
      startTimeSeconds: cluster.startMs / 1000,
    };
  }

  /** As few looks as lead to the same status: where time was left out one after each event, and three at its end. */
  #looksUntil(atMs: number): readonly number[] {
    const last = this.#lastMs;
    if (atMs <= last) return [];
    if (atMs - last <= LONGEST_GAP_MS) return [atMs];
    const { cluster, story } = this.#facts;
    const { startMs, flipMs, ttlMs, expectedMs, failing } = cluster;
    const events = [startMs, expectedMs, flipMs + ttlMs, failing.fromMs, failing.untilMs];
    const moves = [story.kubeletMovesMs, story.kubeProxyMovesMs].filter((ms) => ms !== null);
    return [...events, ...moves, atMs - 2 * SCAN_INTERVAL_MS, atMs - SCAN_INTERVAL_MS, atMs]
      .filter((ms) => ms >= startMs && ms > last && ms <= atMs)
      .sort((one, other) => one - other);
  }

  #look(atMs: number): void {
    this.#lastMs = atMs;
    const { cluster, moment } = this.#facts;
    const { dns, outsideDns } = this.#dns.seenAt(atMs);
    const sources = sourcesAt(atMs, dns, this.#facts);
    const seen = { ...this.#sceneAt(atMs), ...sources, at: moment(atMs), dns, outsideDns };
    const settings: Settings = { ...this.#settings, expect: atMs < cluster.expectedMs ? 'any' : 'x-eni' };
    // Those count that were left out.
    const looks = Math.max(this.#history.looks, Math.floor((atMs - cluster.startMs) / SCAN_INTERVAL_MS));
    this.#history = judge(seen, { ...this.#history, looks }, settings).history;
  }

  /** Processes and sockets, made anew where a client has moved since. */
  #sceneAt(atMs: number): Observation {
    const { kubeletMovesMs, kubeProxyMovesMs } = this.#facts.story;
    const moved = { kubelet: isPast(kubeletMovesMs, atMs), kubeProxy: isPast(kubeProxyMovesMs, atMs) };
    const moves = Number(moved.kubelet) + Number(moved.kubeProxy);
    const scene =
      this.#scene?.moves === moves ? this.#scene : { moves, observation: makeScene(this.#facts, moved) };
    this.#scene = scene;
    return scene.observation;
  }
}

/** The agent's defaults, on EC2. */
function settingsOf(nodeName: string, { staleAfterMs }: ClusterStory): Settings {
  return settings({
    nodeName,
    vpcCidrs: [],
    probeIntervalMs: PROBE_INTERVAL_MS,
    onEc2: true,
    service: { address: known('172.20.0.1'), port: 443 },
    scanIntervalMs: SCAN_INTERVAL_MS,
    staleAfterMs,
    unexpectedAfterMs: staleAfterMs,
  });
}

function isPast(momentMs: number | null, nowMs: number): boolean {
  return momentMs !== null && momentMs <= nowMs;
}
