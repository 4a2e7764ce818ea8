/** Whether it is known which X-ENIs a node must reach: gates and findings rest on it. */
import { isHosts } from './attribution.ts';
import { IMDS_INTERVAL_MS, isOld, isOldDns, SLICE_INTERVAL_MS } from './freshness.ts';
import { type Observation, UNKNOWN_NETNS } from './observation.ts';
import { currentXEnis, holds, type Knowledge, knownXEnis, routeOf } from './route.ts';
import { duration, list } from './text.ts';

/** X-ENIs and addresses of DNS that are probed; EKS gives a cluster 2 to 4. */
export const MAX_PROBED = 16;

/** Why it is not known, as one sentence; null where it is. */
export function xEnisObstacle(observation: Observation, known: Knowledge): string | null {
  return (
    sliceObstacle(observation, known) ?? dnsObstacle(observation, known) ?? vpcObstacle(observation, known)
  );
}

/**
 * Why the agent's own connections are not the node's; null where they are: from within its network namespace alone.
 * A client's namespace may not be readable (without SYS_PTRACE): then the host's table must be in the agent's.
 */
export function agentObstacle({ agentNetns, owners, tables }: Observation): string | null {
  const processes = owners?.processes ?? [];
  const clients = processes.filter(({ netns }) => netns !== UNKNOWN_NETNS);
  const hosts = tables?.filter(isHosts) ?? [];
  const ofNode = [...clients, ...hosts].map(({ netns }) => netns);
  const isSeen = clients.length === processes.length ? ofNode.length > 0 : hosts.length > 0;
  if (isSeen && ofNode.every((netns) => netns === agentNetns)) return null;
  return ofNode.length > 0 && agentNetns !== null && !ofNode.includes(UNKNOWN_NETNS)
    ? "the agent is not in the node's network namespace: its probes and its DNS are not the node's; it needs hostNetwork"
    : "it is not known whether the agent is in the node's network namespace: nothing of the node was seen";
}

function sliceObstacle({ at, endpointSlice }: Observation, known: Knowledge): string | null {
  const answer = endpointSlice?.answer;
  if (!answer) return null;
  if (isOld(answer.at, at, SLICE_INTERVAL_MS)) {
    const age = duration(at.monotonicMs - answer.at.monotonicMs);
    return `the EndpointSlice was last read ${age} ago: its X-ENIs may have been replaced`;
  }
  const strange = answer.addresses.find((address) => routeOf(address, known) !== 'x-eni');
  return strange === undefined
    ? null
    : `the EndpointSlice names ${strange.text}, a ${routeOf(strange, known)} address that is not taken for an X-ENI`;
}

/** DNS says of which families X-ENIs are needed, and may lead to one that nobody knows. */
function dnsObstacle({ at, dns }: Observation, known: Knowledge): string | null {
  if (known.dns === null || dns === null || isOldDns(dns, at))
    return 'DNS does not say of which address families X-ENIs are needed: it gives no current answer';
  const current = currentXEnis(known);
  for (const family of new Set(known.dns.map((address) => address.family))) {
    if (!current.some((address) => address.family === family)) return `no X-ENI is known (IPv${family})`;
  }
  if (current.length === 0) return 'no X-ENI is known';
  if (current.length > MAX_PROBED) return `more than ${MAX_PROBED} X-ENIs: not all are probed`;
  const others = known.dns.filter(
    (address) => routeOf(address, known) !== 'public' && !holds(current, address),
  );
  return others.length === 0
    ? null
    : `DNS gives ${list(others.slice(0, 4).map(({ text }) => text))}, not known as ${others.length === 1 ? 'an X-ENI' : 'X-ENIs'}`;
}

/** Where only DNS names an X-ENI, it is one because it lies in the VPC. */
function vpcObstacle({ at, imds }: Observation, known: Knowledge): string | null {
  if (known.vpcFrom !== 'imds' || !imds?.answer || !isOld(imds.answer.at, at, IMDS_INTERVAL_MS)) return null;
  const current = currentXEnis(known);
  const rests = knownXEnis(known).some(
    ({ address, sources }) => holds(current, address) && sources.every((source) => source === 'dns'),
  );
  return rests ? "the VPC's CIDRs were last read from IMDS too long ago" : null;
}
