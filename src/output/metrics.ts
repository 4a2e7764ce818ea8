/**
 * Renders a node status as Prometheus metrics.
 *
 * A fresh prom-client registry is made for each rendering (about 0.2 ms): a gauge without labels that was never set
 * prints 0, and label sets of old would stay for ever.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { NodeStatus } from '../model/status.ts';
import { FAMILIES } from './families.ts';
import type { SelfUsage } from './family.ts';

export interface RenderedMetrics {
  /** Content-Type: the text format 0.0.4, which every Prometheus reads. */
  readonly type: string;
  readonly body: string;
}

/** Renders every family that has samples, in Prometheus' text format. */
export async function renderMetrics(status: NodeStatus, self: SelfUsage): Promise<RenderedMetrics> {
  const registry = new Registry();
  for (const { name, kind, help, labels, samples } of FAMILIES) {
    const values = samples(status, self);
    if (values.length === 0) continue;
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    if (kind === 'gauge') {
      const metric = new Gauge(options);
      for (const sample of values) metric.set(sample.labels ?? {}, sample.value);
    } else {
      const metric = new Counter(options);
      for (const sample of values) metric.inc(sample.labels ?? {}, sample.value);
    }
  }
  return { type: registry.contentType, body: await registry.metrics() };
}
