import { expect, test } from 'vitest';
import { remedyGroups } from '../../../src/output/fleet/remedies.ts';
import { answerWith, fleetStatus, manyNodes, noAnswerFor, nodeSeen } from '../../support/fleet.ts';

test('nodes of one cause are one group, and those of them that are told the same another, most nodes first', () => {
  const { nodes } = fleetStatus(
    [
      ...manyNodes(2),
      nodeSeen('a', answerWith('false')),
      ...manyNodes(3, noAnswerFor('not-answering'), 'down'),
      nodeSeen('alone', { ...noAnswerFor('not-answering'), remedy: 'go there' }),
      nodeSeen('f', noAnswerFor('fargate')),
    ],
    { ignoreFargate: true },
  );
  const groups = remedyGroups(nodes);
  expect(groups.map(({ number, cause, nodes: its }) => [number, cause, its.length])).toEqual([
    [1, 'NoAnswer', 4],
    [2, 'GateFalse', 1],
  ]);
  expect(groups[0]?.told.map(({ remedies, nodes: its }) => [remedies, its.length])).toEqual([
    [['mend not-answering'], 3],
    [['go there'], 1],
  ]);
});
