import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CONTENT_POLICY } from '../../../src/output/page/policy.ts';
import { PUBLIC, pageOf, statusAfter } from '../../support/shown-page.ts';

test('the hashes of the policy are those of the texts on the page', () => {
  const page = pageOf(statusAfter({ dns: PUBLIC }));
  for (const tag of ['style', 'script']) {
    const texts = [...page.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))].map(([, text = '']) => text);
    expect(texts).toHaveLength(1);
    const hash = createHash('sha256').update(String(texts[0])).digest('base64');
    expect(CONTENT_POLICY).toContain(`${tag}-src 'sha256-${hash}'`);
  }
  expect(CONTENT_POLICY).toContain("default-src 'none'");
  expect(CONTENT_POLICY).not.toContain('unsafe');
  expect(page).not.toMatch(/\sstyle="|\son\w+="/);
});
