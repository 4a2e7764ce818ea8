/** The report of `verify` for a terminal: the nodes that do not pass first, what to do, then the verdict and what it is worth. */
import { countNodes } from '../../model/fleet/names.ts';
import { AUDIT_LOG_QUERY } from '../../model/fleet/not-covered.ts';
import type { FleetStatus, NodeResult } from '../../model/fleet/status.ts';
import { painter, printable, wrap } from '../terminal.ts';
import { nodeBlocks } from './node-blocks.ts';
import { nodeTable } from './node-table.ts';
import { remedyGroups, remedyLines } from './remedies.ts';
import { changesText, countsText, notPassing, VERDICT_WORDS, verdictText } from './sentences.ts';
import { listed, type Sheet, VERDICT_STYLES } from './sheet.ts';

export interface FleetTableOptions {
  /** Colours by ANSI escapes. */
  readonly color: boolean;
  /** Of the terminal; null where there is none: lines are as long as they are. */
  readonly columns: number | null;
}

interface Page extends Sheet {
  readonly status: FleetStatus;
}

/** More passing nodes are counted: the list is for those that do not pass. */
const MAX_PASSING = 50;
/** On a narrower one nothing can be read. */
const LEAST_WIDTH = 20;
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** A fleet status as text, ending in a newline. Without colours and a width it is the same wherever it is read. */
export function renderFleetTable(status: FleetStatus, options: FleetTableOptions): string {
  const page: Page = {
    status,
    paint: painter(options.color),
    width: Math.max(LEAST_WIDTH, options.columns ?? UNLIMITED),
  };
  const groups = remedyGroups(status.nodes);
  const numbers = new Map(groups.map(({ cause, number }) => [cause, number]));
  const nodes = listedOf(status);
  const parts = [
    head(page),
    nodes.length === 0 ? [] : (nodeTable(nodes, numbers, page) ?? nodeBlocks(nodes, numbers, page)),
    remedyLines(groups, page),
    verdict(page),
    notes(page),
    changes(page),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function head({ status: { source, at, endpoints, gate }, width }: Page): readonly string[] {
  const names = endpoints.map(({ hostname, nodes: number }) => `${hostname} (${countNodes(number)})`);
  return [
    ...field('Fleet', `${source}, ${at}`, width),
    ...(names.length > 0 ? field('Endpoint', names.join(', '), width) : []),
    ...field('Gate', gate, width),
  ];
}

function listedOf(status: FleetStatus): readonly NodeResult[] {
  return status.counts.pass > MAX_PASSING ? notPassing(status) : status.nodes;
}

function verdict({ status, paint, width }: Page): readonly string[] {
  const [first = '', ...rest] = wrap(verdictText(status), width);
  const word = VERDICT_WORDS[status.verdict];
  // The word alone is coloured, and on the narrowest terminal it is in two lines.
  const painted = first.startsWith(word)
    ? paint(['bold', VERDICT_STYLES[status.verdict]], word) + first.slice(word.length)
    : first;
  return [...wrap(countsText(status.counts), width), painted, ...rest];
}

function notes({ status, width }: Page): readonly string[] {
  const lines = status.notes.flatMap((note) => listed(note, width));
  const open = status.notCovered.flatMap((note) => {
    const [before = '', ...after] = note.split(AUDIT_LOG_QUERY);
    // In one line: it is there to be copied.
    return [...listed(before.trimEnd(), width), ...after.map(() => `  ${AUDIT_LOG_QUERY}`)];
  });
  return [...lines, ...(open.length > 0 ? ['Not covered by this pass:', ...open] : [])];
}

function changes({ status, width }: Page): readonly string[] {
  if (status.changes === null) return [];
  const [first = '', ...rest] = changesText(status.changes).map(printable);
  return [...wrap(first, width), ...rest.flatMap((text) => listed(text, width))];
}

function field(name: string, text: string, width: number): readonly string[] {
  const [first = '', ...rest] = wrap(printable(text), width - 10);
  return [`${name.padEnd(10)}${first}`, ...rest.map((line) => ' '.repeat(10) + line)];
}
