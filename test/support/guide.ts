/** A page of the docs that people paste from: read apart, and the tests that every such page has to pass. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { environmentName, FLAGS, namesOf } from '../../src/flags.ts';
import { COMMAND_NAMES, PROGRAM } from '../../src/usage.ts';
import { parse } from './command-line.ts';
import { metricsWith } from './known-metrics.ts';
import { checkQuery } from './metrics-used.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FENCE = /^ *```(\w*)\n(.*?)^ *```$/gms;
const METRICS = metricsWith();

export interface Guide {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  /** Without the blocks of code. */
  readonly prose: string;
  readonly blocks: readonly { readonly language: string; readonly code: string }[];
  /** Code within a line. */
  readonly spans: readonly string[];
}

export function readGuide(path: string): Guide {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const prose = text.replaceAll(FENCE, '');
  const blocks = [...text.matchAll(FENCE)].map(([, language = '', code = '']) => ({ language, code }));
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return { path, text, prose, blocks, spans };
}

export function testGuide({ path, text, prose, blocks, spans }: Guide): void {
  const shell = blocks.filter(({ language }) => language === 'shell').map(({ code }) => code);
  const queries = [
    ...blocks
      .filter(({ language }) => language === 'promql')
      .flatMap(({ code }) => code.split('\n').filter((line) => line.trim() !== '')),
    ...spans.filter((span) => /eks_endpoint_|\bup\b.*=|kube_node_info/.test(span)),
  ];

  test('its blocks are of a kind that is checked here, or samples', () => {
    for (const { language } of blocks) expect(['promql', 'shell', 'text']).toContain(language);
  });

  test('its queries, one a line, are PromQL of metrics, labels and values that exist', () => {
    for (const query of queries) expect(checkQuery(query, METRICS).problems, query).toEqual([]);
    for (const [name = ''] of text.matchAll(/\b(?:[a-z_]+:)?eks_endpoint_\w+(?::\w+)?/g))
      expect([...METRICS.keys()]).toContain(name);
  });

  test('what is to be pasted into a shell parses, and has no comments, which zsh would run', () => {
    for (const code of shell) {
      expect(spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' }).stderr, code).toBe('');
      expect(code).not.toMatch(/(?:^|\s)#/);
    }
  });

  test('where a node is asked, the way is named', () => {
    if (/^## Ask a node$/m.test(text) || !shell.some((code) => /\bask "/.test(code))) return;
    expect(text).toMatch(/\((?:runbooks\/)?README\.md#ask-a-node\)/);
  });

  test('every flag of this program that it names exists', () => {
    const flags = Object.values(FLAGS);
    const named = spans.filter((span) => span.startsWith('--')).map((span) => span.split(/[ =]/)[0]);
    for (const name of named) expect(flags.flatMap(namesOf)).toContain(name);
    for (const [name] of text.matchAll(/\bEKS_ENDPOINT_\w+/g))
      expect(flags.map(environmentName)).toContain(name);
  });

  test('every command line of this program is one that it takes', () => {
    for (const line of commandLines([...shell, ...spans]))
      expect('text' in parse(line) ? parse(line) : null, line.join(' ')).toBe(null);
  });

  test('its links lead somewhere, and the paths that it names are there', () => {
    for (const [, target = '', anchor] of prose.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      const file = target === '' ? path : normalize(join(dirname(path), target));
      expect(existsSync(join(ROOT, file)), file).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readGuide(file)), file).toContain(anchor);
    }
    for (const named of spans.filter((span) => /^(?:deploy|docs|scripts|src)\/[\w./-]*$/.test(span)))
      expect(existsSync(join(ROOT, named)), named).toBe(true);
  });

  test('it does not say that public traffic goes over the internet: it does not leave the network of AWS', () => {
    expect(text).not.toMatch(/(?:over|across|through) the (?:public )?internet/i);
  });
}

const COMMAND_LINE = new RegExp(
  `(?<![\\w/.-])${PROGRAM} ((?:${COMMAND_NAMES.join('|')})\\b[^|>&;<\\n]*)`,
  'g',
);
/** What a shell would put in for variables: a gate, a number, anything. */
const VALUES = new Map([
  ['"$1"', 'public-free'],
  ['"$least"', '3'],
  ['"$NODES"', '75'],
]);

/** The arguments of this program, wherever it is called. */
function commandLines(texts: readonly string[]): readonly (readonly string[])[] {
  const joined = texts.map((text) => text.replace(/\\\n\s*/g, ' ')).join('\n');
  return [...joined.matchAll(COMMAND_LINE)].map(([, words = '']) =>
    words
      .trim()
      .split(/\s+/)
      .map((word) => VALUES.get(word) ?? word.replace(/^"(.*)"$/, '$1')),
  );
}

/** What GitHub makes of headings. */
function anchorsOf({ prose }: Guide): readonly string[] {
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
