import { expect, test } from 'vitest';
import { renderFleetJson } from '../../../src/output/fleet/json.ts';
import { fleetStatus, manyNodes, nodeSeen } from '../../support/fleet.ts';

test('a fleet status goes through JSON as it is, and ends in a newline', () => {
  const status = fleetStatus(manyNodes(2));
  expect(JSON.parse(renderFleetJson(status))).toEqual(status);
  expect(renderFleetJson(status)).toMatch(/^\{\n {2}"schemaVersion": 1,\n.*\}\n$/s);
});

test('nothing in it is obeyed by a terminal', () => {
  const status = fleetStatus([nodeSeen('a\u009b31m\u202e\n')]);
  expect(renderFleetJson(status)).toMatch(/^[\n -~]*$/);
  expect(JSON.parse(renderFleetJson(status))).toEqual(status);
});
