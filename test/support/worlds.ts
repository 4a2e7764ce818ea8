/**
 * Worlds for the truth table: what a node and its surroundings are like, in plain strings, and the looks that an
 * agent takes at them. `oracle.ts` says what is to be said of a world, `judge` what the product says.
 */
import { emptyHistory, type History } from '../../src/model/history.ts';
import { judge } from '../../src/model/judge.ts';
import type { DnsSeen, IdentitySeen, ProbeStage } from '../../src/model/observation.ts';
import type { Expectation } from '../../src/model/settings.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import {
  address,
  dnsSeen,
  ENDPOINT,
  moment,
  observation,
  range,
  type Seen,
  type SocketText,
  settings,
} from './observation.ts';

/** What is true of an address, whoever asks. */
interface Place {
  readonly text: string;
  /** The address that it is judged as. */
  readonly is: string;
  readonly family: 4 | 6;
  /** Globally reachable by IANA's registries. */
  readonly global: boolean;
  /** Every block of these worlds that it lies in; a single address is a block of its own. */
  readonly blocks: readonly string[];
  /** Why it is no X-ENI whatever source says so. */
  readonly never?: 'loopback' | 'link-local';
}

const V4 = '192.168.0.0/16';
const SECONDARY = '100.64.0.0/16';
const GLOBAL_V4 = '44.128.0.0/16';
const V6 = '2600:1f14:abcd:ef00::/56';
export const VPC: readonly string[] = [V4, SECONDARY, GLOBAL_V4, V6];
export const VPC_V4_ONLY: readonly string[] = [V4];
export const OTHER_VPC: readonly string[] = ['10.9.0.0/16', '2600:1f70::/44'];

const ADDRESSES: readonly Place[] = [
  place('192.168.1.231', [V4]),
  place('192.168.2.2', [V4]),
  place('192.168.3.3', [V4]),
  place('192.168.9.9', [V4]),
  place('100.64.7.7', [SECONDARY, '100.64.7.0/24']),
  place('44.128.3.3', [GLOBAL_V4], { global: true }),
  place('10.9.9.9', ['10.9.0.0/16']),
  place('10.9.9.77', ['10.9.0.0/16']),
  place('10.9.9.8', ['10.9.0.0/16']),
  place('3.34.148.207', ['3.34.148.0/24'], { global: true }),
  place('43.201.141.73', [], { global: true }),
  place('13.125.1.1', [], { global: true }),
  place('2600:1f14:abcd:ef00::a', [V6, '2600:1f14:abcd:ef00::/64'], { global: true }),
  place('2600:1f70:8000::1', [], { global: true }),
  place('2600:1f70:8000::2', [], { global: true }),
  place('64:ff9b::322:94cf', ['3.34.148.0/24'], { is: '3.34.148.207', global: true }),
  place('64:ff9b::c0a8:1e7', [V4], { is: '192.168.1.231' }),
  place('::ffff:3.34.148.207', ['3.34.148.0/24'], { is: '3.34.148.207', global: true }),
  place('127.0.0.1', [], { never: 'loopback' }),
  place('169.254.7.7', [], { never: 'link-local' }),
  place('10.100.0.1', []),
  place('1.1.1.1', [], { global: true }),
  place('192.168.0.2', [V4]),
  ...Array.from({ length: 16 }, (_, index) => place(`192.168.4.${index + 1}`, [V4])),
];
/** Every address there is in these worlds, by its text. */
export const PLACES: ReadonlyMap<string, Place> = new Map(ADDRESSES.map((known) => [known.text, known]));

function place(text: string, blocks: readonly string[], more: Partial<Place> = {}): Place {
  const { is = text } = more;
  return { text, family: is.includes(':') ? 6 : 4, global: false, ...more, is, blocks: [...blocks, is] };
}

export function placeOf(text: string): Place {
  const found = PLACES.get(text);
  if (found === undefined) throw new RangeError(`Cannot find address ${JSON.stringify(text)}`);
  return found;
}

export interface Connection {
  readonly peer: string;
  readonly port?: number;
  readonly state?: 'established' | 'syn-sent';
  /** From the local port 10250, on which root listens. */
  readonly accepted?: boolean;
  readonly retransmitting?: boolean;
}

export type ClientState = 'absent' | 'unreadable' | readonly Connection[];

export interface World {
  readonly slice: null | {
    /** Null: never read. */
    readonly addresses: readonly string[] | null;
    /** What it held at the first look of several, where it was read. */
    readonly before?: readonly string[];
    readonly ageSeconds?: number;
    readonly failingSeconds?: number;
  };
  /** `--vpc-cidr` */
  readonly vpcFlag: readonly string[];
  readonly imds: readonly string[] | null;
  readonly imdsAgeSeconds: number;
  /** `--x-eni` */
  readonly given: readonly string[];
  readonly dns: null | {
    /** Null: never answered. */
    readonly answer: readonly string[] | null;
    readonly earlier?: readonly string[];
    /** How long ago `earlier` was the answer; without it before the first look. */
    readonly changedSecondsAgo?: number;
    readonly ttlSeconds?: number;
    readonly ageSeconds?: number;
    readonly failingSeconds?: number;
  };
  /** Whom the agent asks. */
  readonly asked: readonly string[] | 'as the node';
  readonly outside: readonly string[] | null;
  readonly outsideResolver: string;
  /** Null: unreadable. */
  readonly hosts: readonly string[] | 'as DNS' | null;
  readonly resolvers: readonly string[] | null;
  /** When the hosts file, the resolvers and the proxies were read. */
  readonly nodeFilesAgeSeconds: number;
  /** The kubelet's; `at` is null while its name is not resolved. */
  readonly proxy: null | { readonly at: string | null; readonly port: number };
  readonly kubelet: ClientState;
  readonly kubeProxy: ClientState;
  /** Of the judged address. */
  readonly identities: Readonly<Record<string, IdentitySeen['identity']>>;
  /** Null: off. Every address of a source has one, but see `none`. */
  readonly probes: null | {
    /** Of the judged address. */
    readonly failed?: Readonly<Record<string, ProbeStage>>;
    readonly ageSeconds?: number;
    readonly none?: boolean;
  };
  /** The agent's network namespace. */
  readonly namespace: "the node's" | 'another' | 'unreadable';
  readonly attribution: 'process' | 'address';
  readonly sight: 'good' | 'owners failed' | 'sockets failed' | 'a process unreadable' | 'nothing on 10250';
  readonly endpointKnown: boolean;
  /** `last`: two looks, no socket of a client in the first. */
  readonly looks: 'one' | 'two' | 'last' | 'held' | 'minute';
  /** In the last look. */
  readonly rejectedRows: number;
  readonly expect: Expectation;
  readonly staleAfterSeconds: number;
  readonly onEc2: boolean;
}

/** The seconds after noon of each look. */
const LOOKS = {
  one: [4],
  two: [4, 8],
  last: [4, 8],
  held: [12, 24, 36],
  minute: [12, 24, 36, 48, 60, 72, 84],
} satisfies Record<World['looks'], readonly number[]>;

export const PROBE_INTERVAL_SECONDS = 60;

function lastLookSeconds({ looks }: World): number {
  return Math.max(...LOOKS[looks]);
}

/** How long before the last look DNS changed; null where no change was seen. */
export function changedSecondsAgo(world: World): number | null {
  const { earlier = [], changedSecondsAgo: ago = lastLookSeconds(world) } = world.dns ?? {};
  return earlier.length === 0 ? null : ago;
}

/** Who was asked for the endpoint's name. */
export function askedOf({ asked, resolvers }: World): readonly string[] {
  return asked === 'as the node' ? (resolvers ?? []) : asked;
}

/** Every address that a source of this world names; the prober probes no others. */
export function sourceAddresses(world: World): readonly string[] {
  const singles = [...PLACES.keys()].filter((name) => world.given.includes(name));
  const named = [...(world.slice?.addresses ?? []), ...(world.dns?.answer ?? []), ...singles];
  // An address that wraps another one of them is the same.
  return named.filter(
    (name, index) => named.findIndex((one) => placeOf(one).is === placeOf(name).is) === index,
  );
}

/** What the product says at the end of each look at this world. */
export function judgeWorld(world: World): readonly NodeStatus[] {
  const made = settings({
    expect: world.expect,
    xEnis: world.given.map(range),
    vpcCidrs: world.vpcFlag.map(range),
    attribution: world.attribution,
    probeIntervalMs: world.probes === null ? null : PROBE_INTERVAL_SECONDS * 1000,
    onEc2: world.onEc2,
    staleAfterMs: world.staleAfterSeconds * 1000,
    unexpectedAfterMs: world.staleAfterSeconds * 1000,
  });
  let history: History = emptyHistory(moment(0));
  return LOOKS[world.looks].map((seconds, index, { length }) => {
    const first = index === 0 && length > 1;
    const last = index === length - 1;
    const look = judge(observation(seenOf(world, { first, last, seconds }), seconds), history, made);
    history = look.history;
    return look.status;
  });
}

interface LookTime {
  readonly first: boolean;
  readonly last: boolean;
  readonly seconds: number;
}

function seenOf(world: World, { first, last, seconds }: LookTime): Seen {
  const sockets = first && world.looks === 'last' ? [] : socketsOf(world);
  const known = world.endpointKnown;
  const slice = world.slice;
  const answer = world.dns?.answer ?? null;
  const hosts = world.hosts === 'as DNS' ? (answer ?? []) : world.hosts;
  const byAddress = !ownersAreTold(world);
  return {
    processes: [
      ...processOf('kubelet', 100, world.kubelet),
      ...processOf('kube-proxy', 200, world.kubeProxy),
    ],
    sockets,
    ...(byAddress ? { unattributed: sockets.filter(({ peer }) => peer.endsWith(':443')) } : {}),
    ownersOff: world.attribution === 'address',
    failed:
      world.sight === 'owners failed' && world.attribution === 'process'
        ? ['owners']
        : world.sight === 'sockets failed'
          ? ['sockets']
          : [],
    ...(world.namespace === "the node's"
      ? {}
      : { agentNetns: world.namespace === 'another' ? 'net:[4026532999]' : null }),
    unreadable: world.sight === 'a process unreadable' ? 1 : 0,
    listening: world.sight === 'nothing on 10250' ? [] : [{ port: 10_250 }],
    rejectedRows: last ? world.rejectedRows : 0,
    endpoint: known ? ENDPOINT : null,
    dns: known ? dnsOf(world, seconds) : null,
    ...(world.outside === null || !known ? {} : { outside: world.outside }),
    outsideServers: [world.outsideResolver],
    slice: (first && slice?.addresses ? slice.before : undefined) ?? slice?.addresses ?? null,
    sliceUnread: slice !== null && slice.addresses === null,
    sliceAgeSeconds: slice?.ageSeconds ?? 0,
    ...(slice?.failingSeconds === undefined ? {} : { sliceFailingSeconds: slice.failingSeconds }),
    ...(world.imds === null ? {} : { imds: world.imds }),
    imdsAgeSeconds: world.imdsAgeSeconds,
    hosts,
    resolvers: world.resolvers,
    nodeConfigAgeSeconds: world.nodeFilesAgeSeconds,
    proxies: proxiesOf(world),
    identities: identitiesOf(world),
    probes: probesOf(world),
  };
}

/** Whether sockets are told apart by owner: the agent falls back to addresses where it may not. */
export function ownersAreTold(world: World): boolean {
  return (
    world.attribution === 'process' &&
    world.sight !== 'owners failed' &&
    world.sight !== 'a process unreadable' &&
    world.kubelet !== 'unreadable' &&
    world.kubeProxy !== 'unreadable' &&
    !(world.kubelet === 'absent' && world.kubeProxy === 'absent' && world.sight !== 'nothing on 10250')
  );
}

function processOf(client: string, pid: number, state: ClientState): NonNullable<Seen['processes']> {
  return state === 'absent' ? [] : [{ client, pid, readable: state !== 'unreadable' }];
}

function socketsOf(world: World): readonly SocketText[] {
  return [
    ...connectionsOf(world.kubelet).map((connection, index) => socketText('kubelet', index, connection)),
    ...connectionsOf(world.kubeProxy).map((connection, index) => socketText('kube-proxy', index, connection)),
  ];
}

export function connectionsOf(state: ClientState): readonly Connection[] {
  return typeof state === 'string' ? [] : state;
}

function socketText(process: string, index: number, connection: Connection): SocketText {
  const { peer, port = 443, state = 'established', accepted = false, retransmitting = false } = connection;
  const localPort = accepted ? 10_250 : (process === 'kubelet' ? 30_000 : 31_000) + index;
  const mapped = peer.startsWith('::ffff:');
  const ours = mapped
    ? '[::ffff:192.168.1.204]'
    : peer.includes(':')
      ? '[2600:1f14:abcd:ef00::1]'
      : '192.168.1.204';
  return {
    process,
    local: `${ours}:${localPort}`,
    peer: peer.includes(':') ? `[${peer}]:${port}` : `${peer}:${port}`,
    state,
    ...(retransmitting ? { retransmits: 3, sendQueueBytes: 517 } : {}),
  };
}

function dnsOf(world: World, seconds: number): DnsSeen | null {
  const { dns } = world;
  if (dns === null) return null;
  const { answer, earlier = [], ageSeconds = 0, ttlSeconds = 60, failingSeconds } = dns;
  const ago = changedSecondsAgo(world);
  const changed = ago === null ? null : lastLookSeconds(world) - ago;
  if (changed !== null && changed > seconds) return { ...dnsSeen(earlier, seconds), servers: askedOf(world) };
  const failing = failingSeconds === undefined ? null : moment(seconds - failingSeconds);
  const known = dnsSeen(answer ?? [], seconds - ageSeconds);
  return {
    ...known,
    success: failing === null,
    error: failing === null ? null : 'the resolver did not answer',
    answer: answer === null || known.answer === null ? null : { ...known.answer, ttlSeconds },
    changedAt: changed === null ? null : moment(changed),
    earlier: earlier.map(address),
    failingSince: failing,
    servers: askedOf(world),
  };
}

function proxiesOf({ proxy, kubelet }: World): NonNullable<Seen['proxies']> {
  if (proxy === null || kubelet === 'absent') return [];
  const { at, port } = proxy;
  if (at === null) return [{ client: 'kubelet', port, error: 'the resolver did not answer' }];
  return [{ client: 'kubelet', port, addresses: [at] }];
}

function identitiesOf({ identities }: World): NonNullable<Seen['identities']> {
  return [...PLACES.keys()].flatMap((name) => {
    const identity = identities[name];
    return identity === undefined ? [] : [{ address: name, identity }];
  });
}

function probesOf(world: World): NonNullable<Seen['probes']> | null {
  const { probes } = world;
  if (probes === null) return null;
  if (probes.none) return [];
  return sourceAddresses(world).map((name) => {
    const failedStage = probes.failed?.[placeOf(name).is];
    return {
      address: name,
      ageSeconds: probes.ageSeconds ?? 0,
      ...(failedStage === undefined ? {} : { failedStage }),
    };
  });
}
