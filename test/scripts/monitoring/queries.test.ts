/**
 * What rules, alerts and dashboards ask is there: a metric, a label or a value of a label that is renamed in src fails
 * the test of each rule and panel that uses it, by its name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERTS, exprOf, RECORDING_RULES } from '../../../scripts/monitoring/rules.ts';
import { FAMILIES } from '../../../src/output/families.ts';
import { metricsWith } from '../../support/known-metrics.ts';
import { checkQuery } from '../../support/metrics-used.ts';
import { asAsked, DASHBOARDS, queriesOf, readDashboard } from '../../support/promql.ts';

const METRICS = metricsWith();
const VALUES = { cluster: '.*', job: 'eks-endpoint-exporter', node: 'ip-10-0-1-5', rateInterval: '1m' };
const PANELS = DASHBOARDS.flatMap(queriesOf);

describe('what a rule asks is there', () => {
  test.each(RECORDING_RULES)('rule $record', ({ expr }) => {
    expect(checkQuery(expr, METRICS).problems).toEqual([]);
  });

  test.each(ALERTS)('alert $name', (alert) => {
    expect(checkQuery(exprOf(alert), METRICS).problems).toEqual([]);
    expect(checkQuery(alert.query, METRICS).problems).toEqual([]);
  });
});

describe("what Grafana's own alert rule asks is there", () => {
  const { groups } = parse(
    readFileSync(join(import.meta.dirname, '../../../deploy/grafana/alerting/rules.yaml'), 'utf8'),
  );
  const rules: readonly { title: string; data: readonly { model: { expr?: string } }[] }[] = groups.flatMap(
    ({ rules: those }: { rules: [] }) => those,
  );

  test('there are as many as alerts', () => {
    expect(rules).toHaveLength(ALERTS.length);
  });

  test.each(rules)('alert $title', ({ data }) => {
    const queries = data.flatMap(({ model }) => model.expr ?? []);
    expect(queries).toHaveLength(1);
    for (const query of queries) expect(checkQuery(query, METRICS).problems).toEqual([]);
  });
});

describe('what a rule records is called by the labels that it has', () => {
  test.each(RECORDING_RULES)('rule $record', ({ record, expr }) => {
    const [level = ''] = record.split(':');
    const labels = [...checkQuery(expr, METRICS).labels].filter((label) => label !== 'job');
    expect(labels.toSorted()).toEqual(level.split('_').toSorted());
  });
});

describe('what a panel asks is there', () => {
  test.each(PANELS)('$dashboard: $panel, query $refId', ({ expr, legend }) => {
    const { problems, labels } = checkQuery(asAsked(expr, VALUES), METRICS);
    expect(problems).toEqual([]);
    const named = [...(legend ?? '').matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    expect(named.filter((label) => label !== undefined && !labels.has(label))).toEqual([]);
  });
});

describe('what a table shows is asked', () => {
  const tables = DASHBOARDS.flatMap((dashboard) =>
    readDashboard(dashboard)
      .panels.filter(({ type }) => type === 'table')
      .map((panel) => ({ dashboard, ...panel })),
  );

  test.each(tables)('$dashboard: $title', ({ targets = [], transformations = [] }) => {
    const given = targets.flatMap(({ refId, expr }) => [
      ...checkQuery(asAsked(expr, VALUES), METRICS).labels,
      // Of one query, or where the others have no result.
      'Value',
      `Value #${refId}`,
    ]);
    const shown = transformations
      .filter(({ id }) => id === 'filterFieldsByName')
      .map(({ options }) => options);
    expect(shown).toEqual([{ include: { names: expect.any(Array) } }]);
    expect(shown).toEqual([
      {
        include: {
          names: expect.toSatisfy((names: string[]) => names.every((name) => given.includes(name))),
        },
      },
    ]);
  });
});

describe('what a variable asks is there', () => {
  const variables = DASHBOARDS.flatMap((dashboard) =>
    readDashboard(dashboard)
      .templating.list.filter(({ type }) => type === 'query')
      .map((variable) => ({ dashboard, ...variable })),
  );

  test.each(variables)('$dashboard: $name', ({ query }) => {
    const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
    const { problems, labels } = checkQuery(asAsked(selector, VALUES), METRICS);
    expect(problems).toEqual([]);
    expect([...labels]).toContain(label);
  });
});

describe('the check itself', () => {
  function problemsOf(query: string): readonly string[] {
    return checkQuery(query, METRICS).problems;
  }

  test('every query is looked at', () => {
    expect(PANELS.length).toBeGreaterThan(60);
    expect(new Set(PANELS.map(({ dashboard, panel, refId }) => `${dashboard} ${panel} ${refId}`)).size).toBe(
      PANELS.length,
    );
  });

  test.each(FAMILIES.map(({ name }) => name))(
    '%s is asked for somewhere, and missed when it has another name',
    (name) => {
      const renamed = metricsWith(
        FAMILIES.map((family) => (family.name === name ? { ...family, name: `${name}_renamed` } : family)),
      );
      const missed = [
        ...RECORDING_RULES.map(({ expr }) => expr),
        ...ALERTS.map(exprOf),
        ...PANELS.map(({ expr }) => asAsked(expr, VALUES)),
      ].filter((query) => checkQuery(query, renamed).problems.includes(`there is no metric ${name}`));
      expect(missed).not.toEqual([]);
    },
  );

  test.each([
    ['sum by (route) (eks_endpoint_node_rout)', 'there is no metric eks_endpoint_node_rout'],
    ['eks_endpoint_node_route{rout="public"}', 'eks_endpoint_node_route has no label rout'],
    ['eks_endpoint_node_route{route="xeni"}', 'eks_endpoint_node_route{route} is never "xeni"'],
    ['eks_endpoint_node_route{route!="xeni"}', 'eks_endpoint_node_route{route} is never "xeni"'],
    ['eks_endpoint_node_route{route=~"public|mixd"}', 'eks_endpoint_node_route{route} is never "mixd"'],
    ['eks_endpoint_finding{code="Blnd"}', 'eks_endpoint_finding{code} is never "Blnd"'],
    [
      'cluster_route:eks_endpoint_node_route:sum{route="xeni"}',
      'cluster_route:eks_endpoint_node_route:sum{route} is never "xeni"',
    ],
    [
      'cluster_route:eks_endpoint_node_route:sum{node="a"}',
      'cluster_route:eks_endpoint_node_route:sum has no label node',
    ],
    ['sum by (client) (eks_endpoint_node_route)', 'sum by (client): nothing in it has that label'],
    ['up unless on (client) eks_endpoint_connecting', 'on (client): not both sides have that label'],
    ['up * on (node) group_left (client) up', 'group_left (client): the other side has no such label'],
    ['sum by (node) (up) and on (instance) up', 'on (instance): not both sides have that label'],
    ['label_replace(up, "a", "$1", "code", "(.*)")', 'label_replace from code: nothing in it has that label'],
    ['{__name__=~"up|down"}', 'there is no metric down'],
  ])('%s', (query, problem) => {
    expect(problemsOf(query)).toContain(problem);
  });

  test.each(['up{', 'sum by (node) up', 'rate(up)[5m', ''])('what does not parse: %j', (query) => {
    const { problems, metrics } = checkQuery(query, METRICS);
    expect(problems.length > 0 || metrics.size === 0).toBe(true);
  });

  test('a variable that Grafana does not know is refused', () => {
    expect(() => asAsked('up{node="$nod"}', VALUES)).toThrow(/unknown variable/);
    expect(() => asAsked(`up{node="\${x}"}`, VALUES)).toThrow(/unknown variable/);
  });
});
