/** The fleet status as Markdown, for a pull request or the summary of a job (GitHub's, GitLab's). */
import type { FleetStatus, NodeResult } from '../../model/fleet/status.ts';
import { printable } from '../terminal.ts';
import { changesText, countsText, notPassing, staleText, VERDICT_WORDS } from './sentences.ts';

/** GitHub takes 64 KiB in a comment; what is longer is cut there without a word. */
const MAX_NODES = 100;
const HEADINGS = ['Node', 'Verdict', 'Route', 'Connections', 'Cause', 'Why', 'What to do'];

export function renderFleetMarkdown(status: FleetStatus): string {
  const bad = notPassing(status);
  const more = bad.length - MAX_NODES;
  const endpoints = status.endpoints.map(({ hostname, nodes }) => `${code(hostname)} (${nodes})`);
  const parts = [
    [`## ${VERDICT_WORDS[status.verdict]}: ${plain(status.reason)}`],
    [
      `${plain(status.source)}, ${plain(status.at)}${endpoints.length > 0 ? `, endpoint ${endpoints.join(', ')}` : ''}`,
    ],
    [`**${plain(countsText(status.counts))}**`],
    bad.length === 0
      ? []
      : [row(HEADINGS), row(HEADINGS.map(() => '---')), ...bad.slice(0, MAX_NODES).map(rowOf)],
    more > 0 ? [`And ${more} more that do not pass: \`--output json\` has them all.`] : [],
    status.notes.map(item),
    status.notCovered.length === 0
      ? []
      : ['### Not covered by this pass', '', ...status.notCovered.map(item)],
    status.changes === null ? [] : ['### What changed', '', ...changesText(status.changes).map(item)],
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function rowOf(node: NodeResult): string {
  const connections = node.connections.map((one) => {
    const stale = staleText(one);
    return `${code(`${one.client} ${one.peer}`)} ${one.route}${stale === '' ? '' : `, stale for ${stale}`}`;
  });
  return row([
    code(node.node),
    `**${node.verdict}**`,
    node.route ?? 'not known',
    connections.join('<br>'),
    node.causes.map(code).join(', '),
    plain(node.reason ?? ''),
    plain(node.remedy ?? ''),
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function item(text: string): string {
  return `- ${plain(text)}`;
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
