/** What an agent answered at `/api/v1/status`, to what is known of its node. */
import type { NoAnswer, NoAnswerReason, NodeAnswer } from '../model/fleet/observation.ts';
import type { HttpReply } from '../net/http.ts';
import { answerOf } from './answer.ts';
import { readNodeStatus } from './node-status.ts';

export const STATUS_PATH = '/api/v1/status';
/** For one agent: it waits up to 8 s for a look of its own, and then gives the last one. */
export const STATUS_DEADLINE_MS = 10_000;

/** The agent's own words, before its first look. */
const NOT_YET = /^\s*\{\s*"error"/;

export interface AgentReply {
  /** The node that the status speaks of; null where there is none. */
  readonly node: string | null;
  readonly seen: NodeAnswer | NoAnswer;
}

/** What would do, as far as the address shows it, where a connection to it failed; null where it shows nothing. */
export function schemeAdvice(url: string, error: string): string | null {
  return url.startsWith('https:') && error.includes('TLS failed')
    ? 'give it with http://: an agent speaks http, not https, unless something in front of it does'
    : null;
}

/** The same, where what answers knows no status: 404, or a page. */
export function pathAdvice(url: string, problem: string): string | null {
  const { origin, pathname } = new URL(url);
  return pathname === '/' || !/\b404\b|is no JSON/.test(problem)
    ? null
    : `give the address without a path, ${origin}, unless something in front of the agent has one`;
}

/** `nowMs`: when the reply came, by this machine's clock. `url`: the address that was given, where one was. */
export function readAgentReply(reply: HttpReply, nowMs: number, url: string | null = null): AgentReply {
  const { status: code, body } = reply;
  if (code === 503 && NOT_YET.test(body)) {
    return nobody('not-answering', {
      detail: 'its agent has not looked at the node yet (503)',
      remedy: 'wait some seconds and ask again; if it stays so, see the log of the agent',
    });
  }
  if (code === 401) {
    return nobody('not-answering', {
      detail: 'what answers there asks for a password (401)',
      remedy: 'ask a Prometheus that scrapes it (--prometheus): this program has no password for agents',
    });
  }
  if (code !== 200) {
    const advice = url === null ? null : pathAdvice(url, String(code));
    return nobody('not-answering', {
      detail: `what answers there gives no ${STATUS_PATH}: ${code} ${JSON.stringify(body.trim().slice(0, 60))}`,
      remedy: advice ?? 'see what listens there, and with which flags',
    });
  }
  const read = readNodeStatus(body);
  if ('problem' in read) {
    const advice = url === null ? null : pathAdvice(url, read.problem);
    return nobody('unreadable', {
      detail: read.problem,
      remedy:
        advice ??
        'use an eks-endpoint-exporter as new as the one on the node, and see that nothing else answers there',
    });
  }
  const { status } = read;
  return { node: status.node, seen: answerOf(status, ageSeconds(status.observedAt, reply, nowMs)) };
}

/** The same, `elapsedMs` later. */
export function aged(seen: NodeAnswer | NoAnswer, elapsedMs: number): NodeAnswer | NoAnswer {
  return seen.kind === 'answer' ? { ...seen, ageSeconds: seen.ageSeconds + elapsedMs / 1000 } : seen;
}

export function noAnswer(
  why: NoAnswerReason,
  texts: { readonly detail: string; readonly remedy: string },
): NoAnswer {
  return { kind: 'none', why, ...texts };
}

function nobody(
  why: NoAnswerReason,
  texts: { readonly detail: string; readonly remedy: string },
): AgentReply {
  return { node: null, seen: noAnswer(why, texts) };
}

/**
 * By the clock of the agent's machine, which both times are of: the look's and that of the answer (`Date`, RFC 9110, 6.6.1: of whole
 * seconds); without one by ours. A look after its own answer is one before the clock was set back, or was dated by another
 * clock: how old it is nobody knows, and the distance makes it no younger. `Age` is what a cache adds.
 */
function ageSeconds(observedAt: string, { headers }: HttpReply, nowMs: number): number {
  const answeredMs = Date.parse(headers['date'] ?? '');
  const untilMs = Number.isNaN(answeredMs) ? nowMs : answeredMs;
  const cached = /^\d{1,9}$/.test(headers['age'] ?? '') ? Number(headers['age']) : 0;
  return Math.abs(untilMs - Date.parse(observedAt)) / 1000 + cached;
}
