/** How a node status ages: the last look says less and less of the node the older it is. */
import { blindForAge } from './findings.ts';
import { OUTDATED_AFTER_INTERVALS } from './node-route.ts';
import type { NodeStatus } from './status.ts';

/**
 * The status as it must be shown `ageMs` (by the monotonic clock) after its look. The very same object while the
 * age changes nothing; past three scan intervals the verdict is `unknown`, `Blind` is raised, the two stages
 * of a look count as failed, and what was seen stays in the status with its time.
 */
export function judgeAge(status: NodeStatus, ageMs: number, scanIntervalMs: number): NodeStatus {
  if (ageMs <= OUTDATED_AFTER_INTERVALS * scanIntervalMs) return status;
  const blind = blindForAge(ageMs);
  const error = blind.summary;
  return {
    ...status,
    route: 'unknown',
    routeReason: error,
    routeSince: null,
    attribution: 'none',
    accessMode: 'unknown',
    gates: status.gates.map(({ gate }) => ({ gate, state: 'unknown', reason: error })),
    findings: [blind],
    evaluated: ['Blind'],
    dns: status.dns && { ...status.dns, success: null, addresses: null },
    xEni: null,
    inbound: null,
    probes: null,
    stages: status.stages.map((stage) =>
      stage.stage === 'owners' || stage.stage === 'sockets' ? { ...stage, success: false, error } : stage,
    ),
  };
}
