/** What Grafana asks Prometheus for a dashboard: the values of its variables, and each query with them. */
import {
  asAsked,
  type DashboardName,
  type DashboardQuery,
  readDashboard,
  type Values,
} from '../../support/promql.ts';
import type { Prometheus, Range, Sample, Series } from './server.ts';

const LABEL_VALUES = /^label_values\(([\s\S]+), (\w+)\)$/;

/**
 * The variables as Prometheus has their values, in the order of the dashboard: what is `chosen`, else `All`, else the
 * first. Without the escapes for regular expressions: nothing here needs them.
 */
export async function valuesOf(
  dashboard: DashboardName,
  prometheus: Prometheus,
  chosen: Partial<Values>,
): Promise<Values> {
  let values: Values = { cluster: '', job: '', node: '', rateInterval: '1m' };
  for (const { name, type, query, allValue } of readDashboard(dashboard).templating.list) {
    if (type === 'datasource') continue;
    if (!isVariable(name))
      throw new Error(`Cannot give a value to "${name}" of the dashboard "${dashboard}"`);
    const [, selector = '', label = ''] = LABEL_VALUES.exec(query) ?? [];
    const options = await prometheus.labelValues(label, asAsked(selector, values));
    const one = chosen[name];
    if (one !== undefined && !options.includes(one)) {
      throw new Error(`Cannot choose "${one}" for "${name}": there are ${options.join(', ') || 'none'}`);
    }
    values = {
      ...values,
      [name]: one ?? allValue ?? (options.length === 1 ? options[0] : `(${options.join('|')})`),
    };
  }
  return values;
}

function isVariable(name: string): name is 'cluster' | 'job' | 'node' {
  return ['cluster', 'job', 'node'].includes(name);
}

/** What a query of a dashboard gives: at the end of the range, or over it. */
export function ask(
  prometheus: Prometheus,
  { expr, kind }: Pick<DashboardQuery, 'expr' | 'kind'>,
  { values, range }: { readonly values: Values; readonly range: Range },
): Promise<readonly (Sample | Series)[]> {
  const asked = asAsked(expr, values);
  return kind === 'instant' ? prometheus.query(asked, range.end) : prometheus.queryRange(asked, range);
}
