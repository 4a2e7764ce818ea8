/**
 * What happens to a made fleet: a migration from the public route to the X-ENIs, in shares of its duration, and the
 * nodes that stay behind, each for a reason of its own.
 */
import { CHANCES, chance } from './chance.ts';

/** What is the matter with a node. Of each but the first there are a few. */
export const ROLES = [
  /** Its clients reconnect some time after DNS flips. */
  'usual',
  /** They never do. */
  'never-moves',
  /** One X-ENI does not answer it, and its clients stay where they are. */
  'x-eni-unreachable',
  /** One X-ENI shows it another cluster's certificate. */
  'x-eni-stranger',
  /** Its resolver goes on giving the public addresses. */
  'custom-resolver',
  /** Its hosts file gives the endpoint a public address. */
  'hosts-file',
  /** Its resolver fails for a while. */
  'dns-failing',
  /** Its exporter may not read whose sockets they are. */
  'blind',
  /** Its exporter does not answer for a while. */
  'missing',
] as const;
export type Role = (typeof ROLES)[number];

/** When things happen, as shares of the duration. */
const SHARES = {
  expected: 0.18,
  flip: 0.2,
  firstMove: 0.22,
  lastMove: 0.85,
  /** From kubelet's move to kube-proxy's at the latest. */
  between: 0.06,
  failing: [0.5, 0.75],
  missing: [0.4, 0.7],
} as const;

/** One node in so many has one of the roles that are a matter. */
const NODES_PER_ROLE = 250;

const TTL_MS = 60_000;
const STALE_AFTER_MS = 600_000;

export interface FleetOptions {
  readonly nodes: number;
  readonly seed?: number;
  /** When the story begins, by the wall clock. */
  readonly startMs: number;
  /** How long the whole migration takes. */
  readonly durationMs: number;
  /** Whether there are nodes that stay behind and such. There are, unless said otherwise. */
  readonly specials?: boolean;
}

/** What happens to all. */
export interface ClusterStory {
  readonly seed: number;
  readonly startMs: number;
  readonly endMs: number;
  /** From when on the operator expects `x-eni`. (A real agent is started anew for it; these go on.) */
  readonly expectedMs: number;
  /** When the private endpoint is turned on. A node notices when its answer's TTL is over. */
  readonly flipMs: number;
  /** EKS's 60 s and the default of --stale-after, shorter where the story is too short for them. */
  readonly ttlMs: number;
  readonly staleAfterMs: number;
  readonly failing: Span;
  readonly missing: Span;
}

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What happens to one node. */
export interface NodeStory {
  readonly index: number;
  readonly role: Role;
  /** Null where the client never moves. */
  readonly kubeletMovesMs: number | null;
  readonly kubeProxyMovesMs: number | null;
  /** Whether its kubelet is a new process then. */
  readonly isRestarted: boolean;
}

export function clusterStory({ seed = 1, startMs, durationMs }: FleetOptions): ClusterStory {
  const at = (share: number) => Math.round(startMs + share * durationMs);
  const span = ([from, until]: readonly [number, number]) => ({ fromMs: at(from), untilMs: at(until) });
  return {
    seed,
    startMs,
    endMs: at(1),
    expectedMs: at(SHARES.expected),
    flipMs: at(SHARES.flip),
    ttlMs: Math.max(1000, Math.min(TTL_MS, Math.round(durationMs / 100_000) * 1000)),
    staleAfterMs: Math.min(STALE_AFTER_MS, Math.round(durationMs / 10)),
    failing: span(SHARES.failing),
    missing: span(SHARES.missing),
  };
}

export function nodeStories(options: FleetOptions): readonly NodeStory[] {
  const { nodes, seed = 1, startMs, durationMs, specials = true } = options;
  const roles = specials ? rolesOf(nodes, seed) : Array<Role>(nodes).fill('usual');
  return roles.map((role, index): NodeStory => {
    const share = SHARES.firstMove + chance(seed, index, CHANCES.move) * (SHARES.lastMove - SHARES.firstMove);
    const kubelet = Math.round(startMs + share * durationMs);
    const kubeProxy = Math.round(
      kubelet + chance(seed, index, CHANCES.between) * SHARES.between * durationMs,
    );
    const moves = !staysBehind(role);
    return {
      index,
      role,
      kubeletMovesMs: moves ? kubelet : null,
      kubeProxyMovesMs: moves ? kubeProxy : null,
      isRestarted: chance(seed, index, CHANCES.restart) < 0.5,
    };
  });
}

/** Whether its clients are on public addresses to the end. */
function staysBehind(role: Role): boolean {
  return ['never-moves', 'x-eni-unreachable', 'custom-resolver', 'hosts-file'].includes(role);
}

/** The roles, spread by chance; the fewer nodes there are, the fewer have one. */
function rolesOf(nodes: number, seed: number): readonly Role[] {
  const each = Math.max(1, Math.round(nodes / NODES_PER_ROLE));
  const special = ROLES.filter((role) => role !== 'usual').flatMap((role) => Array<Role>(each).fill(role));
  const shuffled = Array.from({ length: nodes }, (_, index) => index).sort(
    (one, other) => chance(seed, one, CHANCES.role) - chance(seed, other, CHANCES.role),
  );
  const roles = Array<Role>(nodes).fill('usual');
  for (const [rank, role] of special.slice(0, nodes >> 1).entries()) roles[shuffled[rank] ?? 0] = role;
  return roles;
}
