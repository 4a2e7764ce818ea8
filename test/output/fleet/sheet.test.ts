import { expect, test } from 'vitest';
import { indented, listed } from '../../../src/output/fleet/sheet.ts';

test('texts are broken to their width, behind their indent or mark', () => {
  expect(indented('one two three', 10)).toEqual(['  one two', '  three']);
  expect(listed('one two three', 10)).toEqual(['- one two', '  three']);
  expect(listed('a\u001b[2Jb', 80)).toEqual(['- a\ufffd[2Jb']);
});
