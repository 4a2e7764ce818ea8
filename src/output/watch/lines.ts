/** What `watch` writes where nothing can be replaced: a line for the state, then one a change. For people and grep, or as JSON. */
import type { Moment } from '../../model/observation.ts';
import {
  type FindingCode,
  GATES,
  type GateName,
  type GateState,
  type NodeRoute,
  type NodeStatus,
} from '../../model/status.ts';
import { duration, escapeInvisible } from '../../model/text.ts';
import { gateNow, routeNow, type Watched, type WatchedChange } from '../../model/watched.ts';
import { printable } from '../terminal.ts';

/** The first line of `--output json`: what was seen first. Public: fields are added, never renamed. */
interface StatusLine extends StateFields {
  readonly kind: 'status';
  /** End of the look, by the agent's clock. */
  readonly at: string;
  readonly node: string;
  readonly routeReason: string;
  readonly findings: readonly FindingCode[];
}

/** One a change, in order. Public as well. */
interface ChangeLine extends StateFields {
  readonly kind: WatchedChange['kind'];
  readonly at: string;
  /** A gate, a finding's code, a client, a stage or an address, where the change is about one. */
  readonly subject: string | null;
  /** Of a finding that is about one. */
  readonly client: string | null;
  /** `public -> mixed`, `kubelet public -> x-eni`, `dns`. */
  readonly detail: string;
  readonly reason: string | null;
}

/** As it is after the look that showed the change. */
interface StateFields {
  readonly route: NodeRoute;
  readonly gates: Readonly<Partial<Record<GateName, GateState>>>;
}

/** The state as one line without its newline. */
export function formatState({ observedAt, node, route, routeReason, gates, findings }: NodeStatus): string {
  const codes = [...new Set(findings.map(({ code }) => code))].join(' ') || 'none';
  const states = gates.map(({ gate, state }) => `, ${gate} ${state}`).join('');
  return printable(
    `${formatTime(observedAt)} status ${node}: route ${route}${states}, findings ${codes}: ${routeReason}`,
  );
}

/** `2026-11-21T12:00:03Z route public -> mixed: why` */
export function formatChange({ at, kind, detail, reason }: WatchedChange): string {
  return printable(`${formatTime(at)} ${kind} ${detail}${reason === null ? '' : `: ${reason}`}`);
}

/** What to do where there is no node to be seen; null on a node, and of what an agent tells. */
export function noNodeAdvice({ clients, endpoint }: NodeStatus, agentUrl: string | null): string | null {
  const isNoNode =
    endpoint === null && clients.some((one) => one.client === 'kubelet' && one.found === false);
  return agentUrl === null && isNoNode
    ? 'no kubelet here: run it on a node as root, or follow an agent: watch --agent=http://ADDRESS:10943'
    : null;
}

/** Of an agent that was never heard, again and again: nobody reads a pipe from its beginning. */
export function formatSilence({ since, problem }: NonNullable<Watched['silence']>, now: Moment): string {
  const at = formatTime(new Date(now.wallMs).toISOString());
  return printable(
    `${at} silent still no answer, ${duration(now.monotonicMs - since.monotonicMs)}: ${problem}`,
  );
}

/** To the second, by which people compare it with other logs. */
export function formatTime(at: string): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

export function stateLine(status: NodeStatus, watched: Watched): string {
  const { observedAt: at, node, routeReason, findings } = status;
  const line: StatusLine = {
    ...{ kind: 'status', at, node, ...stateFields(watched), routeReason },
    findings: findings.map(({ code }) => code),
  };
  return jsonLine(line);
}

export function changeLine(
  { kind, at, subject, client, detail, reason }: WatchedChange,
  watched: Watched,
): string {
  const line: ChangeLine = { kind, at, subject, client, detail, reason, ...stateFields(watched) };
  return jsonLine(line);
}

export function jsonLine(line: object): string {
  return escapeInvisible(JSON.stringify(line));
}

function stateFields(watched: Watched): StateFields {
  const gates = Object.fromEntries(GATES.map((gate) => [gate, gateNow(watched, gate)]));
  return { route: routeNow(watched), gates };
}
