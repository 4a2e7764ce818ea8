import { expect, test } from 'vitest';
import { nodeBlocks } from '../../../src/output/fleet/node-blocks.ts';
import { painter } from '../../../src/output/terminal.ts';
import { fleetStatus, manyNodes, noAnswerFor, nodeSeen } from '../../support/fleet.ts';

test('nodes that do not pass stand apart, those that do in a row', () => {
  const { nodes } = fleetStatus(
    [...manyNodes(2), nodeSeen('down', noAnswerFor('not-answering')), nodeSeen('f', noAnswerFor('fargate'))],
    { ignoreFargate: true },
  );
  const lines = nodeBlocks(nodes, new Map([['NoAnswer', 1]]), { paint: painter(false), width: 30 });
  expect(lines).toEqual([
    'down',
    '  unknown: NoAnswer',
    '  nobody speaks for it:',
    '  not-answering',
    '  What to do: see (1)',
    '',
    'f',
    '  ignored: Fargate',
    '  nobody speaks for it:',
    '  fargate',
    '',
    'n1',
    '  pass, route x-eni',
    'n2',
    '  pass, route x-eni',
  ]);
});
