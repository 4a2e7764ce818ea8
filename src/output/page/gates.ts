/** The gates, each with the question that it answers. */
import type { GateName } from '../../model/status.ts';
import { html, type SafeHtml } from '../html.ts';
import { badge, toneOfGate, type View } from './view.ts';

const QUESTIONS: Readonly<Record<GateName, string>> = {
  'private-ready': 'Would this node survive on the private route?',
  'public-free': 'Does this node do without the public endpoint?',
};

export function renderGates({ status }: View): SafeHtml {
  return html`<section aria-labelledby="gates-heading">
<h2 id="gates-heading">Gates</h2>
<div class="columns">${status.gates.map(
    ({
      gate,
      state,
      reason,
    }) => html`<article class="gate ${toneOfGate({ gate, state }, status)}" data-key="${gate}">
<h3>${gate} ${badge(toneOfGate({ gate, state }, status), state, state)}</h3>
<p>${QUESTIONS[gate]}</p>
<p class="muted">${reason}.</p>
</article>
`,
  )}</div>
</section>
`;
}
