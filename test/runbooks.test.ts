/** The runbooks: there for every finding and every alert, and what they name is what this version has. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ALERTS, RECORDING_RULES } from '../scripts/monitoring/rules.ts';
import { FLAGS, namesOf } from '../src/flags.ts';
import { FINDING_CODES, severityOf } from '../src/model/findings.ts';
import type { Severity } from '../src/model/status.ts';
import { PROGRAM } from '../src/usage.ts';
import { configOf } from './support/invocation.ts';
import { metricsWith } from './support/known-metrics.ts';
import { checkQuery } from './support/metrics-used.ts';
import { startWebServer } from './support/web-server.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'docs', 'runbooks');
const FILES = readdirSync(FOLDER).toSorted();
const INDEX = 'README.md';

const PREFIX = 'EksEndpoint';
const FINDINGS: readonly string[] = FINDING_CODES;
const NAMES = [...new Set([...FINDINGS, ...ALERTS.map(({ name }) => name.replace(PREFIX, ''))])].toSorted();

const FENCE = /^ *```(\w*)\n(.*?)^ *```$/gms;
const PAGES = FILES.map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const prose = text.replaceAll(FENCE, '');
  const blocks = [...text.matchAll(FENCE)].map(([, language = '', code = '']) => ({ language, code }));
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return { file, name: file.replace('.md', ''), text, prose, blocks, spans };
});

const METRICS = metricsWith();

test('every finding and every alert has a runbook, and every runbook one of them; besides there is the index', () => {
  expect(FILES).toEqual([...NAMES.map((name) => `${name}.md`), INDEX].toSorted());
});

test('the index has them all, with severity and how long until the alert', () => {
  const index = PAGES.find(({ file }) => file === INDEX)?.text ?? '';
  const rows = [...index.matchAll(/^\| \[(\w+)\]\((\S+)\) \| (\w+) \| (\w*) ?\| \S.* \|$/gm)];
  expect(rows.map((row) => row.slice(1, 5))).toEqual(
    NAMES.map((name) => [name, `${name}.md`, severityFor(name), alertOf(name)?.for ?? '']),
  );
});

describe.each(PAGES.filter(({ file }) => file !== INDEX))('$name', ({ name, text, prose }) => {
  const alert = alertOf(name);
  const [head = ''] = text.split('\n## ');

  test('it has the four sections, in their order, none of them empty', () => {
    expect(prose.match(/^#+ .*$/gm)).toEqual([
      `# ${name}`,
      '## Meaning',
      '## Impact',
      '## Diagnosis',
      '## Mitigation',
    ]);
    for (const section of prose.split(/^## .*$/m)) expect(section.trim().length).toBeGreaterThan(50);
  });

  test("the lines before them end in the finding's severity, and in the alert as the rules have it", () => {
    const ends = [
      ...(FINDINGS.includes(name) ? [`Severity: ${severityFor(name)}.`] : []),
      ...(alert ? [`Alert: \`${alert.name}\`, ${alert.severity}, \`for: ${alert.for}\`.`] : []),
    ];
    const [title, , ...lines] = head.trimEnd().split('\n');
    const line = lines.join(' ');
    expect(title).toBe(`# ${name}`);
    expect(line).toMatch(new RegExp(`^[A-Z][^\\n]*\\. ${RegExp.escape(ends.join(' '))}$`));
    expect(line.match(/Severity:|Alert:/g)).toHaveLength(ends.length);
  });
});

test.each(ALERTS)(
  'the runbook of $name says when it ends, and that a missing exporter ends it too',
  ({ name }) => {
    const page = PAGES.find((one) => one.name === name.replace(PREFIX, ''));
    const meaning = page?.text.split('\n## ')[1] ?? '';
    const said = FINDINGS.includes(page?.name ?? '') ? meaning.split('**The alert**')[1] : meaning;
    expect(said).toMatch(/\bends\b/);
    if (page?.name !== 'ExporterMissing') expect(said).toContain('](ExporterMissing.md)');
  },
);

test('bounds of the alerts are those of the rules', () => {
  const meaning = (name: string) =>
    PAGES.find((page) => page.name === name)
      ?.text.split('\n## ')[1]
      ?.replace(/\s+/g, ' ');
  const stale = alertOf('StaleConnection')?.threshold ?? Number.NaN;
  expect(meaning('StaleConnection')).toContain(`over ${stale / 60} minutes old`);
  const missing = alertOf('ExporterMissing');
  expect(missing?.threshold).toBe(0.5);
  const minutes = /avg_over_time\([^[]*\[(\d+)m\]/.exec(missing?.query ?? '')?.[1];
  expect(meaning('ExporterMissing')).toContain(`no answer in more than half of the last ${minutes} minutes`);
  const days = /\[(\d+)d\]/.exec(alertOf('DriftedBack')?.query ?? '')?.[1];
  expect(meaning('DriftedBack')).toContain(`within the last ${days} days`);
  const finished = RECORDING_RULES.find(({ record }) => record.endsWith('migration_finished:bool'))?.expr;
  const share = Number(/>= bool ([\d.]+)/.exec(finished ?? '')?.[1]);
  expect(meaning('DriftedBack')).toContain(`${share * 100} % or more`);
});

describe.each(PAGES)('$file', ({ file, text, prose, blocks, spans }) => {
  const shell = blocks.filter(({ language }) => language === 'shell').map(({ code }) => code);
  const queries = [
    ...blocks
      .filter(({ language }) => language === 'promql')
      .flatMap(({ code }) => code.split('\n').filter((line) => line.trim() !== '')),
    ...spans.filter((span) => /eks_endpoint_|\bup\b.*=|kube_node_info/.test(span)),
  ];

  test('its blocks are of a kind that is checked here', () => {
    for (const { language } of blocks) expect(['promql', 'shell']).toContain(language);
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
    if (file === INDEX || !shell.some((code) => /\bask "/.test(code))) return;
    expect(text).toContain('(README.md#ask-a-node)');
  });

  test('every flag of this program that it names exists', () => {
    const known = Object.values(FLAGS).flatMap(namesOf);
    const named = spans.filter((span) => span.startsWith('--')).map((span) => span.split(/[ =]/)[0]);
    for (const name of named) expect(known).toContain(name);
    const variables = Object.values(FLAGS).flatMap(namesOf).map(variableOf);
    for (const [name] of text.matchAll(/\bEKS_ENDPOINT_\w+/g)) expect(variables).toContain(name);
  });

  test('every command line of this program is one that it takes', () => {
    for (const line of [...blocks.flatMap(({ code }) => code.split('\n')), ...spans]) {
      const [word, ...argv] = line
        .trim()
        .replace(/^sudo /, '')
        .split(' ');
      if (word === PROGRAM) expect(() => configOf(...argv), line).not.toThrow();
    }
  });

  test('its links lead to runbooks, and the paths that it names are there', () => {
    for (const [, target = '', anchor] of prose.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      expect(FILES).toContain(target);
      if (anchor !== undefined) expect(anchorsOf(target)).toContain(anchor);
    }
    for (const path of spans.filter((span) => /^(?:deploy|docs|scripts|src)\/[\w./-]*$/.test(span)))
      expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  test('it does not say that public traffic goes over the internet: it does not leave the network of AWS', () => {
    expect(text).not.toMatch(/(?:over|across|through) the (?:public )?internet/i);
  });
});

describe('ask, as the index has it', () => {
  const [definition = ''] = PAGES.flatMap(({ file, blocks }) => (file === INDEX ? blocks : [])).map(
    ({ code }) => code,
  );

  /** With a kubectl that knows one node, whose agent is at this port. */
  async function run(command: string, port: number): Promise<{ code: number | null; out: string }> {
    const kubectl = `kubectl() {
      if [ "$3" = get ]; then [[ "$*" != *spec.nodeName=node-1,* ]] || echo pod/agent-1; return; fi
      [ "$3 $4 $5 $6" = 'exec pod/agent-1 -- /nodejs/bin/node' ] || return 9
      shift 6; "${process.execPath}" "\${@/10943/${port}}"
    }`;
    const child = spawn('bash', ['-c', `${kubectl}\n${definition}\n${command}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const closed = once(child, 'close');
    const out = await textOf(child.stdout);
    await closed;
    return { code: child.exitCode, out };
  }

  test.each([
    ['ask node-1', '/api/v1/status'],
    ['ask node-1 /metrics', '/metrics'],
  ])('%s gives what the agent of that node says', async (command, path) => {
    const agent = await startWebServer((_, response) => response.end('{"node":"it\'s $1"}'));
    expect(await run(command, agent.port)).toEqual({ code: 0, out: '{"node":"it\'s $1"}\n' });
    expect(agent.requests.map((request) => request.path)).toEqual([path]);
  });

  test.each(['ask node-2', 'ask', 'ask ""'])('%s asks nobody, and fails', async (command) => {
    const agent = await startWebServer((_, response) => response.end('{}'));
    const { code, out } = await run(command, agent.port);
    expect(code).not.toBe(0);
    expect(out).toBe('');
    expect(agent.requests).toEqual([]);
  });
});

function alertOf(name: string) {
  return ALERTS.find((alert) => alert.name === PREFIX + name);
}

/** Of the finding, or of the alert where there is no such finding. */
function severityFor(name: string): Severity | undefined {
  const code = FINDING_CODES.find((one) => one === name);
  return code === undefined ? alertOf(name)?.severity : severityOf(code);
}

/** What GitHub makes of headings. */
function anchorsOf(file: string): readonly string[] {
  const text = PAGES.find((page) => page.file === file)?.prose ?? '';
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

function variableOf(flag: string): string {
  return `EKS_ENDPOINT_${flag.slice(2).toUpperCase().replace(/[.-]/g, '_')}`;
}
