/** What a node status says that the one before did not: for the log, and for who watches. */
import {
  type ClientStatus,
  type Finding,
  type NodeStatus,
  type ProbeStatus,
  ROUTES,
  type Severity,
  type StatusEvent,
} from './status.ts';
import { list } from './text.ts';

/** The JSON of `watch` has these words: none is renamed. */
type ChangeKind =
  | StatusEvent['event']
  /** The routes of a client's established connections. */
  | 'client-route'
  | 'gate'
  | 'finding-raised'
  | 'finding-cleared'
  /** It was raised, and whether it still holds cannot be told. */
  | 'finding-not-evaluated'
  | 'stage-failed'
  | 'stage-succeeds'
  | 'probe-failed'
  | 'probe-answers'
  /** The agent began anew: what moved in between was not seen. */
  | 'restart';

export interface Change {
  readonly kind: ChangeKind;
  readonly at: string;
  /** Whom it is about: a gate, a finding's code, a client, a stage, an address; null where the detail says it. */
  readonly subject: string | null;
  /** Of a finding that is about one. */
  readonly client: string | null;
  readonly severity: Severity | null;
  /** What changed, such as `public -> mixed`. */
  readonly detail: string;
  /** Why; a sentence without its period. */
  readonly reason: string | null;
}

/**
 * The changes in the order to tell them in. `before` may be several looks ago, or the same look judged by a lesser age;
 * without one, only what `after` says of its own look has changed. `at` is for what no event has the time of.
 */
export function changesBetween(
  before: NodeStatus | null,
  after: NodeStatus,
  at: string = after.observedAt,
): readonly Change[] {
  const restarted = before !== null && before.observedSince !== after.observedSince;
  return [
    ...(restarted ? [{ kind: 'restart' as const, detail: 'the agent began anew' }] : []),
    ...eventChanges(before, after),
    ...(before === null ? [] : clientChanges(before, after)),
    ...(before === null ? [] : gateChanges(before, after)),
    ...findingChanges(before, after),
    ...stageChanges(before, after),
    ...(before === null ? [] : probeChanges(before, after)),
  ].map((part) => ({ at, subject: null, client: null, severity: null, reason: null, ...part }));
}

/** The rest of a change has a default. */
type Part = Pick<Change, 'kind' | 'detail'> & Partial<Change>;

/** The events since then, the oldest first. A status judged by its age has another route, and no event that says so. */
function eventChanges(before: NodeStatus | null, after: NodeStatus): readonly Part[] {
  const events = newEvents(before, after).toReversed();
  const lastRoute = events.findLast(({ event }) => event === 'route');
  const told = events.map((event) => ({
    kind: event.event,
    at: event.at,
    detail: event.detail,
    reason: event === lastRoute ? after.routeReason : null,
  }));
  const isTold = lastRoute !== undefined || before === null || before.route === after.route;
  const detail = `${before?.route} -> ${after.route}`;
  return isTold ? told : [...told, { kind: 'route', detail, reason: after.routeReason }];
}

function newEvents(before: NodeStatus | null, { events, observedAt }: NodeStatus): readonly StatusEvent[] {
  if (before === null) return events.filter(({ at }) => at === observedAt);
  const [newest] = before.events;
  if (newest === undefined) return events;
  const known = events.findIndex(
    ({ at, event, detail }) => at === newest.at && event === newest.event && detail === newest.detail,
  );
  // Of another agent, or more in between than a status keeps.
  return known < 0 ? events : events.slice(0, known);
}

function clientChanges(before: NodeStatus, after: NodeStatus): readonly Part[] {
  return after.clients.flatMap((client) => {
    const previous = before.clients.find((other) => other.client === client.client);
    const [from, to] = [previous && routesOf(previous), routesOf(client)];
    return from === undefined || from === to
      ? []
      : [{ kind: 'client-route', subject: client.client, detail: `${client.client} ${from} -> ${to}` }];
  });
}

/** The routes that a client is on: `x-eni and public`; `none` without a connection, `unknown` where that cannot be told. */
export function routesOf({ connections }: ClientStatus): string {
  if (connections === null) return 'unknown';
  const established = connections.filter(({ state }) => state === 'established');
  return list(ROUTES.filter((route) => established.some((one) => one.route === route))) || 'none';
}

function gateChanges(before: NodeStatus, after: NodeStatus): readonly Part[] {
  return after.gates.flatMap(({ gate, state, reason }) => {
    const previous = before.gates.find((other) => other.gate === gate)?.state;
    return previous === undefined || previous === state
      ? []
      : [{ kind: 'gate', subject: gate, detail: `${gate} ${previous} -> ${state}`, reason }];
  });
}

function findingChanges(before: NodeStatus | null, after: NodeStatus): readonly Part[] {
  const raised = new Set(before?.findings.map(nameOf));
  const still = new Set(after.findings.map(nameOf));
  const gone = before?.findings.filter((finding) => !still.has(nameOf(finding))) ?? [];
  const part = (kind: ChangeKind, finding: Finding): Part => ({
    kind,
    subject: finding.code,
    client: finding.client,
    severity: finding.severity,
    detail: nameOf(finding),
  });
  return [
    ...after.findings
      .filter((finding) => !raised.has(nameOf(finding)))
      .map((finding) => ({ ...part('finding-raised', finding), reason: finding.summary })),
    // One that cannot be evaluated any more is not clear either.
    ...gone.map((finding) =>
      part(after.evaluated.includes(finding.code) ? 'finding-cleared' : 'finding-not-evaluated', finding),
    ),
  ];
}

function nameOf({ code, client }: Finding): string {
  return client === null ? code : `${code} ${client}`;
}

function stageChanges(before: NodeStatus | null, after: NodeStatus): readonly Part[] {
  return after.stages.flatMap(({ stage, success, error }): readonly Part[] => {
    const previous = before?.stages.find((one) => one.stage === stage);
    const part = { subject: stage, detail: stage };
    if (!success && previous?.error !== error) return [{ ...part, kind: 'stage-failed', reason: error }];
    return success && previous?.success === false ? [{ ...part, kind: 'stage-succeeds' }] : [];
  });
}

function probeChanges(before: NodeStatus, after: NodeStatus): readonly Part[] {
  const nameOfProbe = ({ address, port }: ProbeStatus) => `${address} ${port}`;
  return (after.probes ?? []).flatMap((probe): readonly Part[] => {
    const { address, success, failedStage, error } = probe;
    const previous = before.probes?.find((other) => nameOfProbe(other) === nameOfProbe(probe));
    if (!success && previous?.success !== false)
      return [
        { kind: 'probe-failed', subject: address, detail: `${address} at ${failedStage}`, reason: error },
      ];
    return success && previous?.success === false
      ? [{ kind: 'probe-answers', subject: address, detail: address }]
      : [];
  });
}
