/** The fleet status as Markdown, for a pull request or the summary of a job (GitHub's, GitLab's). */

import { countNodes } from '../../model/fleet/names.ts';
import { AUDIT_LOG_QUERY } from '../../model/fleet/not-covered.ts';
import type { FleetStatus, NodeResult } from '../../model/fleet/status.ts';
import { printable } from '../terminal.ts';
import { changesText, countsText, notPassing, staleClause, VERDICT_WORDS } from './sentences.ts';
import { MAX_CONNECTIONS } from './sheet.ts';

/** GitHub takes 64 KiB in a comment; what is longer is cut there without a word. */
const MAX_NODES = 100;
const MAX_ROWS_LENGTH = 40_000;
const HEADINGS = ['Node', 'Verdict', 'Route', 'Connections', 'Cause', 'Why', 'What to do'];

export function renderFleetMarkdown(status: FleetStatus): string {
  const bad = notPassing(status);
  const rows = rowsOf(bad);
  const more = bad.length - rows.length;
  const endpoints = status.endpoints.map(({ hostname, nodes }) => `${code(hostname)} (${countNodes(nodes)})`);
  const parts = [
    [`## ${VERDICT_WORDS[status.verdict]}: ${plain(status.reason)}`],
    [
      `${plain(status.source)}, ${plain(status.at)}${endpoints.length > 0 ? `, endpoint ${endpoints.join(', ')}` : ''}`,
    ],
    [`**${plain(countsText(status.counts))}**`],
    bad.length === 0 ? [] : [row(HEADINGS), row(HEADINGS.map(() => '---')), ...rows],
    more > 0 ? [`And ${more} more that do not pass: \`--output json\` has them all.`] : [],
    status.notes.map(item),
    status.notCovered.length === 0
      ? []
      : ['### Not covered by this pass', '', ...status.notCovered.flatMap(itemWithQuery)],
    status.changes === null ? [] : ['### What changed', '', ...changesText(status.changes).map(item)],
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

/** As many as there is room for. */
function rowsOf(nodes: readonly NodeResult[]): readonly string[] {
  const rows: string[] = [];
  let left = MAX_ROWS_LENGTH;
  for (const node of nodes.slice(0, MAX_NODES)) {
    const text = rowOf(node);
    left -= text.length + 1;
    if (left < 0) break;
    rows.push(text);
  }
  return rows;
}

function rowOf(node: NodeResult): string {
  const more = node.connections.length - MAX_CONNECTIONS;
  const connections = node.connections
    .slice(0, MAX_CONNECTIONS)
    .map((one) => `${code(`${one.client} ${one.peer}`)} ${one.route}${staleClause(one)}`);
  return row([
    code(node.node),
    `**${node.verdict}**`,
    node.route ?? 'not known',
    [...connections, ...(more > 0 ? [`and ${more} more`] : [])].join('<br>'),
    node.causes.map(code).join(', '),
    plain(node.reason ?? ''),
    node.remedies.map(plain).join('<br>'),
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function item(text: string): string {
  return `- ${plain(text)}`;
}

/** The query as it is, in a block of its own: it is there to be copied. */
function itemWithQuery(text: string): readonly string[] {
  const [before = '', ...after] = text.split(AUDIT_LOG_QUERY);
  return [item(before.trimEnd()), ...after.flatMap(() => ['', '  ```', `  ${AUDIT_LOG_QUERY}`, '  ```', ''])];
}

/** Names: nothing in them is a link, a mention or a reference. */
function code(text: string): string {
  return `<code>${entities(text)}</code>`;
}

/** Sentences: `@name` and `#1` are mentions and references wherever they stand, but in code. */
function plain(text: string): string {
  return entities(text).replace(/&#(?:64|35);/g, (entity) => `<code>${entity}</code>`);
}

/** An entity is never markup (CommonMark 0.31, 2.5): what Markdown or HTML could obey is written as one. */
function entities(text: string): string {
  return printable(text).replace(
    /[&<>"`*_{}[\]()#+!|~@\\^$]|:(?=\/\/)|(?<=\bwww)\./gi,
    (character) => `&#${character.codePointAt(0)};`,
  );
}
