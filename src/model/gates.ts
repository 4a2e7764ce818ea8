/** The questions about a node that a person wants answered before a switch. */
import type { Gate } from './status.ts';

/** Both gates need a probe of the X-ENIs from this node, which this version does not make. */
export function judgeGates(): readonly Gate[] {
  return [
    { gate: 'private-ready', state: 'unknown', reason: 'this version does not probe X-ENIs' },
    {
      gate: 'public-free',
      state: 'unknown',
      reason: 'private-ready is unknown: this version does not probe X-ENIs',
    },
  ];
}
