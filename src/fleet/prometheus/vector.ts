/** An answer of Prometheus' query API, as text, to samples. */
import { array, boolean, literal, object, optional, safeParse, string, unknown, variant } from 'valibot';
import type { Labels } from './metrics.ts';

/** One of an instant vector; a scalar is one without labels. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export type Vector =
  | { readonly samples: readonly Sample[] }
  /** It says itself what is wrong. */
  | { readonly error: string; readonly type: string }
  /** It is not all. */
  | { readonly partial: string }
  /** It is not Prometheus'. */
  | { readonly problem: string };

/** https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview; `isPartial` is VictoriaMetrics'. */
const ANSWER = variant('status', [
  object({
    status: literal('success'),
    warnings: optional(array(string())),
    isPartial: optional(boolean()),
    data: variant('resultType', [
      object({ resultType: literal('vector'), result: array(unknown()) }),
      object({ resultType: literal('scalar'), result: unknown() }),
    ]),
  }),
  object({ status: literal('error'), error: string(), errorType: optional(string(), '') }),
]);

const NOT_PROMETHEUS = { problem: 'it answers what is not an answer of its query API' };

export function readVector(text: string): Vector {
  const { success, output } = safeParse(ANSWER, parseJson(text));
  if (!success) return NOT_PROMETHEUS;
  if (output.status === 'error') return { error: output.error, type: output.errorType };
  const { warnings = [], isPartial = false, data } = output;
  if (warnings.length > 0 || isPartial) return { partial: warnings.join('; ') || 'it says isPartial' };
  const elements = data.resultType === 'vector' ? data.result : [{ metric: {}, value: data.result }];
  // There are tens of thousands: checked by hand, and not copied.
  const samples: Sample[] = [];
  for (const element of elements) {
    if (!isElement(element)) return NOT_PROMETHEUS;
    samples.push({ labels: element.metric, value: numberOf(element.value[1]) });
  }
  return { samples };
}

interface Element {
  readonly metric: Labels;
  readonly value: readonly [unknown, string];
}

function isElement(element: unknown): element is Element {
  if (typeof element !== 'object' || element === null) return false;
  if (!('metric' in element) || !('value' in element)) return false;
  const { metric, value } = element;
  if (typeof metric !== 'object' || metric === null || Array.isArray(metric)) return false;
  if (!Array.isArray(value) || value.length !== 2 || typeof value[1] !== 'string') return false;
  return Object.values(metric).every((label) => typeof label === 'string');
}

/** NaN for whatever is not finite: none of it is an answer to us. */
function numberOf(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : Number.NaN;
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
