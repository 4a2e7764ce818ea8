import { expect, test } from 'vitest';
import { Watch } from '../../support/observation.ts';
import { KUBELET, ON_PUBLIC, PUBLIC, pageOf, textOf, X_ENI } from '../../support/shown-page.ts';

test('a connection stands with pid, both ends, route, evidence and age; a stale one says since when', () => {
  const watch = new Watch({ expect: 'x-eni' });
  watch.look({ processes: KUBELET, sockets: [ON_PUBLIC], dns: PUBLIC });
  const status = watch.look({
    processes: KUBELET,
    sockets: [{ ...ON_PUBLIC, retransmits: 2 }],
    dns: X_ENI,
  });
  expect(textOf(pageOf(status, 5), '<tr data-key="kubelet 192.168.1.204:44084', '</tr>')).toBe(
    'kubelet pid 100 public 3.34.148.207:443 192.168.1.204:44084 established, 2 retransmits dns-history 15 s ago stale since 5 s ago',
  );
});
