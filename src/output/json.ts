import type { NodeStatus } from '../model/status.ts';

/** The node status as JSON for people and programs. */
export function renderJson(status: NodeStatus): string {
  return `${JSON.stringify(status, null, 2)}\n`;
}
