/** The live table of `watch`: a node on one screen, whatever its size. What changed in the last looks bears a mark. */
import type { Watched } from '../../model/watched.ts';
import { tableOf } from './connections.ts';
import { findingsOf } from './findings.ts';
import { adviceOf, headOf, silenceOf, titleOf } from './head.ts';
import { formatChange } from './lines.ts';
import { fitLine, type Line, paintLine, span } from './spans.ts';
import { type FrameOptions, type NodeView, type View, viewOf, withRest } from './view.ts';

/** At most `rows` lines, each narrower than `columns` by one. */
export function renderFrame(watched: Watched, options: FrameOptions): readonly string[] {
  const { last } = watched;
  const view = viewOf(watched, options);
  const title = [titleOf(view), ...silenceOf(view), ...adviceOf(view)];
  const lines = last === null ? [...title, ...nothingYet(view)] : page(title, { ...view, last });
  return lines
    .slice(0, Math.max(1, options.rows))
    .map((line) => paintLine(fitLine(line, view.width), options.paint));
}

function nothingYet({ watched: { silence }, agentUrl }: View): readonly Line[] {
  return silence === null
    ? [
        [
          span(
            agentUrl === null
              ? 'Looking, and asking DNS, the EndpointSlice and the X-ENIs.'
              : `Asking ${agentUrl}`,
          ),
        ],
      ]
    : [[span('Nothing was seen of the node yet.')]];
}

function page(title: readonly Line[], view: NodeView): readonly Line[] {
  const { isTall, rows } = view;
  const head = [...title, ...headOf(view)];
  const gap: readonly Line[] = isTall ? [[]] : [];
  const changes = changesOf(view);
  const left = rows - head.length - 3 * gap.length;
  const forChanges = Math.min(changes.length, isTall ? 4 : rows > 10 ? 2 : 0);
  // What is wrong, and what to do about it, comes before what has changed.
  const forFindings = Math.min(2 * view.last.findings.length, Math.ceil(left / 2));
  const table = withRest(
    tableOf(view),
    Math.max(2, left - Math.max(forChanges, 1) - forFindings),
    'connection',
  );
  const free = left - table.length;
  // All of it where something is to be done, or the command would be cut off.
  const room = isUrgent(view) ? free + gap.length : Math.max(free - forChanges, Math.min(free, forFindings));
  const findings = findingsOf(view, room);
  const shown = [...head, ...gap, ...table, ...gap, ...findings];
  const rest = rows - shown.length - gap.length;
  return [...shown, ...(changes.length > 0 && rest > gap.length ? [...gap, ...changes.slice(0, rest)] : [])];
}

function isUrgent({ isTall, last, watched }: NodeView): boolean {
  return isTall && watched.silence === null && last.findings.some(({ severity }) => severity !== 'info');
}

/** Newest first. */
function changesOf({ watched: { changes }, isTall }: View): readonly Line[] {
  const lines = changes.toReversed().map((change): Line => [span(formatChange(change).slice(11))]);
  return isTall && lines.length > 0 ? [[span('Last changes', 'bold')], ...lines] : lines;
}
