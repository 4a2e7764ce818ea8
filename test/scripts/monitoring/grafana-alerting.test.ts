/** Grafana's rules are those of Prometheus: both files are read, and compared rule by rule. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DATASOURCE_UID } from '../../../scripts/monitoring/grafana-alerting.ts';
import { problemsAt } from '../../support/grafana-schema.ts';

interface GrafanaRule {
  readonly uid: string;
  readonly title: string;
  readonly condition: string;
  readonly data: readonly [query: Data, threshold: Data];
  readonly noDataState: string;
  readonly execErrState: string;
  readonly for: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

interface Data {
  readonly refId: string;
  readonly datasourceUid: string;
  readonly relativeTimeRange: object;
  readonly model: {
    readonly expr?: string;
    readonly instant?: boolean;
    readonly range?: boolean;
    readonly expression?: string;
    readonly conditions?: readonly [
      { readonly evaluator: { readonly type: string; readonly params: readonly number[] } },
    ];
  };
}

interface PrometheusRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

const DEPLOY = join(import.meta.dirname, '..', '..', '..', 'deploy');
const TEXT = readFileSync(join(DEPLOY, 'grafana/alerting/rules.yaml'), 'utf8');
const FILE: {
  readonly apiVersion: number;
  readonly groups: readonly [{ readonly rules: readonly GrafanaRule[] }];
} = parse(TEXT);
const [GROUP] = FILE.groups;
const TESTED: readonly PrometheusRule[] = parse(
  readFileSync(join(DEPLOY, 'prometheus/rules.yaml'), 'utf8'),
).groups.flatMap(({ rules }: { rules: PrometheusRule[] }) =>
  rules.filter(({ alert }) => alert !== undefined),
);
const COMPARISONS: Readonly<Record<string, string>> = { gt: '>', lt: '<' };

test('there is one group, of the alerts that Prometheus has, in their order', () => {
  expect(FILE.groups).toHaveLength(1);
  expect(GROUP.rules.map(({ title }) => title)).toEqual(TESTED.map(({ alert }) => alert));
  const { rules: _rules, ...rest } = GROUP;
  expect({ apiVersion: FILE.apiVersion, ...rest }).toEqual({
    apiVersion: 1,
    orgId: 1,
    name: 'eks-endpoint-exporter.alerts',
    folder: 'EKS endpoint',
    interval: '1m',
  });
});

describe.each(GROUP.rules)('$title', (rule) => {
  const tested = TESTED.find(({ alert }) => alert === rule.title);
  const [query, threshold] = rule.data;

  test('it asks what promtool has tested, and compares it as there', () => {
    const { evaluator } = threshold.model.conditions?.[0] ?? {};
    const [limit, ...more] = evaluator?.params ?? [];
    expect(more).toEqual([]);
    const expr = `(${query.model.expr}) ${COMPARISONS[evaluator?.type ?? '']} ${limit}`;
    expect(flat(expr)).toBe(flat(tested?.expr ?? ''));
  });

  test('it waits as long, and says the same', () => {
    expect(rule.for).toBe(tested?.for);
    expect(rule.labels).toEqual(tested?.labels);
    const said = Object.entries(tested?.annotations ?? {}).map(([name, text]) => [
      name,
      text.replaceAll('$value |', '$values.A.Value |'),
    ]);
    expect(rule.annotations).toEqual(Object.fromEntries(said));
  });

  test("of Prometheus' templates it uses what Grafana has too", () => {
    for (const text of Object.values(rule.annotations)) {
      const used = [...text.matchAll(/\{\{(.*?)\}\}/g)].flatMap(
        ([, inner = '']) => inner.match(/\$?[\w.]+/g) ?? [],
      );
      const known = /^(with|else|end|if|or|humanizeDuration|\.|\$labels\.\w+|\$values\.A\.Value)$/;
      expect(used.filter((word) => !known.test(word))).toEqual([]);
    }
  });

  test('the condition is the threshold of the query, asked at once and not over time', () => {
    expect(rule.condition).toBe('B');
    expect(query).toMatchObject({ refId: 'A', relativeTimeRange: { from: 600, to: 0 } });
    expect(query.model).toMatchObject({ refId: 'A', instant: true, range: false });
    expect(threshold).toMatchObject({ refId: 'B', datasourceUid: '__expr__' });
    expect(threshold.model).toMatchObject({ refId: 'B', type: 'threshold', expression: 'A' });
  });

  test('an error is an error; nothing at all is one where there always has to be something', () => {
    expect(rule.execErrState).toBe('Error');
    expect(rule.noDataState).toBe(rule.title === 'EksEndpointExporterMissing' ? 'Alerting' : 'OK');
    // What makes that so: without any exporter there still is a series.
    if (rule.noDataState === 'Alerting') expect(query.model.expr).toMatch(/\nor absent\(up\{[^{}]*\}\)$/);
  });

  test("its uid is one that Grafana takes, and it is as the SDK's schemas have it", () => {
    expect(rule.uid).toMatch(/^[a-z][a-z0-9-]{0,39}$/);
    // In a file the folder is a name, and folder and organisation are the group's.
    const whole = { ...rule, folderUID: 'of-the-group', orgID: 1, ruleGroup: 'of-the-group' };
    expect(problemsAt('', whole, 'alerting#/definitions/Rule')).toEqual([]);
    expect(problemsAt('', query.model, 'prometheus#/definitions/Dataquery')).toEqual([]);
    expect(problemsAt('', threshold.model, 'expr#/definitions/TypeThreshold')).toEqual([]);
    expect(problemsAt('', { ...whole, fro: '5m' }, 'alerting#/definitions/Rule')).toEqual([
      '/: unknown field "fro"',
    ]);
  });

  test('the only thing that Grafana fills in from its environment is the uid of the data source', () => {
    expect(query.datasourceUid).toBe(`\${${DATASOURCE_UID}}`);
    const { annotations, data, ...rest } = rule;
    expect(JSON.stringify({ rest, title: GROUP })).toContain(rule.uid);
    expect(JSON.stringify(rest)).not.toContain('$');
    // New releases fill in ${NAME} there; older ones nothing.
    expect(JSON.stringify(annotations)).not.toMatch(/\$\{|\$\$/);
    expect(JSON.stringify(data.map(({ model }) => model))).not.toContain('$');
  });
});

test('no uid is given twice, and the data source is named nowhere else', () => {
  expect(new Set(GROUP.rules.map(({ uid }) => uid)).size).toBe(GROUP.rules.length);
  expect(TEXT.split(DATASOURCE_UID)).toHaveLength(GROUP.rules.length + 1);
  const readme = readFileSync(join(DEPLOY, 'grafana/alerting/README.md'), 'utf8');
  expect(readme).toContain(DATASOURCE_UID);
});

/** Without the layout. */
function flat(expr: string): string {
  return expr.replaceAll(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')');
}
