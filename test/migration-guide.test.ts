import { describe } from 'vitest';
import { readGuide, testGuide } from './support/guide.ts';

describe('docs/migration.md', () => {
  testGuide(readGuide('docs/migration.md'));
});
