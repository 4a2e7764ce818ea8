/** Nodes as blocks of lines, for a terminal on which a table has no room. */
import type { NodeResult } from '../../model/fleet/status.ts';
import { printable, styleOfRoute, wrap } from '../terminal.ts';
import { staleClause } from './sentences.ts';
import { indented, MAX_CONNECTIONS, type Sheet, VERDICT_STYLES } from './sheet.ts';

/** `numbers`: of what to do, by the first cause of a node. */
export function nodeBlocks(
  nodes: readonly NodeResult[],
  numbers: ReadonlyMap<string, number>,
  sheet: Sheet,
): readonly string[] {
  return nodes.flatMap((node, index) => {
    const isApart = index > 0 && (node.verdict !== 'pass' || nodes[index - 1]?.verdict !== 'pass');
    const number = node.remedy === null ? undefined : numbers.get(node.causes[0] ?? '');
    return [...(isApart ? [''] : []), ...blockOf(node, number, sheet)];
  });
}

function blockOf(node: NodeResult, number: number | undefined, { paint, width }: Sheet): readonly string[] {
  const word =
    node.verdict === 'pass'
      ? `pass, route ${node.route}`
      : `${node.verdict}: ${node.causes.map(printable).join(', ')}`;
  const connections = node.connections
    .slice(0, MAX_CONNECTIONS)
    .map((one) => printable(`${one.client} ${one.peer}${staleClause(one)}`));
  const more = node.connections.length - connections.length;
  const details = [
    ...connections,
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(node.reason === null ? [] : [printable(node.reason)]),
    ...(number === undefined ? [] : [`What to do: see (${number})`]),
  ];
  return [
    ...wrap(printable(node.node), width).map((line) => paint('bold', line)),
    ...wrap(word, width - 2).map((line) => `  ${paint(VERDICT_STYLES[node.verdict], line)}`),
    ...(node.route === null || node.verdict === 'pass'
      ? []
      : [`  route ${paint(styleOfRoute(node.route), node.route)}`]),
    ...details.flatMap((text) => indented(text, width)),
  ];
}
