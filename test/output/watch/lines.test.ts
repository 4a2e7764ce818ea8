import { expect, test } from 'vitest';
import { seeSilence } from '../../../src/model/watched.ts';
import {
  changeLine,
  formatChange,
  formatState,
  jsonLine,
  stateLine,
} from '../../../src/output/watch/lines.ts';
import { moment } from '../../support/observation.ts';
import { looksAt, STEPS, watchedOf } from '../../support/watched.ts';

const MOVING = watchedOf(looksAt(STEPS.public, STEPS.flipped, STEPS.mixed));
const CHANGES = MOVING.changes.map(formatChange);

test('the state is one line that grep finds', () => {
  const [status] = looksAt(STEPS.public);
  expect(status && formatState(status)).toBe(
    '2026-11-20T12:00:01Z status ip-192-168-1-204: route public, private-ready true, public-free false, ' +
      'findings DnsPublic: every endpoint connection of kubelet and kube-proxy is on a public address',
  );
});

test('a change is a line: when, what kind, from what to what, why', () => {
  expect(CHANGES).toContain('2026-11-20T12:00:03Z client-route kubelet public -> x-eni');
  expect(CHANGES).toContainEqual(expect.stringMatching(/^2026-11-20T12:00:03Z route public -> mixed: \S.*$/));
  expect(CHANGES).toContain(
    '2026-11-20T12:00:02Z dns 3.34.148.207 3.38.61.180 -> 192.168.1.231 192.168.2.210',
  );
});

test('nothing in a line breaks it or acts on a terminal', () => {
  const [change] = MOVING.changes;
  const hostile = change && { ...change, detail: 'a\nb\u001b[2J\u009b', reason: 'c\r\nd' };
  expect(hostile && formatChange(hostile)).not.toMatch(/\p{C}/u);
  expect(hostile && changeLine(hostile, MOVING)).not.toMatch(/\p{C}/u);
});

test('in JSON each line has the route and the gates as they are after it', () => {
  const { last } = MOVING;
  expect(last && JSON.parse(stateLine(last, MOVING))).toEqual({
    kind: 'status',
    at: '2026-11-20T12:00:03.000Z',
    node: 'ip-192-168-1-204',
    route: 'mixed',
    gates: { 'private-ready': 'true', 'public-free': 'false' },
    routeReason: last?.routeReason,
    findings: last?.findings.map(({ code }) => code),
  });
  const change = MOVING.changes.find(({ kind }) => kind === 'client-route');
  expect(change && JSON.parse(changeLine(change, MOVING))).toEqual({
    kind: 'client-route',
    at: '2026-11-20T12:00:03.000Z',
    subject: 'kubelet',
    client: null,
    detail: 'kubelet public -> x-eni',
    reason: null,
    route: 'mixed',
    gates: { 'private-ready': 'true', 'public-free': 'false' },
  });
  expect(jsonLine({ name: 'a' })).toBe('{"name":"a"}');
});

test('of a silent agent the lines say that nothing is known', () => {
  const silent = seeSilence(MOVING, 'the connection was refused', moment(9));
  const change = silent.changes.at(-1);
  expect(change && formatChange(change)).toBe(
    '2026-11-20T12:00:09Z silent the agent does not answer: the connection was refused',
  );
  expect(change && JSON.parse(changeLine(change, silent))).toMatchObject({
    kind: 'silent',
    route: 'unknown',
    gates: { 'private-ready': 'unknown', 'public-free': 'unknown' },
  });
});
