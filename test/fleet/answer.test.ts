import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answerOf } from '../../src/fleet/answer.ts';
import type { ConnectionStatus, NodeStatus } from '../../src/model/status.ts';

function golden(name: string): NodeStatus {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', 'golden', `${name}.status.json`), 'utf8'));
}

const STALE = golden('flipped-not-moved');

/** That status with these connections of kubelet, each the golden one with a change. */
function holding(...changes: readonly Partial<ConnectionStatus>[]): NodeStatus {
  const [kubelet] = STALE.clients;
  const [connection] = kubelet?.connections ?? [];
  if (kubelet === undefined || connection === undefined) throw new TypeError('there is no connection');
  const connections = changes.map((change) => ({ ...connection, ...change }));
  return { ...STALE, clients: [{ ...kubelet, connections }] };
}

test('the gates with their reasons, findings with their remedies, and what carries something elsewhere', () => {
  const answer = answerOf(STALE, 3.5);
  expect(answer).toMatchObject({
    kind: 'answer',
    ageSeconds: 3.5,
    version: '0.0.0',
    hostname: '0123456789abcdef0123456789abcdef.gr7.ap-northeast-2.eks.amazonaws.com',
    route: 'public',
    routeReason: STALE.routeReason,
    gates: STALE.gates,
    connections: [
      { client: 'kubelet', peer: '3.34.148.207:443', route: 'public', staleSeconds: 621 },
      { client: 'kube-proxy', peer: '3.38.61.180:443', route: 'public', staleSeconds: 621 },
    ],
  });
  expect(
    answer.findings.map(({ code, client, remedy }) => [code, client, (remedy ?? '').length > 20]),
  ).toEqual([
    ['StaleConnection', 'kubelet', true],
    ['StaleConnection', 'kube-proxy', true],
  ]);
});

test('a node that has moved has no connection to name', () => {
  const answer = answerOf(golden('moved-node-1'), 0);
  expect(answer).toMatchObject({ route: 'x-eni', connections: [] });
});

test('an endpoint that the agent does not know, and clients that cannot be told, stay unknown', () => {
  const [kubelet] = STALE.clients;
  if (kubelet === undefined) throw new TypeError('there is no kubelet');
  const blind: NodeStatus = { ...STALE, endpoint: null, clients: [{ ...kubelet, connections: null }] };
  expect(answerOf(blind, 0)).toMatchObject({ hostname: null, connections: [] });
});

test('a stale connection on an X-ENI counts, one that is being opened does not', () => {
  const answer = answerOf(
    holding(
      { peer: 'a', route: 'x-eni', stale: true, staleSince: null },
      { peer: 'b', route: 'x-eni', stale: false, staleSince: null },
      { peer: 'c', route: 'public', state: 'syn-sent', stale: null, staleSince: null },
      { peer: 'd', route: 'vpc', stale: null, staleSince: null },
    ),
    0,
  );
  expect(answer.connections.map(({ peer, staleSeconds }) => [peer, staleSeconds])).toEqual([
    ['a', null],
    ['d', null],
  ]);
});

test('of many connections sixteen are kept, public ones first', () => {
  const vpc = Array.from({ length: 20 }, (_, index) => ({ peer: `vpc ${index}`, route: 'vpc' as const }));
  const answer = answerOf(holding(...vpc, { peer: 'public', route: 'public' }), 0);
  expect(answer.connections).toHaveLength(16);
  expect(answer.connections[0]?.peer).toBe('public');
});
