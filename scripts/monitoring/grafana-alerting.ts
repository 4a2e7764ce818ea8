/**
 * The alerts as rules that Grafana evaluates itself, for its file provisioning: what Prometheus has in one expression is a
 * query A and a threshold B there.
 *
 * What of the file Grafana replaces by environment variables is for its source to say (pkg/services/provisioning/alerting,
 * rules_types.go): the uid of the data source is, a query's model is not, and of annotations `$labels` is not.
 */
import { QueryBuilder } from '@grafana/grafana-foundation-sdk/alerting';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { TypeThresholdBuilder } from '@grafana/grafana-foundation-sdk/expr';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { Document } from 'yaml';
import { annotationsOf, render } from './prometheus.ts';
import { ALERTS, type Alert } from './rules.ts';

/** The environment variable of Grafana that names the data source. */
export const DATASOURCE_UID = 'EKS_ENDPOINT_DATASOURCE_UID';

/** How Grafana's own expressions are called for a data source. */
const EXPRESSIONS = '__expr__';

/** Its query is never empty where the data source answers as it should: nothing at all is a reason to look. */
const ALWAYS_HAS_DATA = ['EksEndpointExporterMissing'];

export function renderGrafanaRules(): string {
  const group = {
    orgId: 1,
    name: 'eks-endpoint-exporter.alerts',
    folder: 'EKS endpoint',
    interval: '1m',
    rules: ALERTS.map(ruleOf),
  };
  // Builders leave functions and undefined fields.
  return render(new Document(JSON.parse(JSON.stringify({ apiVersion: 1, groups: [group] }))));
}

/** Rules are called what the alerts of Prometheus are: Grafana makes the label `alertname` of the title. */
function ruleOf(alert: Alert): object {
  const query = new DataqueryBuilder().expr(alert.query).instant().refId('A');
  const threshold = new TypeThresholdBuilder()
    .expression('A')
    .conditions([{ evaluator: { type: alert.comparison === '>' ? 'gt' : 'lt', params: [alert.threshold] } }])
    .refId('B');
  return {
    uid: uidOf(alert),
    title: alert.name,
    condition: 'B',
    data: [dataOf('A', query, `\${${DATASOURCE_UID}}`), dataOf('B', threshold, EXPRESSIONS)],
    noDataState: ALWAYS_HAS_DATA.includes(alert.name) ? 'Alerting' : 'OK',
    execErrState: 'Error',
    for: alert.for,
    annotations: Object.fromEntries(
      Object.entries(annotationsOf(alert)).map(([name, text]) => [name, inGrafana(text)]),
    ),
    labels: { severity: alert.severity },
    isPaused: false,
  };
}

function dataOf(refId: string, model: Builder<Dataquery>, datasourceUid: string): object {
  const seconds = datasourceUid === EXPRESSIONS ? 0 : 600;
  return new QueryBuilder(refId)
    .datasourceUid(datasourceUid)
    .relativeTimeRange({ from: seconds, to: 0 })
    .model(model)
    .build();
}

/** At most 40 of a-z, 0-9 and dashes: EksEndpointXEniUnreachable is eks-endpoint-x-eni-unreachable. */
function uidOf({ name }: Alert): string {
  return name.replaceAll(/(?<!^)(?=[A-Z])/g, '-').toLowerCase();
}

/** `$value` is a text about all values there, and a query's value `$values.A.Value`. */
function inGrafana(template: string): string {
  return template.replaceAll(/\$value\b/g, '$values.A.Value');
}
