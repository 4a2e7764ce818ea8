import { expect, test } from 'vitest';
import { readBaseline } from '../../src/fleet/baseline.ts';
import { changesSince } from '../../src/model/fleet/baseline.ts';
import { renderFleetJson } from '../../src/output/fleet/json.ts';
import { answerWith, fleetStatus, manyNodes, noAnswerFor, nodeSeen } from '../support/fleet.ts';

const STATUS = fleetStatus([
  ...manyNodes(2),
  nodeSeen('b', answerWith('false')),
  nodeSeen('c', noAnswerFor('gone')),
]);

test('what --output json writes can be read, with what a newer program adds', () => {
  const text = JSON.stringify({ ...JSON.parse(renderFleetJson(STATUS)), ofTomorrow: 1 });
  const read = readBaseline(text);
  if ('problem' in read) throw new Error(read.problem);
  expect(changesSince(read.baseline, STATUS)).toMatchObject({ nodes: [], added: [], removed: [], notes: [] });
});

test.each([
  ['', 'it is not JSON; give a file'],
  ['<html>', 'it is not JSON'],
  ['null', 'it is no fleet status'],
  ['[]', 'it is no fleet status'],
  ['"text"', 'it is no fleet status'],
  ['{}', 'it is no fleet status'],
  ['{"schemaVersion":2}', 'it has schemaVersion 2, this program reads 1'],
  ['{"schemaVersion":1,"at":1}', 'it is no fleet status (at:'],
  [
    '{"schemaVersion":1,"node":"a","route":"x-eni"}',
    'this is the status of one node, not of a fleet: give an earlier verify --output json',
  ],
  [
    JSON.stringify({ ...STATUS, verdict: 'unknown', reason: 'it was down', nodes: [] }),
    "it knows no node (it was down); give a file that 'verify --output json' wrote when it could ask the nodes",
  ],
  [JSON.stringify({ ...STATUS, nodes: [{ node: 'a', verdict: 'good', route: null }] }), '(nodes.0.verdict:'],
  [JSON.stringify({ ...STATUS, nodes: [{ node: 1, verdict: 'pass', route: null }] }), '(nodes.0.node:'],
  [JSON.stringify({ ...STATUS, at: 'yesterday' }), '(at:'],
])('%j is refused', (text, problem) => {
  const read = readBaseline(text);
  expect('problem' in read ? read.problem : 'it was taken').toContain(problem);
});
