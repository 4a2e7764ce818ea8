import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACCESS_MODES,
  ATTRIBUTIONS,
  type FindingCode,
  GATE_STATES,
  GATES,
  NODE_ROUTES,
  type NodeStatus,
} from '../../src/model/status.ts';
import { stateOf } from '../support/observation.ts';
import { type Allowed, answersFor, publicPeers } from '../support/oracle.ts';
import {
  type Connection,
  judgeWorld,
  OTHER_VPC,
  PLACES,
  placeOf,
  VPC,
  VPC_V4_ONLY,
  type World,
} from '../support/worlds.ts';

const X_ENI = '192.168.1.231';
const FORMER = '192.168.2.2';
const SINGLE = '192.168.3.3';
const CGN_X_ENI = '100.64.7.7';
const GLOBAL_X_ENI = '44.128.3.3';
const X_ENI_6 = '2600:1f14:abcd:ef00::a';
const PUBLIC = '3.34.148.207';
const OTHER_PUBLIC = '43.201.141.73';
const STRANGE_PUBLIC = '13.125.1.1';
const PUBLIC_6 = '2600:1f70:8000::1';
const STRANGE_PUBLIC_6 = '2600:1f70:8000::2';
const VPC_STRANGER = '192.168.9.9';
const STRANGER = '10.9.9.9';
const FOREIGN = '10.9.9.77';
const PROXY = '10.9.9.8';
const CLUSTER_IP = '10.100.0.1';

/** A node that has moved, and all that is known of it. */
const MOVED: World = {
  slice: { addresses: [X_ENI] },
  vpcFlag: VPC,
  imds: null,
  imdsAgeSeconds: 0,
  given: [],
  dns: { answer: [X_ENI] },
  asked: 'as the node',
  outside: null,
  outsideResolver: '1.1.1.1',
  hosts: [],
  resolvers: ['192.168.0.2'],
  nodeFilesAgeSeconds: 0,
  proxy: null,
  kubelet: to(X_ENI),
  kubeProxy: to(X_ENI),
  identities: {},
  probes: {},
  namespace: "the node's",
  attribution: 'process',
  sight: 'good',
  endpointKnown: true,
  looks: 'held',
  rejectedRows: 0,
  expect: 'any',
  staleAfterSeconds: 600,
  onEc2: true,
};

function to(...peers: readonly string[]): readonly Connection[] {
  return peers.map((peer) => ({ peer }));
}

function everyStranger(identity: 'cluster' | 'other' | 'no-answer'): Partial<World> {
  const strangers = [VPC_STRANGER, STRANGER, STRANGE_PUBLIC, STRANGE_PUBLIC_6];
  return { identities: Object.fromEntries(strangers.map((stranger) => [stranger, identity])) };
}

const FINDINGS: readonly FindingCode[] = [
  'Blind',
  'ClientMissing',
  'XEniUnreachable',
  'XEniIdentityMismatch',
  'DnsPublic',
  'DnsFailing',
  'CustomResolver',
  'HostsFileOverride',
  'ConnectionMoving',
  'StaleConnection',
  'StaleXEni',
  'UnexpectedRoute',
  'ConnectStuck',
  'Retransmitting',
  'ViaProxy',
  'SliceUnavailable',
];

/** What differs from `MOVED`, in words. */
type States = Readonly<Record<string, Partial<World>>>;

const SLICE: States = {
  off: { slice: null },
  'not read yet': { slice: { addresses: null, failingSeconds: 30 } },
  'unreadable for 10 min': { slice: { addresses: null, failingSeconds: 600 } },
  good: {},
  'read 20 min ago': { slice: { addresses: [X_ENI], ageSeconds: 1200, failingSeconds: 1170 } },
  'with a public address': { slice: { addresses: [X_ENI, PUBLIC] } },
  'of a public address only': { slice: { addresses: [PUBLIC] } },
  'IPv6 only': { slice: { addresses: [X_ENI_6] } },
  'with a link-local address': { slice: { addresses: [X_ENI, '169.254.7.7'] } },
  'replaced, IPv6 only now': { slice: { addresses: [X_ENI_6], before: [FORMER] } },
  replaced: { slice: { addresses: [X_ENI], before: [FORMER] } },
  'of 100.64/10': { slice: { addresses: [CGN_X_ENI] } },
  'of publicly routable VPC addresses': { slice: { addresses: [GLOBAL_X_ENI] } },
  'of 17': {
    slice: { addresses: [X_ENI, ...[...PLACES.keys()].filter((name) => name.startsWith('192.168.4.'))] },
  },
};
const VPC_CIDRS: States = {
  unknown: { vpcFlag: [] },
  'from the flag': {},
  'from IMDS': { vpcFlag: [], imds: VPC },
  'from the flag, IPv4 only, and others from IMDS': { vpcFlag: VPC_V4_ONLY, imds: OTHER_VPC },
};
const IMDS: States = {
  'answered now': {},
  'answered 30 min ago': { imdsAgeSeconds: 1800 },
  'answered 31 min ago': { imdsAgeSeconds: 1860 },
};
const GIVEN: States = {
  none: {},
  'a subnet and an address': { given: ['100.64.7.0/24', SINGLE] },
  'a public subnet': { given: ['3.34.148.0/24'] },
  'IPv6 and publicly routable ones': { given: ['2600:1f14:abcd:ef00::/64', GLOBAL_X_ENI] },
};
const DNS: States = {
  none: { dns: null },
  public: { dns: { answer: [PUBLIC, OTHER_PUBLIC] } },
  'X-ENIs': {},
  mixed: { dns: { answer: [X_ENI, PUBLIC] } },
  'private and foreign': { dns: { answer: [FOREIGN] } },
  'X-ENIs, public before': { dns: { answer: [X_ENI], earlier: [PUBLIC] } },
  'X-ENIs, public until 5 s ago': { dns: { answer: [X_ENI], earlier: [PUBLIC], changedSecondsAgo: 5 } },
  'X-ENIs, public until 10 s ago': { dns: { answer: [X_ENI], earlier: [PUBLIC], changedSecondsAgo: 10 } },
  'public, X-ENIs until 5 s ago': { dns: { answer: [PUBLIC], earlier: [X_ENI], changedSecondsAgo: 5 } },
  'X-ENIs 30 s ago, for 0 s': { dns: { answer: [X_ENI], ttlSeconds: 0, ageSeconds: 30 } },
  'X-ENIs 31 s ago, for 0 s': { dns: { answer: [X_ENI], ttlSeconds: 0, ageSeconds: 31 } },
  'X-ENIs 16 min ago, for a day': { dns: { answer: [X_ENI], ttlSeconds: 86_400, ageSeconds: 960 } },
  'X-ENIs 100 s ago': { dns: { answer: [X_ENI], ageSeconds: 100, failingSeconds: 40 } },
  'X-ENIs 20 min ago': { dns: { answer: [X_ENI], ageSeconds: 1200, failingSeconds: 1140 } },
  'X-ENIs 70 min ago': { dns: { answer: [X_ENI], ageSeconds: 4200, failingSeconds: 4140 } },
  'public 20 min ago': { dns: { answer: [PUBLIC], ageSeconds: 1200, failingSeconds: 1140 } },
  'no answer for 5 min': { dns: { answer: null, failingSeconds: 300 } },
  'IPv6 X-ENIs': { dns: { answer: [X_ENI_6] } },
  'X-ENIs of both families': { dns: { answer: [X_ENI, X_ENI_6] } },
  'IPv6 public': { dns: { answer: [PUBLIC_6] } },
  'NAT64 of a public one': { dns: { answer: ['64:ff9b::322:94cf'] } },
  '100.64/10': { dns: { answer: [CGN_X_ENI] } },
  'an X-ENI and another of 100.64/10': { dns: { answer: [X_ENI, CGN_X_ENI] } },
  'publicly routable VPC addresses': { dns: { answer: [GLOBAL_X_ENI] } },
};
const KUBELET: States = {
  'on an X-ENI': {},
  absent: { kubelet: 'absent' },
  'no connection': { kubelet: [] },
  public: { kubelet: to(PUBLIC) },
  'X-ENI and public': { kubelet: to(X_ENI, PUBLIC) },
  'on an earlier X-ENI': { kubelet: to(FORMER) },
  'VPC stranger': { kubelet: to(X_ENI, VPC_STRANGER) },
  'private stranger': { kubelet: to(X_ENI, STRANGER) },
  'only a private stranger': { kubelet: to(STRANGER) },
  'public stranger': { kubelet: to(X_ENI, STRANGE_PUBLIC) },
  'ClusterIP only': { kubelet: to(CLUSTER_IP) },
  'ClusterIP and public': { kubelet: to(CLUSTER_IP, PUBLIC) },
  'accepted from a public address': { kubelet: [...to(X_ENI), { peer: PUBLIC, accepted: true }] },
  'IPv6 X-ENI': { kubelet: to(X_ENI_6) },
  'IPv6 public': { kubelet: to(PUBLIC_6) },
  'IPv6 public stranger': { kubelet: to(X_ENI, STRANGE_PUBLIC_6) },
  'opening one only': { kubelet: [{ peer: X_ENI, state: 'syn-sent' }] },
  'X-ENI, opening a public one': { kubelet: [...to(X_ENI), { peer: PUBLIC, state: 'syn-sent' }] },
  'X-ENI of 100.64/10': { kubelet: to(CGN_X_ENI) },
  'given X-ENI': { kubelet: to(SINGLE) },
  'publicly routable X-ENI': { kubelet: to(GLOBAL_X_ENI) },
  'NAT64 of a public one': { kubelet: to('64:ff9b::322:94cf') },
  'NAT64 of an X-ENI': { kubelet: to('64:ff9b::c0a8:1e7') },
  'mapped public': { kubelet: to(X_ENI, '::ffff:3.34.148.207') },
  'loopback too': { kubelet: to(X_ENI, '127.0.0.1') },
  'link-local': { kubelet: to('169.254.7.7') },
  'another port too': { kubelet: [...to(X_ENI), { peer: PUBLIC, port: 8443 }] },
  'foreign private': { kubelet: to(FOREIGN) },
  'at the proxy': { kubelet: [{ peer: PROXY, port: 3128 }] },
  'at a proxy of loopback': { kubelet: [{ peer: '127.0.0.1', port: 3128 }] },
  'retransmitting to an X-ENI': { kubelet: [{ peer: X_ENI, retransmitting: true }] },
};
const KUBE_PROXY: States = {
  'on an X-ENI': {},
  absent: { kubeProxy: 'absent' },
  public: { kubeProxy: to(PUBLIC) },
  'no connection': { kubeProxy: [] },
  unreadable: { kubeProxy: 'unreadable' },
  'ClusterIP only': { kubeProxy: to(CLUSTER_IP) },
};
const STRANGERS: States = {
  'not asked': {},
  'of the cluster': everyStranger('cluster'),
  'of another authority': everyStranger('other'),
  silent: everyStranger('no-answer'),
};
const PROBES: States = {
  good: {},
  off: { probes: null },
  'none yet': { probes: { none: true } },
  'the X-ENIs fail at TCP': { probes: { failed: { [X_ENI]: 'tcp', [X_ENI_6]: 'tcp' } } },
  'an X-ENI shows another certificate': { probes: { failed: { [X_ENI]: 'identity' } } },
  'an X-ENI of 100.64/10 fails at TLS': { probes: { failed: { [CGN_X_ENI]: 'tls' } } },
  'a public one shows another certificate': { probes: { failed: { [PUBLIC]: 'identity' } } },
  'all show another certificate': {
    probes: { failed: Object.fromEntries([...PLACES.keys()].map((name) => [name, 'identity'])) },
  },
  'good, 4 min ago': { probes: { ageSeconds: 240 } },
};
const HOSTS: States = {
  silent: {},
  'as DNS': { hosts: 'as DNS' },
  'another, public': { hosts: [STRANGE_PUBLIC] },
  unreadable: { hosts: null },
};
const PROXIES: States = {
  none: {},
  resolved: { proxy: { at: PROXY, port: 3128 } },
  'not resolved': { proxy: { at: null, port: 3128 } },
  'on loopback': { proxy: { at: '127.0.0.1', port: 3128 } },
  'on a public address at 443': { proxy: { at: PUBLIC, port: 443 } },
};
const SIGHT: States = {
  good: {},
  'owners failed': { sight: 'owners failed' },
  'sockets failed': { sight: 'sockets failed' },
  'a process unreadable': { sight: 'a process unreadable' },
  'nothing on 10250': { sight: 'nothing on 10250' },
  'owners are not asked for': { attribution: 'address' },
  'owners are not asked for, nothing on 10250': { attribution: 'address', sight: 'nothing on 10250' },
  'the endpoint is not known': { endpointKnown: false },
};
const LOOKS: States = {
  'agree for 24 s': {},
  one: { looks: 'one' },
  'two, 4 s apart': { looks: 'two' },
  'two, no socket in the first': { looks: 'last' },
  'agree for 72 s': { looks: 'minute' },
  'agree, a rejected row in the last': { rejectedRows: 1 },
};
const EXPECT: States = {
  any: {},
  'x-eni': { expect: 'x-eni' },
  'x-eni within 10 s': { expect: 'x-eni', staleAfterSeconds: 10 },
  public: { expect: 'public', staleAfterSeconds: 10 },
};
const OUTSIDE: States = {
  'not asked': {},
  public: { outside: [PUBLIC, OTHER_PUBLIC] },
  'X-ENIs': { outside: [X_ENI] },
  'public, by a resolver of the VPC': { outside: [PUBLIC], outsideResolver: '192.168.0.2' },
  'public, by a resolver of publicly routable VPC addresses': {
    outside: [PUBLIC],
    outsideResolver: GLOBAL_X_ENI,
  },
};
const RESOLVERS: States = {
  'VPC base + 2': {},
  'Amazon, link-local': { resolvers: ['169.254.169.253'] },
  custom: { resolvers: ['10.1.1.1'] },
  unknown: { resolvers: null },
  'not on EC2': { onEc2: false },
};
const ASKED: States = {
  'as the node': {},
  "the node's own": { asked: ['127.0.0.53'] },
  another: { asked: ['10.1.1.1'] },
  'one more': { asked: ['192.168.0.2', '10.1.1.1'] },
  nobody: { asked: [] },
};
const NODE_FILES: States = {
  'read now': {},
  'read 3 min ago': { nodeFilesAgeSeconds: 180 },
  'read 4 min ago': { nodeFilesAgeSeconds: 240 },
};
const NAMESPACE: States = {
  "the node's": {},
  another: { namespace: 'another' },
  unreadable: { namespace: 'unreadable' },
};

const DIMENSIONS = {
  slice: SLICE,
  'VPC CIDRs': VPC_CIDRS,
  IMDS,
  '--x-eni': GIVEN,
  DNS,
  kubelet: KUBELET,
  'kube-proxy': KUBE_PROXY,
  strangers: STRANGERS,
  probes: PROBES,
  'hosts file': HOSTS,
  proxy: PROXIES,
  sight: SIGHT,
  looks: LOOKS,
  expect: EXPECT,
  outside: OUTSIDE,
  resolvers: RESOLVERS,
  'the agent asks': ASKED,
  "the node's files": NODE_FILES,
  "the agent's namespace": NAMESPACE,
};
type Dimension = keyof typeof DIMENSIONS;
const EVERY_DIMENSION: readonly Dimension[] = [
  'slice',
  'VPC CIDRs',
  'IMDS',
  '--x-eni',
  'DNS',
  'kubelet',
  'kube-proxy',
  'strangers',
  'probes',
  'hosts file',
  'proxy',
  'sight',
  'looks',
  'expect',
  'outside',
  'resolvers',
  'the agent asks',
  "the node's files",
  "the agent's namespace",
];

interface Case {
  readonly words: string;
  readonly world: World;
}

/** Every combination of the states of these dimensions; of the others the state of `MOVED`, or what is given. */
function product(dimensions: readonly Dimension[], given: Partial<World> = {}): readonly Case[] {
  const start: Case = { words: '', world: { ...MOVED, ...given } };
  return dimensions.reduce<readonly Case[]>(
    (cases, dimension) =>
      cases.flatMap((one) =>
        Object.keys(DIMENSIONS[dimension]).map((state) => extended(one, dimension, state)),
      ),
    [start],
  );
}

function extended({ words, world }: Case, dimension: Dimension, state: string): Case {
  return { words: `${words}${dimension}: ${state}; `, world: { ...world, ...DIMENSIONS[dimension][state] } };
}

/** Cases of all dimensions at once, the same in every run (a linear congruential generator). */
function sample(count: number): readonly Case[] {
  let seed = 20_261_120;
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
  return Array.from({ length: count }, () => {
    let one: Case = { words: '', world: MOVED };
    for (const name of EVERY_DIMENSION) {
      const states = Object.keys(DIMENSIONS[name]);
      // Every other time as on a node that has moved: what goes wrong alone is not hidden behind the rest.
      const state = below(2) === 0 ? undefined : states[below(states.length)];
      if (state !== undefined) one = extended(one, name, state);
    }
    return one;
  });
}

/** What the product says, by the names of the oracle's answers. */
function saidIn(status: NodeStatus, what: string): string {
  switch (what) {
    case 'route':
      return status.route;
    case 'attribution':
      return status.attribution;
    case 'accessMode':
      return status.accessMode;
    case 'private-ready':
    case 'public-free':
      return status.gates.find(({ gate }) => gate === what)?.state ?? 'no such gate';
    case 'connections':
      return connectionLines(status);
    default: {
      const code = FINDINGS.find((one) => one === what);
      return code === undefined ? 'nothing' : stateOf(status, code);
    }
  }
}

function connectionLines({ clients }: NodeStatus): string {
  return clients
    .flatMap(({ client, connections }) =>
      (connections ?? []).map(
        ({ peer, state, route, evidence }) => `${client} ${peer} ${state} ${route} ${evidence}`,
      ),
    )
    .toSorted()
    .join(', ');
}

interface Tally {
  readonly wrong: readonly string[];
  /** How often each answer was given by the oracle, one of one. */
  readonly determined: ReadonlyMap<string, number>;
  readonly seen: ReadonlySet<string>;
}

function compare(cases: readonly Case[]): Tally {
  const wrong: string[] = [];
  const determined = new Map<string, number>();
  const seen = new Set<string>();
  for (const { words, world } of cases) {
    const status = judgeWorld(world).at(-1);
    if (status === undefined) throw new RangeError('Cannot judge a world at which nobody looked');
    for (const [what, allowed] of answersFor(world)) {
      const said = saidIn(status, what);
      if (allowed.length === 1) determined.set(what, (determined.get(what) ?? 0) + 1);
      if (what !== 'connections') seen.add(`${what} ${said}`);
      if (!allowed.includes(said)) wrong.push(disagreement({ words, what, allowed, said, status }));
    }
    const broken = brokenPromise(world, status);
    if (broken !== null) wrong.push(`${words}\n  ${broken}`);
  }
  return { wrong, determined, seen };
}

interface Disagreement {
  readonly words: string;
  readonly what: string;
  readonly allowed: Allowed;
  readonly said: string;
  readonly status: NodeStatus;
}

function disagreement({ words, what, allowed, said, status }: Disagreement): string {
  const reason = status.gates.find(({ gate }) => gate === what)?.reason ?? status.routeReason;
  return `${words}\n  ${what}: the interface says ${allowed.join(' or ')}, the product ${said} (${reason})`;
}

/** The first promise: no `x-eni` and no `public-free` while a client is connected to a public address. */
function brokenPromise(world: World, status: NodeStatus): string | null {
  const peers = publicPeers(world);
  if (peers.length === 0) return null;
  const isFree = status.gates.some(({ gate, state }) => gate === 'public-free' && state === 'true');
  if (status.route !== 'x-eni' && !isFree) return null;
  return `a client is connected to ${peers.join(', ')}, route ${status.route}, public-free ${isFree}`;
}

/** Of what is wrong this much is shown. */
const SHOWN = 10;

const ANSWERS_OF_EVERY_KIND: readonly string[] = [
  ...NODE_ROUTES.map((route) => `route ${route}`),
  ...ATTRIBUTIONS.map((attribution) => `attribution ${attribution}`),
  ...ACCESS_MODES.map((mode) => `accessMode ${mode}`),
  ...GATES.flatMap((gate) => GATE_STATES.map((state) => `${gate} ${state}`)),
  ...FINDINGS.flatMap((code) => [`${code} raised`, `${code} clear`]),
];

const SOME_ADDRESSES = [...PLACES.keys()].filter((name) => !name.startsWith('192.168.4.'));
// An address of KUBERNETES_SERVICE_HOST that is the endpoint's too is no Service's: not of these worlds.
const SOURCE_ADDRESSES = SOME_ADDRESSES.filter((name) => !name.startsWith('::ffff:') && name !== CLUSTER_IP);
const JUDGED = SOURCE_ADDRESSES.filter((name) => placeOf(name).is === name);
const addresses = fc.subarray(SOURCE_ADDRESSES, { minLength: 1, maxLength: 3 });
const connection: fc.Arbitrary<Connection> = fc.record({
  peer: fc.constantFrom(...SOME_ADDRESSES),
  port: fc.constantFrom(443, 443, 443, 3128),
  state: fc.constantFrom('established', 'established', 'syn-sent'),
  accepted: fc.constantFrom(false, false, false, true),
  retransmitting: fc.boolean(),
});
const connections = fc.uniqueArray(connection, { minLength: 1, maxLength: 3, selector: ({ peer }) => peer });
const stages = fc.dictionary(fc.constantFrom(...JUDGED), fc.constantFrom('tcp', 'tls', 'identity'), {
  maxKeys: 2,
});
/** Any sources, any sockets: mostly worlds that make no sense. */
const anyWorld: fc.Arbitrary<World> = fc.record({
  slice: fc.option(
    fc.record({
      addresses: fc.option(addresses),
      before: addresses,
      ageSeconds: fc.constantFrom(0, 1200),
      failingSeconds: fc.constantFrom(30, 1170),
    }),
  ),
  vpcFlag: fc.subarray([...VPC, ...OTHER_VPC]),
  imds: fc.option(fc.subarray([...VPC, ...OTHER_VPC])),
  imdsAgeSeconds: fc.constantFrom(0, 0, 2400),
  given: fc.subarray(
    ['100.64.7.0/24', '3.34.148.0/24', '2600:1f14:abcd:ef00::/64', SINGLE, FOREIGN, PUBLIC_6],
    { maxLength: 2 },
  ),
  dns: fc.option(
    fc.oneof(
      fc.record({ answer: addresses, earlier: addresses }),
      fc.record({ answer: addresses, earlier: addresses, changedSecondsAgo: fc.constantFrom(5, 15) }),
      fc.record({
        answer: fc.option(addresses),
        earlier: addresses,
        ageSeconds: fc.constantFrom(100, 1200, 4200),
        failingSeconds: fc.constant(90),
      }),
    ),
  ),
  asked: fc.constantFrom('as the node' as const, 'as the node' as const, ['127.0.0.53'], ['10.1.1.1'], []),
  outside: fc.option(addresses),
  outsideResolver: fc.constantFrom('1.1.1.1', '192.168.0.2', GLOBAL_X_ENI),
  hosts: fc.oneof(fc.constantFrom([], [], 'as DNS' as const, null), addresses),
  resolvers: fc.constantFrom(['192.168.0.2'], ['10.1.1.1'], null),
  nodeFilesAgeSeconds: fc.constantFrom(0, 0, 240),
  proxy: fc.option(
    fc.record({ at: fc.option(fc.constantFrom(...SOME_ADDRESSES)), port: fc.constantFrom(443, 3128) }),
    { freq: 1 },
  ),
  kubelet: fc.oneof(connections, connections, connections, fc.constant('absent' as const)),
  kubeProxy: fc.oneof(
    connections,
    connections,
    connections,
    fc.constantFrom('absent' as const, 'unreadable' as const),
  ),
  identities: fc.dictionary(fc.constantFrom(...JUDGED), fc.constantFrom('cluster', 'other', 'no-answer'), {
    maxKeys: 4,
  }),
  probes: fc.option(fc.record({ failed: stages, ageSeconds: fc.constantFrom(0, 0, 240) })),
  namespace: fc.constantFrom("the node's", "the node's", 'another', 'unreadable'),
  attribution: fc.constantFrom('process', 'process', 'process', 'address'),
  sight: fc.constantFrom('good', 'good', 'good', 'owners failed', 'nothing on 10250'),
  endpointKnown: fc.constant(true),
  looks: fc.constantFrom('one', 'two', 'last', 'held', 'minute'),
  rejectedRows: fc.constantFrom(0, 0, 1),
  expect: fc.constantFrom('any', 'x-eni', 'public'),
  staleAfterSeconds: fc.constantFrom(10, 600),
  onEc2: fc.boolean(),
});

/** A node that has moved, but for a few things: green is near. */
const nearlyMoved: fc.Arbitrary<World> = fc
  .tuple(anyWorld, fc.subarray(['slice', 'vpcFlag', 'imds', 'given', 'dns', 'hosts', 'proxy', 'probes']))
  .map(([world, parts]) => ({
    ...MOVED,
    ...Object.fromEntries(
      Object.entries(world).filter(([part]) => part === 'kubelet' || parts.includes(part)),
    ),
  }));

/** What is not as on a node that has moved, as it is. */
function wordsOf(world: World): string {
  const differs = Object.entries(world).filter(
    ([part, value]) => !Object.entries(MOVED).some(([one, usual]) => one === part && usual === value),
  );
  return differs.map(([part, value]) => `${part}: ${JSON.stringify(value)}; `).join('');
}

/** Random, but the same in every run. */
function randomWorlds(count: number): readonly Case[] {
  return fc
    .sample(anyWorld, { numRuns: count, seed: 20_261_120 })
    .map((world) => ({ words: wordsOf(world), world }));
}

const TABLES: readonly { readonly of: readonly Dimension[]; readonly given?: Partial<World> }[] = [
  { of: ['slice', 'VPC CIDRs', '--x-eni', 'kubelet'], given: { looks: 'two' } },
  { of: ['VPC CIDRs', 'DNS', 'kubelet'], given: { slice: null } },
  { of: ['slice', 'DNS', 'probes'] },
  { of: ['VPC CIDRs', 'DNS', 'probes'], given: { slice: null } },
  { of: ['DNS', 'hosts file', 'looks'] },
  { of: ['DNS', 'looks', 'expect'] },
  { of: ['kubelet', 'kube-proxy', 'sight'] },
  { of: ['kubelet', 'strangers', 'looks'] },
  { of: ['kubelet', 'proxy', 'kube-proxy'] },
  { of: ['kubelet', 'expect', 'looks'], given: { dns: { answer: [X_ENI], earlier: [PUBLIC] } } },
  { of: ['slice', 'DNS', 'outside'], given: { looks: 'two' } },
  { of: ['slice', 'DNS'], given: { kubelet: to(FORMER) } },
  { of: ['DNS', 'VPC CIDRs', 'outside', 'resolvers'], given: { looks: 'two' } },
  { of: ['DNS', 'resolvers', 'the agent asks'], given: { outside: [PUBLIC] } },
  { of: ['kubelet', "the node's files", "the agent's namespace"] },
  { of: ['DNS', 'hosts file', "the node's files", 'proxy'] },
  { of: ['sight', "the agent's namespace", 'kubelet'], given: { kubeProxy: 'absent' } },
  { of: ['sight', "the agent's namespace", 'probes'] },
  { of: ['VPC CIDRs', 'IMDS', '--x-eni', 'DNS'], given: { slice: null } },
  { of: ['slice', 'IMDS', 'DNS'], given: { vpcFlag: [], imds: VPC } },
];
/** For a busy machine: alone the largest table takes four seconds. */
const TIMEOUT_MS = 120_000;

describe('what is said of a node is what the interface says', { timeout: TIMEOUT_MS }, () => {
  test.each(TABLES.map((table) => [table.of.join(' x '), table] as const))('%s', (_, { of, given }) => {
    expect(compare(product(of, given)).wrong.slice(0, SHOWN)).toEqual([]);
  });

  test('a sample of all dimensions together', () => {
    // Former X-ENIs are rare in a sample.
    const former = product(['slice', 'looks'], { kubelet: to(FORMER) });
    const { wrong, determined, seen } = compare([...sample(2500), ...former]);
    expect(wrong.slice(0, SHOWN)).toEqual([]);
    // An oracle that allows everything, or worlds that are all alike, would prove nothing.
    expect([...seen]).toEqual(expect.arrayContaining([...ANSWERS_OF_EVERY_KIND]));
    for (const what of [
      'route',
      'attribution',
      'private-ready',
      'public-free',
      'accessMode',
      'connections',
    ]) {
      expect.soft(determined.get(what), what).toBeGreaterThan(1700);
    }
  });

  test('worlds that make no sense', () => {
    expect(compare(randomWorlds(1500)).wrong.slice(0, SHOWN)).toEqual([]);
  });
});

test('nothing is green while a client is connected to a public address', { timeout: TIMEOUT_MS }, () => {
  let connected = 0;
  fc.assert(
    fc.property(fc.oneof(anyWorld, nearlyMoved), (world) => {
      const status = judgeWorld(world).at(-1);
      if (publicPeers(world).length > 0) connected++;
      expect(status && brokenPromise(world, status)).toBeNull();
    }),
    { numRuns: 2000 },
  );
  expect(connected).toBeGreaterThan(200);
});
