/** The judgement of one node, from all that was seen under its name. */
import { adviceOf, FINDING_CODES } from '../findings.ts';
import type { GateName, GateState } from '../status.ts';
import { type CauseWord, causeOf, causeWordOf } from './causes.ts';
import { compareNames, named } from './names.ts';
import type { FindingAnswer, NoAnswer, NodeAnswer, NodeObservation } from './observation.ts';
import { type NodeSelector, selects } from './selector.ts';
import type { NodeResult } from './status.ts';

/** What a node is judged by. */
export interface NodeWishes {
  readonly gate: GateName;
  /** The first that fits gives the node its gate. */
  readonly gateFor: readonly { readonly selector: NodeSelector; readonly gate: GateName }[];
  readonly maxAgeMs: number;
  readonly ignoreFargate: boolean;
  readonly ignoreGone: boolean;
  /** Of which a passing answer must speak, in lower case; null where no answer names one. */
  readonly endpoint: string | null;
}

/** Whole seconds, as in HTTP's Date, can make an answer younger than nothing. */
const CLOCK_GRAIN_SECONDS = 2;

export function judgeNode(seen: readonly NodeObservation[], wishes: NodeWishes): NodeResult {
  const inOrder = seen.toSorted((one, other) => compareNames(keyOf(one), keyOf(other)));
  const results = inOrder.map((one) => judgeOne(one, wishes));
  const [first] = results;
  if (first === undefined) throw new TypeError('Cannot judge a node of which nothing was seen');
  if (results.length === 1) return first;

  const origins = inOrder.map(({ origin }) => origin);
  const doubles = `${origins.length === 2 ? 'two' : origins.length} answer to this name: ${named(origins)}`;
  const failed = results.find(({ verdict }) => verdict === 'fail');
  if (failed !== undefined)
    return {
      ...failed,
      causes: [...failed.causes, 'Duplicate'],
      reason: `${failed.reason}; ${doubles}`,
      remedies: [...failed.remedies, causeOf('Duplicate').remedy],
    };
  const duplicate = without(first.node, first.gate, 'Duplicate');
  return { ...duplicate, reason: doubles };
}

/** Null where it is none, too old, or not known how old. */
export function freshAnswer({ seen }: NodeObservation, maxAgeMs: number): NodeAnswer | null {
  return seen.kind === 'answer' && ageProblem(seen, maxAgeMs) === null ? seen : null;
}

/** In lower case; null where the answer does not say. */
export function endpointOf({ hostname }: NodeAnswer): string | null {
  return hostname?.toLowerCase() || null;
}

function keyOf({ origin, ...rest }: NodeObservation): string {
  return JSON.stringify([origin, rest]);
}

function judgeOne({ node, labels, seen }: NodeObservation, wishes: NodeWishes): NodeResult {
  const gate = wishes.gateFor.find(({ selector }) => selects(selector, labels))?.gate ?? wishes.gate;
  if (seen.kind === 'none') return withoutAnswer(seen, without(node, gate, causeWordOf(seen.why)), wishes);
  const age = ageProblem(seen, wishes.maxAgeMs);
  if (age === null) return judgeAnswer(seen, { node, gate, endpoint: wishes.endpoint });
  const answerAgeSeconds = Number.isFinite(seen.ageSeconds) ? seen.ageSeconds : null;
  return { ...without(node, gate, age.cause), reason: age.reason, answerAgeSeconds };
}

function withoutAnswer({ why, detail, remedy }: NoAnswer, base: NodeResult, wishes: NodeWishes): NodeResult {
  const isIgnored = (why === 'fargate' && wishes.ignoreFargate) || (why === 'gone' && wishes.ignoreGone);
  const told = isIgnored ? null : (clause(remedy) ?? base.remedy);
  return {
    ...base,
    verdict: isIgnored ? 'ignored' : 'unknown',
    reason: clause(detail) ?? base.reason,
    remedy: told,
    remedies: told === null ? [] : [told],
  };
}

function judgeAnswer(
  answer: NodeAnswer,
  {
    node,
    gate,
    endpoint,
  }: { readonly node: string; readonly gate: GateName; readonly endpoint: string | null },
): NodeResult {
  const told = answer.gates.filter((one) => one.gate === gate);
  const state = stateOf(told.map((one) => one.state));
  const known = { route: answer.route, answerAgeSeconds: answer.ageSeconds };
  const hostname = endpointOf(answer);
  if (state === 'true' && hostname === null) return { ...without(node, gate, 'NoEndpoint'), ...known };
  if (state === 'true' && hostname !== endpoint) {
    const reason = `it speaks of ${hostname}, others of ${endpoint ?? 'none'}`;
    return { ...without(node, gate, 'OtherEndpoint'), ...known, reason };
  }
  if (state === 'true') {
    const passed = { causes: [], connections: [], reason: null, remedy: null, remedies: [] };
    return { node, gate, verdict: 'pass', ...known, ...passed };
  }
  const findings = causing(answer.findings);
  const word: CauseWord = state === 'false' ? 'GateFalse' : 'GateUnknown';
  const base = without(node, gate, word);
  const own = told.find((one) => one.state === state)?.reason;
  const plain = told.length === 0 ? `it does not tell the gate ${gate}` : `its gate ${gate} is ${state}`;
  const why = clause(findings[0]?.summary) ?? clause(answer.routeReason);
  return {
    ...base,
    ...known,
    verdict: state === 'false' ? 'fail' : 'unknown',
    connections: answer.connections,
    causes: findings.length === 0 ? base.causes : [...new Set(findings.map(({ code }) => code))],
    reason: clause(own) ?? (why === null ? plain : `${plain}: ${why}`),
    ...whatToDo(findings, base.remedies),
  };
}

/** False wins, and whatever else is not true and nothing but true is unknown. */
function stateOf(states: readonly GateState[]): GateState {
  if (states.includes('false')) return 'false';
  return states.length > 0 && states.every((state) => state === 'true') ? 'true' : 'unknown';
}

/** Those of severity info only where there are no others. One of a newer agent's severity counts as a warning. */
function causing(findings: readonly FindingAnswer[]): readonly FindingAnswer[] {
  const weight = ({ severity }: FindingAnswer) => (severity === 'critical' ? 0 : severity === 'info' ? 2 : 1);
  const worst = findings.toSorted((one, other) => weight(one) - weight(other));
  const grave = worst.filter((finding) => weight(finding) < 2);
  return grave.length > 0 ? grave : worst;
}

/** Several clients, and several findings, may each want something of its own. */
function whatToDo(
  findings: readonly FindingAnswer[],
  otherwise: readonly string[],
): Pick<NodeResult, 'remedy' | 'remedies'> {
  const told = new Set(findings.map(remedyOf).filter((remedy) => remedy !== null));
  const remedies = told.size > 0 ? [...told] : otherwise;
  return { remedy: remedies[0] ?? null, remedies };
}

function remedyOf({ code, remedy }: FindingAnswer): string | null {
  const known = FINDING_CODES.find((one) => one === code);
  return clause(remedy) ?? (known === undefined ? null : clause(adviceOf(known)));
}

function ageProblem(
  { ageSeconds }: NodeAnswer,
  maxAgeMs: number,
): { readonly cause: CauseWord; readonly reason: string } | null {
  if (!Number.isFinite(ageSeconds)) return { cause: 'AgeUnknown', reason: causeOf('AgeUnknown').meaning };
  if (ageSeconds < -CLOCK_GRAIN_SECONDS) {
    const reason = `its answer is ${Math.round(-ageSeconds)} s ahead of the clock`;
    return { cause: 'AgeUnknown', reason };
  }
  if (ageSeconds * 1000 <= maxAgeMs) return null;
  const reason = `its last answer is ${Math.ceil(ageSeconds)} s old, --max-age is ${maxAgeMs / 1000} s`;
  return { cause: 'TooOld', reason };
}

/** A node of which nothing is known, and why. */
function without(node: string, gate: GateName, cause: CauseWord): NodeResult {
  const { meaning, remedy } = causeOf(cause);
  return {
    node,
    gate,
    verdict: 'unknown',
    route: null,
    connections: [],
    causes: [cause],
    reason: meaning,
    remedy,
    remedies: [remedy],
    answerAgeSeconds: null,
  };
}

/** A sentence without its period; null for one that says nothing. */
function clause(sentence: string | null | undefined): string | null {
  return sentence?.trim().replace(/\.$/, '') || null;
}
