import { expect, test } from 'vitest';
import { MOVED, ON_PUBLIC, PROBED, PUBLIC, pageOf, statusAfter, textOf } from '../../support/shown-page.ts';

function gateOf(page: string, gate: string): readonly [tone: string | undefined, text: string] {
  const start = `data-key="${gate}"`;
  const tone = new RegExp(`<article class="gate (\\w+)" ${start}`).exec(page)?.[1];
  return [tone, textOf(page, start, '</article>')];
}

test('a gate stands with its question, its state and why', () => {
  const [tone, text] = gateOf(pageOf(statusAfter(MOVED, PROBED)), 'private-ready');
  expect(tone).toBe('good');
  expect(text).toBe(
    'private-ready true Would this node survive on the private route? 1 of 1 X-ENIs answers as this cluster.',
  );
});

test('one that is unknown is not green, and one that nobody asks for is not red', () => {
  const onPublic = { dns: PUBLIC, sockets: [ON_PUBLIC] };
  expect(gateOf(pageOf(statusAfter(onPublic)), 'private-ready')[0]).toBe('unknown');
  expect(gateOf(pageOf(statusAfter(onPublic)), 'public-free')[0]).toBe('bad');
  expect(gateOf(pageOf(statusAfter(onPublic, { expect: 'public' })), 'public-free')[0]).toBe('calm');
});
