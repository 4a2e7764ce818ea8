import { describe, expect, test } from 'vitest';
import type { EndpointConnection } from '../../src/model/connections.ts';
import { duration, moveIt, NEEDS, restart, whoIs } from '../../src/model/remedies.ts';
import type { Settings } from '../../src/model/settings.ts';
import { UNATTRIBUTED } from '../../src/model/status.ts';
import { address, moment, settings } from '../support/observation.ts';

function connection(client: string, peer = '3.34.148.207'): EndpointConnection {
  const local = address(peer.includes(':') ? '2600:1f13::9' : '192.168.1.204');
  return {
    key: 'a socket',
    client,
    pid: 100,
    socket: {
      table: peer.includes(':') ? 'tcp6' : 'tcp',
      local,
      localPort: 44_084,
      peer: address(peer),
      peerPort: 443,
      state: 'established',
      inode: 7,
      sendQueueBytes: 0,
      retransmits: 0,
    },
    route: 'public',
    evidence: 'dns',
    stale: true,
    firstSeenAt: moment(0),
  };
}

const PROBING = { probeIntervalMs: 60_000 };
const CLIENTS = ['kubelet', 'kube-proxy', 'aws-k8s-agent', UNATTRIBUTED];

describe('to move a client', () => {
  test.each(CLIENTS)(
    '%s, first see whether it finds its way back, and then one node after the other',
    (client) => {
      const remedy = moveIt(connection(client), settings(PROBING));
      expect(remedy).toMatch(/^first see .*; then /);
      expect(remedy.indexOf('private-ready')).toBeLessThan(
        remedy.search(/systemctl restart|delete pod|restart /),
      );
      expect(remedy).toMatch(/one node first.*batches.*Ready$/);
    },
  );

  test.each<[string, Partial<Settings>, boolean]>([
    ['where X-ENIs are probed', PROBING, true],
    ['where X-ENIs are probed and expected', { ...PROBING, expect: 'x-eni' }, true],
    ['not where nothing is probed: it would stay unknown', { probeIntervalMs: null }, false],
    ['not where public is expected: it says nothing of that way', { ...PROBING, expect: 'public' }, false],
  ])('the gate private-ready is what to look at %s', (_, overrides, named) => {
    const remedy = moveIt(connection('kubelet'), settings(overrides));
    expect(remedy.includes('private-ready')).toBe(named);
    expect(remedy).toMatch(/^first see /);
  });

  test.each([
    ['3.34.148.207', "'ss -K -tn sport = 44084 dst 3.34.148.207 dport = 443'"],
    ['2600:1f13::5', "'ss -K -tn sport = 44084 dst [2600:1f13::5] dport = 443'"],
    ['::ffff:3.34.148.207', "'ss -K -tn sport = 44084 dst 3.34.148.207 dport = 443'"],
  ])('the gentler way names this one connection, to %s', (peer, command) => {
    const remedy = moveIt(connection('kubelet', peer), settings());
    expect(remedy).toContain(command);
    expect(remedy).toContain('CONFIG_INET_DIAG_DESTROY');
  });
});

describe('to restart', () => {
  test.each<[string, string]>([
    ['kubelet', "'systemctl restart kubelet'"],
    ['kube-proxy', 'spec.nodeName=ip-192-168-1-204'],
    ['aws-k8s-agent', 'restart aws-k8s-agent'],
    [UNATTRIBUTED, "'ss -tnp'"],
  ])('%s: %s', (client, command) => {
    expect(restart(client, settings())).toContain(command);
  });

  test.each(['kubelet', 'kube-proxy', 'aws-k8s-agent'])('%s where there is no shell', (client) => {
    expect(restart(client, settings())).toContain('replace the node');
  });

  test('nobody of the name "unattributed"', () => {
    expect(restart(UNATTRIBUTED, settings())).not.toContain('restart unattributed');
  });
});

test('what the agent needs is named for Ubuntu and Bottlerocket too', () => {
  expect(NEEDS).toMatch(/SYS_PTRACE.*hostPID.*hostNetwork.*Unconfined.*spc_t/);
  expect(whoIs('kubelet')).toContain('-C kubelet');
});

test.each([
  [0, '0 s'],
  [999, '0 s'],
  [1000, '1 s'],
  [119_999, '119 s'],
  [120_000, '2 min'],
  [7_199_999, '119 min'],
  [7_200_000, '2 h'],
  [86_400_000, '24 h'],
])('%d ms are, for people, %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
