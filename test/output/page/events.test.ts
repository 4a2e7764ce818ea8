import { expect, test } from 'vitest';
import { Watch } from '../../support/observation.ts';
import { PUBLIC, pageOf } from '../../support/shown-page.ts';

test('events stand newest first, the older ones folded away', () => {
  const watch = new Watch();
  let status = watch.look({ dns: PUBLIC });
  for (let look = 0; look < 12; look++) status = watch.look({ dns: [`3.34.148.${look}`] });
  const page = pageOf(status);
  expect(page).toContain(`<details data-key="older"><summary>${status.events.length - 8} earlier</summary>`);
  expect(page.indexOf('3.34.148.10 -&gt; 3.34.148.11')).toBeLessThan(
    page.indexOf('3.34.148.9 -&gt; 3.34.148.10'),
  );
});
