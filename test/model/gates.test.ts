import { expect, test } from 'vitest';
import { judgeGates } from '../../src/model/gates.ts';
import { GATES } from '../../src/model/status.ts';

test('every gate is there, unknown, and says why: nothing probes the X-ENIs', () => {
  const gates = judgeGates();
  expect(gates.map(({ gate }) => gate)).toEqual(GATES);
  expect(gates.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  for (const { reason } of gates) expect(reason).toContain('does not probe X-ENIs');
});
