import { expect, test } from 'vitest';
import { ON_PUBLIC, ON_X_ENI, PUBLIC, pageOf, statusAfter, textOf, X_ENI } from '../../support/shown-page.ts';

test('a finding has severity, summary, remedy and runbook; its commands are set apart, to be copied', () => {
  const page = pageOf(statusAfter({ dns: PUBLIC, sockets: [ON_PUBLIC] }));
  const findings = textOf(page, '<section id="findings"');
  expect(findings).toContain('warning DnsPublic 3.34.148.207 DNS gives 3.34.148.207 for');
  expect(findings).toContain('Runbook: docs/runbooks/DnsPublic.md');
  expect(page).toContain(
    '<code>aws eks update-cluster-config --name CLUSTER --resources-vpc-config endpointPrivateAccess=true</code><button type="button" class="copy"',
  );
  // An apostrophe opens no command.
  expect(page).not.toContain('<code>s private endpoint access');
});

test('findings that were not evaluated are named', () => {
  const page = pageOf(statusAfter({ dns: X_ENI, slice: X_ENI, sockets: [ON_X_ENI] }));
  expect(textOf(page, '<section id="findings"')).toMatch(
    /No finding is raised among those that could be evaluated\. Not evaluated, so neither raised nor clear: .*XEniUnreachable/,
  );
});
