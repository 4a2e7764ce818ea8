/** Nodes as a table: one row for each of their connections. */
import type { NodeResult } from '../../model/fleet/status.ts';
import { columns, cut, type Paint, printable, type Style, styleOfRoute, widthOf } from '../terminal.ts';
import { staleText } from './sentences.ts';
import { MAX_CONNECTIONS, type Sheet, VERDICT_STYLES } from './sheet.ts';

const HEADINGS = ['NODE', 'ROUTE', 'CLIENT', 'PEER', 'STALE FOR', 'RESULT: CAUSE', 'REMEDY'];
const ROUTE_COLUMN = 1;
const RESULT_COLUMN = 5;
/** A remedy in the table: it is below in full. */
const REMEDY_WIDTH = 48;
/** Of less of it only the number is shown. */
const LEAST_REMEDY_WIDTH = 16;
/** Where not even that has room there is no table. */
const NUMBER_WIDTH = 'REMEDY'.length;

/** Its lines; null where it has no room. `numbers`: of what to do, by the first cause of a node. */
export function nodeTable(
  nodes: readonly NodeResult[],
  numbers: ReadonlyMap<string, number>,
  { paint, width }: Sheet,
): readonly string[] | null {
  const rows = nodes.flatMap((node) => rowsOf(node, numbers).map((cells) => ({ node, cells })));
  // Without the last column, which takes what is left.
  const table = columns([HEADINGS, ...rows.map(({ cells }) => cells)]);
  const left = width - widthOf((table[0] ?? []).slice(0, -1).join('  ')) - 2;
  if (left < NUMBER_WIDTH) return null;
  const short = (cell: string) =>
    left < LEAST_REMEDY_WIDTH ? (cell.split(' ')[0] ?? '') : cut(cell, Math.min(left, REMEDY_WIDTH));
  return table.map((cells, index) => {
    const node = rows[index - 1]?.node;
    const shown = cells.map((cell, column) => (column === cells.length - 1 ? short(cell) : cell));
    if (node === undefined) return paint('bold', shown.join('  '));
    return shown
      .map((cell, column) => paintCell(paint, { node, column, cell }))
      .join('  ')
      .trimEnd();
  });
}

function paintCell(
  paint: Paint,
  { node, column, cell }: { readonly node: NodeResult; readonly column: number; readonly cell: string },
): string {
  const text = cell.trimEnd();
  const styles: Readonly<Record<number, Style | null>> = {
    [ROUTE_COLUMN]: node.route && styleOfRoute(node.route),
    [RESULT_COLUMN]: VERDICT_STYLES[node.verdict],
  };
  const style = styles[column] ?? null;
  return style === null || text === '' ? cell : paint(style, text) + cell.slice(text.length);
}

/** A row for each connection that keeps the node from passing; what is of the node stands in the first. */
function rowsOf(node: NodeResult, numbers: ReadonlyMap<string, number>): readonly (readonly string[])[] {
  const shown = node.connections.slice(0, MAX_CONNECTIONS);
  const more = node.connections.length - shown.length;
  const rows = shown.map((one) => [printable(one.client), printable(one.peer), staleText(one)]);
  if (more > 0) rows.push(['', `and ${more} more`, '']);
  const [first = ['', '', ''], ...others] = rows;
  const start = [
    printable(node.node),
    node.route ?? '-',
    ...first,
    resultText(node),
    shortRemedy(node, numbers),
  ];
  return [start, ...others.map((cells) => ['', '', ...cells, '', ''])];
}

function resultText({ causes, verdict }: NodeResult): string {
  const [first, ...more] = causes.map(printable);
  if (first === undefined) return verdict;
  return `${verdict}: ${first}${more.length > 0 ? ` +${more.length}` : ''}`;
}

function shortRemedy(node: NodeResult, numbers: ReadonlyMap<string, number>): string {
  const number = numbers.get(node.causes[0] ?? '');
  return node.remedy === null || number === undefined ? '' : `(${number}) ${printable(node.remedy)}`;
}
