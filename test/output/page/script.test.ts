import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { SCRIPT } from '../../../src/output/page/script.ts';

// What it does, a real browser shows: test/screen/page.test.ts.
test('it is JavaScript, cannot end its element, and asks nobody but the agent', () => {
  expect(() => new Script(SCRIPT)).not.toThrow();
  expect(SCRIPT).not.toContain('</');
  expect([...SCRIPT.matchAll(/fetch\(([^,)]*)/g)].map(([, url]) => url)).toEqual(['location.href']);
  expect(SCRIPT).not.toMatch(/innerHTML|\beval\b/);
});
