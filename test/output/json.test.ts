import { expect, test } from 'vitest';
import { renderJson } from '../../src/output/json.ts';
import { Watch } from '../support/observation.ts';

test('JSON ends in a newline and can be read back', () => {
  const status = new Watch().look();
  expect(renderJson(status).endsWith('}\n')).toBe(true);
  expect(JSON.parse(renderJson(status))).toEqual(status);
});
