import { describe, expect, test } from 'vitest';
import { judgeAge } from '../../src/model/age.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { beginWatch, gateNow, holds, routeNow, seeSilence, seeStatus } from '../../src/model/watched.ts';
import { iso, moment, Watch } from '../support/observation.ts';

const X_ENI = '192.168.1.231';
const PROCESSES = { processes: [{ client: 'kubelet', pid: 100 }] };
const ON_X_ENI = {
  ...PROCESSES,
  dns: [X_ENI],
  slice: [X_ENI],
  sockets: [{ process: 'kubelet', peer: `${X_ENI}:443` }],
};
const ON_PUBLIC = {
  ...PROCESSES,
  dns: ['3.34.148.207'],
  sockets: [{ process: 'kubelet', peer: '3.34.148.207:443' }],
};

function watched(...statuses: readonly NodeStatus[]) {
  return statuses.reduce(
    (so, status, index) => seeStatus(so, status, moment(20 + index)),
    beginWatch(moment(5)),
  );
}

test('before anything was seen, the route and the gates are unknown, and no goal is known to hold or not', () => {
  const nothing = beginWatch(moment(5));
  expect([routeNow(nothing), gateNow(nothing, 'public-free')]).toEqual(['unknown', 'unknown']);
  expect([holds(nothing, 'x-eni'), holds(nothing, 'public-free')]).toEqual([null, null]);
});

test('the first status is the state, no change; each later look is counted, and what it changed is kept', () => {
  const agent = new Watch();
  const first = agent.look(ON_PUBLIC);
  expect(watched(first)).toMatchObject({ looks: 1, changes: [], first, last: first });
  const later = watched(first, agent.look(ON_X_ENI), agent.look(ON_X_ENI));
  expect(later).toMatchObject({ looks: 3, first });
  expect(later.changes.map(({ detail }) => detail)).toContain('kubelet public -> x-eni');
  expect(later.recent).toHaveLength(2);
});

test('the same look told again is no look, and no change', () => {
  const status = new Watch().look(ON_PUBLIC);
  const copy: NodeStatus = structuredClone(status);
  expect(watched(status, copy, copy)).toMatchObject({ looks: 1, changes: [], lastAt: moment(20) });
});

test('the same look judged by its age changes the route, at the time it was seen to be old', () => {
  const status = new Watch().look(ON_PUBLIC);
  const old = watched(status, judgeAge(status, 31_000, 10_000));
  expect(old.looks).toBe(1);
  expect(routeNow(old)).toBe('unknown');
  expect(old.changes[0]).toMatchObject({ kind: 'route', at: iso(21), detail: 'public -> unknown' });
});

describe('a silent agent', () => {
  const agent = new Watch();
  const seen = watched(agent.look(ON_X_ENI), agent.look(ON_X_ENI), agent.look(ON_X_ENI));
  const silent = seeSilence(seen, 'the connection was refused', moment(30));

  test('leaves nothing known of its node, and is one change however often it does not answer', () => {
    expect(routeNow(seen)).toBe('x-eni');
    expect([routeNow(silent), gateNow(silent, 'public-free')]).toEqual(['unknown', 'unknown']);
    const still = seeSilence(silent, 'it took too long', moment(35));
    expect(still.silence).toEqual({ since: moment(30), problem: 'it took too long' });
    expect(still.changes.length).toBe(seen.changes.length + 1);
    expect(still.changes.at(-1)).toMatchObject({
      kind: 'silent',
      at: iso(30),
      reason: 'the connection was refused',
    });
  });

  test('never counts for what is waited for', () => {
    expect(holds(seen, 'x-eni')).toBe(true);
    expect(holds(silent, 'x-eni')).toBe(null);
    const onPublic = watched(new Watch().look(ON_PUBLIC));
    expect(holds(onPublic, 'x-eni')).toBe(false);
    expect(holds(seeSilence(onPublic, 'refused', moment(30)), 'x-eni')).toBe(null);
  });

  test('that answers again is a change too', () => {
    const again = seeStatus(silent, agent.look(ON_X_ENI), moment(40));
    expect(again.silence).toBe(null);
    expect(again.changes.at(-1)).toMatchObject({ kind: 'answers', at: iso(40) });
    expect(routeNow(again)).toBe('x-eni');
  });
});

describe('what is waited for', () => {
  const agent = new Watch();
  agent.look(ON_X_ENI);
  const base = agent.look(ON_X_ENI);
  const later = agent.look(ON_X_ENI);

  test.each([
    ['x-eni', true],
    ['public', false],
    ['mixed', false],
    ['other', false],
    ['none', null],
    ['unknown', null],
  ] as const)('x-eni while the route is %s: %s', (route, expected) => {
    expect(holds(watched(base, { ...later, route }), 'x-eni')).toBe(expected);
  });

  test.each([
    ['true', true],
    ['false', false],
    ['unknown', null],
  ] as const)('public-free while the gate is %s: %s', (state, expected) => {
    const gates = [{ gate: 'public-free', state, reason: '' }] as const;
    expect(holds(watched(base, { ...later, gates }), 'public-free')).toBe(expected);
    expect(holds(watched(base, { ...later, gates: [] }), 'public-free')).toBe(null);
  });

  test('takes two looks under these eyes: one status, told again and again, is a copy', () => {
    expect(later.route).toBe('x-eni');
    expect(holds(watched(later), 'x-eni')).toBe(null);
    expect(holds(watched(later, structuredClone(later)), 'x-eni')).toBe(null);
    expect(holds(watched(base, later), 'x-eni')).toBe(true);
  });
});

test('the newest thousand changes are kept, and the others counted', () => {
  const agent = new Watch();
  const flapping = Array.from({ length: 600 }, (_, index) => agent.look(index % 2 ? ON_PUBLIC : ON_X_ENI, 2));
  const seen = watched(...flapping);
  expect(seen.changes).toHaveLength(1_000);
  expect(seen.forgotten).toBeGreaterThan(500);
  expect(seen.recent.length).toBeLessThan(10);
});
