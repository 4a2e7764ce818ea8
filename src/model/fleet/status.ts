/**
 * The fleet status: what `verify` says, as plain data. Every output is a function of it. Its JSON form (schemaVersion 1) is
 * public, and is what `--baseline` reads: fields are added, never renamed. What is unknown is null.
 */
import type { GateName, NodeRoute, Route } from '../status.ts';
import type { NodesFrom } from './observation.ts';

export type FleetVerdict = 'pass' | 'fail' | 'unknown';

/** `ignored`: asked to be left out (`--ignore-fargate`, `--ignore-gone`). */
export const NODE_VERDICTS = ['fail', 'unknown', 'ignored', 'pass'] as const;
export type NodeVerdict = (typeof NODE_VERDICTS)[number];

export interface FleetStatus {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly at: string;
  readonly source: string;
  readonly nodesFrom: NodesFrom;
  /** That of nodes no `--gate-for` is for. */
  readonly gate: GateName;
  readonly verdict: FleetVerdict;
  /** Why; one sentence without its period. */
  readonly reason: string;
  /** Most nodes first. More than one: the answers are of more than one cluster, and no verdict but `unknown` is possible. */
  readonly endpoints: readonly { readonly hostname: string; readonly nodes: number }[];
  readonly counts: FleetCounts;
  /** Those that do not pass first (`NODE_VERDICTS`), then by name. */
  readonly nodes: readonly NodeResult[];
  /** Whole sentences. */
  readonly notes: readonly string[];
  /** After a pass: what it does not cover. Whole sentences. */
  readonly notCovered: readonly string[];
  /** Since `--baseline`; null without one. */
  readonly changes: FleetChanges | null;
}

export interface FleetCounts {
  /** All of them, also ignored ones. */
  readonly nodes: number;
  readonly pass: number;
  readonly fail: number;
  readonly unknown: number;
  readonly ignored: number;
}

export interface NodeResult {
  readonly node: string;
  /** The gate that it had to pass. */
  readonly gate: GateName;
  readonly verdict: NodeVerdict;
  /** Null where nobody told, or the answer is too old. */
  readonly route: NodeRoute | null;
  /** What keeps it from passing: connections that are not on an X-ENI, or stale. */
  readonly connections: readonly NodeConnection[];
  /** Finding codes that name the cause, worst first, else a word such as `NoAnswer`; empty where it passes. */
  readonly causes: readonly string[];
  /** One sentence without its period; null where it passes. */
  readonly reason: string | null;
  /** What to do first; one sentence without its period; null where it passes, or nothing is known that would help. */
  readonly remedy: string | null;
  /** All that is to be done, each once, that of the worst cause first. */
  readonly remedies: readonly string[];
  /** Of the answer; null without one. */
  readonly answerAgeSeconds: number | null;
}

export interface NodeConnection {
  readonly client: string;
  readonly peer: string;
  readonly route: Route;
  readonly staleSeconds: number | null;
}

export interface FleetChanges {
  /** When the baseline was made. */
  readonly since: string;
  /** That of the baseline, and now. */
  readonly verdict: readonly [FleetVerdict, FleetVerdict];
  /** Nodes whose verdict or route is another one, by name. */
  readonly nodes: readonly NodeChange[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Whole sentences: another gate, another endpoint, another source than then. */
  readonly notes: readonly string[];
}

interface NodeChange {
  readonly node: string;
  readonly verdict: readonly [NodeVerdict, NodeVerdict];
  readonly route: readonly [NodeRoute | null, NodeRoute | null];
}
