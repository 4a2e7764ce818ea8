/** What Prometheus has of each target, to what the agent there said at its last scrape. */
import { adviceOf, FINDING_CODES } from '../../model/findings.ts';
import type {
  ConnectionAnswer,
  FindingAnswer,
  GateAnswer,
  NodeAnswer,
} from '../../model/fleet/observation.ts';
import { GATE_STATES, GATES, NODE_ROUTES, ROUTES } from '../../model/status.ts';
import {
  BUILD,
  DNS,
  FINDING,
  GATE,
  INFO,
  type Labels,
  MACHINE,
  type Metric,
  PEER,
  ROUTE,
  STALE,
  splitLabels,
} from './metrics.ts';
import type { Sample } from './vector.ts';

/** Connections of one node that are named. */
const MAX_CONNECTIONS = 16;
/** A sample that is said to be as old has no time, but a value that is not 0 or 1. */
const DAY_SECONDS = 86_400;
const SEVERITIES = ['critical', 'warning', 'info'];

/** One series, or what was told beside it. */
interface Told {
  readonly own: Labels;
  /** When it was scraped; NaN where its value is none that can be. */
  readonly at: number;
}

/** One target that has answered, and what it said. */
export interface Target {
  readonly labels: Labels;
  readonly routes: Told[];
  readonly gates: Told[];
  readonly infos: Told[];
  readonly machines: Told[];
  /** Of its last scrape. */
  at: number;
  /** Whether some of it is of an earlier scrape. */
  mixed: boolean;
  version: string | null;
  readonly findings: Labels[];
  readonly peers: Labels[];
  /** For how long the oldest stale connection of a client is that, in seconds. */
  readonly stale: Map<string, number>;
  /** Routes that DNS gives, but for X-ENIs. */
  readonly dnsRoutes: Set<string>;
}

export type Targets = ReadonlyMap<string, Target>;

/** The kinds of `answers`, by the labels that only one of them has of itself: an expression has no name. */
const KINDS = [
  { metric: INFO, list: 'infos', by: INFO.own },
  { metric: GATE, list: 'gates', by: GATE.own },
  { metric: ROUTE, list: 'routes', by: ROUTE.own },
  // What is unknown of a machine is an empty label, and for Prometheus none.
  { metric: MACHINE, list: 'machines', by: ['nodename'] },
] as const;

/** `atSeconds`: when they were asked. */
export function collectTargets(answers: readonly Sample[], atSeconds: number): Targets {
  const targets = new Map<string, Target>();
  for (const { labels, value } of answers) {
    const kind = KINDS.find(({ by }) => by.every((label) => Object.hasOwn(labels, label)));
    if (kind === undefined) continue;
    const { key, target: ofTarget, own } = splitLabels(kind.metric, labels);
    const target = targets.get(key) ?? emptyTarget(ofTarget);
    targets.set(key, target);
    const canBe = value > atSeconds - DAY_SECONDS && value <= atSeconds + 1;
    target[kind.list].push({ own, at: canBe ? value : Number.NaN });
  }
  for (const target of targets.values()) {
    const times = KINDS.flatMap(({ list }) => target[list].map(({ at }) => at)).filter(
      (at) => !Number.isNaN(at),
    );
    target.at = Math.max(...times);
    target.mixed = times.some((at) => at < target.at);
  }
  return targets;
}

export function addFindings(targets: Targets, findings: readonly Sample[]): void {
  for (const { labels } of findings) {
    const { target, own } = find(targets, FINDING, labels);
    target?.findings.push(own);
  }
}

export function addVersions(targets: Targets, versions: readonly Sample[]): void {
  for (const { labels } of versions) {
    const { target, own } = find(targets, BUILD, labels);
    if (target !== undefined) target.version = own['version'] ?? null;
  }
}

/** Of peers, of the clients that have stale connections, and of what DNS gives: told apart as `answers` are. */
export function addConnections(targets: Targets, connections: readonly Sample[]): void {
  for (const { labels, value } of connections) {
    const has = (label: string) => Object.hasOwn(labels, label);
    if (has('client') && has('address')) {
      const { target, own } = find(targets, PEER, labels);
      target?.peers.push(own);
    } else if (has('client')) {
      const { target, own } = find(targets, STALE, labels);
      target?.stale.set(own['client'] ?? '', value);
    } else {
      const { target, own } = find(targets, DNS, labels);
      target?.dnsRoutes.add(own['route'] ?? '');
    }
  }
}

/** `nowSeconds`: by the server's clock, as its samples are. */
export function answerOf(target: Target, nowSeconds: number): NodeAnswer {
  const route = oneOfNow(target, target.routes);
  const known = NODE_ROUTES.find((name) => name === route?.['route']);
  const info = oneOfNow(target, target.infos);
  return {
    kind: 'answer',
    // Without any sample that can be, it is as old as can be.
    ageSeconds: Number.isFinite(target.at) ? Math.max(0, nowSeconds - target.at) : Number.MAX_SAFE_INTEGER,
    version: target.version,
    hostname: info?.['hostname']?.toLowerCase() ?? null,
    route: known ?? 'unknown',
    routeReason: known === undefined ? noRoute(target, route) : null,
    // Whoever does not tell one route tells nothing that can be relied on.
    gates: known === undefined ? [] : gatesOf(target),
    findings: findingsOf(target),
    connections: connectionsOf(target),
  };
}

/** The name that the agent gives its node; null where it was not asked for. */
export function nodenameOf(target: Target): string | null {
  return oneOfNow(target, target.machines)?.['nodename'] || null;
}

/** The one series of the last scrape; null where there is none, more than one, or one that is neither 0 nor 1. */
function oneOfNow({ at }: Target, told: readonly Told[]): Labels | null {
  const now = told.filter((one) => one.at === at || Number.isNaN(one.at));
  const [one] = now;
  return now.length === 1 && one !== undefined && one.at === at ? one.own : null;
}

function noRoute(target: Target, route: Labels | null): string {
  if (route !== null) return `its agent says a route that is not known here: ${route['route']}`;
  const routes = target.routes.filter(({ at }) => at === target.at || Number.isNaN(at));
  return routes.length === 0
    ? `Prometheus has no ${ROUTE.name} at 1 of it`
    : `${ROUTE.name} of it is not at 1 for one route: ${routes.map(({ own }) => own['route']).join(', ')}`;
}

function gatesOf(target: Target): readonly GateAnswer[] {
  return GATES.flatMap((gate) => {
    const told = target.gates.filter(({ own }) => own['gate'] === gate);
    const state = oneOfNow(target, told)?.['state'];
    const known = GATE_STATES.find((name) => name === state);
    return known === undefined ? [] : [{ gate, state: known, reason: null }];
  });
}

/** As the agent has them: by how severe, then in the order of their table. */
function findingsOf({ findings }: Target): readonly FindingAnswer[] {
  return findings
    .map(({ code = '', severity = '' }): FindingAnswer => {
      const known = FINDING_CODES.find((name) => name === code);
      return {
        code,
        severity,
        client: null,
        summary: null,
        remedy: known === undefined ? null : adviceOf(known),
      };
    })
    .toSorted(
      (one, other) => rank(SEVERITIES, one.severity) - rank(SEVERITIES, other.severity) || byCode(one, other),
    );
}

function byCode(one: FindingAnswer, other: FindingAnswer): number {
  return rank(FINDING_CODES, one.code) - rank(FINDING_CODES, other.code);
}

function rank(names: readonly string[], name: string): number {
  const index = names.indexOf(name);
  return index < 0 ? names.length : index;
}

/** A connection is stale where its route differs from every one that DNS gives: which of a client's are follows from that. */
function connectionsOf({ peers, stale, dnsRoutes }: Target): readonly ConnectionAnswer[] {
  return peers.slice(0, MAX_CONNECTIONS).flatMap(({ client = '', address = '', route }) => {
    const known = ROUTES.find((name) => name === route);
    if (known === undefined) return [];
    const seconds = dnsRoutes.has(known) ? undefined : stale.get(client);
    return [
      {
        client,
        peer: address,
        route: known,
        staleSeconds: seconds === undefined ? null : Math.max(0, seconds),
      },
    ];
  });
}

function find(
  targets: Targets,
  metric: Metric,
  labels: Labels,
): { readonly target: Target | undefined; readonly own: Labels } {
  const { key, own } = splitLabels(metric, labels);
  return { target: targets.get(key), own };
}

function emptyTarget(labels: Labels): Target {
  const lists = { routes: [], gates: [], infos: [], machines: [], findings: [], peers: [] };
  return {
    labels,
    ...lists,
    at: Number.NaN,
    mixed: false,
    version: null,
    stale: new Map(),
    dnsRoutes: new Set(),
  };
}
