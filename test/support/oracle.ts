/**
 * What is to be said of a world, by the published interface alone: strings and small sets, no code of the product.
 * Where the interface leaves room, several answers are allowed; where it says nothing, there is no entry.
 */
import {
  askedOf,
  type ClientState,
  type Connection,
  changedSecondsAgo,
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
/** A TTL is kept between these; three of them, or of ten seconds, make an answer old. */
const TTL_SECONDS = { least: 1, most: 300 };
const SHORTEST_DNS_INTERVAL = 10;
/** A change of DNS is believed once it has lasted. */
const DNS_SETTLED = 10;
/** Three times the five minutes after which the slice is read again. */
const SLICE_FRESH = 900;
/** Three times the ten minutes after which IMDS is asked again. */
const IMDS_FRESH = 1800;
/** Three times the minute after which the node's files are read again. */
const NODE_FILES_FRESH = 180;
/** More X-ENIs are not probed. */
const MAX_X_ENIS = 16;
const RAISED: Allowed = ['raised'];
const CLEAR: Allowed = ['clear'];
const NOT_EVALUATED: Allowed = ['not evaluated'];
const NOT_RAISED: Allowed = ['clear', 'not evaluated'];
const NOT_CLEAR: Allowed = ['raised', 'not evaluated'];

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
  const unexpected = unexpectedRoute(world, route, findings);
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
  const { ageSeconds = 0, ttlSeconds = 60 } = world.dns ?? {};
  const kept = Math.min(Math.max(ttlSeconds, TTL_SECONDS.least), TTL_SECONDS.most);
  return dnsOf(world) !== null && ageSeconds <= 3 * Math.max(kept, SHORTEST_DNS_INTERVAL);
}

/** The world before DNS changed, where that was between two looks. */
function beforeTheChange(world: World): World {
  const { dns } = world;
  const isRecent = dns?.changedSecondsAgo !== undefined && (dns.earlier ?? []).length > 0;
  return isRecent ? { ...world, dns: { answer: dns.earlier ?? [] } } : world;
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

/** What is known of a connection without its certificate; `stranger`: nothing. */
function knownEvidence(world: World, client: string, connection: Connection): Verdict | 'stranger' {
  const { peer, port = 443, accepted = false } = connection;
  if (accepted && world.sight !== 'nothing on 10250') return 'ignored';
  if (isProxy(world, client, connection)) return 'proxy';
  if (placeOf(peer).never === 'loopback' || peer === '10.100.0.1' || port !== 443) return 'ignored';
  return knownAs(world, peer) ?? 'stranger';
}

function evidenceOf(world: World, client: string, connection: Connection): Verdict {
  const known = knownEvidence(world, client, connection);
  if (known !== 'stranger') return known;
  const { peer } = connection;
  const { global } = placeOf(peer);
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

/**
 * The addresses of this family that are to answer: of the slice, else of DNS, else of `--x-eni`. One of `--x-eni` that
 * DNS gives is among them though the slice lacks it: DNS leads there.
 */
function currentXEnis(world: World, family: 4 | 6): readonly string[] {
  const ofFamily = (names: readonly string[]) => names.filter((name) => familyOf(name) === family);
  const slice = ofFamily(sliceOf(world) ?? []);
  const dns = ofFamily(dnsOf(world) ?? []).filter((name) => isXEni(world, name));
  if (slice.length > 0) {
    const more = dns.filter((name) => !holds(slice, name));
    return [...slice.filter((name) => isXEni(world, name)), ...more];
  }
  if (dns.length > 0) return dns;
  return ofFamily([...PLACES.keys()]).filter((name) => world.given.includes(name) && isXEni(world, name));
}

function sliceLies(world: World): boolean {
  return (sliceOf(world) ?? []).some((name) => !isXEni(world, name));
}

function sliceIsOld(world: World): boolean {
  return sliceOf(world) !== null && (world.slice?.ageSeconds ?? 0) > SLICE_FRESH;
}

/** Addresses that DNS gives and that are neither public nor among the current X-ENIs. */
function dnsStrangers(world: World): readonly string[] {
  const current = [...currentXEnis(world, 4), ...currentXEnis(world, 6)];
  return (dnsOf(world) ?? []).filter(
    (name) => addressRoute(world, name) !== 'public' && !holds(current, name),
  );
}

/** An X-ENI that only DNS names is one because it lies in the VPC, as IMDS said too long ago. */
function restsOnOldImds(world: World): boolean {
  if (world.vpcFlag.length > 0 || world.imdsAgeSeconds <= IMDS_FRESH) return false;
  return [...currentXEnis(world, 4), ...currentXEnis(world, 6)].some(
    (name) => !holds(sliceOf(world) ?? [], name) && !isIn(name, world.given),
  );
}

/** Whether it is known which X-ENIs there are: of each family that DNS gives, and of nothing old. */
function xEnisAreKnown(world: World): boolean {
  const families = [...new Set((dnsOf(world) ?? []).map(familyOf))];
  const count = currentXEnis(world, 4).length + currentXEnis(world, 6).length;
  return (
    dnsIsFresh(world) &&
    families.every((family) => currentXEnis(world, family).length > 0) &&
    count > 0 &&
    count <= MAX_X_ENIS &&
    dnsStrangers(world).length === 0 &&
    !sliceLies(world) &&
    !sliceIsOld(world) &&
    !restsOnOldImds(world)
  );
}

function probesAreOld({ probes }: World): boolean {
  return (probes?.ageSeconds ?? 0) > 3 * PROBE_INTERVAL_SECONDS;
}

function failedStage({ probes }: World, name: string): string | undefined {
  return probes?.none ? undefined : probes?.failed?.[placeOf(name).is];
}

function probeState(world: World, name: string): Allowed {
  if (world.probes === null || world.probes.none || probesAreOld(world)) return ['unknown'];
  return failedStage(world, name) === undefined ? ['true'] : ['false'];
}

/**
 * Whether the probes are the node's: from the network namespace of its clients and of the table in which root listens
 * on 10250. Where neither was seen nobody knows.
 */
function probesAreTheNodes({ namespace, sight, attribution, kubelet, kubeProxy }: World): boolean {
  const seesClients =
    attribution === 'process' &&
    sight !== 'owners failed' &&
    (kubelet !== 'absent' || kubeProxy !== 'absent');
  const seesTable = sight !== 'sockets failed' && sight !== 'nothing on 10250';
  return namespace === "the node's" && (seesClients || seesTable);
}

function privateReady(world: World): Allowed {
  if (world.probes === null || !probesAreTheNodes(world)) return ['unknown'];
  const families = new Set((dnsOf(world) ?? []).map(familyOf));
  const parts: Allowed[] = [xEnisAreKnown(world) ? ['true'] : ['unknown']];
  for (const family of [4, 6] as const) {
    const wanted = families.has(family);
    const addresses = currentXEnis(world, family);
    // Whether `--x-eni` names the current ones where the slice names none that is believed, is not published.
    if (addresses.length === 0 && sliceLies(world)) parts.push(['true', 'false']);
    for (const name of addresses) {
      const state = probeState(world, name);
      parts.push(wanted ? state : [...state, 'true']);
    }
  }
  for (const name of dnsStrangers(world)) parts.push(probeState(world, name));
  return together(parts);
}

function publicFree(world: World, route: Allowed, ready: Allowed): Allowed {
  const strangers = [
    ...connectionsOf(world.kubelet).map((one) => strangerPart(world, 'kubelet', one)),
    ...connectionsOf(world.kubeProxy).map((one) => strangerPart(world, 'kube-proxy', one)),
  ];
  const parts = [dnsPart(world), resolversPart(world), hostsPart(world), routePart(world, route), ready];
  return together([...parts, ...strangers]);
}

function dnsPart(world: World): Allowed {
  const routes = (dnsOf(world) ?? []).map((name) => addressRoute(world, name));
  if (routes.includes('public')) return dnsIsFresh(world) ? ['false'] : ['false', 'unknown'];
  const hasSettled = (changedSecondsAgo(world) ?? DNS_SETTLED) >= DNS_SETTLED;
  return hasSettled && dnsIsFresh(world) && routes.every((route) => route === 'x-eni')
    ? ['true']
    : ['unknown'];
}

/** The agent's DNS is the node's where it asks nobody else. */
function resolversPart(world: World): Allowed {
  const { resolvers, nodeFilesAgeSeconds } = world;
  const asked = askedOf(world);
  if (resolvers === null || asked.length === 0 || nodeFilesAgeSeconds > NODE_FILES_FRESH) return ['unknown'];
  return asked.every((one) => isOwn(one) || resolvers.includes(one)) ? ['true'] : ['unknown'];
}

/** The node's own: systemd-resolved. */
function isOwn(resolver: string): boolean {
  return resolver.startsWith('127.') || resolver === '::1';
}

function hostsPart(world: World): Allowed {
  const hosts = hostsOf(world);
  if (hosts === null) return ['unknown'];
  if (hosts.length === 0) return ['true'];
  const routes = hosts.map((name) => addressRoute(world, name));
  // Otherwise than DNS: without its answer the interface does not say.
  if (routes.includes('public')) {
    const isYoung = dnsIsFresh(world) && world.nodeFilesAgeSeconds <= NODE_FILES_FRESH;
    return isYoung ? ['false'] : ['false', 'unknown'];
  }
  if (world.hosts === 'as DNS' && dnsIsFresh(world) && routes.every((one) => one === 'x-eni'))
    return ['true'];
  return ['false', 'unknown', 'true'];
}

/** A peer of which nothing is known may be a public endpoint until its certificate has told. */
function strangerPart(world: World, client: string, connection: Connection): Allowed {
  if (knownEvidence(world, client, connection) !== 'stranger') return ['true'];
  const identity = world.identities[placeOf(connection.peer).is];
  if (identity === 'cluster') return ['true'];
  const isTold: Allowed =
    identity !== 'other'
      ? ['unknown']
      : { yes: ['true'], no: ['unknown'], silent: ['true', 'unknown'] }[caVerifies(world)];
  // Whether one that is only being opened is a stranger, is not published.
  return connection.state === 'syn-sent' ? [...isTold, 'true'] : isTold;
}

function routePart(world: World, route: Allowed): Allowed {
  const before = beforeTheChange(world);
  const wasXEni = before === world ? route : (routeOfNode(before) ?? ['x-eni', 'unknown']);
  const held: Allowed =
    lastsTenSeconds(world) && attributionOf(world) === 'process'
      ? wasXEni.map((one) => (one === 'x-eni' ? 'true' : 'unknown'))
      : ['unknown'];
  return route.flatMap((one): Allowed => {
    if (one === 'public' || one === 'mixed') return ['false'];
    if (one === 'other') return ['false', 'unknown'];
    return one === 'x-eni' ? held : ['unknown'];
  });
}

// Access mode

function accessMode(world: World): Allowed {
  const inside = side(world, dnsOf(world));
  const outside = side(world, world.endpointKnown && isOutside(world) ? world.outside : null);
  const modes = modesOf(world, inside, outside);
  return dnsIsFresh(world) ? modes : [...modes, 'unknown'];
}

/** An outside resolver is one that anybody can reach, and none of the VPC's. */
function isOutside(world: World): boolean {
  const { global } = placeOf(world.outsideResolver);
  return global && !isIn(world.outsideResolver, vpcCidrs(world));
}

function side(world: World, addresses: readonly string[] | null): 'x-eni' | 'public' | 'unknown' {
  const routes = new Set((addresses ?? []).map((name) => addressRoute(world, name)));
  const [only = 'unknown', ...more] = routes;
  return more.length === 0 && (only === 'x-eni' || only === 'public') ? only : 'unknown';
}

function modesOf(world: World, inside: string, outside: string): Allowed {
  if (inside === 'x-eni')
    return [outside === 'public' ? 'public-and-private' : outside === 'x-eni' ? 'private' : 'unknown'];
  if (inside !== 'public' || outside !== 'public' || vpcCidrs(world).length === 0) return ['unknown'];
  const asked = askedOf(world).flatMap((one) => (isOwn(one) ? (world.resolvers ?? ['?']) : [one]));
  const areAmazon = asked.map((one) => isAmazon(world, one) === 'yes');
  // Of several resolvers nobody knows who answered.
  return [
    ...(areAmazon.includes(true) ? ['public'] : []),
    ...(areAmazon.length === 0 || areAmazon.includes(false) ? ['unknown'] : []),
  ];
}

/** Whether the node asks AmazonProvidedDNS. */
function asksAmazon(world: World): 'yes' | 'no' | 'unknown' {
  const [resolver] = world.resolvers ?? [];
  return resolver === undefined ? 'unknown' : isAmazon(world, resolver);
}

function isAmazon(world: World, resolver: string): 'yes' | 'no' | 'unknown' {
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
const EXPLANATIONS = 12;
const EXPLAIN_NOTHING = ['ConnectStuck', 'Retransmitting', 'SliceUnavailable'];

function unexpectedRoute(
  world: World,
  route: Allowed | null,
  others: Readonly<Record<string, Allowed>>,
): Allowed | null {
  const [known, ...more] = route ?? [];
  if (world.expect === 'any' || !lastsTenSeconds(world) || world.staleAfterSeconds > 10) return NOT_RAISED;
  if (known === undefined || more.length > 0) return null;
  if (known === world.expect) return NOT_RAISED;
  const explanations = Object.entries(others).filter(([code]) => !EXPLAIN_NOTHING.includes(code));
  const isExplained =
    explanations.length < EXPLANATIONS || explanations.some(([, one]) => one.includes('raised'));
  const hasChanged = beforeTheChange(world) !== world;
  return isExplained || hasChanged || known === 'unknown' || known === 'none' ? null : RAISED;
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
  if (probes === null || probes.none || !probesAreTheNodes(world)) {
    return { XEniUnreachable: NOT_EVALUATED, XEniIdentityMismatch: NOT_EVALUATED };
  }
  // What was raised before may still be: the interface does not say.
  if (probesAreOld(world) || !world.endpointKnown)
    return { XEniUnreachable: NOT_CLEAR, XEniIdentityMismatch: NOT_CLEAR };
  const current = [...currentXEnis(world, 4), ...currentXEnis(world, 6)];
  const stages = current.map((name) => failedStage(world, name));
  const everyStage = [...stages, ...(dnsOf(world) ?? []).map((name) => failedStage(world, name))];
  const unreachable = stages.includes('tcp') || stages.includes('tls');
  const impostor = everyStage.includes('identity');
  const unanswered = everyStage.includes('tcp') || everyStage.includes('tls');
  const clear = xEnisAreKnown(world) ? CLEAR : NOT_EVALUATED;
  const findings = {
    // A second probe is needed.
    XEniUnreachable: !unreachable ? clear : world.looks === 'one' ? NOT_CLEAR : RAISED,
    XEniIdentityMismatch: impostor ? RAISED : unanswered ? NOT_EVALUATED : clear,
  };
  // Of a list with an address that is none of the cluster's the interface does not say which are current.
  return sliceLies(world) ? { XEniUnreachable: NOT_CLEAR, XEniIdentityMismatch: NOT_CLEAR } : findings;
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
        ? { DnsPublic: judged === CLEAR && !asksAsNode(world) ? NOT_EVALUATED : judged }
        : { DnsPublic: isPublic ? [...RAISED, ...NOT_EVALUATED] : NOT_EVALUATED }),
  };
}

function nodeFindings(world: World): Readonly<Record<string, Allowed>> {
  const asks = asksAmazon(world);
  // What was not read lately is not clear.
  const isYoung = world.nodeFilesAgeSeconds <= NODE_FILES_FRESH;
  const hosts = hostsOf(world);
  return {
    ...(!world.onEc2 ? { CustomResolver: NOT_RAISED } : {}),
    ...(world.onEc2 && world.resolvers === null ? { CustomResolver: NOT_EVALUATED } : {}),
    ...(world.onEc2 && asks === 'yes' ? { CustomResolver: isYoung ? CLEAR : NOT_EVALUATED } : {}),
    ...(world.onEc2 && asks === 'no' ? { CustomResolver: RAISED } : {}),
    ...(dnsIsFresh(world) && isYoung ? hostsFinding(hosts, dnsOf(world) ?? []) : {}),
  };
}

/** Whether the agent asks whom the node asks, as far as that is known by now. */
function asksAsNode(world: World): boolean {
  return world.resolvers !== null && resolversPart({ ...world, nodeFilesAgeSeconds: 0 }).join() === 'true';
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
  const stale = staleAt(world, open);
  if (stale === null) return { ConnectionMoving: NOT_EVALUATED, StaleConnection: NOT_EVALUATED };
  // A proxy's route is never one that DNS gives: whether that makes it stale, the interface does not say.
  if (open.some(({ route }) => route === 'proxy')) return {};
  // Nor from which of two changes one counts that was stale before the last.
  const before = beforeTheChange(world);
  const isSilent = before !== world && (staleAt(before, open) ?? []).length > 0;
  const hasLasted = lastsTenSeconds(world) && (changedSecondsAgo(world) ?? 10) >= 10;
  const isOld = hasLasted && world.staleAfterSeconds <= 10;
  const wrong = stale.filter(({ route }) => world.expect === 'any' || route !== world.expect);
  return {
    ...(isSilent && stale.length > 0
      ? {}
      : {
          ConnectionMoving: stale.length > 0 && !isOld ? RAISED : CLEAR,
          StaleConnection: wrong.length > 0 && isOld ? RAISED : CLEAR,
        }),
    ...formerXEnis(world, open),
  };
}

function staleAt(world: World, open: readonly Seen[]): readonly Seen[] | null {
  const dns = dnsOf(world);
  if (dns === null) return null;
  const current: readonly string[] = dns.map((name) => addressRoute(world, name));
  return open.filter(({ client, connection }) => !current.includes(routeOf(world, client, connection)));
}

function formerXEnis(world: World, open: readonly Seen[]): Readonly<Record<string, Allowed>> {
  const isFormer = open.some(
    ({ connection: { peer }, route }) =>
      route !== 'x-eni' && holds(sliceBefore(world), peer) && isTrusted(world, peer),
  );
  if (isFormer) return { StaleXEni: RAISED };
  if (!xEnisAreKnown(world)) return { StaleXEni: NOT_CLEAR };
  const hasChanged = (world.slice?.before ?? []).length > 0 || (world.dns?.earlier ?? []).length > 0;
  return hasChanged ? {} : { StaleXEni: CLEAR };
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
