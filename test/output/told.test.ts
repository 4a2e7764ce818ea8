import { expect, test } from 'vitest';
import type { NodeStatus } from '../../src/model/status.ts';
import { peers, readClients, stageSucceeded, staleClients } from '../../src/output/told.ts';
import { Watch, type WatchSeen } from '../support/observation.ts';

const PUBLIC = '3.34.148.207';
const X_ENI = '192.168.1.231';
const SEEN: WatchSeen = {
  dns: [X_ENI],
  sockets: [
    { process: 'kubelet', peer: `${X_ENI}:443` },
    { process: 'kubelet', peer: `${X_ENI}:443`, local: '192.168.1.204:1111' },
    { process: 'kube-proxy', peer: `${X_ENI}:443` },
    { process: 'kube-proxy', peer: `${PUBLIC}:443` },
    { process: 'kube-proxy', peer: '192.168.9.9:443', state: 'syn-sent' },
  ],
};

function namesOf(clients: readonly { readonly client: string }[]): readonly string[] {
  return clients.map(({ client }) => client);
}

function look(seen: WatchSeen): NodeStatus {
  return new Watch().look(seen);
}

test('clients are told where their sockets are', () => {
  expect(namesOf(readClients(look(SEEN)))).toEqual(['kubelet', 'kube-proxy']);
  expect(readClients(look({ ...SEEN, failed: ['sockets'] }))).toEqual([]);
  expect(readClients(look({ ...SEEN, failed: ['owners'] }))).toEqual([]);
  const kubelet = [{ client: 'kubelet', pid: 100 }];
  expect(namesOf(readClients(look({ ...SEEN, processes: kubelet })))).toEqual(['kubelet']);
});

test("without owners nobody's connections are told", () => {
  const unattributed = [{ process: 'nobody', peer: `${PUBLIC}:443` }];
  const status = new Watch({ attribution: 'address' }).look({ dns: [PUBLIC], processes: [], unattributed });
  expect(namesOf(readClients(status))).toEqual(['unattributed']);
});

test('what is stale is told where there is a DNS answer', () => {
  expect(namesOf(staleClients(look(SEEN)))).toEqual(['kubelet', 'kube-proxy']);
  expect(staleClients(look({ ...SEEN, dns: 'timeout' }))).toEqual([]);
});

test('a peer is there once a client, public ones first, and not before the connection stands', () => {
  expect(peers(look(SEEN))).toEqual([
    { client: 'kube-proxy', address: PUBLIC, route: 'public' },
    { client: 'kubelet', address: X_ENI, route: 'x-eni' },
    { client: 'kube-proxy', address: X_ENI, route: 'x-eni' },
  ]);
});

test('a stage that is not there has not succeeded', () => {
  expect(stageSucceeded(look(SEEN), 'sockets')).toBe(true);
  expect(stageSucceeded(look({ ...SEEN, failed: ['sockets'] }), 'sockets')).toBe(false);
  expect(stageSucceeded(look(SEEN), 'imds')).toBe(false);
});
