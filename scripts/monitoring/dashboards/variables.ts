/** What both dashboards have in common: the variables, the link to the other one, and how they become JSON. */
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE } from './panels.ts';

const TAG = 'eks-endpoint-exporter';

/** Fixed, so that links lead here and a later import takes the place of an earlier. */
export const NODE_UID = 'eks-endpoint-node';
export const MIGRATION_UID = 'eks-endpoint-migration';

/** Of any exporter that answers or, by the recording rules, ought to. */
const OF_EXPORTERS = 'eks_endpoint_node_route|cluster:eks_endpoint_exporters:count';

/** A dashboard with the variables of both; `more` are its own. */
export function dashboardOf(
  title: string,
  { uid, description, from }: { readonly uid: string; readonly description: string; readonly from: string },
): dashboard.DashboardBuilder {
  return new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .editable()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from, to: 'now' })
    .refresh('30s')
    .link(
      new dashboard.DashboardLinkBuilder('EKS endpoint')
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(
      new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    )
    .withVariable(
      // Where no exporter is, a cluster's nodes are all missing: it can be chosen too.
      variable('cluster', `label_values({__name__=~"${OF_EXPORTERS}|kube_node_info"}, cluster)`)
        .label('Cluster')
        .multi(true)
        .includeAll(true)
        // Matches also where there is no such label.
        .allValue('.*')
        .current({ text: 'All', value: '$__all' }),
    )
    .withVariable(
      // Without a value for all: what is expected is counted by it.
      variable('job', `label_values({__name__=~"${OF_EXPORTERS}",cluster=~"$cluster"}, job)`)
        .label('Job')
        .multi(true)
        .includeAll(true)
        .current({ text: 'All', value: '$__all' }),
    );
}

export function variable(name: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .datasource(DATASOURCE)
    .query(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc);
}

/** The JSON that people import or provision, with an id for each panel. */
export function render(builder: dashboard.DashboardBuilder): string {
  const built = builder.build();
  const panels = (built.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 }));
  return `${JSON.stringify({ ...built, panels }, null, 2)}\n`;
}
