/** What was seen of one node while somebody watches: the states, and what changed when. Pure: time is an argument. */
import { type Change, changesBetween } from './changes.ts';
import type { Moment } from './observation.ts';
import type { GateName, GateState, NodeRoute, NodeStatus } from './status.ts';

/** What changed within so many looks is shown as new. */
const RECENT_LOOKS = 4;
/** So many changes are kept, the newest: a day of a node that flaps must fit. */
const MAX_CHANGES = 1_000;

/** What can be waited for: a route of the node, or a gate. */
export type WatchGoal = 'x-eni' | 'public-free';

/** A change of the node, or that a followed agent stopped or began to answer. */
export type WatchedChange = Omit<Change, 'kind'> & { readonly kind: Change['kind'] | 'silent' | 'answers' };

export interface Watched {
  readonly since: Moment;
  readonly looks: number;
  readonly first: NodeStatus | null;
  /** The last one, judged by its age. */
  readonly last: NodeStatus | null;
  /** When the last one was new, by the clock of who watches. */
  readonly lastAt: Moment;
  /** Those before the last, newest first. */
  readonly recent: readonly NodeStatus[];
  /** Oldest first. */
  readonly changes: readonly WatchedChange[];
  /** Older changes that are not kept. */
  readonly forgotten: number;
  /** A followed agent that does not answer: since when, and what is wrong. What was last seen of the node is old. */
  readonly silence: { readonly since: Moment; readonly problem: string } | null;
}

export function beginWatch(since: Moment): Watched {
  return {
    ...{ since, looks: 0, first: null, last: null, lastAt: since, recent: [] },
    ...{ changes: [], forgotten: 0, silence: null },
  };
}

/** `status` was told at `at`: that of a new look, or the last one again, as its age has it now. */
export function seeStatus(watched: Watched, status: NodeStatus, at: Moment): Watched {
  const { last, first, looks, recent, silence } = watched;
  const told = silence === null ? [] : [changeOfAgent('answers', 'the agent answers again', at)];
  const answered = remember({ ...watched, silence: null }, told);
  if (last === null) return { ...answered, first: status, last: status, lastAt: at, looks: 1 };
  const isNew = status.observedAt !== last.observedAt || status.observedSince !== last.observedSince;
  if (status === last) return answered;
  const changes = changesBetween(last, status, isNew ? status.observedAt : iso(at));
  return remember(
    {
      ...answered,
      first,
      last: status,
      lastAt: isNew ? at : watched.lastAt,
      looks: looks + (isNew ? 1 : 0),
      recent: isNew ? [last, ...recent].slice(0, RECENT_LOOKS) : recent,
    },
    changes,
  );
}

/** Nobody told anything at `at`. */
export function seeSilence(watched: Watched, problem: string, at: Moment): Watched {
  if (watched.silence !== null) return { ...watched, silence: { ...watched.silence, problem } };
  const change = changeOfAgent('silent', 'the agent does not answer', at, problem);
  return remember({ ...watched, silence: { since: at, problem } }, [change]);
}

/** What is known now of the route: of a node whose agent is silent, nothing. */
export function routeNow({ last, silence }: Watched): NodeRoute {
  return silence === null ? (last?.route ?? 'unknown') : 'unknown';
}

export function gateNow({ last, silence }: Watched, name: GateName): GateState {
  const state = last?.gates.find(({ gate }) => gate === name)?.state;
  return silence === null ? (state ?? 'unknown') : 'unknown';
}

/**
 * Whether what is waited for holds; null where that is not known. That it holds takes two looks under these eyes: an agent
 * looks anew for who asks, and a status that never changes is a copy of one.
 */
export function holds(watched: Watched, goal: WatchGoal): boolean | null {
  const answer = goal === 'x-eni' ? ON_X_ENI[routeNow(watched)] : HOLDS[gateNow(watched, goal)];
  return answer === true && watched.looks < 2 ? null : answer;
}

const ON_X_ENI: Readonly<Record<NodeRoute, boolean | null>> = {
  'x-eni': true,
  public: false,
  mixed: false,
  other: false,
  none: null,
  unknown: null,
};
const HOLDS: Readonly<Record<GateState, boolean | null>> = { true: true, false: false, unknown: null };

function remember(watched: Watched, more: readonly WatchedChange[]): Watched {
  if (more.length === 0) return watched;
  const all = [...watched.changes, ...more];
  const forgotten = Math.max(0, all.length - MAX_CHANGES);
  return { ...watched, changes: all.slice(forgotten), forgotten: watched.forgotten + forgotten };
}

function changeOfAgent(
  kind: 'silent' | 'answers',
  detail: string,
  at: Moment,
  reason: string | null = null,
): WatchedChange {
  return { kind, at: iso(at), subject: null, client: null, severity: null, detail, reason };
}

function iso({ wallMs }: Moment): string {
  return new Date(wallMs).toISOString();
}
