/** What `watch` says at its end: what moved when. */

import { routesOf } from '../../model/changes.ts';
import type { Moment } from '../../model/observation.ts';
import {
  type FindingCode,
  GATES,
  type GateName,
  type GateState,
  type NodeRoute,
  type NodeStatus,
} from '../../model/status.ts';
import { duration } from '../../model/text.ts';
import type { WatchGoal } from '../../model/watched.ts';
import { gateNow, routeNow, type Watched, type WatchedChange } from '../../model/watched.ts';
import { type Paint, printable, styleOfGate, styleOfRoute, styleOfSeverity } from '../terminal.ts';
import { formatTime } from './lines.ts';

/** Why it ended: what was waited for is there, the time is up, a signal, or nobody reads on. */
export type WatchEnding = 'reached' | 'timeout' | 'signal' | 'closed';

/** The last line of `--output json`. Public: fields are added, never renamed. */
export interface WatchSummary {
  readonly kind: 'summary';
  /** Null where nothing was seen. */
  readonly node: string | null;
  /** Begin and end, by the clock of the machine that watched. */
  readonly since: string;
  readonly at: string;
  readonly durationSeconds: number;
  /** Looks that were seen. */
  readonly looks: number;
  readonly ended: WatchEnding;
  readonly until: WatchGoal | null;
  readonly exitCode: number;
  /** At the beginning and at the end. */
  readonly route: readonly [NodeRoute, NodeRoute];
  readonly gates: Readonly<Partial<Record<GateName, readonly [GateState, GateState]>>>;
  /** The routes of each client's established connections. */
  readonly clients: Readonly<Record<string, readonly [string, string]>>;
  /** Raised at the end. */
  readonly findings: readonly FindingCode[];
  /** How many changes of each kind there were. */
  readonly changes: Readonly<Record<string, number>>;
}

export interface WatchEnd {
  readonly at: Moment;
  readonly ended: WatchEnding;
  readonly until: WatchGoal | null;
  readonly exitCode: number;
}

export function summaryOf(watched: Watched, { at, ended, until, exitCode }: WatchEnd): WatchSummary {
  const { since, looks, first, last, changes } = watched;
  const counts: Record<string, number> = {};
  for (const { kind } of changes) counts[kind] = (counts[kind] ?? 0) + 1;
  return {
    kind: 'summary',
    node: last?.node ?? null,
    since: new Date(since.wallMs).toISOString(),
    at: new Date(at.wallMs).toISOString(),
    durationSeconds: Math.round(at.monotonicMs - since.monotonicMs) / 1000,
    looks,
    ...{ ended, until, exitCode },
    route: [first?.route ?? 'unknown', routeNow(watched)],
    gates: Object.fromEntries(GATES.map((gate) => [gate, [stateOf(first, gate), gateNow(watched, gate)]])),
    clients: clientsOf(watched),
    findings: watched.silence === null ? (last?.findings.map(({ code }) => code) ?? []) : [],
    changes: counts,
  };
}

function stateOf(status: NodeStatus | null, name: GateName): GateState {
  return status?.gates.find(({ gate }) => gate === name)?.state ?? 'unknown';
}

function clientsOf({ first, last, silence }: Watched): WatchSummary['clients'] {
  const after = new Map(last?.clients.map((client) => [client.client, routesOf(client)]));
  const before = new Map(first?.clients.map((client) => [client.client, routesOf(client)]));
  return Object.fromEntries(
    [...after].map(([name, routes]) => [
      name,
      [before.get(name) ?? 'unknown', silence === null ? routes : 'unknown'],
    ]),
  );
}

/** Kinds of changes under one heading. */
const GROUPS: readonly { readonly title: string; readonly kinds: readonly WatchedChange['kind'][] }[] = [
  { title: 'Route', kinds: ['route'] },
  { title: 'Clients', kinds: ['client-route', 'client'] },
  { title: 'Gates', kinds: ['gate'] },
  { title: 'DNS and X-ENIs', kinds: ['dns', 'x-eni', 'probe-failed', 'probe-answers'] },
  { title: 'Connections', kinds: ['connection-opened', 'connection-closed'] },
  { title: 'Findings', kinds: ['finding-raised', 'finding-cleared', 'finding-not-evaluated'] },
  { title: 'The agent', kinds: ['restart', 'silent', 'answers', 'stage-failed', 'stage-succeeds'] },
];
/** Lines under one heading, the newest; a connection that flaps must not push the rest off the screen. */
const MAX_LINES = 12;

/** For people, ending in a newline. */
export function renderSummary(watched: Watched, summary: WatchSummary, paint: Paint): string {
  const { node, since, at, durationSeconds, looks, route, gates } = summary;
  const wasSeen = watched.last !== null;
  const has = (kind: WatchedChange['kind'], about: string | null) =>
    watched.changes.some((change) => change.kind === kind && change.subject === about);
  const name = node === null ? 'Nothing was seen' : `Watched ${printable(node)}`;
  const lines = [
    `${paint('bold', name)} for ${duration(durationSeconds * 1000)}, from ${formatTime(since)} to ${formatTime(at)}: ${looks} ${looks === 1 ? 'look' : 'looks'}. ${endingOf(summary)}.`,
    ...(watched.silence === null
      ? []
      : [paint('red', `The agent did not answer at the end: ${printable(watched.silence.problem)}.`)]),
    `Node route: ${wasSeen ? fromTo(route, has('route', null), (text) => paint(styleOfRoute(text), text)) : 'never seen'}`,
    ...GATES.map((gate) => {
      const states = gates[gate] ?? (['unknown', 'unknown'] as const);
      return `Gate ${gate}: ${wasSeen ? fromTo(states, has('gate', gate), (text) => paint(styleOfGate(text), text)) : 'never seen'}`;
    }),
    ...Object.entries(summary.clients).map(
      ([client, routes]) => `Client ${printable(client)}: ${fromTo(routes, has('client-route', client))}`,
    ),
    ...moved(watched, paint),
    ...raised(watched, paint),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is the same at the end may have been something else in between. */
function fromTo<Text extends string>(
  [before, after]: readonly [Text, Text],
  hasMoved: boolean,
  paint: (text: Text) => string = (text) => text,
): string {
  if (before !== after) return `${paint(before)} -> ${paint(after)}`;
  return hasMoved ? `${paint(before)} -> ... -> ${paint(after)}` : `${paint(after)}, unchanged`;
}

function endingOf({ ended, until, exitCode }: WatchSummary): string {
  const held = exitCode === 1 ? `${until} does not hold` : `it cannot be told whether ${until} holds`;
  switch (ended) {
    case 'reached':
      return `${until} was reached`;
    case 'timeout':
      return until === null ? 'The time is up' : `The time is up and ${held}`;
    case 'signal':
      return until === null ? 'Ended' : `Ended before ${until} was reached`;
    case 'closed':
      return 'Nobody reads on';
  }
}

function moved({ changes, forgotten, last }: Watched, paint: Paint): readonly string[] {
  if (last !== null && changes.length === 0) return ['', 'Nothing changed.'];
  const left = forgotten === 0 ? [] : [`(${forgotten} earlier changes are not kept)`];
  return GROUPS.flatMap(({ title, kinds }) => {
    const ofGroup = changes.filter(({ kind }) => kinds.includes(kind));
    if (ofGroup.length === 0) return [];
    const shown = ofGroup.slice(-MAX_LINES);
    const more = ofGroup.length - shown.length;
    return [
      '',
      paint('bold', `${title}:`),
      ...(more === 0 ? [] : [`  (${more} before these)`]),
      ...shown.map((change) => `  ${lineOf(change)}`),
    ];
  }).concat(left);
}

function lineOf({ at, kind, detail, reason }: WatchedChange): string {
  const word = SAID_BY_TITLE.includes(kind) ? '' : `${kind} `;
  return printable(`${formatTime(at).slice(11)} ${word}${detail}${reason === null ? '' : `: ${reason}`}`);
}

const SAID_BY_TITLE: readonly WatchedChange['kind'][] = [
  'route',
  'client-route',
  'client',
  'gate',
  'silent',
  'answers',
  'restart',
];

/** What is still to do. */
function raised({ last, silence }: Watched, paint: Paint): readonly string[] {
  if (last === null || silence !== null) return [];
  return last.findings.flatMap(({ code, severity, summary, remedy }) => [
    '',
    `${paint(styleOfSeverity(severity), severity.toUpperCase())} ${printable(code)}: ${printable(summary)}.`,
    `  What to do: ${printable(remedy)}.`,
  ]);
}
