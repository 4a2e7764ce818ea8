import { expect, test } from 'vitest';
import { pageOf, statusAfter, textOf } from '../../support/shown-page.ts';

test('the agent itself: each stage with its error', () => {
  const page = pageOf(statusAfter({ sliceError: 'HTTP 403', sliceUnread: true }));
  const health = textOf(page, 'aria-labelledby="health-heading"');
  expect(health).toContain('sockets succeeded 10 ms 2 s ago');
  expect(health).toMatch(/endpointslice failed 10 ms 2 s ago HTTP 403/);
  expect(health).toContain('Version 0.1.0');
});
