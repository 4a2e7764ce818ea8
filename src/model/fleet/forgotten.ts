/** Nodes that earlier rounds knew, and the list of this one does not. Pure. */
import type { FleetObservation, NoAnswer, NodeObservation } from './observation.ts';

const FORGOTTEN: NoAnswer = {
  kind: 'none',
  why: 'gone',
  detail: 'an earlier round knew it, and Prometheus does not any more',
  remedy:
    'see whether the node still exists, and whether Prometheus has begun anew: after one interval it knows its targets again; --ignore-gone leaves such nodes out',
};

/**
 * Prometheus forgets targets: after an hour, and all of them where it begins anew without its data, until each has been scraped. Whoever
 * knows the nodes themselves may say that they are deleted; targets say nothing of those that they are without.
 */
export function withForgotten(
  observation: FleetObservation,
  earlier: readonly NodeObservation[],
): FleetObservation {
  if (observation.nodesFrom !== 'targets') return observation;
  const names = new Set(observation.nodes.map(({ node }) => node));
  // A target without the label `node` has another name while it does not answer.
  const places = new Set(observation.nodes.map(placeOf));
  const forgotten = new Map(
    earlier
      .filter((one) => !names.has(one.node) && !places.has(placeOf(one)))
      .map((one) => [one.node, isFargate(one) ? one : { ...one, seen: FORGOTTEN }]),
  );
  return { ...observation, nodes: [...observation.nodes, ...forgotten.values()] };
}

function placeOf({ node, labels }: NodeObservation): string {
  return labels['instance'] ?? node;
}

function isFargate({ seen }: NodeObservation): boolean {
  return seen.kind === 'none' && seen.why === 'fargate';
}
