import type { NodeStatus } from '../model/status.ts';
import { printableJson } from '../model/text.ts';

/** The node status as JSON for people and programs. */
export function renderJson(status: NodeStatus): string {
  return printableJson(status);
}
