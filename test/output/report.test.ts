import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { renderReport } from '../../src/output/report.ts';
import { Watch } from '../support/observation.ts';

const PLAIN = { color: false };
const FLIPPED = new Watch({ expect: 'x-eni' });
FLIPPED.look({ dns: ['3.34.148.207'], sockets: [{ process: 'kubelet', peer: '3.34.148.207:443' }] });
const status = FLIPPED.look({
  dns: ['192.168.1.231'],
  sockets: [{ process: 'kubelet', peer: '3.34.148.207:443' }],
});

test('the route stands beside each peer, a stale connection says so', () => {
  expect(renderReport(status, PLAIN)).toMatch(
    /^ESTAB +192\.168\.1\.204:\d+ +3\.34\.148\.207:443 +public stale +dns-history +kubelet \(pid 100\)$/m,
  );
});

test.each([
  [
    { kernel: '6.12.40', arch: 'x64', vendor: 'Amazon EC2', model: 'm7i.large' },
    'Machine   Amazon EC2 m7i.large, x64, kernel 6.12.40',
  ],
  [{ kernel: '6.12.40', arch: 'x64', vendor: null, model: null }, 'Machine   x64, kernel 6.12.40'],
  [{ kernel: null, arch: null, vendor: 'QEMU', model: null }, 'Machine   QEMU'],
  [{ kernel: null, arch: null, vendor: null, model: null }, null],
])('of the machine %o the head says what is known', (machine, line) => {
  const lines = renderReport({ ...status, machine }, PLAIN).split('\n');
  expect(lines.find((one) => one.startsWith('Machine')) ?? null).toBe(line);
});

test('columns stand under their headings', () => {
  const lines = renderReport(status, PLAIN).split('\n');
  const heading = lines.find((line) => line.startsWith('State')) ?? '';
  const row = lines.find((line) => line.startsWith('ESTAB')) ?? '';
  expect(row.indexOf('3.34.148.207')).toBe(heading.indexOf('Peer Address'));
  expect(row.indexOf('public')).toBe(heading.indexOf('Route'));
  expect(row.indexOf('kubelet')).toBe(heading.indexOf('Process'));
});

test('the verdict comes with why, what to do and the runbook', () => {
  const report = renderReport(status, PLAIN);
  expect(report).toContain(
    'Node route: public (expected: x-eni)\n  Why: every endpoint connection of kubelet is on a public address.',
  );
  expect(report).toMatch(
    /INFO ConnectionMoving: .*\n {2}What to do: .*systemctl restart kubelet.*\n {2}Runbook: docs\/runbooks\/ConnectionMoving.md/,
  );
});

test('a stage that failed is named with its error', () => {
  const blind = new Watch().look({ failed: ['owners'] });
  expect(renderReport(blind, PLAIN)).toContain('Stage owners failed: it took longer than 5 s');
  expect(renderReport(blind, PLAIN)).toContain('Endpoint connections of kubelet: unknown.');
});

test('no connection is a sentence of its own, and so is what could not be evaluated', () => {
  const idle = new Watch().look({ dns: ['192.168.1.231'] });
  expect(renderReport(idle, PLAIN)).toContain('No endpoint connection was seen.');
  expect(renderReport(idle, PLAIN)).toMatch(/^Not evaluated: .*CustomResolver/m);
});

test('colours are there only where they are asked for, and do not change the text', () => {
  const colored = renderReport(status, { color: true });
  expect(colored).toContain('\u001b[');
  expect(renderReport(status, PLAIN)).not.toContain('\u001b');
  expect(stripVTControlCharacters(colored)).toBe(renderReport(status, PLAIN));
});

test('control characters in a name or message do not reach the terminal', () => {
  const hostile = {
    ...status,
    routeReason: 'a\u001b[2Jb\u0007',
    node: 'x\u001b]0;y',
    machine: { ...status.machine, model: '\u001b[1m' },
  };
  expect(renderReport(hostile, PLAIN)).not.toMatch(/[^\P{C}\n]/u);
});
