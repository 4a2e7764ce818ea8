/** Findings with what to do, as much of each as there is room for. */
import { FINDING_CODES } from '../../model/findings.ts';
import type { Finding, NodeStatus, Severity } from '../../model/status.ts';
import { styleOfSeverity } from '../terminal.ts';
import { flow, type Line, type Span, span } from './spans.ts';
import { isNew, MARK, NO_MARK, type NodeView, withRest, words } from './view.ts';

/** Lines of one finding. */
const LONGEST = 12;
/** So many that could not be evaluated are named. */
const MAX_NAMED = 3;

/** And the stages that fail. At most `room` lines. */
export function findingsOf(view: NodeView, room: number): readonly Line[] {
  const { last, width } = view;
  if (room < 1) return [];
  if (last.findings.length === 0 && view.watched.silence === null) {
    const told = flow(words(`No finding is raised; ${evaluatedText(last)}.`), { width, lines: 2 });
    const dim = told.map((line) => line.map(({ text }) => span(text, 'dim')));
    return [...failedStages(last), ...dim].slice(0, room);
  }
  const failed = failedStages(last);
  const texts = last.findings.map((finding) => findingText(finding, view));
  // A line for each, and what is left for the worst one first: what to do is told to its end once rather than begun twice.
  let left = room - failed.length - texts.length;
  const told = new Map<FindingText, readonly Line[]>();
  for (const text of texts.toSorted((one, other) => one.rank - other.rank)) {
    const lines = findingLines(text, { width, most: Math.min(LONGEST, 1 + Math.max(0, left)) });
    left -= lines.length - 1;
    told.set(text, lines);
  }
  const lines = texts.flatMap((text) => told.get(text) ?? []);
  return withRest([...lines, ...failed], room, 'finding');
}

function evaluatedText({ evaluated }: NodeStatus): string {
  const missing = FINDING_CODES.filter((code) => !evaluated.includes(code));
  const more = missing.length > MAX_NAMED ? ` +${missing.length - MAX_NAMED}` : '';
  const names = missing.length === 0 ? '' : `, not ${missing.slice(0, MAX_NAMED).join(', ')}${more}`;
  return `${FINDING_CODES.length - missing.length} of ${FINDING_CODES.length} could be evaluated${names}`;
}

function failedStages({ stages }: NodeStatus): readonly Line[] {
  return stages
    .filter(({ success }) => !success)
    .map(({ stage, error }) => [span('FAILED ', 'yellow'), span(`stage ${stage}: ${error}`)]);
}

const RANKS: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

interface FindingText {
  /** The worst has the least. */
  readonly rank: number;
  readonly head: Span;
  readonly summary: string;
  readonly remedy: string;
}

function findingText(finding: Finding, view: NodeView): FindingText {
  const { severity, code, summary, remedy, client } = finding;
  const style = view.watched.silence === null ? styleOfSeverity(severity) : 'dim';
  const marked = isNew(view, (status) =>
    String(status.findings.some((other) => other.code === code && other.client === client)),
  );
  return {
    rank: RANKS[severity],
    head: span(
      `${marked ? MARK : ''}${severity.toUpperCase()} ${code}: `,
      marked ? [style, 'inverse'] : style,
    ),
    summary: `${summary}.`,
    remedy: `What to do: ${remedy}.`,
  };
}

/** With one line the summary, with more of them half for what to do. */
function findingLines(
  { head, summary, remedy }: FindingText,
  { width, most }: { readonly width: number; readonly most: number },
): readonly Line[] {
  const forRemedy = Math.floor(most / 2);
  const told = flow([head, ...words(summary)], { width, lines: most - forRemedy });
  const rest = flow(words(remedy), { width: width - 2, lines: most - told.length });
  return most === 1 ? told : [...told, ...rest.map((line) => [span(NO_MARK), ...line])];
}
