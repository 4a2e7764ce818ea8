/** The questions about a node that a person wants answered before a switch, each with one sentence why. */
import type { Address } from './address.ts';
import { isCurrentProbe, OLD_AFTER_INTERVALS } from './identities.ts';
import { list, type Verdict } from './node-route.ts';
import type { DnsSeen, Moment, Observation, ProbeSeen } from './observation.ts';
import { currentXEnis, distinct, holds, type Knowledge, routeOf } from './route.ts';
import type { Settings } from './settings.ts';
import type { Attribution, Gate, GateState } from './status.ts';

/** Everything that a gate may depend on. */
export interface GateFacts {
  readonly settings: Settings;
  readonly observation: Observation;
  readonly known: Knowledge;
  readonly attribution: Attribution;
  readonly verdict: Verdict;
  /** Since when every look said `x-eni`; null where the last did not. */
  readonly xEniSince: Moment | null;
}

/** A part of a gate; without a reason it is true. */
interface Part {
  readonly state: GateState;
  readonly reason: string;
}

/** How long every look must have said `x-eni` before public access may be called free of this node. */
const X_ENI_FOR_MS = 10_000;
/** X-ENIs that are probed; EKS gives a cluster 2 to 4. */
export const MAX_PROBED = 16;
/** How often the slice is read: 5,000 nodes make 17 requests a second of it. X-ENIs change within days. */
export const SLICE_INTERVAL_MS = 300_000;
/** A DNS answer of a shorter life is not called old before this: a lookup alone may take 5 s, and is tried again after 3 s. */
const DNS_OLD_AFTER_AT_LEAST_MS = 30_000;

/** The node's files are read at each scan interval, 60 s at most. */
const NODE_CONFIG_OLD_AFTER_MS = OLD_AFTER_INTERVALS * 60_000;

export function judgeGates(facts: GateFacts): readonly Gate[] {
  const ready = judgePrivateReady(facts);
  return [
    { gate: 'private-ready', ...ready },
    { gate: 'public-free', ...judgePublicFree(facts, ready) },
  ];
}

/** Whether every X-ENI that the node may be led to answers, from here, as this cluster. */
function judgePrivateReady({ settings, observation, known }: GateFacts): Part {
  const xEnis = currentXEnis(known);
  const probes = observation.probes ?? [];
  const parts = xEnis.map((address) => judgeProbe(address, probes, observation, settings.probeIntervalMs));
  const answering = parts.filter(({ state }) => state === 'true').length;
  return combine(
    [judgeXEnisKnown(xEnis, { settings, observation, known }), ...parts],
    `${answering} of ${xEnis.length} X-ENIs ${answering === 1 ? 'answers' : 'answer'} as this cluster`,
  );
}

/** Whether it is known which X-ENIs there are. */
function judgeXEnisKnown(
  xEnis: readonly Address[],
  {
    settings,
    observation: { at, dns, endpointSlice },
    known,
  }: Pick<GateFacts, 'settings' | 'observation' | 'known'>,
): Part {
  if (settings.probeIntervalMs === null) return unknown('nothing is probed (--no-probe)');
  const sliceAgeMs = endpointSlice?.answer ? at.monotonicMs - endpointSlice.answer.at.monotonicMs : 0;
  if (sliceAgeMs > OLD_AFTER_INTERVALS * SLICE_INTERVAL_MS)
    return unknown(
      `the EndpointSlice was last read ${Math.floor(sliceAgeMs / 60_000)} minutes ago: its X-ENIs may have been replaced`,
    );
  if (known.dns === null || dns === null || isOldAnswer(dns, at))
    return unknown(
      'DNS does not say of which address families X-ENIs are needed: it gives no current answer',
    );
  const families = new Set(known.dns.map(({ family }) => family));
  for (const family of families) {
    if (!xEnis.some((address) => address.family === family))
      return unknown(`no X-ENI is known (IPv${family})`);
  }
  if (xEnis.length === 0) return unknown('no X-ENI is known');
  if (xEnis.length > MAX_PROBED) return unknown(`more than ${MAX_PROBED} X-ENIs: not all are probed`);
  return TRUE;
}

function judgeProbe(
  address: Address,
  probes: readonly ProbeSeen[],
  { at }: Observation,
  intervalMs: number | null,
): Part {
  const probe = probes.find((one) => one.address.key === address.key);
  if (probe === undefined) return unknown(`X-ENI ${address.text} has not been probed yet`);
  if (!isCurrentProbe(probe, at.monotonicMs, intervalMs))
    return unknown(`the last probe of X-ENI ${address.text} is too old`);
  if (probe.success) return TRUE;
  const what = probe.failedStage === 'identity' ? 'does not show itself as this cluster' : 'does not answer';
  return { state: 'false', reason: `X-ENI ${address.text} ${what}: ${probe.error}` };
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

function judgeDns({ observation: { dns, endpoint, at }, known }: GateFacts): Part {
  if (dns === null) return unknown(`${endpoint?.hostname ?? 'the endpoint'} is not asked of DNS`);
  if (known.dns === null) return unknown(`DNS gives no answer${dns.error === null ? '' : `: ${dns.error}`}`);
  const open = known.dns.find((address) => routeOf(address, known) === 'public');
  if (open !== undefined) return { state: 'false', reason: `DNS gives ${open.text}, a public address` };
  if (isOldAnswer(dns, at))
    return unknown(`the last DNS answer is too old: ${dns.error ?? 'not asked since'}`);
  const other = known.dns.find((address) => routeOf(address, known) !== 'x-eni');
  if (other !== undefined)
    return unknown(
      `DNS gives ${other.text}, a ${routeOf(other, known)} address that is not known as an X-ENI`,
    );
  return TRUE;
}

function isOldAnswer({ answer }: DnsSeen, now: Moment): boolean {
  if (answer === null) return true;
  const oldAfterMs = Math.max(OLD_AFTER_INTERVALS * answer.ttlSeconds * 1000, DNS_OLD_AFTER_AT_LEAST_MS);
  return now.monotonicMs - answer.at.monotonicMs > oldAfterMs;
}

function judgeHosts({ observation: { nodeConfig, at }, known }: GateFacts): Part {
  if (nodeConfig === null || nodeConfig.hosts === null) return unknown("the node's hosts file was not read");
  if (at.monotonicMs - nodeConfig.at.monotonicMs > NODE_CONFIG_OLD_AFTER_MS)
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

function judgeRoute({ attribution, verdict, xEniSince, observation: { at } }: GateFacts): Part {
  const { route, reason } = verdict;
  if (route === 'public' || route === 'mixed' || route === 'other')
    return { state: 'false', reason: `the node route is ${route}: ${reason}` };
  if (attribution !== 'process') return unknown('whose sockets they are is not told apart');
  if (route !== 'x-eni' || xEniSince === null) return unknown(`the node route is ${route}: ${reason}`);
  const forMs = at.monotonicMs - xEniSince.monotonicMs;
  return forMs >= X_ENI_FOR_MS
    ? TRUE
    : unknown(
        `the node route has been x-eni for ${Math.floor(forMs / 1000)} s, ${X_ENI_FOR_MS / 1000} s are needed`,
      );
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
