/** The queries that a fleet makes slow: those of the rules, and of the dashboards as Grafana asks them. */
import { ALERTS, exprOf, JOB, RECORDING_RULES } from '../../scripts/monitoring/rules.ts';
import { asAsked, DASHBOARDS, queriesOf } from '../../test/support/promql.ts';
import type { Query } from './measure.ts';

/** With the scrape interval as the datasource's, Grafana asks for no finer steps, and for rates over four of them. */
interface Asked {
  /** Of the dashboard Node. */
  readonly node: string;
  readonly intervalSeconds: number;
  /** Up to now. The longer of the dashboards' defaults, for both. */
  readonly rangeSeconds: number;
}

export function queriesToTime({ node, intervalSeconds, rangeSeconds }: Asked): readonly Query[] {
  const values = { cluster: '.*', job: JOB, node, rateInterval: `${4 * intervalSeconds}s` };
  const end = Math.floor(Date.now() / 1000);
  const range = { start: end - rangeSeconds, end, step: intervalSeconds };
  const ofRules = [
    ...RECORDING_RULES.map(({ record, expr }) => ({ name: record, query: expr })),
    ...ALERTS.map((alert) => ({ name: alert.name, query: exprOf(alert) })),
  ].map((rule) => ({ ...rule, group: 'rules', range: null, mayBeEmpty: true }));
  const ofDashboards = DASHBOARDS.flatMap(queriesOf).map((query) => ({
    group: `dashboard ${query.dashboard}`,
    name: `${query.dashboard} / ${query.panel} / ${query.refId}`,
    query: asAsked(query.expr, values),
    range: query.kind === 'range' ? range : null,
    mayBeEmpty: query.emptyWhen !== null,
  }));
  return [...ofRules, ...ofDashboards];
}
