import { expect, test } from 'vitest';
import { Watch } from '../../support/observation.ts';
import {
  KUBELET,
  MOVED,
  ON_X_ENI,
  PROBED,
  pageOf,
  statusAfter,
  textOf,
  X_ENI,
} from '../../support/shown-page.ts';

test('a probed address stands with its port, IPv6 in brackets, and how it answered', () => {
  const page = pageOf(
    statusAfter(
      {
        dns: ['fd00:10::231', '192.168.1.231'],
        slice: ['fd00:10::231', '192.168.1.231'],
        probes: [
          { address: 'fd00:10::231', failedStage: 'tls', error: 'the connection was closed' },
          { address: '192.168.1.231' },
          { address: '3.34.148.207' },
        ],
      },
      PROBED,
    ),
  );
  const row = (address: string) => textOf(page, `<tr data-key="${address}"`, '</tr>');
  expect(row('fd00:10::231')).toBe(
    '[fd00:10::231]:443 x-eni endpointslice fails at tls the connection was closed 4 ms 2 s ago',
  );
  expect(row('192.168.1.231')).toBe('192.168.1.231:443 x-eni endpointslice as this cluster 4 ms 2 s ago');
  expect(row('3.34.148.207')).toBe('3.34.148.207:443 public none as this cluster 4 ms 2 s ago');
});

test('a probe that succeeded is green only while private-ready is true', () => {
  const answer = /<span class="badge (\w+)"><svg[^>]*><use href="#icon-true"\/><\/svg>as this cluster/;
  expect(answer.exec(pageOf(statusAfter(MOVED, PROBED)))?.[1]).toBe('good');
  const old = { ...MOVED, probes: [{ address: '192.168.1.231', ageSeconds: 181 }] };
  expect(answer.exec(pageOf(statusAfter(old, PROBED)))?.[1]).toBe('calm');
});

test('an old DNS answer proves no route', () => {
  const watch = new Watch({ expect: 'x-eni' });
  watch.look({ processes: KUBELET, dns: X_ENI, slice: X_ENI, sockets: [ON_X_ENI] });
  const status = watch.look({ processes: KUBELET, dns: 'timeout', slice: X_ENI, sockets: [ON_X_ENI] });
  const given = textOf(pageOf(status), '<dt>DNS gives', '</dl>');
  expect(given).toContain('an old answer; the last lookup failed');
  const item = /<li data-key="192\.168\.1\.231"><code>192\.168\.1\.231<\/code> <span class="badge (\w+)"/;
  expect(item.exec(pageOf(status))?.[1]).toBe('unknown');
});
