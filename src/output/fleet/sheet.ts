/** What the parts of the report for a terminal share. */
import type { FleetVerdict, NodeVerdict } from '../../model/fleet/status.ts';
import { type Paint, printable, type Style, wrap } from '../terminal.ts';

export interface Sheet {
  readonly paint: Paint;
  /** Of a line at most. */
  readonly width: number;
}

export const VERDICT_STYLES: Readonly<Record<NodeVerdict | FleetVerdict, Style>> = {
  fail: 'red',
  unknown: 'yellow',
  ignored: 'dim',
  pass: 'green',
};

/** Connections of a node that are shown. */
export const MAX_CONNECTIONS = 4;

export function indented(text: string, width: number): readonly string[] {
  return wrap(text, width - 2).map((line) => `  ${line}`);
}

export function listed(text: string, width: number): readonly string[] {
  return wrap(printable(text), width - 2).map((line, index) => `${index === 0 ? '-' : ' '} ${line}`);
}
