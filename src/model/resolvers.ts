/** Whom the agent asks for names, and whom the node: only the same are told the same. */
import { type Address, parseAddress } from './address.ts';
import { splitPort } from './endpoint.ts';
import type { DnsSeen, Observation } from './observation.ts';
import { holds, isLoopback } from './route.ts';
import { list } from './text.ts';

/** Neither Go nor glibc asks more of them (resolv.conf(5), MAXNS). */
const MAX_ASKED = 3;

/** Who was asked, written as `address`, `address:port` or `[address]:port`; null for what is none of these. */
export function serversOf(dns: DnsSeen | null): readonly (Address | null)[] {
  return dns?.servers.map((text) => parseAddress(splitPort(text).host.replace(/^\[|\]$/g, ''))) ?? [];
}

/** Why DNS may tell the node's clients otherwise than the agent, as one sentence; null where it does not. */
export function resolversObstacle({ dns, nodeConfig }: Observation): string | null {
  const asked = serversOf(dns).slice(0, MAX_ASKED);
  const ofNode = nodeConfig?.resolvers ?? null;
  if (ofNode === null) return "the node's resolv.conf was not read";
  const [first] = asked;
  if (first === undefined || asked.includes(null)) return 'whom the agent asks for names is not known';
  // A resolver on the machine itself is the node's own. The first of a list is the one that answers.
  const own = asked.map((server) => server !== null && (isLoopback(server) || holds(ofNode, server)));
  const sameFirst = first !== null && (isLoopback(first) || first.key === ofNode[0]?.key);
  if (sameFirst && own.every(Boolean)) return null;
  const texts = asked.flatMap((server) => server?.text ?? []);
  return `the agent asks ${list(texts)} for names, the node ${list(ofNode.map(({ text }) => text))}: its pod needs dnsPolicy Default`;
}
