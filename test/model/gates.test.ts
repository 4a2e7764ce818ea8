import { describe, expect, test } from 'vitest';
import { judgeGates } from '../../src/model/gates.ts';
import type { Verdict } from '../../src/model/node-route.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import type { Settings } from '../../src/model/settings.ts';
import { type Attribution, GATES, type Gate, type GateName, type GateState } from '../../src/model/status.ts';
import {
  dnsSeen,
  moment,
  observation,
  range,
  type Seen,
  type SocketText,
  settings,
  Watch,
  type WatchSeen,
} from '../support/observation.ts';

const X_ENI = '192.168.1.231';
const SECOND = '192.168.1.121';
const PUBLIC = '3.34.148.207';
const V6 = '2600:1f13::a';
const NOW = 10_000;
const VPC = ['192.168.0.0/16', '2600:1f13::/56'];
const SEVENTEEN = Array.from({ length: 17 }, (_, index) => `192.168.4.${index + 1}`);
const ON_X_ENI: Verdict = { route: 'x-eni', reason: 'every endpoint connection of kubelet is on an X-ENI' };

/** What differs from a node that has moved: everything is known, and everything is good. */
interface Case extends Omit<Seen, 'dns'> {
  /** Null: never answered. */
  readonly dns?: readonly string[] | null;
  readonly dnsAgeSeconds?: number;
  readonly ttlSeconds?: number;
  readonly overrides?: Partial<Settings>;
  readonly attribution?: Attribution;
  readonly verdict?: Verdict;
  readonly xEniForSeconds?: number | null;
}

function gatesOf(given: Case): readonly Gate[] {
  const { dns = [X_ENI], dnsAgeSeconds = 0, ttlSeconds = 60, ...others } = given;
  const { overrides, attribution = 'process', verdict = ON_X_ENI, xEniForSeconds = 10, ...seen } = others;
  const made = settings({ vpcCidrs: VPC.map(range), probeIntervalMs: 60_000, ...overrides });
  const seenDns = dnsSeen(dns ?? [], NOW - dnsAgeSeconds);
  const answer = dns === null ? null : seenDns.answer && { ...seenDns.answer, ttlSeconds };
  const look = observation(
    { slice: [X_ENI], probes: [{ address: X_ENI }], ...seen, dns: { ...seenDns, answer } },
    NOW,
  );
  return judgeGates({
    settings: made,
    observation: look,
    known: knowledgeOf(made, look),
    attribution,
    verdict,
    xEniSince: xEniForSeconds === null ? null : moment(NOW - xEniForSeconds),
  });
}

function gateOf(name: GateName, given: Case): Gate {
  const gate = gatesOf(given).find((one) => one.gate === name);
  if (gate === undefined) throw new RangeError(`Cannot find gate ${JSON.stringify(name)}`);
  return gate;
}

type Row = readonly [string, Case, GateState, string];

describe('private-ready', () => {
  const two = { slice: [X_ENI, SECOND] };
  const good = { address: X_ENI };
  const second = { address: SECOND };
  const given = (...xEnis: readonly string[]) => ({ overrides: { xEnis: xEnis.map(range) } });
  const rows: readonly Row[] = [
    ['the only X-ENI answers', {}, 'true', '1 of 1 X-ENIs answers as this cluster'],
    ['both answer', { ...two, probes: [good, second] }, 'true', '2 of 2 X-ENIs answer'],
    // Which X-ENIs there are: of each family the slice's, else DNS's, else single addresses of --x-eni.
    ['no slice: those of DNS', { slice: null }, 'true', '1 of 1'],
    [
      'no slice: those of DNS, one of them not probed',
      { slice: null, dns: [X_ENI, SECOND] },
      'unknown',
      SECOND,
    ],
    ['an X-ENI of the slice that DNS does not give', { ...two, probes: [good] }, 'unknown', SECOND],
    [
      'an address of DNS that the slice does not hold is none',
      { dns: [X_ENI, SECOND], probes: [good, { ...second, failedStage: 'tcp' }] },
      'true',
      '1 of 1',
    ],
    [
      'single addresses of --x-eni, DNS is public',
      { slice: null, dns: [PUBLIC], ...given('10.9.0.1'), probes: [{ address: '10.9.0.1' }] },
      'true',
      '1 of 1',
    ],
    [
      'one of them does not answer',
      {
        slice: null,
        dns: [PUBLIC],
        ...given('10.9.0.1', '10.9.0.2'),
        probes: [{ address: '10.9.0.1' }, { address: '10.9.0.2', failedStage: 'tcp' }],
      },
      'false',
      '10.9.0.2',
    ],
    [
      'a subnet of --x-eni names none',
      { slice: null, dns: [PUBLIC], ...given('10.9.0.0/24') },
      'unknown',
      'no X-ENI',
    ],
    [
      'an address that DNS gives in a subnet of --x-eni, not probed',
      { slice: null, dns: ['10.9.0.5'], ...given('10.9.0.0/24') },
      'unknown',
      '10.9.0.5',
    ],
    [
      'the same beside one in the VPC: both are what DNS gives',
      { slice: null, dns: [X_ENI, '10.9.0.5'], ...given('10.9.0.0/24') },
      'unknown',
      '10.9.0.5',
    ],
    ['DNS is public and no slice was read', { slice: null, dns: [PUBLIC] }, 'unknown', 'no X-ENI is known'],
    ['DNS is public, the slice is good', { dns: [PUBLIC] }, 'true', '1 of 1'],
    ['DNS is private, outside the VPC', { slice: null, dns: ['10.9.0.1'] }, 'unknown', 'no X-ENI is known'],
    [
      'a slice of a public address alone',
      { slice: [PUBLIC], probes: [{ address: PUBLIC }] },
      'unknown',
      'no X-ENI',
    ],
    // Families.
    ['DNS gives IPv6 too, and no such X-ENI is known', { dns: [X_ENI, '2600:1f99::1'] }, 'unknown', 'IPv6'],
    ['DNS gives IPv6 only, the slice holds IPv4', { dns: ['2600:1f99::1'] }, 'unknown', 'IPv6'],
    [
      'both families, of DNS and of the slice, both probed',
      { slice: [V6], dns: [X_ENI, V6], probes: [good, { address: V6 }] },
      'true',
      '2 of 2',
    ],
    ['the IPv6 one is not probed', { slice: [V6], dns: [X_ENI, V6], probes: [good] }, 'unknown', V6],
    [
      'the IPv6 one does not answer',
      { slice: [V6], dns: [X_ENI, V6], probes: [good, { address: V6, failedStage: 'tcp' }] },
      'false',
      V6,
    ],
    [
      'DNS64 asks for IPv4',
      { slice: null, dns: ['64:ff9b::c0a8:1e7'], probes: [{ address: '64:ff9b::c0a8:1e7' }] },
      'true',
      '1 of 1',
    ],
    // How they answer.
    ['TCP fails', { probes: [{ ...good, failedStage: 'tcp' }] }, 'false', `X-ENI ${X_ENI} does not answer`],
    ['TLS fails', { probes: [{ ...good, failedStage: 'tls' }] }, 'false', `X-ENI ${X_ENI} does not answer`],
    ['another certificate', { probes: [{ ...good, failedStage: 'identity' }] }, 'false', 'as this cluster'],
    [
      'one answers, one does not',
      { ...two, probes: [good, { ...second, failedStage: 'tcp' }] },
      'false',
      SECOND,
    ],
    [
      'one does not, one was not probed: false wins',
      { ...two, probes: [{ ...second, failedStage: 'tcp' }] },
      'false',
      SECOND,
    ],
    ['another address answers', { probes: [second] }, 'unknown', `${X_ENI} has not been probed`],
    ['no result yet', { probes: [] }, 'unknown', 'has not been probed yet'],
    ['--no-probe', { probes: null, overrides: { probeIntervalMs: null } }, 'unknown', '--no-probe'],
    ['--no-probe with results of before', { overrides: { probeIntervalMs: null } }, 'unknown', ''],
    // Ages.
    ['a probe of three intervals ago', { probes: [{ ...good, ageSeconds: 180 }] }, 'true', '1 of 1'],
    ['an older one', { probes: [{ ...good, ageSeconds: 180.001 }] }, 'unknown', 'too old'],
    [
      'an older one at a shorter interval',
      { probes: [{ ...good, ageSeconds: 31 }], overrides: { probeIntervalMs: 10_000 } },
      'unknown',
      'too old',
    ],
    [
      'one that failed that long ago',
      { probes: [{ ...good, failedStage: 'tcp', ageSeconds: 181 }] },
      'unknown',
      'too old',
    ],
    ['a slice of 15 minutes ago', { sliceAgeSeconds: 900 }, 'true', '1 of 1'],
    ['an older one', { sliceAgeSeconds: 900.001 }, 'unknown', '15 minutes ago'],
    [
      'an older one, and an X-ENI of it does not answer: false wins',
      { sliceAgeSeconds: 3600, probes: [{ ...good, failedStage: 'tcp' }] },
      'false',
      X_ENI,
    ],
    ['an answer of three TTLs ago', { dnsAgeSeconds: 180 }, 'true', '1 of 1'],
    ['an older one', { dnsAgeSeconds: 180.001 }, 'unknown', 'DNS'],
    ['a short TTL, 30 s ago', { ttlSeconds: 1, dnsAgeSeconds: 30 }, 'true', '1 of 1'],
    ['a short TTL, longer ago', { ttlSeconds: 1, dnsAgeSeconds: 30.001 }, 'unknown', 'DNS'],
    ['DNS has never answered', { dns: null }, 'unknown', 'DNS'],
    [
      'DNS has never answered, and an X-ENI does not either',
      { dns: null, probes: [{ ...good, failedStage: 'tcp' }] },
      'false',
      X_ENI,
    ],
    // How many.
    ['16 X-ENIs', many(16), 'true', '16 of 16'],
    ['17 X-ENIs', many(17), 'unknown', 'more than 16'],
    ['17 X-ENIs, one does not answer', many(17, 'tcp'), 'false', '192.168.4.1 '],
  ];

  function many(count: number, failedStage?: 'tcp'): Case {
    const slice = SEVENTEEN.slice(0, count);
    const probes = slice.map((address, index) => ({
      address,
      ...(index === 0 && failedStage ? { failedStage } : {}),
    }));
    return { slice, dns: slice.slice(0, 2), probes };
  }

  test.each(rows)('%s', (_, given, state, words) => {
    const gate = gateOf('private-ready', given);
    expect(gate.state).toBe(state);
    expect(gate.reason).toContain(words);
  });

  test('where DNS is not asked, because the endpoint is an address', () => {
    const look = observation({ slice: [X_ENI], probes: [{ address: X_ENI }] }, NOW);
    const made = settings({ probeIntervalMs: 60_000 });
    const facts = { settings: made, observation: look, known: knowledgeOf(made, look) };
    const gates = judgeGates({ ...facts, attribution: 'process', verdict: ON_X_ENI, xEniSince: moment(0) });
    expect(gates.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  });

  test('does not ask what the clients do', () => {
    const verdict: Verdict = { route: 'public', reason: 'every endpoint connection is on a public address' };
    const given = { verdict, xEniForSeconds: null, dns: [PUBLIC], hosts: [PUBLIC] };
    expect(gateOf('private-ready', given).state).toBe('true');
    expect(gateOf('private-ready', { ...given, attribution: 'none' }).state).toBe('true');
  });
});

describe('public-free', () => {
  function route(name: Verdict['route']): Pick<Case, 'verdict' | 'xEniForSeconds'> {
    return { verdict: { route: name, reason: `because of ${name}` }, xEniForSeconds: null };
  }
  const failing = { probes: [{ address: X_ENI, failedStage: 'tcp' as const }] };
  const rows: readonly Row[] = [
    ['every part holds', {}, 'true', 'DNS gives X-ENIs only'],
    // DNS
    ['DNS gives a public address', { dns: [PUBLIC] }, 'false', `DNS gives ${PUBLIC}, a public address`],
    ['DNS gives an X-ENI and a public address', { dns: [X_ENI, PUBLIC] }, 'false', PUBLIC],
    [
      'a global IPv6 address of which nothing is known',
      { dns: [X_ENI, '2600:1f99::1'] },
      'false',
      '2600:1f99::1',
    ],
    ['a public address by NAT64', { dns: ['64:ff9b::3.34.148.207'] }, 'false', 'public'],
    ['DNS gives an address of the VPC, not of the slice', { dns: [X_ENI, SECOND] }, 'unknown', SECOND],
    ['DNS gives a private address', { dns: [X_ENI, '10.9.0.1'] }, 'unknown', '10.9.0.1'],
    ['DNS has never answered', { dns: null }, 'unknown', 'DNS'],
    ['DNS answered three TTLs ago', { dnsAgeSeconds: 180 }, 'true', ''],
    ['DNS answered longer ago', { dnsAgeSeconds: 180.001 }, 'unknown', 'too old'],
    ['a short TTL, 30 s ago', { ttlSeconds: 5, dnsAgeSeconds: 30 }, 'true', ''],
    ['a short TTL, longer ago', { ttlSeconds: 5, dnsAgeSeconds: 30.001 }, 'unknown', 'too old'],
    // The hosts file
    ['the hosts file agrees', { hosts: [X_ENI] }, 'true', ''],
    ['the hosts file says otherwise', { hosts: [PUBLIC] }, 'false', PUBLIC],
    ['the hosts file says otherwise too', { hosts: [X_ENI, SECOND] }, 'false', SECOND],
    ['the hosts file could not be read', { hosts: null }, 'unknown', 'hosts file'],
    ["the node's files were not looked at", { nodeConfig: null }, 'unknown', 'hosts file'],
    // The clients
    ['the route is public', route('public'), 'false', 'because of public'],
    ['the route is mixed', route('mixed'), 'false', 'because of mixed'],
    ['the route is other', route('other'), 'false', 'because of other'],
    ['the route is none', route('none'), 'unknown', 'because of none'],
    ['the route is unknown', route('unknown'), 'unknown', 'because of unknown'],
    ['x-eni for ten seconds', { xEniForSeconds: 10 }, 'true', ''],
    ['x-eni for less', { xEniForSeconds: 9.999 }, 'unknown', '9 s'],
    ['x-eni since this look', { xEniForSeconds: 0 }, 'unknown', '0 s'],
    [
      'sockets are told by address',
      { attribution: 'address', ...route('unknown') },
      'unknown',
      'not told apart',
    ],
    [
      'sockets are told by address, and the route is public',
      { attribution: 'address', ...route('public') },
      'false',
      'because of public',
    ],
    ['nothing is told apart', { attribution: 'none', ...route('unknown') }, 'unknown', ''],
    // private-ready
    ['private-ready is false', failing, 'false', 'private-ready is false'],
    ['private-ready is unknown', { probes: [] }, 'unknown', 'private-ready is unknown'],
    ['--no-probe', { probes: null, overrides: { probeIntervalMs: null } }, 'unknown', '--no-probe'],
    // False wins.
    [
      'private-ready is false, the route unknown',
      { ...failing, ...route('unknown') },
      'false',
      'private-ready',
    ],
    ['DNS is public, the route unknown', { dns: [PUBLIC], ...route('unknown') }, 'false', PUBLIC],
    [
      'the hosts file says otherwise, DNS is too old',
      { hosts: [PUBLIC], dnsAgeSeconds: 300 },
      'false',
      PUBLIC,
    ],
    ['the route is public, DNS has never answered', { dns: null, ...route('public') }, 'false', 'public'],
    [
      'the route is public, nothing else is known',
      { dns: null, nodeConfig: null, probes: null, ...route('public') },
      'false',
      'public',
    ],
  ];
  test.each(rows)('%s', (_, given, state, words) => {
    const gate = gateOf('public-free', given);
    expect(gate.state).toBe(state);
    expect(gate.reason).toContain(words);
  });

  test('is not true by attribution alone, even were the route x-eni', () => {
    expect(gateOf('public-free', { attribution: 'address' }).state).toBe('unknown');
    expect(gateOf('public-free', { attribution: 'none' }).state).toBe('unknown');
  });
});

describe('every gate', () => {
  test('is there, in its order, and says why in one sentence', () => {
    const all: readonly Case[] = [
      {},
      { dns: null },
      { dns: [PUBLIC] },
      { hosts: [PUBLIC] },
      { nodeConfig: null },
      { probes: [] },
      { probes: null, overrides: { probeIntervalMs: null } },
      { probes: [{ address: X_ENI, failedStage: 'identity' }] },
      { verdict: { route: 'none', reason: 'no client has an established endpoint connection' } },
    ];
    for (const given of all) {
      const gates = gatesOf(given);
      expect(gates.map(({ gate }) => gate)).toEqual(GATES);
      for (const { reason } of gates) {
        expect(reason).toMatch(/\S/);
        expect(reason).not.toMatch(/undefined|null|NaN|\.$|^ |\n/);
      }
    }
  });
});

describe('public-free from look to look', () => {
  const BOTH = ['kubelet', 'kube-proxy'].map((process) => ({ process, peer: `${X_ENI}:443` }));
  const moved: WatchSeen = { sockets: BOTH, dns: [X_ENI], slice: [X_ENI], probes: [{ address: X_ENI }] };
  function states(...looks: readonly (readonly [WatchSeen, number])[]): readonly (string | undefined)[] {
    const watch = new Watch({ probeIntervalMs: 60_000 });
    return looks.map(
      ([seen, seconds]) => watch.look(seen, seconds).gates.find(({ gate }) => gate === 'public-free')?.state,
    );
  }

  test('needs two looks for x-eni and ten seconds of it', () => {
    const looks = [
      [moved, 10],
      [moved, 1],
      [moved, 9.999],
      [moved, 0.001],
    ] as const;
    expect(states(...looks)).toEqual(['unknown', 'unknown', 'unknown', 'true']);
  });

  test('begins anew after a look that was not x-eni', () => {
    const blind: WatchSeen = { ...moved, failed: ['sockets'] };
    const looks = [
      [moved, 10],
      [moved, 10],
      [moved, 10],
      [blind, 10],
      [moved, 10],
      [moved, 10],
      [moved, 10],
    ] as const;
    expect(states(...looks)).toEqual(['unknown', 'unknown', 'true', 'unknown', 'unknown', 'unknown', 'true']);
  });

  test('is not moved by a row that is missed and comes back', () => {
    const rowMissed: WatchSeen = {
      ...moved,
      sockets: BOTH.map((socket): SocketText => ({ ...socket, missed: socket.process === 'kubelet' })),
    };
    const looks = [
      [moved, 10],
      [moved, 10],
      [moved, 10],
      [rowMissed, 10],
      [moved, 10],
      [rowMissed, 1],
      [moved, 1],
    ] as const;
    expect(states(...looks).slice(2)).toEqual(['true', 'true', 'true', 'true', 'true']);
  });

  test('turns false with the first public connection, and by an X-ENI that stops answering', () => {
    const open: WatchSeen = { ...moved, sockets: [...BOTH, { process: 'kubelet', peer: `${PUBLIC}:443` }] };
    const deaf: WatchSeen = { ...moved, probes: [{ address: X_ENI, failedStage: 'tcp' }] };
    const looks = [
      [moved, 10],
      [moved, 10],
      [moved, 10],
    ] as const;
    expect(states(...looks, [open, 1]).at(-1)).toBe('false');
    expect(states(...looks, [deaf, 1]).at(-1)).toBe('false');
  });
});
