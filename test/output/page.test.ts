import { expect, test } from 'vitest';
import { renderPage } from '../../src/output/page.ts';
import { Watch } from '../support/observation.ts';

const status = new Watch({ expect: 'x-eni' }).look({
  dns: ['3.34.148.207'],
  sockets: [{ process: 'kubelet', peer: '3.34.148.207:443' }],
});

test('the page names the route, why, and each finding', () => {
  const page = renderPage(status);
  expect(page).toContain('<strong>public</strong>');
  expect(page).toContain(status.routeReason);
  expect(page).toContain('<strong>DnsPublic</strong> (warning)');
  expect(page).toContain('<a href="/metrics">');
});

test('a probed address stands with its port, IPv6 in brackets', () => {
  const probed = new Watch().look({
    dns: ['fd00:10::231', '192.168.1.231'],
    slice: ['fd00:10::231', '192.168.1.231'],
    probes: [{ address: 'fd00:10::231' }, { address: '192.168.1.231' }],
  });
  const page = renderPage(probed);
  expect(page).toContain('<td>[fd00:10::231]:443<td>');
  expect(page).toContain('<td>192.168.1.231:443<td>');
});

test('before the first look it says so', () => {
  expect(renderPage(null)).toContain('No look has ended yet.');
});

test('a hostile name is shown, not obeyed', () => {
  expect(renderPage({ ...status, node: '<img src=x>' })).not.toContain('<img');
});
