import { describe, expect, test } from 'vitest';
import type { ClientView } from '../../src/model/clients.ts';
import { type GateFacts, judgeGates } from '../../src/model/gates.ts';
import type { Verdict } from '../../src/model/node-route.ts';
import type { Observation } from '../../src/model/observation.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import type { Settings } from '../../src/model/settings.ts';
import { type Attribution, GATES, type Gate, type GateName, type GateState } from '../../src/model/status.ts';
import {
  address,
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
const ELSEWHERE = 'net:[4026532000]';
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
  readonly dnsChangedSecondsAgo?: number;
  /** Whom the agent asks for names. */
  readonly servers?: readonly string[];
  readonly imdsAgeSeconds?: number;
  readonly nodeConfigAgeSeconds?: number;
  readonly strangers?: readonly StrangerText[];
}

/** A peer of kubelet that nobody knows. */
interface StrangerText {
  readonly isTold: boolean;
  /** Seconds since first sight: 0 is this look. */
  readonly forSeconds: number;
}

function factsOf(given: Case): GateFacts {
  const {
    dns = [X_ENI],
    dnsAgeSeconds = 0,
    ttlSeconds = 60,
    dnsChangedSecondsAgo,
    servers,
    ...others
  } = given;
  const { overrides, attribution = 'process', verdict = ON_X_ENI, xEniForSeconds = 10, ...more } = others;
  const { imdsAgeSeconds = 0, nodeConfigAgeSeconds = 0, strangers = [], ...seen } = more;
  const made = settings({ vpcCidrs: VPC.map(range), probeIntervalMs: 60_000, ...overrides });
  const seenDns = dnsSeen(dns ?? [], NOW - dnsAgeSeconds);
  const answer = dns === null ? null : seenDns.answer && { ...seenDns.answer, ttlSeconds };
  const changedAt = dnsChangedSecondsAgo === undefined ? null : moment(NOW - dnsChangedSecondsAgo);
  const seenNow = observation(
    {
      slice: [X_ENI],
      probes: [{ address: X_ENI }],
      ...seen,
      dns: { ...seenDns, answer, changedAt, servers: servers ?? seenDns.servers },
    },
    NOW,
  );
  const { imds, nodeConfig } = seenNow;
  const look = {
    ...seenNow,
    imds: imds?.answer ? { answer: { ...imds.answer, at: moment(NOW - imdsAgeSeconds) } } : imds,
    nodeConfig: nodeConfig && { ...nodeConfig, at: moment(NOW - nodeConfigAgeSeconds) },
  };
  return {
    settings: made,
    observation: look,
    known: knowledgeOf(made, look),
    attribution,
    verdict,
    clients: [clientWith([]), clientWith(strangers)],
    xEniSince: xEniForSeconds === null ? null : moment(NOW - xEniForSeconds),
  };
}

function clientWith(strangers: readonly StrangerText[]): ClientView {
  return {
    client: 'kubelet',
    required: true,
    found: true,
    readable: true,
    obstacle: null,
    processes: [],
    told: true,
    connections: [],
    ignored: 0,
    strangers: strangers.map(({ isTold, forSeconds }) => ({
      address: address('10.1.1.1'),
      port: 443,
      isTold,
      firstSeenAt: moment(NOW - forSeconds),
    })),
    viaServiceOnly: false,
  };
}

function gatesOf(given: Case): readonly Gate[] {
  return judgeGates(factsOf(given));
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
    // Where DNS leads in private to what is not known as an X-ENI, nobody knows what answers; but what does not is known.
    [
      'DNS gives an address of the VPC that the slice does not hold, and it answers',
      { dns: [X_ENI, SECOND], probes: [good, second] },
      'unknown',
      `DNS gives ${SECOND}, not known as an X-ENI`,
    ],
    ['it has not been probed', { dns: [X_ENI, SECOND], probes: [good] }, 'unknown', SECOND],
    ...(['tcp', 'tls', 'identity'] as const).map(
      (failedStage): Row => [
        `it fails at ${failedStage}`,
        { dns: [X_ENI, SECOND], probes: [good, { ...second, failedStage }] },
        'false',
        SECOND,
      ],
    ),
    [
      'it failed three intervals ago',
      { dns: [X_ENI, SECOND], probes: [good, { ...second, failedStage: 'tcp', ageSeconds: 180 }] },
      'false',
      SECOND,
    ],
    [
      'it failed longer ago',
      { dns: [X_ENI, SECOND], probes: [good, { ...second, failedStage: 'tcp', ageSeconds: 180.001 }] },
      'unknown',
      SECOND,
    ],
    [
      'DNS gives a private address outside the VPC too, and it answers',
      { dns: [X_ENI, '10.9.0.1'], probes: [good, { address: '10.9.0.1' }] },
      'unknown',
      'DNS gives 10.9.0.1, not known as an X-ENI',
    ],
    [
      'it does not answer',
      { dns: [X_ENI, '10.9.0.1'], probes: [good, { address: '10.9.0.1', failedStage: 'tcp' }] },
      'false',
      '10.9.0.1',
    ],
    [
      'DNS gives a loopback address too',
      { dns: [X_ENI, '127.0.0.1'], probes: [good] },
      'unknown',
      'DNS gives 127.0.0.1, not known as an X-ENI',
    ],
    [
      'DNS gives a public address too, which does not answer: it is not the way in question',
      { dns: [X_ENI, PUBLIC], probes: [good, { address: PUBLIC, failedStage: 'tcp' }] },
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
    // The slice names what is not taken for an X-ENI.
    [
      'a slice of a public address alone',
      { slice: [PUBLIC], probes: [{ address: PUBLIC }] },
      'unknown',
      `the EndpointSlice names ${PUBLIC}, a public address that is not taken for an X-ENI`,
    ],
    [
      'a slice of a public address too',
      { slice: [X_ENI, PUBLIC], probes: [good, { address: PUBLIC }] },
      'unknown',
      `the EndpointSlice names ${PUBLIC}, a public address that is not taken for an X-ENI`,
    ],
    [
      'the same by IPv6, outside the VPC',
      { slice: [X_ENI, '2600:1f99::1'] },
      'unknown',
      'the EndpointSlice names 2600:1f99::1, a public address that is not taken for an X-ENI',
    ],
    [
      'a slice of a loopback address too',
      { slice: [X_ENI, '127.0.0.1'] },
      'unknown',
      'the EndpointSlice names 127.0.0.1, a private address that is not taken for an X-ENI',
    ],
    [
      'a slice of a public address within the VPC',
      {
        slice: [PUBLIC],
        dns: [PUBLIC],
        probes: [{ address: PUBLIC }],
        overrides: { vpcCidrs: [range('3.34.148.0/24')] },
      },
      'true',
      '1 of 1',
    ],
    [
      'a slice of a private address outside the VPC',
      { slice: ['10.9.0.1'], dns: [PUBLIC], probes: [{ address: '10.9.0.1' }] },
      'true',
      '1 of 1',
    ],
    [
      'an X-ENI of such a slice does not answer: false wins',
      { slice: [X_ENI, PUBLIC], probes: [{ ...good, failedStage: 'tcp' }] },
      'false',
      X_ENI,
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
    [
      'TCP fails',
      { probes: [{ ...good, failedStage: 'tcp' }] },
      'false',
      `${X_ENI} does not answer: tcp failed`,
    ],
    [
      'TLS fails',
      { probes: [{ ...good, failedStage: 'tls' }] },
      'false',
      `${X_ENI} does not answer: tls failed`,
    ],
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
    ['--no-probe with results of before', { overrides: { probeIntervalMs: null } }, 'unknown', '--no-probe'],
    [
      '--no-probe with a bad result of before',
      { overrides: { probeIntervalMs: null }, probes: [{ ...good, failedStage: 'tcp' }] },
      'unknown',
      '--no-probe',
    ],
    [
      '--no-probe, and other obstacles: it is the first',
      { overrides: { probeIntervalMs: null }, dns: null, agentNetns: ELSEWHERE, sliceAgeSeconds: 3600 },
      'unknown',
      '--no-probe',
    ],
    // From where it is looked.
    ['the agent is in another network namespace', { agentNetns: ELSEWHERE }, 'unknown', 'hostNetwork'],
    ['that of the agent could not be read', { agentNetns: null }, 'unknown', 'it is not known whether'],
    [
      'neither a client nor the table of a node is seen',
      { processes: [], listening: [] },
      'unknown',
      'it is not known whether',
    ],
    [
      'the agent is elsewhere, and an X-ENI does not answer there',
      {
        agentNetns: ELSEWHERE,
        probes: [{ address: '192.168.1.231', success: false, failedStage: 'tcp', error: 'refused' }],
      },
      'unknown',
      'hostNetwork',
    ],
    [
      'the agent is elsewhere, and nothing is known: where it is comes first',
      { agentNetns: ELSEWHERE, dns: null, slice: null, probes: [] },
      'unknown',
      'hostNetwork',
    ],
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
    ['an older one', { sliceAgeSeconds: 900.001 }, 'unknown', 'last read 15 min ago'],
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
    ['no TTL at all, 30 s ago', { ttlSeconds: 0, dnsAgeSeconds: 30 }, 'true', '1 of 1'],
    ['no TTL at all, longer ago', { ttlSeconds: 0, dnsAgeSeconds: 30.001 }, 'unknown', 'DNS'],
    [
      'a TTL of a day, 15 minutes ago: it is kept for 5',
      { ttlSeconds: 86_400, dnsAgeSeconds: 900 },
      'true',
      '1 of 1',
    ],
    ['a TTL of a day, longer ago', { ttlSeconds: 86_400, dnsAgeSeconds: 900.001 }, 'unknown', 'DNS'],
    // Where only DNS names an X-ENI, it is one because it lies in the VPC: by whose word, and how old?
    ['by DNS alone within CIDRs of IMDS, 30 minutes old', byImds(1800), 'true', '1 of 1'],
    ['older', byImds(1800.001), 'unknown', 'IMDS'],
    [
      'older, and another is in the slice',
      { ...byImds(1801), slice: [V6], dns: [X_ENI, V6], probes: [good, { address: V6 }] },
      'unknown',
      'IMDS',
    ],
    ['older, and it is in the slice too', { ...byImds(1801), slice: [X_ENI] }, 'true', '1 of 1'],
    [
      'older, and it is in --x-eni too',
      { ...byImds(1801), overrides: { vpcCidrs: [], xEnis: [range(X_ENI)] } },
      'true',
      '1 of 1',
    ],
    ['older, and the CIDRs are given', { slice: null, imds: VPC, imdsAgeSeconds: 1801 }, 'true', '1 of 1'],
    [
      'older, and it does not answer: false wins',
      { ...byImds(1801), probes: [{ ...good, failedStage: 'tcp' }] },
      'false',
      X_ENI,
    ],
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

  function byImds(imdsAgeSeconds: number): Case {
    return { slice: null, imds: VPC, imdsAgeSeconds, overrides: { vpcCidrs: [] } };
  }

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
    const facts = factsOf({});
    const look = { ...facts.observation, dns: null };
    const gates = judgeGates({ ...facts, observation: look, known: knowledgeOf(facts.settings, look) });
    expect(gates.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  });

  describe('must be seen from where', () => {
    function seenFrom(elsewhere: (look: Observation) => Partial<Observation>): Gate | undefined {
      const facts = factsOf({});
      const look = { ...facts.observation, ...elsewhere(facts.observation) };
      return judgeGates({ ...facts, observation: look })[0];
    }
    const away = { netns: ELSEWHERE };

    test('the clients are', () => {
      const one = seenFrom(({ owners }) => ({
        owners: owners && {
          ...owners,
          processes: owners.processes.map((process) =>
            process.client === 'kube-proxy' ? { ...process, ...away } : process,
          ),
        },
      }));
      expect(one).toMatchObject({ state: 'unknown', reason: expect.stringContaining('hostNetwork') });
    });

    test("the host's table is, where owners are not known", () => {
      const alone = seenFrom(({ tables }) => ({
        owners: null,
        tables: tables?.map((table) => ({ ...table, ...away })) ?? null,
      }));
      expect(alone).toMatchObject({ state: 'unknown', reason: expect.stringContaining('hostNetwork') });
      expect(seenFrom(() => ({ owners: null }))?.state).toBe('true');
    });

    test("not where a table is that is not the host's", () => {
      const more = seenFrom(({ tables }) => ({
        tables: tables?.flatMap((table) => [table, { ...table, ...away, listeners: [] }]) ?? null,
      }));
      expect(more?.state).toBe('true');
    });
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
    ['DNS changed ten seconds ago', { dnsChangedSecondsAgo: 10 }, 'true', ''],
    [
      'DNS changed less than ten seconds ago',
      { dnsChangedSecondsAgo: 9.999 },
      'unknown',
      'DNS changed 9 s ago',
    ],
    ['DNS changed just now', { dnsChangedSecondsAgo: 0 }, 'unknown', 'DNS changed 0 s ago'],
    [
      'DNS changed just now, to a public address',
      { dnsChangedSecondsAgo: 0, dns: [PUBLIC] },
      'false',
      PUBLIC,
    ],
    // Whom the agent asks
    [
      'the agent asks one of the resolvers of the node',
      { resolvers: ['192.168.0.2', '10.0.0.2'] },
      'true',
      '',
    ],
    [
      'it asks all of them',
      { resolvers: ['192.168.0.2', '10.0.0.2'], servers: ['192.168.0.2:53', '10.0.0.2'] },
      'true',
      '',
    ],
    [
      'it asks them in another order: the first is who answers',
      { resolvers: ['192.168.0.2', '10.0.0.2'], servers: ['10.0.0.2', '192.168.0.2'] },
      'unknown',
      'the agent asks 10.0.0.2 and 192.168.0.2 for names',
    ],
    ['by IPv6', { resolvers: ['fd00:ec2::253'], servers: ['[fd00:ec2::253]:53'] }, 'true', ''],
    ['it asks a resolver on the machine', { servers: ['127.0.0.53'] }, 'true', ''],
    ['the same by IPv6', { servers: ['[::1]:53'] }, 'true', ''],
    [
      'it asks another resolver',
      { servers: ['10.100.0.10'] },
      'unknown',
      'the agent asks 10.100.0.10 for names',
    ],
    [
      'it asks another resolver too',
      { servers: ['192.168.0.2', '127.0.0.1', '10.100.0.10'] },
      'unknown',
      'the agent asks 192.168.0.2, 127.0.0.1 and 10.100.0.10 for names',
    ],
    ['it asks what is no address', { servers: ['resolver'] }, 'unknown', 'is not known'],
    ['whom it asks is not known', { servers: [] }, 'unknown', 'is not known'],
    ["the node's resolvers could not be read", { resolvers: null }, 'unknown', 'resolv.conf'],
    [
      'nor is that better for a resolver on the machine',
      { resolvers: null, servers: ['127.0.0.53'] },
      'unknown',
      'resolv.conf',
    ],
    ['the node has no resolver', { resolvers: [] }, 'unknown', '192.168.0.2'],
    [
      'the agent asks another resolver, and is told a public address',
      { servers: ['10.100.0.10'], dns: [PUBLIC] },
      'false',
      PUBLIC,
    ],
    // The hosts file
    ['the hosts file agrees', { hosts: [X_ENI] }, 'true', ''],
    ['the hosts file says otherwise', { hosts: [PUBLIC] }, 'false', PUBLIC],
    ['the hosts file says otherwise too', { hosts: [X_ENI, SECOND] }, 'false', SECOND],
    ['the hosts file could not be read', { hosts: null }, 'unknown', 'hosts file'],
    ["the node's files were not looked at", { nodeConfig: null }, 'unknown', 'was not read'],
    ["the node's files were read three minutes ago", { nodeConfigAgeSeconds: 180 }, 'true', ''],
    ['they were read longer ago', { nodeConfigAgeSeconds: 180.001 }, 'unknown', 'too long'],
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
    // Peers that nobody knows
    [
      'a stranger that was seen in two looks',
      { strangers: [{ isTold: false, forSeconds: 1 }] },
      'unknown',
      'kubelet is connected to 10.1.1.1',
    ],
    [
      'a stranger that is seen for the first time',
      { strangers: [{ isTold: false, forSeconds: 0 }] },
      'true',
      '',
    ],
    ['a stranger whose certificate has told', { strangers: [{ isTold: true, forSeconds: 60 }] }, 'true', ''],
    [
      'one of two strangers has not told',
      {
        strangers: [
          { isTold: true, forSeconds: 60 },
          { isTold: false, forSeconds: 10 },
        ],
      },
      'unknown',
      '10.1.1.1',
    ],
    [
      'a stranger, and the route is public: false wins',
      { strangers: [{ isTold: false, forSeconds: 10 }], ...route('public') },
      'false',
      'because of public',
    ],
    // private-ready
    ['private-ready is false', failing, 'false', 'private-ready is false'],
    ['private-ready is unknown', { probes: [] }, 'unknown', 'private-ready is unknown'],
    ['--no-probe', { probes: null, overrides: { probeIntervalMs: null } }, 'unknown', '--no-probe'],
    ['the agent is in another network namespace', { agentNetns: ELSEWHERE }, 'unknown', 'hostNetwork'],
    [
      'the slice is too old',
      { sliceAgeSeconds: 900.001 },
      'unknown',
      'private-ready is unknown: the EndpointSlice',
    ],
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
      { agentNetns: null },
      { sliceAgeSeconds: 901 },
      { slice: [PUBLIC] },
      { dns: [X_ENI, SECOND, '10.9.0.1'] },
      { dnsChangedSecondsAgo: 1 },
      { servers: [] },
      { servers: ['10.100.0.10'] },
      { resolvers: null },
      { nodeConfigAgeSeconds: 181 },
      { strangers: [{ isTold: false, forSeconds: 10 }] },
      { slice: null, imds: VPC, imdsAgeSeconds: 1801, overrides: { vpcCidrs: [] } },
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

  test('needs ten seconds of the answer, though the connections were there before', () => {
    const both: WatchSeen = { ...moved, dns: [X_ENI, SECOND], slice: [X_ENI, SECOND] };
    const probes = [{ address: X_ENI }, { address: SECOND }];
    const looks = [
      [{ ...both, probes }, 10],
      [{ ...both, probes }, 10],
      [{ ...both, probes }, 10],
      [{ ...both, probes, dns: [X_ENI] }, 10],
      [{ ...both, probes, dns: [X_ENI] }, 9.999],
      [{ ...both, probes, dns: [X_ENI] }, 0.001],
    ] as const;
    expect(states(...looks).slice(2)).toEqual(['true', 'unknown', 'unknown', 'true']);
  });

  describe('a peer on the port of the endpoint that nobody knows', () => {
    const sockets = [...BOTH, { process: 'kubelet', peer: '10.1.1.1:443' }];
    const held: readonly (readonly [WatchSeen, number])[] = [
      [moved, 10],
      [moved, 10],
      [moved, 10],
    ];
    test.each<[string, WatchSeen, readonly string[]]>([
      ['is in the way from the second look that sees it', {}, ['true', 'unknown', 'unknown']],
      [
        'with no answer too',
        { identities: [{ address: '10.1.1.1', identity: 'no-answer' }] },
        ['true', 'unknown', 'unknown'],
      ],
      [
        "not with another's certificate, while the CA verifies the X-ENI",
        { identities: [{ address: '10.1.1.1', identity: 'other' }] },
        ['true', 'true', 'true'],
      ],
      [
        "with the cluster's certificate it is the endpoint, and no X-ENI",
        { identities: [{ address: '10.1.1.1', identity: 'cluster' }] },
        ['false', 'false', 'false'],
      ],
    ])('%s', (_, seen, expected) => {
      const stranger: WatchSeen = { ...moved, sockets, ...seen };
      expect(states(...held, [stranger, 10], [stranger, 10], [stranger, 10]).slice(3)).toEqual(expected);
    });

    test('is taken for the endpoint after a minute without an answer', () => {
      const stranger: WatchSeen = { ...moved, sockets };
      expect(states(...held, [stranger, 10], [stranger, 59.999], [stranger, 0.001]).slice(3)).toEqual([
        'true',
        'unknown',
        'false',
      ]);
    });

    test('is in the way no longer when it is gone', () => {
      const stranger: WatchSeen = { ...moved, sockets };
      const looks = [...held, [stranger, 10], [stranger, 10], [moved, 10], [moved, 10]] as const;
      expect(states(...looks).at(-1)).toBe('true');
    });
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
