import { expect, test } from 'vitest';
import {
  headlineOf,
  MOVED,
  ON_PUBLIC,
  ON_X_ENI,
  PROBED,
  PUBLIC,
  pageOf,
  statusAfter,
  X_ENI,
} from '../../support/shown-page.ts';

test('names the route, whether it is the expected one, since when, why, and what to do', () => {
  const headline = headlineOf(pageOf(statusAfter({ dns: PUBLIC, sockets: [ON_PUBLIC] })));
  expect(headline).toContain('Node route: public');
  expect(headline).toContain('Expected x-eni: not as expected');
  expect(headline).toContain('Since 22 s ago or earlier: it was so at the first look');
  expect(headline).toContain('Why every endpoint connection of kubelet is on a public address.');
  expect(headline).toContain('private endpoint access once the gate private-ready is true');
  expect(headline).toContain('warning DnsPublic');
});

test.each([
  ['x-eni', MOVED, PROBED, 'good', 'nothing: this node does without the public endpoint'],
  ['x-eni', MOVED, { ...PROBED, expect: 'public' }, 'warn', 'See where the clients are connected'],
  ['x-eni', { ...MOVED, probes: null }, {}, 'good', 'the gate public-free is unknown:'],
  ['public', { dns: PUBLIC, sockets: [ON_PUBLIC] }, { expect: 'public' }, 'calm', 'private-ready is unknown'],
  ['public', { dns: PUBLIC, sockets: [ON_PUBLIC] }, { expect: 'any' }, 'calm', 'private-ready is unknown'],
  ['public', { dns: PUBLIC, sockets: [ON_PUBLIC] }, {}, 'bad', 'private endpoint access'],
  [
    'mixed',
    { dns: X_ENI, slice: X_ENI, sockets: [ON_PUBLIC, ON_X_ENI] },
    {},
    'bad',
    'if DNS changed some minutes ago, nothing yet',
  ],
  ['none', { dns: X_ENI, slice: X_ENI }, {}, 'unknown', 'see whether the clients are well'],
  ['unknown', { dns: X_ENI, failed: ['sockets'] }, {}, 'unknown', 'see that --path.procfs'],
  ['unknown', { endpoint: null }, {}, 'unknown', 'see what is missing: the endpoint is not known'],
] as const)('%s: its colour and what to do %#', (route, seen, settings, tone, advice) => {
  const status = statusAfter(seen, settings);
  expect(status.route).toBe(route);
  const page = pageOf(status);
  expect(page).toContain(`<section class="headline ${tone}"`);
  expect(page).toContain(`<use href="#icon-${route}"/>`);
  expect(headlineOf(page)).toContain(advice);
});

test('the gravest finding says what to do, also where the route is good; a critical one leaves nothing green there', () => {
  const status = statusAfter(
    { ...MOVED, probes: [{ address: '192.168.1.231', failedStage: 'tcp', error: 'no answer in 3 s' }] },
    PROBED,
  );
  expect(status.route).toBe('x-eni');
  expect(pageOf(status)).toContain('<section class="headline warn"');
  expect(headlineOf(pageOf(status))).toContain('restart no client and replace no node until this is mended');
  expect(headlineOf(pageOf(status))).toContain('critical XEniUnreachable');
});
