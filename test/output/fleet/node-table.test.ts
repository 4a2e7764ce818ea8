import { expect, test } from 'vitest';
import { nodeTable } from '../../../src/output/fleet/node-table.ts';
import { painter } from '../../../src/output/terminal.ts';
import { fleetStatus, noAnswerFor, nodeSeen } from '../../support/fleet.ts';

const { nodes } = fleetStatus([nodeSeen('a'), nodeSeen('down', noAnswerFor('not-answering'))]);
const NUMBERS = new Map([['NoAnswer', 1]]);

function tableOf(width: number) {
  return nodeTable(nodes, NUMBERS, { paint: painter(false), width });
}

test('the remedy has the room that is left, then its number, then there is no table', () => {
  const widest = (tableOf(200) ?? []).map((line) => line.length);
  const others = (tableOf(200)?.[0] ?? '').indexOf('REMEDY');
  expect(Math.max(...widest)).toBe(others + '(1) mend not-answering'.length);
  expect(tableOf(others + 16)?.[1]).toMatch(/ {2}\(1\) mend not-an…$/);
  expect(tableOf(others + 15)?.[1]).toMatch(/ {2}\(1\)$/);
  expect(tableOf(others + 6)?.[1]).toMatch(/ {2}\(1\)$/);
  expect(tableOf(others + 5)).toBeNull();
});

test('columns stand under their headings', () => {
  const [headings = '', down = '', good = ''] = tableOf(200) ?? [];
  expect(down.indexOf('unknown: NoAnswer')).toBe(headings.indexOf('RESULT: CAUSE'));
  expect(good.indexOf('x-eni')).toBe(headings.indexOf('ROUTE'));
});
