/** The runbooks: there for every finding and every alert, and what they name is what this version has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ALERTS, RECORDING_RULES } from '../scripts/monitoring/rules.ts';
import { FINDING_CODES, severityOf } from '../src/model/findings.ts';
import type { Severity } from '../src/model/status.ts';
import { readGuide, testGuide } from './support/guide.ts';
import { startWebServer } from './support/web-server.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'docs', 'runbooks');
const FILES = readdirSync(FOLDER).toSorted();
const INDEX = 'README.md';

const PREFIX = 'EksEndpoint';
const FINDINGS: readonly string[] = FINDING_CODES;
const NAMES = [...new Set([...FINDINGS, ...ALERTS.map(({ name }) => name.replace(PREFIX, ''))])].toSorted();

const PAGES = FILES.map((file) => ({
  ...readGuide(`docs/runbooks/${file}`),
  ...{ file, name: file.replace('.md', '') },
}));

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

describe.each(PAGES)('$file', (page) => {
  testGuide(page);

  test('its links lead to runbooks', () => {
    for (const [, target = ''] of page.prose.matchAll(/\]\(([^)#]*)/g)) expect(FILES).toContain(target);
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
