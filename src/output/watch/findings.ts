/** Findings with what to do, as much of each as there is room for. */
import { FINDING_CODES } from '../../model/findings.ts';
import type { Finding, NodeStatus } from '../../model/status.ts';
import { styleOfSeverity } from '../terminal.ts';
import { flow, type Line, type Span, span } from './spans.ts';
import { isNew, MARK, NO_MARK, type NodeView, withRest, words } from './view.ts';

/** And the stages that fail. At most `room` lines. */
export function findingsOf(view: NodeView, room: number): readonly Line[] {
  const { last, width } = view;
  if (room < 1) return [];
  if (last.findings.length === 0 && view.watched.silence === null) {
    const evaluated = `${last.evaluated.length} of ${FINDING_CODES.length} could be evaluated`;
    return [...failedStages(last), [span(`No finding is raised; ${evaluated}.`, 'dim')]].slice(0, room);
  }
  const failed = failedStages(last);
  const texts = last.findings.map((finding) => findingText(finding, view));
  for (let most = 12; most >= 1; most--) {
    const lines = texts.flatMap((text) => findingLines(text, { width, most }));
    if (lines.length + failed.length <= room) return [...lines, ...failed];
  }
  const lines = texts.flatMap((text) => findingLines(text, { width, most: 1 }));
  return withRest([...lines, ...failed], room, 'finding');
}

function failedStages({ stages }: NodeStatus): readonly Line[] {
  return stages
    .filter(({ success }) => !success)
    .map(({ stage, error }) => [span('FAILED ', 'yellow'), span(`stage ${stage}: ${error}`)]);
}

interface FindingText {
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
