import type { FleetStatus } from '../../model/fleet/status.ts';

/** The fleet status as JSON for programs, and for `--baseline`. */
export function renderFleetJson(status: FleetStatus): string {
  return `${JSON.stringify(status, null, 2)}\n`;
}
