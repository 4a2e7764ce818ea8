import { expect, test } from 'vitest';
import { withForgotten } from '../../../src/model/fleet/forgotten.ts';
import type { FleetObservation, NodesFrom } from '../../../src/model/fleet/observation.ts';
import { answerOfNode, fleetSeen, manyNodes, noAnswerFor, nodeSeen } from '../../support/fleet.ts';

const EARLIER = manyNodes(2);
const now = (nodesFrom: NodesFrom, ...nodes: FleetObservation['nodes']) => fleetSeen(nodes, { nodesFrom });
const seen = ({ nodes }: FleetObservation) =>
  nodes.map(({ node, seen: of }) => `${node} ${of.kind === 'none' ? of.why : of.kind}`);

test('a target that is forgotten is a node that is gone', () => {
  expect(seen(withForgotten(now('targets', nodeSeen('n2')), EARLIER))).toEqual(['n2 answer', 'n1 gone']);
  expect(seen(withForgotten(now('targets'), EARLIER))).toEqual(['n1 gone', 'n2 gone']);
});

test.each(['kubernetes', 'kube-state-metrics', 'agents'] as const)(
  '%s may say that it is deleted',
  (from) => {
    const observation = now(from, nodeSeen('n2'));
    expect(withForgotten(observation, EARLIER)).toBe(observation);
  },
);

test('one that has another name while it does not answer is not forgotten', () => {
  const labels = { instance: '10.0.0.1:10943' };
  const silent = nodeSeen('10.0.0.1:10943', noAnswerFor('not-answering'), { labels });
  const answering = nodeSeen('a', answerOfNode(), { labels });
  expect(seen(withForgotten(now('targets', answering), [silent]))).toEqual(['a answer']);
});

test('a name that two had is there once, and Fargate stays what it is', () => {
  const earlier = [...EARLIER.slice(0, 1), ...EARLIER.slice(0, 1), nodeSeen('f', noAnswerFor('fargate'))];
  expect(seen(withForgotten(now('targets'), earlier))).toEqual(['n1 gone', 'f fargate']);
});
