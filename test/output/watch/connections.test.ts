import { expect, test } from 'vitest';
import type { Watched } from '../../../src/model/watched.ts';
import { painter } from '../../../src/output/terminal.ts';
import { tableOf } from '../../../src/output/watch/connections.ts';
import { paintLine } from '../../../src/output/watch/spans.ts';
import { looksAt, nodeViewOf, STEPS, watchedOf } from '../../support/watched.ts';

const { public: onPublic, flipped, mixed } = STEPS;

function table(watched: Watched, size: Parameters<typeof nodeViewOf>[1] = {}): readonly string[] {
  return tableOf(nodeViewOf(watched, size)).map((line) => paintLine(line, painter(false)).trimEnd());
}

test('a line a connection under its headings; one that was there at the first look may be older', () => {
  expect(table(watchedOf(looksAt(onPublic)), { seconds: 4 })).toEqual([
    '  Route   Client      Peer              Stale for  Seen for',
    '  public  kubelet     3.34.148.207:443             over 3 s',
    '  public  kube-proxy  3.38.61.180:443              over 3 s',
  ]);
});

test('a stale one says since when, a new one is marked, and what is not on an X-ENI comes first', () => {
  const watched = watchedOf(looksAt(onPublic, flipped, mixed));
  expect(table(watched, { seconds: 6 })).toEqual([
    '  Route         Client      Peer               Stale for  Seen for',
    '* public stale  kube-proxy  3.38.61.180:443    4 s        over 5 s',
    '* x-eni         kubelet     192.168.1.231:443             3 s',
  ]);
});

test('in a small terminal the route, the client and the address fit into 39 cells', () => {
  const lines = table(watchedOf(looksAt(onPublic, flipped)), { columns: 40, rows: 12 });
  expect(lines).toEqual(['* public stale kubelet    3.34.148.207', '* public stale kube-proxy 3.38.61.180']);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(40);
});

test('one that is opening says its state', () => {
  const opening = {
    ...onPublic,
    sockets: [{ process: 'kubelet', peer: '3.34.148.207:443', state: 'syn-sent' as const }],
  };
  expect(table(watchedOf(looksAt(opening))).join('\n')).toMatch(/public syn-sent +kubelet/);
});

test('a client without connections is not left out: none, unknown, or not running', () => {
  const kubelet = { client: 'kubelet', pid: 100 };
  const idle = table(watchedOf(looksAt({ ...onPublic, sockets: [], processes: [kubelet] })));
  expect(idle.slice(1)).toEqual(['  -      kubelet     no connection', '  -      kube-proxy  not running']);
  const blind = table(watchedOf(looksAt({ ...onPublic, failed: ['sockets'] })));
  expect(blind.slice(1)).toEqual(['  -      kubelet     unknown', '  -      kube-proxy  unknown']);
});
