/** The signs of the page: a shape for each route, state and severity, so that no meaning hangs on colour alone. */
import { html, type SafeHtml } from '../html.ts';

const CIRCLE = html`<circle cx="12" cy="12" r="9.5"/>`;
const DASHED = html`<circle cx="12" cy="12" r="9.5" stroke-dasharray="3.7 3.7"/>`;
const QUESTION = html`<path d="M9.2 9.6a2.9 2.9 0 1 1 4 2.7c-.8.4-1.2.9-1.2 1.9M12 17v.2"/>`;

const SHAPES = {
  'x-eni': html`${CIRCLE}<path d="m7.5 12.4 3.1 3.1 6-6.4"/>`,
  public: html`${CIRCLE}<ellipse cx="12" cy="12" rx="4" ry="9.5"/><path d="M2.8 12h18.4"/>`,
  mixed: html`<path d="M3 12h6l5-6h7M9 12l5 6h7M18 3l3 3-3 3M18 15l3 3-3 3"/>`,
  other: html`<path d="M12 2.4 21.6 12 12 21.6 2.4 12zM12 7.6v5.2M12 16v.2"/>`,
  none: html`${CIRCLE}<path d="m5.5 18.5 13-13"/>`,
  unknown: html`${DASHED}${QUESTION}`,
  true: html`${CIRCLE}<path d="m7.5 12.4 3.1 3.1 6-6.4"/>`,
  false: html`${CIRCLE}<path d="m8.3 8.3 7.4 7.4m0-7.4-7.4 7.4"/>`,
  critical: html`<path d="M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8zM12 7v6M12 16.5v.2"/>`,
  warning: html`<path d="M12 3 22 20.5H2zM12 9.5v5M12 17.5v.2"/>`,
  info: html`${CIRCLE}<path d="M12 11v6M12 7.5v.2"/>`,
  copy: html`<rect x="8" y="8" width="12" height="13" rx="2"/><path d="M16 4.5V4a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h.5"/>`,
} as const;

export type IconName = keyof typeof SHAPES;

/** All of them, to be used by name. */
export const ICONS: SafeHtml = html`<svg class="icons" aria-hidden="true">${Object.entries(SHAPES).map(
  ([name, shape]) => html`<symbol id="icon-${name}" viewBox="0 0 24 24">${shape}</symbol>`,
)}</svg>
`;
