import { expect, test } from 'vitest';
import { sectionOf } from '../../scripts/release/changelog.ts';

const CHANGELOG = `# Changelog

Words.

## Unreleased

## 0.10.0 / 2026-12-01

- Ten.

### Details

- More.

## 0.1.0 / 2026-11-30

- One.
`;

test('a section is what stands below its heading, to the next of its level', () => {
  expect(sectionOf(CHANGELOG, '0.10.0')).toBe('- Ten.\n\n### Details\n\n- More.');
  expect(sectionOf(CHANGELOG, '0.1.0')).toBe('- One.');
});

test.each<[string, string, string]>([
  ['none', CHANGELOG, 'CHANGELOG.md has no section for 2.0.0: give it a heading "## 2.0.0 / YYYY-MM-DD"'],
  [
    'an unreleased one',
    '## Unreleased (2.0.0)\n\n- New.',
    'it has "## Unreleased (2.0.0)"; give it a heading',
  ],
  ['one without a day', '## 2.0.0 / soon\n\n- New.', 'CHANGELOG.md has "## 2.0.0 / soon": give it a heading'],
  ['two', '## 2.0.0 / 2026-12-01\n- A\n## 2.0.0 / 2026-12-02\n- B', 'CHANGELOG.md has 2 sections for 2.0.0'],
  ['an empty one', '## 2.0.0 / 2026-12-01\n\n', 'CHANGELOG.md says nothing below "## 2.0.0 / 2026-12-01"'],
])('%s is refused', (_, changelog, message) => {
  expect(() => sectionOf(changelog, '2.0.0')).toThrow(message);
});
