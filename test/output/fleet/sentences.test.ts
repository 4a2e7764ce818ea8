import { expect, test } from 'vitest';
import { changesSince } from '../../../src/model/fleet/baseline.ts';
import {
  changesText,
  countsText,
  notPassing,
  staleClause,
  staleText,
  verdictText,
} from '../../../src/output/fleet/sentences.ts';
import { answerWith, fleetStatus, manyNodes, nodeSeen } from '../../support/fleet.ts';

test('counts name what there is, and always how many pass', () => {
  expect(countsText({ nodes: 12, fail: 2, unknown: 1, ignored: 1, pass: 8 })).toBe(
    '12 nodes: 2 fail, 1 unknown, 1 ignored, 8 pass',
  );
  expect(countsText({ nodes: 1, fail: 0, unknown: 0, ignored: 0, pass: 1 })).toBe('1 node: 1 pass');
  expect(countsText({ nodes: 0, fail: 0, unknown: 0, ignored: 0, pass: 0 })).toBe('0 nodes: 0 pass');
});

test('those that do not pass are all but those that do', () => {
  const status = fleetStatus([...manyNodes(2), nodeSeen('b', answerWith('false'))]);
  expect(notPassing(status).map(({ node }) => node)).toEqual(['b']);
});

test('what is not stale has no age', () => {
  const connection = { client: 'kubelet', peer: '3.34.148.207:443', route: 'public' } as const;
  expect(staleText({ ...connection, staleSeconds: null })).toBe('');
  expect(staleClause({ ...connection, staleSeconds: null })).toBe('');
  expect(staleClause({ ...connection, staleSeconds: 1860 })).toBe(', stale for 31 min');
  expect(staleText({ ...connection, staleSeconds: 1860 })).toBe('31 min');
});

test('the verdict is one line, that no terminal obeys', () => {
  expect(verdictText({ verdict: 'unknown', reason: 'a\u001b[2J\nb' })).toBe(
    'CANNOT TELL: a\ufffd[2J\ufffdb.',
  );
});

test('of changed nodes a hundred are listed; what else changed is said', () => {
  const before = fleetStatus([...manyNodes(300), nodeSeen('old')]);
  const now = { ...fleetStatus([...manyNodes(300, answerWith('false')), nodeSeen('new')]), source: 'B' };
  const lines = changesText(changesSince(before, now));
  expect(lines).toHaveLength(1 + 100 + 1 + 3);
  expect(lines.slice(101)).toEqual([
    'And 200 more: --output json has them all.',
    'New: 1 node: new',
    'No more there: 1 node: old',
    `Asked was ${before.source} then, and B now.`,
  ]);
});

test('changes are a line a node', () => {
  const changes = {
    since: '2026-11-21T12:00:00.000Z',
    verdict: ['fail', 'pass'],
    nodes: [
      { node: 'a', verdict: ['fail', 'pass'], route: ['public', 'x-eni'] },
      { node: 'b', verdict: ['fail', 'unknown'], route: ['public', null] },
      { node: 'c', verdict: ['fail', 'fail'], route: ['public', 'mixed'] },
    ],
    added: ['d'],
    removed: ['e', 'f'],
    notes: ['A note.'],
  } as const;
  expect(changesText(changes)).toEqual([
    'Since 2026-11-21T12:00:00.000Z: fail -> pass',
    'a: fail -> pass, public -> x-eni',
    'b: fail -> unknown, public -> route not told',
    'c: public -> mixed',
    'New: 1 node: d',
    'No more there: 2 nodes: e, f',
    'A note.',
  ]);
  const none = {
    ...changes,
    verdict: ['pass', 'pass'],
    nodes: [],
    added: [],
    removed: [],
    notes: [],
  } as const;
  expect(changesText(none)).toEqual(['Since 2026-11-21T12:00:00.000Z: still pass, no node changed']);
});
