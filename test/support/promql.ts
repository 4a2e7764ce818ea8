/** The dashboards' queries: which there are, and how Grafana asks them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'deploy', 'grafana', 'dashboards');

export const DASHBOARDS = ['migration', 'node'] as const;
export type DashboardName = (typeof DASHBOARDS)[number];

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly format?: string;
  readonly legendFormat?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
}

interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** What the tests read of a dashboard; its whole form is for the schemas. */
export interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list?: readonly { readonly name: string; readonly expr?: string }[] };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly Target[];
  readonly options?: unknown;
  readonly transformations?: readonly { readonly id: string; readonly options: unknown }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly noValue?: string;
      readonly custom?: unknown;
      readonly thresholds?: { readonly steps: readonly { readonly color: string }[] };
    };
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly datasource?: { readonly uid: string };
  readonly allValue?: string;
}

export interface DashboardQuery {
  readonly dashboard: DashboardName;
  readonly panel: string;
  readonly refId: string;
  /** As it is written, with Grafana's variables. */
  readonly expr: string;
  readonly kind: 'instant' | 'range';
  /** Of the series, as it is written; null in tables. */
  readonly legend: string | null;
  /** When it may have no result though all is well and there are exporters; null where that must not be. */
  readonly emptyWhen: string | null;
}

/** As it is committed. */
export function readDashboard(name: DashboardName): Dashboard {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}

/** Every query of every panel, and those of the annotations. */
export function queriesOf(dashboard: DashboardName): readonly DashboardQuery[] {
  const { panels, annotations } = readDashboard(dashboard);
  const ofPanels = panels.flatMap(({ title, targets, gridPos }) =>
    (targets ?? []).map(({ refId, expr, range, legendFormat }) => ({
      dashboard,
      panel: titleOf(panels, { title, gridPos }),
      refId,
      expr,
      kind: range ? ('range' as const) : ('instant' as const),
      legend: legendFormat ?? null,
    })),
  );
  const ofAnnotations = (annotations.list ?? []).flatMap(({ name, expr }) =>
    expr === undefined
      ? []
      : [
          {
            dashboard,
            panel: `annotation ${name}`,
            refId: 'A',
            expr,
            kind: 'range' as const,
            legend: null,
          },
        ],
  );
  const known = new Map(EMPTY_WHEN.map(([where, why]) => [where, why]));
  return [...ofPanels, ...ofAnnotations].map((query) => ({
    ...query,
    emptyWhen: known.get(`${dashboard} / ${query.panel} / ${query.refId}`) ?? null,
  }));
}

/** The title of a panel, with its row's where two panels are called the same. */
function titleOf(panels: readonly Panel[], { title, gridPos }: Pick<Panel, 'title' | 'gridPos'>): string {
  const row = panels.findLast((panel) => panel.type === 'row' && panel.gridPos.y < gridPos.y);
  return panels.filter((panel) => panel.title === title).length > 1 ? `${row?.title}: ${title}` : title;
}

const NONE_GONE = 'every cluster of the last day still has its exporters';
const NO_PROBLEM = 'no node is in that state';

/** Queries that may have no result, by `dashboard / panel / refId`. */
const EMPTY_WHEN: readonly (readonly [where: string, why: string])[] = [
  ['migration / Nodes not yet public-free / B', NONE_GONE],
  ['migration / Nodes not yet private-ready / B', NONE_GONE],
  ['migration / Exporters / D', 'kube-state-metrics is not scraped'],
  ['migration / Stragglers / A', NO_PROBLEM],
  ['migration / Stragglers / B', 'no connection is stale'],
  ['migration / Alerts / A', 'the rules are evaluated and no alert is pending or firing'],
  ['node / Expected route / A', 'no expectation is set'],
  ['node / Established endpoint connections / A', 'there is none'],
  ['node / Age of the oldest stale connection / A', 'no connection is stale'],
  ['node / Last complete answer, last change / B', 'the answer has not changed since the exporter started'],
  ['node / annotation DNS answer changed / A', 'the answer has not changed since the exporter started'],
];

/** What Grafana puts in the place of variables and macros. */
export interface Values {
  /** As Grafana interpolates into a matcher: `.*` for all of cluster, `(a|b)` for several. */
  readonly cluster: string;
  readonly job: string;
  readonly node: string;
  /** For `$__rate_interval`: at least four scrape intervals. */
  readonly rateInterval: string;
}

/** The query as Grafana sends it. Throws where something is left that Grafana would have to know. */
export function asAsked(expr: string, { cluster, job, node, rateInterval }: Values): string {
  const asked = expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$cluster', cluster)
    .replaceAll('$job', job)
    .replaceAll('$node', node);
  // "$1" is a group of label_replace.
  if (/\$[a-z_{[]/i.test(asked)) throw new RangeError(`Cannot send "${asked}": it has an unknown variable`);
  return asked;
}
