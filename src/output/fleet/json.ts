import type { FleetStatus } from '../../model/fleet/status.ts';
import { printableJson } from '../../model/text.ts';

/** The fleet status as JSON for programs, and for `--baseline`. Names are somebody else's: no terminal obeys them. */
export function renderFleetJson(status: FleetStatus): string {
  return printableJson(status);
}
