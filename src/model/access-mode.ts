/** The cluster's endpoint access, from what the name's addresses are inside the VPC and outside. */
import type { Address } from './address.ts';
import { isAmazonDns } from './amazon-dns.ts';
import type { Observation } from './observation.ts';
import { serversOf } from './resolvers.ts';
import { currentAnswer, isGloballyReachable, isIn, isLoopback, type Knowledge, routeOf } from './route.ts';
import type { AccessMode, Route } from './status.ts';

/**
 * `unknown` wherever inside and outside together do not prove a mode: a node that is peered or hybrid, or that asks
 * another resolver than the VPC's, gets public answers in mode `public-and-private` too.
 */
export function accessModeOf(observation: Observation, known: Knowledge): AccessMode {
  const outside = currentAnswer(observation.outsideDns, observation.at);
  if (known.dns === null || outside === null) return 'unknown';
  // A resolver of the VPC, or one that might be, is not outside.
  const beyondVpc = serversOf(observation.outsideDns);
  if (beyondVpc.length === 0 || !beyondVpc.every((server) => isOutside(server, known))) return 'unknown';
  const routesOf = (addresses: readonly Address[]) =>
    new Set(addresses.map((address) => routeOf(address, known)));
  const [inside, beyond] = [onlyOne(routesOf(known.dns)), onlyOne(routesOf(outside))];
  if (inside === 'x-eni' && beyond === 'public') return 'public-and-private';
  if (inside === 'x-eni' && beyond === 'x-eni') return 'private';
  if (
    inside === 'public' &&
    beyond === 'public' &&
    known.vpcCidrs.length > 0 &&
    asksTheVpc(observation, known)
  )
    return 'public';
  return 'unknown';
}

function onlyOne(routes: ReadonlySet<Route>): Route | null {
  const [route, ...others] = routes;
  return route === undefined || others.length > 0 ? null : route;
}

function isOutside(server: Address | null, { vpcCidrs }: Knowledge): boolean {
  return server !== null && isGloballyReachable(server) && !isIn(vpcCidrs, server);
}

/** Behind systemd-resolved its upstream servers count. */
function asksTheVpc({ dns, nodeConfig }: Observation, { vpcCidrs }: Knowledge): boolean {
  const asked = serversOf(dns);
  const isStub = asked.length > 0 && asked.every((server) => server !== null && isLoopback(server));
  const servers = isStub ? (nodeConfig?.resolvers ?? []) : asked;
  return servers.length > 0 && servers.every((server) => server !== null && isAmazonDns(server, vpcCidrs));
}
