/** The built program in a real terminal, asking a small server that answers as agents do. `npm run test:screen` builds it first. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { renderFleetJunit } from '../../src/output/fleet/junit.ts';
import { answerOfNode, answerWith, fleetStatus, noAnswerFor, nodeSeen } from '../support/fleet.ts';
import { startWebServer } from '../support/web-server.ts';
import { visit } from './lib/browser.ts';
import { Terminal } from './lib/terminal.ts';

const WIDE = { columns: 120, rows: 30 };
const NARROW = { columns: 40, rows: 15 };

/** What the agents of nodes with such names say. */
const STATUSES: Readonly<Record<string, string>> = {
  moved: golden('moved-node-1'),
  stale: golden('flipped-not-moved'),
  dark: golden('no-kubelet'),
};

function golden(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'golden', `${name}.status.json`), 'utf8');
}

/** `/moved-1` is the agent of the node moved-1. The stale ones have moved from when they are told to; `hanging` never answers. */
async function startAgents(): Promise<{ readonly url: (node: string) => string; move(): void }> {
  let moved = false;
  const server = await startWebServer((request, response) => {
    const [, node = ''] = (request.url ?? '').split('/');
    const [kind = ''] = node.split('-');
    if (kind === 'hanging') return;
    const text = STATUSES[kind === 'stale' && moved ? 'moved' : kind];
    if (text === undefined) return void response.writeHead(404).end();
    const status = { ...JSON.parse(text), node, observedAt: new Date().toISOString() };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(status));
  });
  return {
    url: (node) => `${server.url}/${node}`,
    move: () => {
      moved = true;
    },
  };
}

/** `verify` in a terminal. */
function start(
  flags: readonly string[],
  size: { readonly columns: number; readonly rows: number },
  env: Readonly<Record<string, string>> = {},
): Promise<Terminal> {
  return Terminal.start(['verify', ...flags], { ...size, env });
}

function agentFlags(
  { url }: { readonly url: (node: string) => string },
  ...nodes: readonly string[]
): string[] {
  return nodes.map((node) => `--agent=${url(node)}`);
}

describe('the report', () => {
  test('of 120 columns is a table, those that do not pass first', async () => {
    const agents = await startAgents();
    await using terminal = await start(
      agentFlags(agents, 'moved-1', 'stale-1', 'stale-2', 'dark-1', 'absent-1'),
      WIDE,
    );
    expect(await terminal.exitCode()).toBe(1);
    const text = await terminal.history();
    const lines = text.split('\n');
    const begin = lines.findIndex((line) => line.startsWith('NODE'));
    const words = lines.slice(begin).map((line) => line.split(' ')[0] ?? '');
    const nodes = words.filter((word) => /^\w+-\d$/.test(word));
    expect(nodes).toEqual(['stale-1', 'stale-2', 'dark-1', 'moved-1']);
    expect(text).toMatch(/^stale-1 .* public +kubelet +3\.34\.148\.207:443 +.* fail: StaleConnection/m);
    expect(text).toMatch(/^dark-1 .* unknown: ClientMissing/m);
    expect(text).toMatch(/^moved-1 +x-eni +pass$/m);
    expect(text).toContain('(1) StaleConnection, 2 nodes');
    expect(text).toContain('5 nodes: 2 fail, 2 unknown, 1 pass');
    expect(text).toContain('FAIL: 2 of 5 nodes do not pass public-free, and 2 cannot be told.');
  });

  test('of 40 columns is a block of lines a node, and nothing runs over the edge', async () => {
    const agents = await startAgents();
    await using terminal = await start(agentFlags(agents, 'moved-1', 'stale-1'), NARROW);
    expect(await terminal.exitCode()).toBe(1);
    const text = await terminal.history();
    expect(text).not.toContain('NODE');
    expect(text).toMatch(
      /^stale-1\n {2}fail: StaleConnection\n {2}route public\n {2}kubelet 3\.34\.148\.207:443/m,
    );
    expect(text).toMatch(/^moved-1\n {2}pass, route x-eni$/m);
    // Lines that the terminal had to break are joined in it.
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(NARROW.columns);
  });

  test('has colours, and with NO_COLOR none', async () => {
    const agents = await startAgents();
    const flags = agentFlags(agents, 'moved-1', 'stale-1');
    await using colored = await start(flags, WIDE);
    expect(await colored.exitCode()).toBe(1);
    expect(await colored.painted()).toContain('\u001b[31m');
    await using plain = await start(flags, WIDE, { NO_COLOR: '1' });
    expect(await plain.exitCode()).toBe(1);
    const painted = await plain.painted();
    expect(painted).not.toContain('\u001b[');
    expect(painted).toContain('FAIL');
  });
});

describe('--wait', () => {
  test.each([NARROW, WIDE])('draws a bar in one line, which goes when all pass: %o', async (size) => {
    const agents = await startAgents();
    const flags = agentFlags(agents, 'moved-1', 'stale-1', 'stale-2');
    await using terminal = await start([...flags, '--wait=5m', '--interval=1s'], size);
    await terminal.until(/^\[#+-+\] 1\/3 pass, 2 fail/m);
    await sleep(3_000);
    const lines = (await terminal.lines()).filter((line) => line !== '');
    expect(lines).toHaveLength(1);
    const why = '2 fail (StaleConnection: stale-1 +1)';
    if (size === WIDE) expect(lines[0]).toContain(why);
    else expect(lines[0]).not.toContain('(');
    expect(lines[0]?.length).toBeLessThan(size.columns);
    agents.move();
    expect(await terminal.exitCode()).toBe(0);
    const text = await terminal.history();
    expect(text).toContain('PASS: all 3 nodes pass public-free.');
    expect(text).toMatch(/^Fleet /);
    expect(text).not.toContain('[#');
  });

  test('Ctrl-C gives the state so far, and 2', async () => {
    const agents = await startAgents();
    await using terminal = await start([...agentFlags(agents, 'moved-1', 'stale-1'), '--wait=5m'], WIDE);
    await terminal.until('1/2 pass, 1 fail');
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(2);
    const text = await terminal.history();
    expect(text).toContain('Ended by SIGINT');
    expect(text).toMatch(/^stale-1 .* StaleConnection/m);
    expect(text).toContain('CANNOT TELL: Ended by SIGINT; what is known is');
    expect(text).not.toMatch(/PASS:|FAIL:|\[#/);
  });

  test('Ctrl-C in the first round says that nothing is known', async () => {
    const agents = await startAgents();
    await using terminal = await start(agentFlags(agents, 'moved-1', 'hanging-1'), NARROW);
    await terminal.until('asked 1 of 2');
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(2);
    const text = await terminal.history();
    expect(text).toContain('Ended by SIGINT before the first round was done: nothing is known yet');
    expect(text).not.toContain('asked 1 of 2');
  });
});

test('JUnit XML is XML to a real parser, whatever nodes are called', async () => {
  const hostile = `"><failure/>'&amp;\u0000\u001b[2J\ufffe\ud800]]>\u2028\n`;
  const status = fleetStatus([
    nodeSeen(hostile, { ...noAnswerFor('gone'), detail: hostile, remedy: hostile }),
    nodeSeen('b', answerOfNode()),
    nodeSeen('c', answerWith('false')),
  ]);
  const xml = renderFleetJunit({ ...status, source: hostile, notes: [hostile] });
  const server = await startWebServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>x</title>');
  });
  await visit(server.url, {}, async ({ page }) => {
    // As text: the types of a browser are not those of these tests.
    const seen = await page.evaluate(
      `['parsererror', 'testcase', 'failure', 'error'].map(
        (name) => new DOMParser().parseFromString(${JSON.stringify(xml)}, 'application/xml').getElementsByTagName(name).length)`,
    );
    expect(seen).toEqual([0, 4, 2, 1]);
  });
});
