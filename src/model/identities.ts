/** What the agent's own TLS handshakes told of addresses: whether they are the cluster's API servers. */
import type { Address } from './address.ts';
import { isCurrentProbe } from './freshness.ts';
import type { IdentitySeen, Observation } from './observation.ts';
import { holds, type Knowledge, routeOf } from './route.ts';

export interface Identities {
  /** By `address:port`. */
  readonly byPeer: ReadonlyMap<string, IdentitySeen['identity']>;
  /** Whether the CA does verify an address that is the endpoint's by other evidence: it is not a wrong one. */
  readonly caVerified: boolean;
}

export function identitiesOf(
  { identities, probes, at }: Observation,
  known: Knowledge,
  probeIntervalMs: number | null,
): Identities {
  const verified = (probes ?? []).some(
    (probe) =>
      probe.success &&
      isCurrentProbe(probe, at, probeIntervalMs) &&
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

function keyOf({ key }: Address, port: number): string {
  return `${key} ${port}`;
}
