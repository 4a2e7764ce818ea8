import { expect, test } from 'vitest';
import { html } from '../../src/output/html.ts';

test('text that is put in stays text', () => {
  expect(html`<p title="${'"\''}">${'<script>&'}</p>`.text).toBe(
    '<p title="&quot;&#39;">&lt;script&gt;&amp;</p>',
  );
});

test('HTML made by the tag stays HTML, lists are joined, numbers are printed', () => {
  expect(html`<ul>${[1, 'a<b'].map((item) => html`<li>${item}</li>`)}</ul>`.text).toBe(
    '<ul><li>1</li><li>a&lt;b</li></ul>',
  );
});
