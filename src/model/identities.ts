/** What the agent's own TLS handshakes told of addresses: whether they are the cluster's API servers. */
import type { Address } from './address.ts';
import type { IdentitySeen, Observation, ProbeSeen } from './observation.ts';
import { holds, type Knowledge, routeOf } from './route.ts';

export interface Identities {
  /** By `address:port`. */
  readonly byPeer: ReadonlyMap<string, IdentitySeen['identity']>;
  /** Whether the CA does verify an address that is the endpoint's by other evidence: it is not a wrong one. */
  readonly caVerified: boolean;
}

/** A result of a source is too old to build on after this many of its intervals. */
export const OLD_AFTER_INTERVALS = 3;

export function identitiesOf(
  { identities, probes, at }: Observation,
  known: Knowledge,
  probeIntervalMs: number | null,
): Identities {
  const verified = (probes ?? []).some(
    (probe) =>
      probe.success &&
      isCurrentProbe(probe, at.monotonicMs, probeIntervalMs) &&
      (holds(known.dns, probe.address) || routeOf(probe.address, known) === 'x-eni'),
  );
  return {
    byPeer: new Map(
      (identities ?? []).map(({ address, port, identity }) => [keyOf(address, port), identity]),
    ),
    caVerified: verified,
  };
}

/** Null where the peer was not asked. */
export function identityOf(
  { byPeer }: Identities,
  address: Address,
  port: number,
): IdentitySeen['identity'] | null {
  return byPeer.get(keyOf(address, port)) ?? null;
}

/** Whether the result is young enough to build on. */
export function isCurrentProbe({ at }: ProbeSeen, nowMs: number, intervalMs: number | null): boolean {
  return intervalMs !== null && nowMs - at.monotonicMs <= OLD_AFTER_INTERVALS * intervalMs;
}

function keyOf({ key }: Address, port: number): string {
  return `${key} ${port}`;
}
