/** What is generated and committed is what the tables in src and scripts/monitoring come to now. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GENERATED } from '../scripts/monitoring/files.ts';

const ROOT = join(import.meta.dirname, '..');

describe('npm run generate has been run since', () => {
  test.each(Object.entries(GENERATED))('%s', (path, render) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(render());
  });
});
