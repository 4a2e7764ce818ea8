/** Which addresses the agent itself connects to: those whose answer somebody waits for. */
import type { Address } from './address.ts';
import type { ClientView } from './clients.ts';
import { isSeenTwice } from './connections.ts';
import type { EndpointSeen, Moment } from './observation.ts';
import { currentXEnis, distinct, isIn, type Knowledge, knownXEnis, NEVER_AN_X_ENI } from './route.ts';
import { MAX_PROBED } from './x-enis-known.ts';

export interface Target {
  readonly address: Address;
  readonly port: number;
}

/**
 * The addresses that are probed: the X-ENIs of now first, then what DNS gives, then other X-ENIs; 16 at most. A name
 * that leads to the machine itself (a blocklist answers 0.0.0.0) leads to no API server. The port is the endpoint's: to
 * that the clients connect, whatever the slice says.
 */
export function probeTargets({ port }: EndpointSeen, known: Knowledge): readonly Target[] {
  const all = [
    ...currentXEnis(known),
    ...(known.dns ?? []),
    ...knownXEnis(known).map(({ address }) => address),
  ];
  return distinct(all)
    .filter((address) => !isIn(NEVER_AN_X_ENI, address))
    .slice(0, MAX_PROBED)
    .map((address) => ({ address, port }));
}

/** A peer that nobody knows. */
export interface Stranger extends Target {
  /** In this look and in an earlier one: it is worth a question. */
  readonly seenTwice: boolean;
  /** Whether its certificate has told what it is. */
  readonly isTold: boolean;
}

/** The peers whose certificate alone can tell what they are. */
export function strangersOf(clients: readonly ClientView[], now: Moment): readonly Stranger[] {
  return clients
    .flatMap(({ strangers }) => strangers)
    .map((stranger) => {
      const { address, port, isTold } = stranger;
      return { address, port, isTold, seenTwice: isSeenTwice(stranger, now) };
    });
}
