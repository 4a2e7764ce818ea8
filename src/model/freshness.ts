/** How old what a source said may be before no gate may rest on it: three of the source's own intervals. */
import { keptSeconds } from './dns.ts';
import type { DnsSeen, Moment, ProbeSeen } from './observation.ts';

const OLD_AFTER_INTERVALS = 3;

/** How often the slice is read: 5,000 nodes make 17 requests a second of it. X-ENIs change within days. */
export const SLICE_INTERVAL_MS = 300_000;
/** How often IMDS is asked: the CIDRs of a VPC change within months. */
export const IMDS_INTERVAL_MS = 600_000;
/** The node's files are read at each scan interval, this long at most. */
export const NODE_CONFIG_INTERVAL_MS = 60_000;
/** However short the life of a DNS answer is: a lookup alone may take 5 s, and is tried again after 3 s. */
const SHORTEST_DNS_INTERVAL_MS = 10_000;

export function isOld(at: Moment, now: Moment, intervalMs: number): boolean {
  return now.monotonicMs - at.monotonicMs > OLD_AFTER_INTERVALS * intervalMs;
}

/** True also where there never was an answer. */
export function isOldDns({ answer }: DnsSeen, now: Moment): boolean {
  if (answer === null) return true;
  const keptMs = keptSeconds(answer.ttlSeconds) * 1000;
  return isOld(answer.at, now, Math.max(keptMs, SHORTEST_DNS_INTERVAL_MS));
}

/** Whether the result is young enough to build on. */
export function isCurrentProbe({ at }: ProbeSeen, now: Moment, intervalMs: number | null): boolean {
  return intervalMs !== null && !isOld(at, now, intervalMs);
}
