/** The top of the live table: whose node, its route, gates, DNS and X-ENIs, a line each where there is little room. */
import { duration } from '../../model/text.ts';
import { gateNow, routeNow } from '../../model/watched.ts';
import { cut, printable, styleOfGate, styleOfRoute } from '../terminal.ts';
import { dnsParts, dnsText, xEniParts, xEniText } from './addresses.ts';
import { formatTime, noNodeAdvice } from './lines.ts';
import { flow, type Line, type Span, span } from './spans.ts';
import { ago, emphasized, isNarrow, isNew, MARK, NO_MARK, type NodeView, type View, words } from './view.ts';

const LABEL = 10;
const NARROW_LABEL = 9;

export function titleOf({ watched, width, now, agentUrl }: View): Line {
  const { last, looks } = watched;
  const at = formatTime(new Date(now.wallMs).toISOString()).slice(11);
  const full = `${looks} ${looks === 1 ? 'look' : 'looks'} in ${duration(now.monotonicMs - watched.since.monotonicMs)}  ${at}`;
  const name = printable(last?.node ?? agentUrl ?? 'this node');
  const via = last === null || agentUrl === null ? '' : `  by ${agentUrl}`;
  const side = width >= name.length + full.length + 2 ? full : at;
  const room = width - side.length - 2;
  const text = cut(name + via, Math.max(0, room));
  return [
    span(text.slice(0, name.length), 'bold'),
    span(text.slice(name.length).padEnd(Math.max(0, room - Math.min(text.length, name.length)) + 2), 'dim'),
    span(side),
  ];
}

/** A silent agent: everything below is what it said when it last spoke. */
export function silenceOf({ watched: { silence, last, lastAt }, now, width, isTall }: View): readonly Line[] {
  if (silence === null) return [];
  const forHowLong = duration(now.monotonicMs - silence.since.monotonicMs);
  const old = last === null ? '' : `, what is below is ${duration(now.monotonicMs - lastAt.monotonicMs)} old`;
  const text = `The agent does not answer for ${forHowLong}${old}: ${silence.problem}.`;
  const parts = words(text).map((part) => ({ ...part, styles: ['red', 'bold'] as const }));
  return flow(parts, { width, lines: isTall || last === null ? 4 : 2 });
}

export function adviceOf({ watched: { last }, agentUrl, width }: View): readonly Line[] {
  const advice = last === null ? null : noNodeAdvice(last, agentUrl);
  return advice === null ? [] : flow(words(advice), { width, lines: 2 });
}

export function headOf(view: NodeView): readonly Line[] {
  const { last, isTall, watched } = view;
  const isOld = watched.silence !== null;
  const route = routeNow(watched);
  const { routeSince, expectedRoute, routeReason } = last;
  const since = isOld || routeSince === null ? '' : sinceText(view, routeSince);
  const before = isOld ? ` was ${last.route}` : '';
  const reason = isOld ? 'the agent does not answer' : routeReason;
  return [
    ...row(view, {
      label: 'Route',
      marked: isNew(view, (status) => status.route),
      parts: [
        span(route, [styleOfRoute(route), 'bold']),
        span(before + since),
        span(expectedRoute === 'any' ? ' (no expectation)' : ` expected ${expectedRoute}`, 'dim'),
      ],
      lines: 1,
    }),
    ...(isTall ? row(view, { label: '', parts: words(`${reason}.`), lines: 2 }) : []),
    ...last.gates.flatMap((gate) => {
      const state = gateNow(watched, gate.gate);
      return row(view, {
        label: 'Gate',
        marked: isNew(view, (status) => status.gates.find((one) => one.gate === gate.gate)?.state),
        parts: [
          span(`${gate.gate} `),
          span(state, styleOfGate(state)),
          ...words(isOld ? `: was ${gate.state}` : `: ${gate.reason}`),
        ],
        lines: isTall ? 2 : 1,
      });
    }),
    ...row(view, {
      label: 'DNS',
      marked: isNew(view, dnsText),
      parts: dnsParts(view),
      lines: isTall ? 3 : 1,
    }),
    ...row(view, {
      label: 'X-ENIs',
      marked: isNew(view, xEniText),
      parts: xEniParts(view),
      lines: isTall ? 3 : 1,
    }),
  ];
}

function sinceText(view: NodeView, at: string): string {
  const age = ago(view, at);
  return isNarrow(view) ? ` ${age},` : ` since ${formatTime(at).slice(11)} (${age})`;
}

interface Row {
  readonly label: string;
  readonly marked?: boolean;
  readonly parts: readonly Span[];
  /** At most so many. */
  readonly lines: number;
}

function row(view: NodeView, { label, marked = false, parts, lines }: Row): readonly Line[] {
  const { width, watched } = view;
  const indent = isNarrow(view) ? NARROW_LABEL : LABEL;
  const styled = watched.silence === null ? parts : parts.map(({ text }) => span(text, 'dim'));
  const shown = marked ? styled.map(emphasized) : styled;
  return flow(shown, { width: width - indent, lines }).map((line, index) => [
    span(index === 0 && marked ? MARK : NO_MARK, 'bold'),
    span((index === 0 ? label : '').padEnd(indent - MARK.length), 'bold'),
    ...line,
  ]);
}
