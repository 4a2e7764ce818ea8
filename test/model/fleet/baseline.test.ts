import { describe, expect, test } from 'vitest';
import { changesSince } from '../../../src/model/fleet/baseline.ts';
import {
  answerOfNode,
  answerWith,
  FLEET_WISHES,
  fleetStatus,
  manyNodes,
  noAnswerFor,
  nodeSeen,
} from '../../support/fleet.ts';

const BEFORE = fleetStatus([
  nodeSeen('a', answerWith('false')),
  nodeSeen('b', answerWith('false')),
  nodeSeen('c'),
  nodeSeen('gone'),
]);

test('names the nodes with another verdict or route, and those that came and went', () => {
  const now = fleetStatus([
    nodeSeen('d'),
    nodeSeen('c', noAnswerFor('not-answering')),
    nodeSeen('b', { ...answerWith('false'), route: 'mixed' }),
    nodeSeen('a'),
  ]);
  expect(changesSince(BEFORE, now)).toEqual({
    since: BEFORE.at,
    verdict: ['fail', 'fail'],
    nodes: [
      { node: 'a', verdict: ['fail', 'pass'], route: ['public', 'x-eni'] },
      { node: 'b', verdict: ['fail', 'fail'], route: ['public', 'mixed'] },
      { node: 'c', verdict: ['pass', 'unknown'], route: ['x-eni', null] },
    ],
    added: ['d'],
    removed: ['gone'],
    notes: [],
  });
});

test('of the same fleet is empty', () => {
  const changes = changesSince(BEFORE, BEFORE);
  expect([changes.nodes, changes.added, changes.removed, changes.notes]).toEqual([[], [], [], []]);
});

describe('a note is made of', () => {
  const now = fleetStatus(manyNodes(2));

  test.each([
    ['another gate', { gate: 'private-ready' }, 'The gate was private-ready then, and is public-free now.'],
    [
      'another endpoint',
      { endpoints: [{ hostname: 'old.example', nodes: 2 }] },
      'The endpoint was old.example then',
    ],
    ['another source', { source: 'Kubernetes' }, 'Asked was Kubernetes then, and Prometheus at'],
    ['another list of nodes', { nodesFrom: 'targets' }, 'targets then, and kubernetes now'],
  ] as const)('%s', (_, parts, note) => {
    const { notes } = changesSince({ ...now, ...parts }, now);
    expect(notes).toEqual([expect.stringContaining(note)]);
  });

  test('no endpoint in another case, nor one that is not known', () => {
    const upper = {
      ...now,
      endpoints: now.endpoints.map((one) => ({ ...one, hostname: one.hostname.toUpperCase() })),
    };
    expect(changesSince(upper, now).notes).toEqual([]);
    const silent = fleetStatus(
      [nodeSeen('n1', answerOfNode({ hostname: null })), nodeSeen('n2')],
      FLEET_WISHES,
    );
    expect(changesSince({ ...now, endpoints: [] }, silent).notes).toEqual([]);
  });
});
