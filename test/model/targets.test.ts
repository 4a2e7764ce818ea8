import { describe, expect, test } from 'vitest';
import { emptyHistory } from '../../src/model/history.ts';
import { judge, targetsOf } from '../../src/model/judge.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import { probeTargets } from '../../src/model/targets.ts';
import {
  dnsSeen,
  ENDPOINT,
  moment,
  observation,
  range,
  type Seen,
  type SocketText,
  settings,
} from '../support/observation.ts';

const X_ENI = '192.168.1.231';
const PUBLIC = '3.34.148.207';

function targets(seen: Seen, xEnis: readonly string[] = [], endpoint = ENDPOINT): readonly string[] {
  const known = knowledgeOf(settings({ xEnis: xEnis.map(range) }), observation(seen));
  return probeTargets(endpoint, known).map(({ address, port }) => `${address.text} ${port}`);
}

describe('the addresses that are probed', () => {
  test.each<[string, Seen, readonly string[], readonly string[]]>([
    ['X-ENIs of the slice', { slice: [X_ENI] }, [], [`${X_ENI} 443`]],
    ['what DNS gives, public too', { dns: dnsSeen([PUBLIC]) }, [], [`${PUBLIC} 443`]],
    ['a private answer of DNS, whatever it is', { dns: dnsSeen(['10.9.0.1']) }, [], ['10.9.0.1 443']],
    ['single addresses given for X-ENIs', {}, ['10.9.0.1'], ['10.9.0.1 443']],
    ['not the addresses of a subnet', {}, ['10.9.0.0/24'], []],
    [
      'all of these, X-ENIs first, each once',
      { slice: [X_ENI], dns: dnsSeen([PUBLIC, X_ENI]) },
      ['10.9.0.1', X_ENI],
      [`${X_ENI} 443`, `${PUBLIC} 443`, '10.9.0.1 443'],
    ],
    ['not a public address that only the slice gives', { slice: [X_ENI, PUBLIC] }, [], [`${X_ENI} 443`]],
    ['not what DNS gave more than an hour ago', { dns: dnsSeen([PUBLIC], -3601) }, [], []],
    [
      'not the machine itself, whoever gives it',
      { slice: ['127.0.0.1', '169.254.169.254'], dns: dnsSeen(['0.0.0.0', '::1', '127.0.0.1', X_ENI]) },
      ['127.0.0.1', '::1'],
      [`${X_ENI} 443`],
    ],
    ['nothing while nothing is known', {}, [], []],
  ])('%s', (_, seen, xEnis, expected) => {
    expect(targets(seen, xEnis)).toEqual(expected);
  });

  test("all on the endpoint's port, to which the clients connect, whatever the slice says", () => {
    const seen = { slice: [X_ENI], slicePort: 6443, dns: dnsSeen([PUBLIC]) };
    expect(targets(seen, ['10.9.0.1'], { ...ENDPOINT, port: 8443 })).toEqual([
      `${X_ENI} 8443`,
      `${PUBLIC} 8443`,
      '10.9.0.1 8443',
    ]);
  });

  test('16 at most, and a DNS that gives 10,000 does not crowd out the X-ENIs', () => {
    const crowd = Array.from({ length: 10_000 }, (_, index) => `3.34.${index >> 8}.${index & 255}`);
    const probed = targets({ slice: [X_ENI], dns: dnsSeen(crowd) });
    expect(probed).toHaveLength(16);
    expect(probed[0]).toBe(`${X_ENI} 443`);
  });

  test('are none while the endpoint is not known: nobody knows for whom to ask', () => {
    const look = observation({ slice: [X_ENI], endpoint: null });
    expect(targetsOf(settings(), look)).toEqual([]);
    expect(targetsOf(settings(), observation({ slice: [X_ENI] }))).toHaveLength(1);
  });
});

describe('the strangers that a look leaves to be asked', () => {
  const dns = dnsSeen([X_ENI]);

  function strangers(socket: Omit<SocketText, 'process'>, seen: Seen = {}, looks = 1) {
    let history = emptyHistory(moment(0));
    let left: readonly unknown[] = [];
    for (let index = 0; index < looks; index++) {
      const sockets = [{ process: 'kubelet', ...socket }];
      const look = judge(observation({ dns, sockets, ...seen }, index * 10), history, settings());
      history = look.history;
      left = look.strangers.map(({ address: { text }, port, seenTwice }) => [text, port, seenTwice]);
    }
    return left;
  }

  test.each<[string, string]>([
    ['a private peer', '10.1.1.1'],
    ['one of the VPC', '192.168.7.7'],
    ['a public one, though it is presumed to be the endpoint', '8.8.8.8'],
  ])('%s, worth a question when two looks saw it', (_, peer) => {
    expect(strangers({ peer: `${peer}:443` })).toEqual([[peer, 443, false]]);
    expect(strangers({ peer: `${peer}:443` }, {}, 2)).toEqual([[peer, 443, true]]);
  });

  test('also when it has answered: an answer is forgotten after an hour', () => {
    const identities = [{ address: '10.1.1.1', identity: 'cluster' as const }];
    expect(strangers({ peer: '10.1.1.1:443' }, { identities })).toHaveLength(1);
  });

  describe('are told by their certificates', () => {
    const trusting: Seen = { probes: [{ address: X_ENI }] };
    test.each<[string, 'cluster' | 'other' | 'no-answer' | null, Seen, boolean]>([
      ["the cluster's", 'cluster', {}, true],
      ["another's, while the CA verifies an address of the endpoint", 'other', trusting, true],
      ["another's, while it verifies none: the CA may be the wrong one", 'other', {}, false],
      [
        "another's, while the X-ENI shows another too",
        'other',
        { probes: [{ address: X_ENI, failedStage: 'identity' }] },
        false,
      ],
      [
        "another's, while it verified one too long ago",
        'other',
        { probes: [{ address: X_ENI, ageSeconds: 180.001 }] },
        false,
      ],
      ['no answer', 'no-answer', trusting, false],
      ['not asked yet', null, trusting, false],
    ])('%s', (_, identity, seen, told) => {
      const sockets = [{ process: 'kubelet', peer: '10.1.1.1:443' }];
      const identities = identity === null ? [] : [{ address: '10.1.1.1', identity }];
      const look = observation({ dns, sockets, identities, ...seen });
      const left = judge(look, emptyHistory(moment(0)), settings({ probeIntervalMs: 60_000 })).strangers;
      expect(left.map(({ isTold }) => isTold)).toEqual([told]);
    });
  });

  test.each<[string, Omit<SocketText, 'process'>, Seen]>([
    ['an address of DNS', { peer: `${X_ENI}:443` }, {}],
    ['an address of the slice', { peer: '192.168.1.9:443' }, { slice: ['192.168.1.9'] }],
    ['an address of the hosts file', { peer: '10.9.0.1:443' }, { hosts: ['10.9.0.1'] }],
    ['another port', { peer: '10.1.1.1:8443' }, {}],
    ['loopback', { peer: '127.0.0.1:443' }, {}],
    ['the ClusterIP', { peer: '10.100.0.1:443' }, {}],
    ['a connection that only opens', { peer: '10.1.1.1:443', state: 'syn-sent' }, {}],
    ['one that the peer opened', { peer: '10.1.1.1:443', local: '192.168.1.204:10250' }, {}],
    [
      'a proxy',
      { peer: '10.1.1.1:443' },
      { proxies: [{ client: 'kubelet', port: 443, addresses: ['10.1.1.1'] }] },
    ],
    ['anything while the endpoint is not known', { peer: '10.1.1.1:443' }, { endpoint: null }],
  ])('%s is none', (_, socket, seen) => {
    expect(strangers(socket, seen, 2)).toEqual([]);
  });

  test("are none where owners are not told apart: other people's peers are not probed", () => {
    const unattributed = [{ process: 'anyone', peer: '10.1.1.1:443' }];
    expect(strangers({ peer: '10.1.1.1:443' }, { failed: ['owners'], unattributed }, 3)).toEqual([]);
  });
});
