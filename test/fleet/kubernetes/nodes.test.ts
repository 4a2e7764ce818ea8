import { expect, test } from 'vitest';
import { isFargate } from '../../../src/fleet/kubernetes/nodes.ts';

test.each([
  [{ name: 'ip-10-0-3-17.ec2.internal', labels: { 'eks.amazonaws.com/compute-type': 'fargate' } }, true],
  [{ name: 'fargate-ip-10-0-3-17.ec2.internal', labels: {} }, false],
  [{ name: 'ip-10-0-3-17.ec2.internal', labels: { 'eks.amazonaws.com/compute-type': 'ec2' } }, false],
])('%j is of Fargate: %s', (node, is) => {
  expect(isFargate(node)).toBe(is);
});
