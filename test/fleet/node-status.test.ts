import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Fleet } from '../../bench/fleet/fleet.ts';
import { readNodeStatus } from '../../src/fleet/node-status.ts';

const GOLDEN = join(import.meta.dirname, '..', 'golden');
const NAMES = readdirSync(GOLDEN).filter((name) => name.endsWith('.status.json'));
const TEXT = readFileSync(join(GOLDEN, 'flipped-not-moved.status.json'), 'utf8');

/** The golden status with a change; what the test says of it is of any type. */
function changed(change: (status: Record<string, unknown>) => void): string {
  const status = JSON.parse(TEXT);
  change(status);
  return JSON.stringify(status);
}

function problemOf(text: string): string {
  const read = readNodeStatus(text);
  return 'problem' in read ? read.problem : 'it was read';
}

test('there are golden statuses', () => {
  expect(NAMES.length).toBeGreaterThan(3);
});

test.each(NAMES)('%s is read, with all that is in it', (name) => {
  const text = readFileSync(join(GOLDEN, name), 'utf8');
  expect(readNodeStatus(text)).toMatchObject({ status: JSON.parse(text) });
});

test('every status of a fleet that migrates is read', () => {
  const startMs = Date.UTC(2026, 10, 21, 12);
  const durationMs = 7_200_000;
  const fleet = new Fleet({ nodes: 12, startMs, durationMs });
  const routes = new Set<string>();
  for (let twentieth = 1; twentieth <= 20; twentieth += 1) {
    for (const index of fleet.nodes.keys()) {
      const status = fleet.statusOf(index, startMs + (twentieth * durationMs) / 20);
      const text = JSON.stringify(status);
      expect(readNodeStatus(text)).toEqual({ status: JSON.parse(text) });
      routes.add(status.route);
    }
  }
  expect([...routes]).toEqual(expect.arrayContaining(['public', 'mixed', 'x-eni']));
});

describe('of another release', () => {
  test('what a newer agent adds is left out', () => {
    const text = changed((status) => {
      status['moonPhase'] = { full: true };
      status['gates'] = [
        { gate: 'public-free', state: 'true', reason: 'so', since: 'x' },
        { gate: 'moon-free', state: 'eclipse', reason: 'new' },
      ];
    });
    const read = readNodeStatus(text);
    expect(read).toMatchObject({
      status: { gates: [{ gate: 'public-free', state: 'true', reason: 'so' }] },
    });
    expect(read).not.toHaveProperty('status.moonPhase');
  });

  test('a finding, a stage and an event that only a newer agent knows keep their names', () => {
    const finding = {
      code: 'MoonTooFull',
      severity: 'warning',
      client: null,
      address: null,
      summary: 's',
      remedy: 'r',
      runbook: 'b',
    };
    const text = changed((status) => {
      status['findings'] = [finding];
      status['evaluated'] = ['MoonTooFull'];
    });
    expect(readNodeStatus(text)).toMatchObject({
      status: { findings: [finding], evaluated: ['MoonTooFull'] },
    });
  });

  test('what an older agent does not know is unknown, and its timeline empty', () => {
    const text = changed((status) => {
      delete status['routeSince'];
      delete status['timeline'];
    });
    expect(readNodeStatus(text)).toMatchObject({ status: { routeSince: null, timeline: [] } });
  });

  test.each([2, 17])('schemaVersion %i wants a newer program', (schemaVersion) => {
    expect(problemOf(JSON.stringify({ schemaVersion, all: 'other' }))).toBe(
      `its status has schemaVersion ${schemaVersion}, this program reads 1: use a newer eks-endpoint-exporter`,
    );
  });
});

describe('what is no status', () => {
  test.each([
    ['', 'its status is no JSON: it is empty'],
    ['  \n', 'its status is no JSON: it is empty'],
    ['<html><title>Login</title>', 'its status is no JSON: it begins with "<html><title>Login</title>"'],
    [TEXT.slice(0, -20), /^its status is no JSON: it begins with "\{\\n {2}\\"schemaVersion/],
    ['null', "its status is not this exporter's: there is null, expected Object"],
    [
      '[]',
      'its status is not this exporter\'s: at "schemaVersion" there is undefined, expected "schemaVersion"',
    ],
    ['7', "its status is not this exporter's: there is 7, expected Object"],
    [
      '{}',
      `its status is not this exporter's: at "schemaVersion" there is undefined, expected "schemaVersion"`,
    ],
    [
      '{"schemaVersion":"1"}',
      'its status is not this exporter\'s: at "schemaVersion" there is "1", expected 1',
    ],
  ])('%#', (text, problem) => {
    expect(problemOf(text)).toMatch(problem);
  });

  test('what would act on a terminal is shown as text', () => {
    const problem = problemOf(changed((status) => Object.assign(status, { route: '\u001b[2Jx-eni' })));
    expect(problem).toContain('at "route" there is "\\u001b[2Jx-eni", expected ("x-eni" |');
    expect(problemOf('\u001b[2J')).not.toContain('\u001b');
  });

  test('a long value is shortened', () => {
    const problem = problemOf(changed((status) => Object.assign(status, { observedAt: 'x'.repeat(5000) })));
    expect(problem).toContain('expected a time in ISO 8601');
    expect(problem.length).toBeLessThan(250);
  });

  test('a text of 10 MB is refused before it is parsed', () => {
    const padded = TEXT.replace('{', `{"padding":"${'x'.repeat(10_000_000)}",`);
    expect(problemOf(padded)).toBe('its status is larger than 4 MiB');
  });
});

describe('a part of it that is another', () => {
  test.each<[string, (status: Record<string, unknown>) => void]>([
    ['route', (status) => Object.assign(status, { route: 'fine' })],
    ['route', (status) => Object.assign(status, { route: ['x-eni'] })],
    ['node', (status) => Object.assign(status, { node: '' })],
    ['gates', (status) => Object.assign(status, { gates: { 'public-free': 'true' } })],
    ['gates.0.state', (status) => Object.assign(status, { gates: [{ gate: 'x', state: true, reason: '' }] })],
    ['endpoint.hostname', (status) => Object.assign(status, { endpoint: { hostname: 7, port: 443 } })],
    ['clients.0', (status) => Object.assign(status, { clients: ['kubelet'] })],
    ['observedAt', (status) => Object.assign(status, { observedAt: 'now' })],
    ['findings', (status) => Object.assign(status, { findings: undefined })],
  ])('is named: %s', (path, change) => {
    expect(problemOf(changed(change))).toMatch(`its status is not this exporter's: at "${path}" there is `);
  });

  test('the state of a known gate that is none', () => {
    const gates = [{ gate: 'public-free', state: 'maybe', reason: 'so' }];
    // Not left out as if nothing had been said of it.
    expect(problemOf(changed((status) => Object.assign(status, { gates })))).toMatch('expected');
  });

  test('a gate that is there twice: nobody could tell which holds', () => {
    const gate = { gate: 'public-free', reason: 'so' };
    const gates = [
      { ...gate, state: 'true' },
      { ...gate, state: 'false' },
    ];
    expect(problemOf(changed((status) => Object.assign(status, { gates })))).toContain('each gate once');
  });
});
