import { describe, expect, test } from 'vitest';
import type { EndpointConnection } from '../../src/model/connections.ts';
import { moveIt, NEEDS, restart, type Situation, whoIs } from '../../src/model/remedies.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import type { Settings } from '../../src/model/settings.ts';
import { UNATTRIBUTED } from '../../src/model/status.ts';
import { address, dnsSeen, moment, observation, range, settings } from '../support/observation.ts';

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

const X_ENI = '192.168.1.231';
const PUBLIC = '3.34.148.207';
const PROBING = { probeIntervalMs: 60_000 };

function situation(
  overrides: Partial<Settings> = {},
  dns: readonly string[] | null = [X_ENI],
  dnsAgeSeconds = 0,
): Situation {
  const made = settings(overrides);
  const look = observation(dns === null ? {} : { dns: dnsSeen(dns, -dnsAgeSeconds) });
  return { settings: made, known: knowledgeOf(made, look) };
}
const CLIENTS = ['kubelet', 'kube-proxy', 'aws-k8s-agent', UNATTRIBUTED];

describe('to move a client', () => {
  test.each(CLIENTS)(
    '%s, first see whether it finds its way back, and then one node after the other',
    (client) => {
      const remedy = moveIt(connection(client), situation(PROBING));
      expect(remedy).toMatch(/^first see .*; then /);
      expect(remedy.indexOf('private-ready')).toBeLessThan(
        remedy.search(/systemctl restart|delete pod|restart /),
      );
      expect(remedy).toMatch(/on one node, .*batches.*Ready$/);
    },
  );

  describe('the gate private-ready is what to look at', () => {
    test.each<[string, Partial<Settings>, readonly string[]]>([
      ['where DNS gives an X-ENI', {}, [X_ENI]],
      ['where it gives several', {}, [X_ENI, '192.168.1.121']],
      ['where X-ENIs are expected', { expect: 'x-eni' }, [X_ENI]],
      ['where public is expected and DNS leads to X-ENIs all the same', { expect: 'public' }, [X_ENI]],
      ['where --x-eni names what DNS gives', { xEnis: [range('10.9.0.0/24')] }, ['10.9.0.1']],
    ])('%s', (_, overrides, dns) => {
      expect(moveIt(connection('kubelet'), situation({ ...PROBING, ...overrides }, dns))).toMatch(
        /^first see that the gate private-ready is true on this node: /,
      );
    });
  });

  describe('the gate says nothing of where the client goes', () => {
    test.each<[string, readonly string[], string]>([
      ['where DNS gives a public address', [PUBLIC], PUBLIC],
      ['where it gives one beside an X-ENI', [X_ENI, PUBLIC], `${X_ENI} and ${PUBLIC}`],
      ['where it gives a private one that is no X-ENI', ['10.9.0.1'], '10.9.0.1'],
    ])('%s: its addresses and their probes do', (_, dns, named) => {
      const remedy = moveIt(connection('kubelet'), situation(PROBING, dns));
      expect(remedy).not.toContain('private-ready');
      expect(remedy).toMatch(/^first see that the addresses that DNS gives now /);
      expect(remedy).toContain(`(${named}) answer this node's probes (probe_success 1)`);
    });

    test('and four of many addresses are named', () => {
      const dns = ['3.34.1.1', '3.34.1.2', '3.34.1.3', '3.34.1.4', '3.34.1.5'];
      const remedy = moveIt(connection('kubelet'), situation(PROBING, dns));
      expect(remedy).toContain('(3.34.1.1, 3.34.1.2, 3.34.1.3 and 3.34.1.4) answer');
    });
  });

  test.each<[string, Situation, string]>([
    ['nothing is probed', situation({ probeIntervalMs: null }), `(${X_ENI})`],
    ['nothing is probed and DNS is public', situation({ probeIntervalMs: null }, [PUBLIC]), `(${PUBLIC})`],
    ['DNS has never answered', situation(PROBING, null), 'that DNS gives now;'],
    ['DNS answered more than an hour ago', situation(PROBING, [X_ENI], 3601), 'that DNS gives now;'],
  ])('whoever looks must try it by hand where %s', (_, now, named) => {
    const remedy = moveIt(connection('kubelet'), now);
    expect(remedy).not.toMatch(/private-ready|probe_success/);
    expect(remedy).toMatch(
      /^first see that this node can open a connection to the addresses that DNS gives /,
    );
    expect(remedy).toContain(named);
  });

  test.each([
    ['3.34.148.207', "'ss -K -tn sport = 44084 dst 3.34.148.207 dport = 443'"],
    ['2600:1f13::5', "'ss -K -tn sport = 44084 dst [2600:1f13::5] dport = 443'"],
    ['::ffff:3.34.148.207', "'ss -K -tn sport = 44084 dst 3.34.148.207 dport = 443'"],
  ])('the gentler way names this one connection, to %s', (peer, command) => {
    const remedy = moveIt(connection('kubelet', peer), situation());
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
