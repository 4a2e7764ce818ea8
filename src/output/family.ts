/** What a metric is: its definition, from which /metrics and docs/metrics.md are made. */
import type { NodeStatus } from '../model/status.ts';

/** What the agent knows of itself. */
export interface SelfUsage {
  readonly revision: string;
  readonly nodeVersion: string;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Null where the system does not tell. */
  readonly openFds: number | null;
  readonly startTimeSeconds: number;
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a value is. `one-hot`: 1 at the label's value that holds, 0 at the others. */
type Unit = 'count' | 'seconds' | 'Unix seconds' | 'bytes' | '0 or 1' | 'one-hot' | '1';

/** The values that there are of a label; or, where anything may stand there, what it holds, in words. */
export type LabelValues = readonly string[] | string;

export interface Family {
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly unit: Unit;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** When it has no series, or lacks one, as a clause; null where it always has all. */
  readonly absent: string | null;
  readonly samples: (status: NodeStatus, self: SelfUsage) => readonly Sample[];
}

/** What is left out: no labels, never absent, and the unit that the name says, else a count. */
type Definition = Pick<Family, 'samples'> & Partial<Pick<Family, 'unit' | 'labels' | 'absent'>>;

export function gauge(name: string, help: string, definition: Definition): Family {
  return define({ name: `eks_endpoint_${name}`, kind: 'gauge', help }, definition);
}

export function counter(name: string, help: string, definition: Definition): Family {
  return define({ name: `eks_endpoint_${name}`, kind: 'counter', help }, definition);
}

/** One of Prometheus' standard process metrics. */
export function ofProcess(
  name: string,
  help: string,
  { of, absent = null }: { of: (self: SelfUsage) => number | null; absent?: string | null },
): Family {
  const kind = name.endsWith('_total') ? 'counter' : 'gauge';
  return define({ name: `process_${name}`, kind, help }, { absent, samples: (_, self) => known(of(self)) });
}

function define(named: Pick<Family, 'name' | 'kind' | 'help'>, definition: Definition): Family {
  return { ...named, unit: unitOf(named.name), labels: {}, absent: null, ...definition };
}

/** Prometheus' names end in their unit; those of moments are Unix time. */
function unitOf(name: string): Unit {
  if (/_(timestamp|start_time)_seconds$/.test(name)) return 'Unix seconds';
  if (/_seconds(_total)?$/.test(name)) return 'seconds';
  return name.endsWith('_bytes') ? 'bytes' : 'count';
}

/** A series for each value of the label: 1 for the current one. */
export function oneHot(
  label: string,
  values: readonly string[],
  current: (status: NodeStatus) => string,
): Definition {
  return {
    unit: 'one-hot',
    labels: { [label]: values },
    samples: (status) => {
      const now = current(status);
      return values.map((value) => ({ value: Number(value === now), labels: { [label]: value } }));
    },
  };
}

/** One sample of what is known, none of what is not. */
export function known(value: number | null | undefined): readonly Sample[];
export function known<T>(value: T | null | undefined, toNumber: (value: T) => number): readonly Sample[];
export function known<T>(
  value: T | null | undefined,
  toNumber: (value: T) => number = Number,
): readonly Sample[] {
  return value === null || value === undefined ? [] : [{ value: toNumber(value) }];
}
