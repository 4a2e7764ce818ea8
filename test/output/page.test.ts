import { expect, test } from 'vitest';
import { judgeAge } from '../../src/model/age.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { renderPage } from '../../src/output/page.ts';
import {
  headlineOf,
  MOVED,
  ON_PUBLIC,
  PROBED,
  PUBLIC,
  pageOf,
  statusAfter,
  textOf,
} from '../support/shown-page.ts';

test('before the first look the page says so', () => {
  expect(renderPage(null, 0)).toContain('No look has ended yet.');
  expect(renderPage(null, 0)).not.toContain('class="badge good"');
});

test('an outdated status has nothing green, and says when the last look was', () => {
  const fresh = statusAfter(MOVED, PROBED);
  expect(pageOf(fresh).match(/class="[^"]*\bgood\b/g)?.length).toBeGreaterThan(5);
  const page = pageOf(judgeAge(fresh, 600_000, 10_000), 600);
  expect(page.match(/class="[^"]*\bgood\b[^"]*"/g)).toBeNull();
  expect(page).toContain('<section class="headline unknown"');
  expect(headlineOf(page)).toContain('Since unknown; the last look ended 10 min ago');
  expect(page).toContain('As the last look saw them,');
});

test('clients, DNS and X-ENIs that could not be read are unknown', () => {
  const page = pageOf(statusAfter({ failed: ['owners', 'sockets'], endpoint: null }));
  expect(textOf(page, 'aria-labelledby="clients-heading"')).toContain(
    'Whether there are endpoint connections is unknown.',
  );
  const endpoint = textOf(page, 'aria-labelledby="endpoint-heading"');
  expect(endpoint).toContain('Name unknown');
  expect(endpoint).toContain('DNS unknown: it was not asked');
  expect(endpoint).toContain('Nothing is probed.');
  expect(textOf(page, 'aria-labelledby="health-heading"')).toContain('Sockets on the node unknown');
});

test('hostile names are shown, not obeyed', () => {
  const hostile = '"><script>alert(1)</script>\'<img src=x onerror=alert(2)>&';
  const status = statusAfter({ dns: PUBLIC, sockets: [ON_PUBLIC] });
  const poisoned = poison(status, hostile);
  const page = renderPage(poisoned, Date.parse(status.observedAt));
  expect(page.split('<script>')).toHaveLength(2);
  expect(page).not.toContain('<img');
  expect(page.split('&quot;&gt;&lt;script&gt;alert(1)').length).toBeGreaterThan(20);
});

/** Every text of a status but its times and the words of closed sets, with this behind it. */
function poison(status: NodeStatus, hostile: string): NodeStatus {
  return {
    ...status,
    version: hostile,
    node: hostile,
    routeReason: hostile,
    gates: status.gates.map((gate) => ({ ...gate, reason: hostile })),
    findings: status.findings.map((finding) => ({
      ...finding,
      client: hostile,
      address: hostile,
      summary: hostile,
      remedy: `${hostile} 'kubectl ${hostile.replaceAll("'", '')}'`,
      runbook: hostile,
    })),
    endpoint: status.endpoint && { ...status.endpoint, hostname: hostile },
    dns: status.dns && {
      ...status.dns,
      servers: [hostile],
      addresses: [{ address: hostile, route: 'public' }],
    },
    xEni: { sources: ['dns'], addresses: [{ address: hostile, sources: ['dns'] }] },
    clients: status.clients.map((client) => ({
      ...client,
      client: hostile,
      connections: client.connections?.map((one) => ({ ...one, local: hostile, peer: hostile })) ?? null,
    })),
    inbound: [{ peer: hostile, route: 'public', connections: 1 }],
    stages: status.stages.map((stage) => ({ ...stage, success: false, error: hostile })),
    events: [{ at: status.observedAt, event: 'client', detail: hostile }],
    machine: { kernel: hostile, arch: hostile, vendor: hostile, model: hostile },
  };
}
