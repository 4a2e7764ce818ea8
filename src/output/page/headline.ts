/** The headline: the node's route, whether it is the expected one, since when, why, and what to do. */
import { adviceOf } from '../../model/findings.ts';
import type { Finding, GateName, NodeRoute, NodeStatus, Severity } from '../../model/status.ts';
import { html, type SafeHtml } from '../html.ts';
import { renderProse, renderRemedy } from './remedy.ts';
import {
  ago,
  badge,
  icon,
  iconOfRoute,
  isOutdated,
  type Tone,
  toneOfRoute,
  toneOfSeverity,
  type View,
} from './view.ts';

const MEANINGS: Readonly<Record<NodeRoute, string>> = {
  'x-eni': 'This node reaches its control plane over the X-ENIs in the VPC',
  public: 'This node reaches its control plane over public addresses',
  mixed: 'Some connections of this node to its control plane are on public addresses, some are not',
  other: 'This node reaches its control plane by an address that is not known as an X-ENI',
  none: 'No client on this node holds a connection to the control plane',
  unknown: 'How this node reaches its control plane is not known',
};

export function renderHeadline(view: View): SafeHtml {
  const { status } = view;
  const { route, routeReason, routeSince, expectedRoute, findings } = status;
  const since = isOutdated(status)
    ? html`unknown; the last look ended ${ago(status.observedAt, view)}`
    : html`${ago(routeSince, view)}${routeSince === status.observedSince ? ' or earlier: it was so at the first look' : ''}`;
  return html`<section class="headline ${toneOfNode(status)}" aria-labelledby="route">
<h1 id="route">${icon(iconOfRoute(route))}<span><span class="unseen">Node route: </span>${route}</span></h1>
<p class="meaning">${MEANINGS[route]}.</p>
<p class="unseen" role="status">Node route ${route}, ${expectationMet(status)}, ${count(findings)}.</p>
<dl class="facts">
<div><dt>Expected</dt><dd>${expectedRoute === 'any' ? 'any route' : expectedRoute}: ${expectationMet(status)}</dd></div>
<div><dt>Since</dt><dd>${since}</dd></div>
<div class="wide"><dt>Why</dt><dd>${routeReason}.</dd></div>
</dl>
${whatToDo(status)}
</section>
`;
}

/** A good route with something critical about it is not the green of a node that needs nothing. */
export function toneOfNode(status: NodeStatus): Tone {
  const tone = toneOfRoute(status.route, status);
  return tone === 'good' && status.findings.some(({ severity }) => severity === 'critical') ? 'warn' : tone;
}

/** Whether the node is where it should be, in words. */
function expectationMet({ route, expectedRoute }: NodeStatus): string {
  if (expectedRoute === 'any') return 'nothing is expected';
  if (route === expectedRoute) return 'as expected';
  return route === 'unknown' || route === 'none' ? 'cannot be told' : 'not as expected';
}

function count(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'no finding raised';
  return findings.length === 1 ? '1 finding raised' : `${findings.length} findings raised`;
}

const ORDER: readonly Severity[] = ['critical', 'warning', 'info'];

/** The gravest first; among equals as the agent has them. */
export function byGravity(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

/** The remedy of the gravest finding; without one what follows from route, expectation and gates. */
function whatToDo(status: NodeStatus): SafeHtml {
  const [gravest, ...more] = byGravity(status.findings);
  if (gravest === undefined)
    return html`<div class="todo"><h2>What to do</h2><p>${renderProse(advice(status))}</p></div>`;
  const { severity, code, remedy } = gravest;
  const tone = toneOfSeverity(severity);
  const others = more.length === 0 ? '' : html` <a href="#findings">and ${more.length} more</a>`;
  return html`<div class="todo ${tone}"><h2>What to do ${badge(tone, severity, severity)} <a href="#findings">${code}</a>${others}</h2>
${renderRemedy(remedy)}</div>`;
}

function advice(status: NodeStatus): string {
  const { route, routeReason, expectedRoute } = status;
  if (route === 'unknown') return `see what is missing: ${missing(status) ?? routeReason}`;
  if (route === 'none') return "see whether the clients are well, and what they hold: 'ss -tnp'";
  if (expectedRoute !== 'any' && route !== expectedRoute)
    return adviceOf('UnexpectedRoute').replace(/\.$/, '');
  if (route === 'x-eni') {
    const [state, reason] = gateOf(status, 'public-free');
    return state === 'true'
      ? 'nothing: this node does without the public endpoint (its other users, as CI, bastions and peered VPCs, cannot be seen from here)'
      : `nothing to this node; but the gate public-free is ${state}: ${reason}`;
  }
  const [state, reason] = gateOf(status, 'private-ready');
  return state === 'true'
    ? 'nothing; where the private endpoint is to be turned on, this node is ready for it'
    : `nothing, but before the private endpoint is turned on: the gate private-ready is ${state}: ${reason}`;
}

/** The stages that failed, each with its error; null where none did. */
function missing({ stages }: NodeStatus): string | null {
  const failed = stages.filter(({ success }) => !success);
  return failed.length === 0
    ? null
    : failed.map(({ stage, error }) => `the stage ${stage} failed (${error ?? 'unknown'})`).join('; ');
}

function gateOf({ gates }: NodeStatus, name: GateName): readonly [state: string, reason: string] {
  const gate = gates.find((one) => one.gate === name);
  return gate === undefined ? ['unknown', 'it was not judged'] : [gate.state, gate.reason];
}
