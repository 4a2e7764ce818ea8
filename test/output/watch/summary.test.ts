import { describe, expect, test } from 'vitest';
import { beginWatch, seeSilence, type Watched } from '../../../src/model/watched.ts';
import { painter } from '../../../src/output/terminal.ts';
import { renderSummary, summaryOf, type WatchEnd } from '../../../src/output/watch/summary.ts';
import { moment } from '../../support/observation.ts';
import { looksAt, STEPS, watchedOf } from '../../support/watched.ts';

const { public: onPublic, flipped, mixed, moved } = STEPS;
const MOVED = watchedOf(looksAt(onPublic, flipped, mixed, moved, moved));
const BY_SIGNAL: WatchEnd = { at: moment(65), ended: 'signal', until: null, exitCode: 0 };

function rendered(watched: Watched, end: WatchEnd = BY_SIGNAL): string {
  return renderSummary(watched, summaryOf(watched, end), painter(false));
}

test('the summary as data: how long, from where to where, and how many changes of each kind', () => {
  expect(summaryOf(MOVED, BY_SIGNAL)).toEqual({
    kind: 'summary',
    node: 'ip-192-168-1-204',
    since: '2026-11-20T12:00:00.000Z',
    at: '2026-11-20T12:01:05.000Z',
    durationSeconds: 65,
    looks: 5,
    ended: 'signal',
    until: null,
    exitCode: 0,
    route: ['public', 'x-eni'],
    gates: { 'private-ready': ['true', 'true'], 'public-free': ['false', 'unknown'] },
    clients: { kubelet: ['public', 'x-eni'], 'kube-proxy': ['public', 'x-eni'] },
    findings: [],
    changes: expect.objectContaining({
      dns: 1,
      'client-route': 2,
      'connection-opened': 2,
      'connection-closed': 2,
    }),
  });
});

test('for people: what moved when', () => {
  const text = rendered(MOVED);
  expect(text).toMatch(
    /^Watched ip-192-168-1-204 for 65 s, from 2026-11-20T12:00:00Z to 2026-11-20T12:01:05Z: 5 looks\. Ended\.\nNode route: public -> x-eni\nGate private-ready: true, unchanged\nGate public-free: false -> unknown\nClient kubelet: public -> x-eni\n/,
  );
  expect(text).toMatch(
    /\nClients:\n {2}12:00:03Z kubelet public -> x-eni\n {2}12:00:04Z kube-proxy public -> x-eni\n/,
  );
  expect(text).toMatch(
    /\nDNS and X-ENIs:\n {2}12:00:02Z dns 3\.34\.148\.207 3\.38\.61\.180 -> 192\.168\.1\.231/,
  );
  expect(text).toMatch(/\nFindings:\n(.*\n)*? {2}12:00:02Z finding-cleared DnsPublic\n/);
  expect(text.endsWith('\n')).toBe(true);
});

test('what is the same at the end may have been something else in between', () => {
  const there = rendered(watchedOf(looksAt(onPublic, mixed, onPublic)));
  expect(there).toContain('Node route: public -> ... -> public');
  expect(there).toContain('Client kubelet: public -> ... -> public');
  expect(there).toContain('Client kube-proxy: public, unchanged');
});

test('nothing moved is said, and what is still to do', () => {
  const text = rendered(watchedOf(looksAt(onPublic, onPublic)));
  expect(text).toContain('Nothing changed.');
  expect(text).toMatch(/WARNING DnsPublic: .*\n {2}What to do: turn on/);
});

test('of a connection that flaps the newest changes are told, and how many there were before', () => {
  const flapping = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? moved : onPublic));
  const text = rendered(watchedOf(looksAt(...flapping)));
  const connections = text.split('\nConnections:\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
  expect(connections[0]).toMatch(/^ {2}\(\d+ before these\)$/);
  expect(connections).toHaveLength(13);
});

describe('why it ended', () => {
  test.each([
    ['reached', 'x-eni', 0, 'x-eni was reached.'],
    ['timeout', 'x-eni', 1, 'The time is up and x-eni does not hold.'],
    ['timeout', 'public-free', 2, 'The time is up and it cannot be told whether public-free holds.'],
    ['timeout', null, 0, 'The time is up.'],
    ['signal', 'x-eni', 2, 'Ended before x-eni was reached.'],
    ['closed', null, 0, 'Nobody reads on.'],
  ] as const)('%s, waiting for %s, exit code %i: %s', (ended, until, exitCode, sentence) => {
    expect(rendered(MOVED, { at: moment(65), ended, until, exitCode })).toContain(sentence);
  });
});

test('of an agent that was silent at the end nothing good is said', () => {
  const silent = seeSilence(MOVED, 'the connection was refused', moment(30));
  const text = rendered(silent);
  expect(text).toContain('The agent did not answer at the end: the connection was refused.');
  expect(text).toContain('Node route: public -> unknown');
  expect(text).toContain('Client kubelet: public -> unknown');
  expect(summaryOf(silent, BY_SIGNAL)).toMatchObject({ route: ['public', 'unknown'], findings: [] });
});

test('where nothing was seen, that is what it says', () => {
  const text = rendered(beginWatch(moment(0)), {
    at: moment(9),
    ended: 'timeout',
    until: 'x-eni',
    exitCode: 2,
  });
  expect(text).toContain('Nothing was seen for 9 s');
  expect(text).toContain(
    'Node route: never seen\nGate private-ready: never seen\nGate public-free: never seen\n',
  );
  expect(text).not.toContain('unchanged');
  expect(text).not.toContain('Nothing changed');
});
