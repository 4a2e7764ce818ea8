/** The findings, the gravest first, each with its remedy; and those whose absence says nothing. */
import { FINDING_CODES } from '../../model/findings.ts';
import type { Finding } from '../../model/status.ts';
import { html, type SafeHtml } from '../html.ts';
import { byGravity } from './headline.ts';
import { renderRemedy } from './remedy.ts';
import { badge, toneOfSeverity, type View } from './view.ts';

export function renderFindings({ status: { findings, evaluated } }: View): SafeHtml {
  const open = FINDING_CODES.filter((code) => !evaluated.includes(code));
  const none =
    open.length === 0 ? 'No finding is raised.' : 'No finding is raised among those that could be evaluated.';
  return html`<section id="findings" aria-labelledby="findings-heading" tabindex="-1">
<h2 id="findings-heading">Findings</h2>
${findings.length === 0 ? html`<p>${none}</p>` : byGravity(findings).map(renderFinding)}
${open.length === 0 ? '' : html`<p class="muted">Not evaluated, so neither raised nor clear: ${open.join(', ')}.</p>`}
</section>
`;
}

function renderFinding({ code, severity, client, address, summary, remedy, runbook }: Finding): SafeHtml {
  const key = `${code} ${client ?? ''} ${address ?? ''}`;
  const about = [client, address].filter((one) => one !== null).join(', ');
  return html`<article class="finding ${toneOfSeverity(severity)}" data-key="${key}">
<h3>${badge(toneOfSeverity(severity), severity, severity)} ${code}${about === '' ? '' : html` <span class="about">${about}</span>`}</h3>
<p>${summary}.</p>
<h4>What to do</h4>
${renderRemedy(remedy)}
<p class="muted">Runbook: <code>${runbook}</code></p>
</article>
`;
}
