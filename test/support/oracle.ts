/**
 * What is to be said of a world, by the published interface alone: strings and small sets, no code of the product.
 * Where the interface leaves room, several answers are allowed; where it says nothing, there is no entry.
 */
import {
  type ClientState,
  type Connection,
  connectionsOf,
  ownersAreTold,
  PLACES,
  PROBE_INTERVAL_SECONDS,
  placeOf,
  sourceAddresses,
  type World,
} from './worlds.ts';

/** The answers that are right. */
export type Allowed = readonly string[];
export type Answers = ReadonlyMap<string, Allowed>;

const HOUR = 3600;
/** `public-free` wants an answer of DNS no older than three times its TTL, which is 60 s here. */
const DNS_FRESH = 180;
/** Three times the five minutes after which the slice is read again. */
const SLICE_FRESH = 900;
/** More X-ENIs are not probed. */
const MAX_X_ENIS = 16;
const RAISED: Allowed = ['raised'];
const CLEAR: Allowed = ['clear'];
const NOT_EVALUATED: Allowed = ['not evaluated'];
const NOT_RAISED: Allowed = ['clear', 'not evaluated'];

export function answersFor(world: World): Answers {
  const answers = new Map<string, Allowed>();
  const route = routeOfNode(world);
  if (world.sight !== 'sockets failed') answers.set('attribution', [attributionOf(world)]);
  if (route !== null) answers.set('route', route);
  const ready = privateReady(world);
  answers.set('private-ready', ready);
  answers.set(
    'public-free',
    publicFree(world, route ?? ['public', 'other', 'none', 'unknown', 'x-eni'], ready),
  );
  answers.set('accessMode', accessMode(world));
  const connections = connectionLines(world);
  if (connections !== null) answers.set('connections', [connections.join(', ')]);
  const findings = findingsOf(world);
  for (const [code, allowed] of Object.entries(findings)) answers.set(code, allowed);
  const unexpected = unexpectedRoute(world, route, Object.values(findings));
  if (unexpected !== null) answers.set('UnexpectedRoute', unexpected);
  return answers;
}

// What is known of addresses

/** `--vpc-cidr` replaces what IMDS says. */
function vpcCidrs(world: World): readonly string[] {
  return world.vpcFlag.length > 0 ? world.vpcFlag : (world.imds ?? []);
}

function familyOf(name: string): 4 | 6 {
  return placeOf(name).family;
}

function isIn(name: string, blocks: readonly string[]): boolean {
  return placeOf(name).blocks.some((block) => blocks.includes(block));
}

/** Whether one of these is the address that `name` is judged as. */
function holds(names: readonly string[], name: string): boolean {
  return names.some((other) => placeOf(other).is === placeOf(name).is);
}

/** What the slice holds; null while it was not read. */
function sliceOf(world: World): readonly string[] | null {
  return world.slice?.addresses ?? null;
}

/** What the slice held at an earlier look. */
function sliceBefore(world: World): readonly string[] {
  return world.looks === 'one' || sliceOf(world) === null ? [] : (world.slice?.before ?? []);
}

/** The answer that counts as current: null while DNS has failed for more than an hour since. */
function dnsOf({ dns, endpointKnown }: World): readonly string[] | null {
  if (dns === null || !endpointKnown) return null;
  return dns.failingSeconds !== undefined && (dns.ageSeconds ?? 0) > HOUR ? null : dns.answer;
}

function earlierDns({ dns, endpointKnown }: World): readonly string[] {
  return endpointKnown ? [...(dns?.earlier ?? []), ...(dns?.answer ?? [])] : [];
}

function dnsIsFresh(world: World): boolean {
  return dnsOf(world) !== null && (world.dns?.ageSeconds ?? 0) <= DNS_FRESH;
}

/** The names of the endpoint in the hosts file; null where it is not known. */
function hostsOf(world: World): readonly string[] | null {
  return world.hosts === 'as DNS' ? (world.dns?.answer ?? []) : world.hosts;
}

// Routes

type Route = 'proxy' | 'x-eni' | 'vpc' | 'private' | 'public';

function isProxy(world: World, client: string, { peer, port = 443 }: Connection): boolean {
  const { proxy } = world;
  return (
    client === 'kubelet' &&
    proxy !== null &&
    proxy.at !== null &&
    proxy.port === port &&
    holds([proxy.at], peer)
  );
}

/** Rule 2 for the slice and `--x-eni`: a globally routable address must not contradict what is known of the VPC. */
function isTrusted(world: World, name: string): boolean {
  const { never, global, family } = placeOf(name);
  if (never) return false;
  if (!global) return true;
  const known = vpcCidrs(world).some((cidr) => cidr.includes(':') === (family === 6));
  return known ? isIn(name, vpcCidrs(world)) : family === 6;
}

function isXEni(world: World, name: string): boolean {
  const slice = sliceOf(world);
  if ((holds(slice ?? [], name) || isIn(name, world.given)) && isTrusted(world, name)) return true;
  const sliceIsSilent = slice === null || !slice.some((other) => familyOf(other) === familyOf(name));
  return (
    sliceIsSilent &&
    placeOf(name).never === undefined &&
    holds(dnsOf(world) ?? [], name) &&
    isIn(name, vpcCidrs(world))
  );
}

function addressRoute(world: World, name: string): Exclude<Route, 'proxy'> {
  if (isXEni(world, name)) return 'x-eni';
  if (isIn(name, vpcCidrs(world))) return 'vpc';
  return placeOf(name).global ? 'public' : 'private';
}

function routeOf(world: World, client: string, connection: Connection): Route {
  return isProxy(world, client, connection) ? 'proxy' : addressRoute(world, connection.peer);
}

// Evidence

/** Evidence; `ignored`: not the endpoint's; `silent`: the interface does not say. */
type Verdict =
  | 'proxy'
  | 'endpointslice'
  | 'config'
  | 'dns'
  | 'dns-history'
  | 'tls'
  | 'presumed'
  | 'ignored'
  | 'silent';

function knownAs(world: World, name: string): Verdict | null {
  if (holds(sliceOf(world) ?? [], name)) return 'endpointslice';
  const otherwise = knownWithoutSlice(world, name);
  if (!holds(sliceBefore(world), name)) return otherwise;
  // Only an earlier slice held it. Which evidence is named first where there is other, or what is said of an
  // address that was no X-ENI even then, is not published.
  return isTrusted(world, name) && otherwise === null ? 'endpointslice' : 'silent';
}

function knownWithoutSlice(world: World, name: string): Verdict | null {
  if (isIn(name, world.given) || holds(hostsOf(world) ?? [], name)) return 'config';
  if (holds(dnsOf(world) ?? [], name)) return 'dns';
  return holds(earlierDns(world), name) ? 'dns-history' : null;
}

/** Whether the CA is known to be the right one: it verifies a current DNS or X-ENI address. */
function caVerifies(world: World): 'yes' | 'no' | 'silent' {
  const { probes } = world;
  if (probes === null || probes.none) return 'no';
  if ((probes.ageSeconds ?? 0) > 3 * PROBE_INTERVAL_SECONDS) return 'silent';
  const good = sourceAddresses(world).filter((name) => probes.failed?.[placeOf(name).is] === undefined);
  if (good.length === 0) return 'no';
  return good.some((name) => holds(dnsOf(world) ?? [], name) || isXEni(world, name)) ? 'yes' : 'silent';
}

function evidenceOf(world: World, client: string, connection: Connection): Verdict {
  const { peer, port = 443, accepted = false } = connection;
  if (accepted && world.sight !== 'nothing on 10250') return 'ignored';
  if (isProxy(world, client, connection)) return 'proxy';
  const { never, global } = placeOf(peer);
  if (never === 'loopback' || peer === '10.100.0.1' || port !== 443) return 'ignored';
  const known = knownAs(world, peer);
  if (known !== null) return known;
  const identity = world.identities[placeOf(peer).is];
  if (identity === 'cluster') return 'tls';
  const isPublic = addressRoute(world, peer) === 'public';
  if (identity === 'other' && caVerifies(world) === 'yes') return 'ignored';
  if (identity === 'other' && (!isPublic || caVerifies(world) === 'silent')) return 'silent';
  if (isPublic) return 'presumed';
  if (global) return 'silent';
  return world.looks === 'minute' ? 'presumed' : 'ignored';
}

// The node's route

interface Seen {
  readonly client: string;
  readonly connection: Connection;
  readonly route: Route;
  readonly evidence: Verdict;
}

/** A client's endpoint connections, established and opening. */
function seenOf(world: World, client: string, state: ClientState): readonly Seen[] {
  return connectionsOf(state)
    .map((connection) => ({
      client,
      connection,
      route: routeOf(world, client, connection),
      evidence: evidenceOf(world, client, connection),
    }))
    .filter(({ evidence }) => evidence !== 'ignored');
}

function isOpen({ connection }: Seen): boolean {
  return connection.state !== 'syn-sent';
}

function everySeen(world: World): readonly Seen[] {
  return [...seenOf(world, 'kubelet', world.kubelet), ...seenOf(world, 'kube-proxy', world.kubeProxy)];
}

/** The address tier: sockets to known addresses, whoever holds them; null where the interface does not say. */
function unattributed(world: World): readonly Seen[] | null {
  const connections = [...connectionsOf(world.kubelet), ...connectionsOf(world.kubeProxy)];
  if (connections.some(({ accepted }) => accepted)) return null;
  const seen = connections
    .filter(({ port = 443, peer }) => port === 443 && placeOf(peer).never !== 'loopback')
    .map((connection) => ({
      client: 'unattributed',
      connection,
      route: addressRoute(world, connection.peer),
      evidence: knownAs(world, connection.peer) ?? 'ignored',
    }))
    .filter(({ evidence }) => evidence !== 'ignored');
  return seen.some(({ evidence }) => evidence === 'silent') ? null : seen;
}

function attributionOf(world: World): 'process' | 'address' | 'none' {
  if (ownersAreTold(world)) return 'process';
  return world.sight === 'nothing on 10250' ? 'none' : 'address';
}

function routeOfNode(world: World): Allowed | null {
  if (!world.endpointKnown || world.sight === 'sockets failed') return ['unknown'];
  const attribution = attributionOf(world);
  if (attribution === 'none') return ['unknown'];
  if (attribution === 'address') {
    const seen = unattributed(world);
    return seen && [sumUp(seen.filter(isOpen).map(({ route }) => route)) ?? 'unknown'];
  }
  if (world.kubelet === 'absent') return ['unknown'];
  const seen = everySeen(world);
  if (seen.some(({ evidence }) => evidence === 'silent')) return null;
  const routes = seen.filter(isOpen).map(({ route }) => route);
  const blindToProxy = world.proxy !== null && world.proxy.at === null;
  const agreed = world.rejectedRows === 0 && world.looks !== 'one';
  if (routes.length === 0) {
    // With no socket in the first look that one saw no connection either.
    if (!agreed) return ['unknown'];
    return blindToProxy ? ['none', 'unknown'] : ['none'];
  }
  const known = sumUp(routes);
  if (known !== null) return [known];
  if (hasNone(world, 'kubelet', world.kubelet) || hasNone(world, 'kube-proxy', world.kubeProxy))
    return ['unknown'];
  return [agreed && world.looks !== 'last' && !blindToProxy ? 'x-eni' : 'unknown'];
}

/** What these routes are together; null where all are X-ENIs, or there are none. */
function sumUp(routes: readonly Route[]): 'public' | 'mixed' | 'other' | null {
  if (routes.length === 0) return null;
  if (routes.every((route) => route === 'public')) return 'public';
  if (routes.includes('public')) return 'mixed';
  return routes.every((route) => route === 'x-eni') ? null : 'other';
}

/**
 * Whether a client that has a say has no endpoint connection: one that only goes by the ClusterIP has no say. Of a
 * required client the product asks more than the interface: it must have one.
 */
function hasNone(world: World, client: string, state: ClientState): boolean {
  if (state === 'absent' || seenOf(world, client, state).some(isOpen)) return false;
  const own = connectionsOf(state).filter(({ accepted = false }) => !accepted || world.sight !== 'good');
  const isService = ({ peer, port = 443, state: tcp }: Connection) =>
    peer === '10.100.0.1' && port === 443 && tcp !== 'syn-sent';
  return client === 'kubelet' || own.length === 0 || !own.every(isService);
}

/** `peer route evidence` of every connection that is shown; null where the interface does not say. */
function connectionLines(world: World): readonly string[] | null {
  if (!world.endpointKnown || world.sight === 'sockets failed') return null;
  const attribution = attributionOf(world);
  const seen =
    attribution === 'process' ? everySeen(world) : attribution === 'address' ? unattributed(world) : null;
  if (seen === null || seen.some(({ evidence }) => evidence === 'silent')) return null;
  return seen
    .map(({ client, connection, route, evidence }) => {
      const { peer, port = 443, state = 'established' } = connection;
      const text = peer.replace('::ffff:', '');
      const shown = text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
      return `${client} ${shown} ${state} ${route} ${evidence}`;
    })
    .toSorted();
}

// Gates

/** Any part false: false; else any unknown: unknown; else true. For every choice of what each part may be. */
function together(parts: readonly Allowed[]): Allowed {
  const may = (state: string) => (part: Allowed) => part.includes(state);
  const notFalse = parts.every((part) => part.some((state) => state !== 'false'));
  return [
    ...(parts.some(may('false')) ? ['false'] : []),
    ...(notFalse && parts.some(may('unknown')) ? ['unknown'] : []),
    ...(parts.every(may('true')) ? ['true'] : []),
  ];
}

/** The addresses of this family that are to answer: of the slice, else of DNS, else of `--x-eni`. */
function currentXEnis(world: World, family: 4 | 6): readonly string[] {
  const ofFamily = (names: readonly string[]) => names.filter((name) => familyOf(name) === family);
  const slice = ofFamily(sliceOf(world) ?? []);
  if (slice.length > 0) return slice.filter((name) => isXEni(world, name));
  const dns = ofFamily(dnsOf(world) ?? []).filter((name) => isXEni(world, name));
  if (dns.length > 0) return dns;
  return ofFamily([...PLACES.keys()]).filter((name) => world.given.includes(name) && isXEni(world, name));
}

function sliceLies(world: World): boolean {
  return (sliceOf(world) ?? []).some((name) => !isXEni(world, name));
}

function probeState(world: World, name: string): Allowed {
  const { probes } = world;
  if (probes === null || probes.none) return ['unknown'];
  const isOld = (probes.ageSeconds ?? 0) > 3 * PROBE_INTERVAL_SECONDS;
  if (probes.failed?.[placeOf(name).is] === undefined) return isOld ? ['unknown'] : ['true'];
  return isOld ? ['false', 'unknown'] : ['false'];
}

function privateReady(world: World): Allowed {
  const families = new Set((dnsOf(world) ?? []).map(familyOf));
  const parts: Allowed[] = [];
  for (const family of [4, 6] as const) {
    const wanted = families.has(family);
    const addresses = currentXEnis(world, family);
    if (addresses.length === 0 && wanted)
      parts.push(sliceLies(world) && world.given.length > 0 ? [] : ['unknown']);
    if (addresses.length > MAX_X_ENIS) parts.push(['unknown']);
    for (const name of addresses) {
      const state = probeState(world, name);
      parts.push(wanted ? state : [...state, 'true']);
    }
  }
  if (sliceOf(world) !== null && (world.slice?.ageSeconds ?? 0) > SLICE_FRESH) {
    const ofSlice = [...families].some((family) =>
      (sliceOf(world) ?? []).some((name) => familyOf(name) === family),
    );
    parts.push(ofSlice ? ['unknown'] : ['true', 'unknown']);
  }
  if (sliceLies(world)) parts.push(['true', 'unknown']);
  // Which families are wanted is not known, or was long ago.
  if (families.size === 0) parts.push(['unknown']);
  else if (!dnsIsFresh(world)) parts.push(['true', 'unknown']);
  return together(parts.map((part) => (part.length === 0 ? ['true', 'unknown', 'false'] : part)));
}

function publicFree(world: World, route: Allowed, ready: Allowed): Allowed {
  return together([dnsPart(world), hostsPart(world), routePart(world, route), ready]);
}

function dnsPart(world: World): Allowed {
  const routes = (dnsOf(world) ?? []).map((name) => addressRoute(world, name));
  if (routes.includes('public')) return dnsIsFresh(world) ? ['false'] : ['false', 'unknown'];
  return dnsIsFresh(world) && routes.every((route) => route === 'x-eni') ? ['true'] : ['unknown'];
}

function hostsPart(world: World): Allowed {
  const hosts = hostsOf(world);
  if (hosts === null) return ['unknown'];
  if (hosts.length === 0) return ['true'];
  const routes = hosts.map((name) => addressRoute(world, name));
  // Otherwise than DNS: without its answer the interface does not say.
  if (routes.includes('public')) return dnsIsFresh(world) ? ['false'] : ['false', 'unknown'];
  if (world.hosts === 'as DNS' && dnsIsFresh(world) && routes.every((one) => one === 'x-eni'))
    return ['true'];
  return ['false', 'unknown', 'true'];
}

function routePart(world: World, route: Allowed): Allowed {
  const isHeld = lastsTenSeconds(world);
  return route.flatMap((one): Allowed => {
    if (one === 'public' || one === 'mixed') return ['false'];
    if (one === 'other') return ['false', 'unknown'];
    return one === 'x-eni' && isHeld && attributionOf(world) === 'process' ? ['true'] : ['unknown'];
  });
}

// Access mode

function accessMode(world: World): Allowed {
  const inside = side(world, dnsOf(world));
  const outside = side(world, world.endpointKnown ? world.outside : null);
  const mode = modeOf(world, inside, outside);
  return mode === 'unknown' || dnsIsFresh(world) ? [mode] : [mode, 'unknown'];
}

function side(world: World, addresses: readonly string[] | null): 'x-eni' | 'public' | 'unknown' {
  const routes = new Set((addresses ?? []).map((name) => addressRoute(world, name)));
  const [only = 'unknown', ...more] = routes;
  return more.length === 0 && (only === 'x-eni' || only === 'public') ? only : 'unknown';
}

function modeOf(world: World, inside: string, outside: string): string {
  if (inside === 'x-eni')
    return outside === 'public' ? 'public-and-private' : outside === 'x-eni' ? 'private' : 'unknown';
  const isPublic = inside === 'public' && outside === 'public';
  return isPublic && vpcCidrs(world).length > 0 && asksAmazon(world) === 'yes' ? 'public' : 'unknown';
}

function asksAmazon(world: World): 'yes' | 'no' | 'unknown' {
  const [resolver] = world.resolvers ?? [];
  if (resolver === undefined) return 'unknown';
  if (resolver === '169.254.169.253' || resolver === 'fd00:ec2::253') return 'yes';
  if (vpcCidrs(world)[0] !== '192.168.0.0/16') return 'unknown';
  return resolver === '192.168.0.2' ? 'yes' : 'no';
}

// Findings

/** All but `UnexpectedRoute`. */
function findingsOf(world: World): Readonly<Record<string, Allowed>> {
  return {
    ...blindness(world),
    ...probeFindings(world),
    ...dnsFindings(world),
    ...nodeFindings(world),
    ...sliceFindings(world),
    ...connectionFindings(world),
  };
}

/** How many findings can say why the route is not the expected one. */
const OTHER_FINDINGS = 15;

function unexpectedRoute(world: World, route: Allowed | null, others: readonly Allowed[]): Allowed | null {
  const [known, ...more] = route ?? [];
  if (world.expect === 'any' || !lastsTenSeconds(world) || world.staleAfterSeconds > 10) return NOT_RAISED;
  if (known === undefined || more.length > 0) return null;
  if (known === world.expect) return NOT_RAISED;
  const isExplained = others.length < OTHER_FINDINGS || others.some((one) => one.includes('raised'));
  return isExplained || known === 'unknown' || known === 'none' ? null : RAISED;
}

/** Whether the same sockets were seen for ten seconds and more. */
function lastsTenSeconds({ looks }: World): boolean {
  return looks === 'held' || looks === 'minute';
}

function blindness(world: World): Readonly<Record<string, Allowed>> {
  const attribution = attributionOf(world);
  const isBlind =
    world.sight === 'sockets failed' ||
    (world.attribution === 'process' &&
      (world.sight === 'owners failed' ||
        world.sight === 'a process unreadable' ||
        world.kubelet === 'unreadable' ||
        world.kubeProxy === 'unreadable'));
  const nobody = world.kubelet === 'absent' && world.kubeProxy === 'absent';
  return {
    ...(isBlind ? { Blind: RAISED } : nobody || world.sight === 'nothing on 10250' ? {} : { Blind: CLEAR }),
    ...(attribution === 'address' && world.sight !== 'sockets failed'
      ? { ClientMissing: NOT_EVALUATED }
      : {}),
    ...(attribution === 'process' && world.sight !== 'sockets failed'
      ? { ClientMissing: world.kubelet === 'absent' ? RAISED : CLEAR }
      : {}),
  };
}

function probeFindings(world: World): Readonly<Record<string, Allowed>> {
  const { probes } = world;
  if (probes === null || probes.none) {
    return { XEniUnreachable: NOT_EVALUATED, XEniIdentityMismatch: NOT_EVALUATED };
  }
  if ((probes.ageSeconds ?? 0) > 3 * PROBE_INTERVAL_SECONDS || !world.endpointKnown) return {};
  const current = [...currentXEnis(world, 4), ...currentXEnis(world, 6)];
  const dns = dnsOf(world) ?? [];
  const unreachable = current.some((name) =>
    ['tcp', 'tls'].includes(probes.failed?.[placeOf(name).is] ?? ''),
  );
  const impostor = [...current, ...dns].some((name) => probes.failed?.[placeOf(name).is] === 'identity');
  // Of a list with an address that is none of the cluster's the interface does not say which are probed.
  if (sliceLies(world)) return {};
  return {
    ...(unreachable ? (world.looks === 'one' ? {} : { XEniUnreachable: RAISED }) : {}),
    ...(unreachable ? {} : { XEniUnreachable: current.length > 0 ? CLEAR : NOT_RAISED }),
    ...(impostor ? { XEniIdentityMismatch: RAISED } : {}),
    ...(impostor ? {} : { XEniIdentityMismatch: current.length + dns.length > 0 ? CLEAR : NOT_RAISED }),
  };
}

function dnsFindings(world: World): Readonly<Record<string, Allowed>> {
  const { dns } = world;
  if (dns === null || !world.endpointKnown) return { DnsPublic: NOT_EVALUATED, DnsFailing: NOT_EVALUATED };
  const addresses = dnsOf(world);
  const isPublic = addresses?.some((name) => addressRoute(world, name) === 'public');
  const judged = isPublic === undefined ? NOT_RAISED : isPublic ? RAISED : CLEAR;
  const failing = dns.failingSeconds ?? 0;
  return {
    DnsFailing: failing >= 120 ? RAISED : dns.answer === null ? NOT_RAISED : CLEAR,
    ...(world.expect !== 'x-eni'
      ? { DnsPublic: NOT_RAISED }
      : dnsIsFresh(world)
        ? { DnsPublic: judged }
        : {}),
  };
}

function nodeFindings(world: World): Readonly<Record<string, Allowed>> {
  const asks = asksAmazon(world);
  const hosts = hostsOf(world);
  return {
    ...(!world.onEc2 ? { CustomResolver: NOT_RAISED } : {}),
    ...(world.onEc2 && world.resolvers === null ? { CustomResolver: NOT_EVALUATED } : {}),
    ...(world.onEc2 && asks === 'yes' ? { CustomResolver: CLEAR } : {}),
    ...(world.onEc2 && asks === 'no' ? { CustomResolver: RAISED } : {}),
    ...(dnsIsFresh(world) ? hostsFinding(hosts, dnsOf(world) ?? []) : {}),
  };
}

function hostsFinding(
  hosts: readonly string[] | null,
  dns: readonly string[],
): Readonly<Record<string, Allowed>> {
  if (hosts === null) return { HostsFileOverride: NOT_EVALUATED };
  if (hosts.length === 0) return { HostsFileOverride: NOT_RAISED };
  if (!hosts.every((name) => holds(dns, name))) return { HostsFileOverride: RAISED };
  // Whether some of DNS's addresses are a difference, the interface does not say.
  return dns.every((name) => holds(hosts, name)) ? { HostsFileOverride: CLEAR } : {};
}

function sliceFindings({ slice }: World): Readonly<Record<string, Allowed>> {
  if (slice === null) return { SliceUnavailable: NOT_EVALUATED };
  const failing = slice.failingSeconds ?? 0;
  if (failing >= 300) return { SliceUnavailable: RAISED };
  return { SliceUnavailable: slice.addresses === null ? NOT_RAISED : CLEAR };
}

/** Of a node whose clients are all there and read. */
function connectionFindings(world: World): Readonly<Record<string, Allowed>> {
  const isWhole =
    ownersAreTold(world) && world.endpointKnown && world.sight === 'good' && world.kubelet !== 'absent';
  const all = isWhole ? everySeen(world) : [];
  if (!isWhole || all.some(({ evidence }) => evidence === 'silent')) return {};
  const open = all.filter(isOpen);
  const lasted = lastsTenSeconds(world);
  // What needs ten seconds is not evaluated before.
  const raised = (is: boolean) => (!lasted ? NOT_RAISED : is ? RAISED : CLEAR);
  return {
    ConnectStuck: raised(all.some(({ connection }) => connection.state === 'syn-sent')),
    Retransmitting: raised(open.some(({ connection }) => connection.retransmitting)),
    ...(open.some(({ evidence }) => evidence === 'proxy') ? { ViaProxy: RAISED } : {}),
    ...(world.proxy === null ? { ViaProxy: CLEAR } : {}),
    ...staleness(world, open),
  };
}

/** A connection is stale whose route is none of the current DNS answer's. */
function staleness(world: World, open: readonly Seen[]): Readonly<Record<string, Allowed>> {
  const dns = dnsOf(world);
  if (dns === null) return { ConnectionMoving: NOT_EVALUATED, StaleConnection: NOT_EVALUATED };
  // A proxy's route is never one that DNS gives: whether that makes it stale, the interface does not say.
  if (open.some(({ route }) => route === 'proxy')) return {};
  const current: readonly string[] = dns.map((name) => addressRoute(world, name));
  const stale = open.filter(({ route }) => !current.includes(route));
  const isOld = lastsTenSeconds(world) && world.staleAfterSeconds <= 10;
  const wrong = stale.filter(({ route }) => world.expect === 'any' || route !== world.expect);
  const formerXEni = open.some(
    ({ connection: { peer }, route }) =>
      route !== 'x-eni' && holds(sliceBefore(world), peer) && isTrusted(world, peer),
  );
  return {
    ConnectionMoving: stale.length > 0 && !isOld ? RAISED : CLEAR,
    StaleConnection: wrong.length > 0 && isOld ? RAISED : CLEAR,
    ...(formerXEni ? { StaleXEni: RAISED } : {}),
    ...((world.slice?.before ?? []).length > 0 || (world.dns?.earlier ?? []).length > 0 || formerXEni
      ? {}
      : { StaleXEni: NOT_RAISED }),
  };
}

// The first promise

/**
 * Public addresses to which a client holds an endpoint connection: of IPv6 only where the VPC's own are known, and
 * none that is proved to be somebody else's.
 */
export function publicPeers(world: World): readonly string[] {
  const cidrs = vpcCidrs(world);
  const knowsIpv6 = cidrs.some((cidr) => cidr.includes(':'));
  return everySeen(world)
    .filter((seen) => isOpen(seen) && seen.evidence !== 'silent' && seen.evidence !== 'proxy')
    .map(({ connection }) => connection.peer)
    .filter((peer) => placeOf(peer).global && !isIn(peer, cidrs) && (familyOf(peer) === 4 || knowsIpv6));
}
