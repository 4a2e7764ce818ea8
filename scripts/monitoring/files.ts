/** What is generated for Prometheus, Grafana and readers: each file of the repository, and what it is made by. */
import { renderMigrationDashboard } from './dashboards/migration.ts';
import { renderNodeDashboard } from './dashboards/node.ts';
import { renderGrafanaRules } from './grafana-alerting.ts';
import { renderMetricsPage } from './metrics-page.ts';
import { renderPrometheusRule, renderRules } from './prometheus.ts';

/** By path from the root of the repository. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'deploy/grafana/alerting/rules.yaml': renderGrafanaRules,
  'deploy/grafana/dashboards/migration.json': renderMigrationDashboard,
  'deploy/grafana/dashboards/node.json': renderNodeDashboard,
  'deploy/prometheus/rules.yaml': renderRules,
  'deploy/prometheus/prometheusrule.yaml': renderPrometheusRule,
  'docs/metrics.md': renderMetricsPage,
};
