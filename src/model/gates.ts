/** The questions about a node that a person wants answered before a switch, each with one sentence why. */
import { type Address, parseAddress } from './address.ts';
import type { ClientView } from './clients.ts';
import { isSeenTwice } from './connections.ts';
import { isCurrentProbe, isOld, isOldDns, NODE_CONFIG_INTERVAL_MS } from './freshness.ts';
import type { Verdict } from './node-route.ts';
import type { Moment, Observation } from './observation.ts';
import { resolversObstacle } from './resolvers.ts';
import { currentXEnis, distinct, holds, type Knowledge, routeOf } from './route.ts';
import type { Settings } from './settings.ts';
import type { Attribution, Gate, GateState } from './status.ts';
import { duration, list } from './text.ts';
import { agentObstacle, xEnisObstacle } from './x-enis-known.ts';

/** Everything that a gate may depend on. */
export interface GateFacts {
  readonly settings: Settings;
  readonly observation: Observation;
  readonly known: Knowledge;
  readonly attribution: Attribution;
  readonly verdict: Verdict;
  readonly clients: readonly ClientView[];
  /** Since when every look said `x-eni`; null where the last did not. */
  readonly xEniSince: Moment | null;
}

/** A part of a gate; without a reason it is true. */
interface Part {
  readonly state: GateState;
  readonly reason: string;
}

/** How long every look must have said `x-eni`, and DNS the same, before public access may be called free of this node. */
const STEADY_FOR_MS = 10_000;

export function judgeGates(facts: GateFacts): readonly Gate[] {
  const ready = judgePrivateReady(facts);
  return [
    { gate: 'private-ready', ...ready },
    { gate: 'public-free', ...judgePublicFree(facts, ready) },
  ];
}

/** Whether every X-ENI that the node may be led to answers, from here, as this cluster. */
function judgePrivateReady({ settings, observation, known }: GateFacts): Part {
  if (settings.probeIntervalMs === null) return unknown('nothing is probed (--no-probe)');
  const elsewhereObstacle = agentObstacle(observation);
  if (elsewhereObstacle !== null) return unknown(elsewhereObstacle);
  const xEnis = currentXEnis(known);
  // Where else DNS leads in private, nobody knows what answers; but what does not is known.
  const elsewhere = (known.dns ?? []).filter(
    (address) => routeOf(address, known) !== 'public' && !holds(xEnis, address),
  );
  const judge = (address: Address) => judgeProbe(address, observation, settings.probeIntervalMs);
  const parts = xEnis.map(judge);
  const failed = elsewhere.map(judge).filter(({ state }) => state === 'false');
  const obstacle = xEnisObstacle(observation, known);
  const answering = parts.filter(({ state }) => state === 'true').length;
  return combine(
    [...(obstacle === null ? [] : [unknown(obstacle)]), ...parts, ...failed],
    `${answering} of ${xEnis.length} X-ENIs ${answering === 1 ? 'answers' : 'answer'} as this cluster`,
  );
}

function judgeProbe(address: Address, { at, probes }: Observation, intervalMs: number | null): Part {
  const probe = probes?.find((one) => one.address.key === address.key);
  if (probe === undefined) return unknown(`${address.text} has not been probed yet`);
  if (!isCurrentProbe(probe, at, intervalMs)) return unknown(`the last probe of ${address.text} is too old`);
  if (probe.success) return TRUE;
  const what = probe.failedStage === 'identity' ? 'does not show itself as this cluster' : 'does not answer';
  return { state: 'false', reason: `${address.text} ${what}: ${probe.error}` };
}

/** Whether this node's clients would miss nothing if the public endpoint were turned off. */
function judgePublicFree(facts: GateFacts, ready: Part): Part {
  return combine(
    [
      judgeDns(facts),
      judgeHosts(facts),
      judgeRoute(facts),
      { ...ready, reason: `private-ready is ${ready.state}: ${ready.reason}` },
    ],
    "DNS gives X-ENIs only, every client's endpoint connections are on them, and each answers as this cluster",
  );
}

function judgeDns({ observation, known }: GateFacts): Part {
  const { dns, endpoint, at } = observation;
  if (dns === null)
    return unknown(
      endpoint !== null && parseAddress(endpoint.hostname) !== null
        ? `the endpoint is given as an address: DNS is not asked for it`
        : 'DNS has not been asked for the endpoint yet',
    );
  if (known.dns === null) return unknown(`DNS gives no answer${dns.error === null ? '' : `: ${dns.error}`}`);
  const open = known.dns.find((address) => routeOf(address, known) === 'public');
  if (open !== undefined) return { state: 'false', reason: `DNS gives ${open.text}, a public address` };
  if (isOldDns(dns, at)) return unknown(`the last DNS answer is too old: ${dns.error ?? 'not asked since'}`);
  const other = known.dns.find((address) => routeOf(address, known) !== 'x-eni');
  if (other !== undefined)
    return unknown(
      `DNS gives ${other.text}, a ${routeOf(other, known)} address that is not known as an X-ENI`,
    );
  const changedMs = dns.changedAt === null ? null : at.monotonicMs - dns.changedAt.monotonicMs;
  if (changedMs !== null && changedMs < STEADY_FOR_MS)
    return unknown(
      `DNS changed ${duration(changedMs)} ago, ${duration(STEADY_FOR_MS)} of the same answer are needed`,
    );
  const obstacle = resolversObstacle(observation);
  return obstacle === null ? TRUE : unknown(obstacle);
}

function judgeHosts({ observation: { nodeConfig, at }, known }: GateFacts): Part {
  if (nodeConfig === null || nodeConfig.hosts === null) return unknown("the node's hosts file was not read");
  if (isOld(nodeConfig.at, at, NODE_CONFIG_INTERVAL_MS))
    return unknown("the node's hosts file was not read for too long");
  const other = nodeConfig.hosts.filter((address) => !holds(known.dns, address));
  if (other.length === 0 || known.dns === null) return TRUE;
  const texts = list(
    distinct(other)
      .map(({ text }) => text)
      .slice(0, 4),
  );
  return {
    state: 'false',
    reason: `the node's hosts file gives the endpoint ${texts}, which DNS does not give`,
  };
}

function judgeRoute({ attribution, verdict, clients, xEniSince, observation: { at } }: GateFacts): Part {
  const { route, reason } = verdict;
  if (route === 'public' || route === 'mixed' || route === 'other')
    return { state: 'false', reason: `the node route is ${route}: ${reason}` };
  if (attribution !== 'process') return unknown('whose sockets they are is not told apart');
  if (route !== 'x-eni' || xEniSince === null) return unknown(`the node route is ${route}: ${reason}`);
  for (const { client, strangers } of clients) {
    const stranger = strangers.find((one) => !one.isTold && isSeenTwice(one, at));
    if (stranger !== undefined)
      return unknown(`${client} is connected to ${stranger.address.text}, and it is not known what that is`);
  }
  const forMs = at.monotonicMs - xEniSince.monotonicMs;
  return forMs >= STEADY_FOR_MS
    ? TRUE
    : unknown(`the node route has been x-eni for ${duration(forMs)}, ${duration(STEADY_FOR_MS)} are needed`);
}

/** Any part false: false; else any unknown: unknown; else true. */
function combine(parts: readonly Part[], trueReason: string): Part {
  const worst =
    parts.find(({ state }) => state === 'false') ?? parts.find(({ state }) => state === 'unknown');
  return worst ?? { state: 'true', reason: trueReason };
}

const TRUE: Part = { state: 'true', reason: '' };

function unknown(reason: string): Part {
  return { state: 'unknown', reason };
}
