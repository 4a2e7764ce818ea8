/** Tables of what is now: a row a series, its labels as columns. */
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as table from '@grafana/grafana-foundation-sdk/table';
import { dress, type PanelSpec } from './panels.ts';

/** A cell without a state has no state's colour. */
const EMPTY: readonly dashboard.ValueMapping[] = [
  dashboard.SpecialValueMatch.Null,
  dashboard.SpecialValueMatch.Empty,
].map((match) => ({
  type: dashboard.MappingType.SpecialValue,
  options: { match, result: { text: '-', color: 'transparent' } },
}));

interface Column {
  readonly title: string;
  readonly width?: number;
  readonly unit?: string;
  readonly mapping?: dashboard.ValueMapping | readonly dashboard.ValueMapping[];
  readonly link?: { readonly title: string; readonly url: string };
  readonly background?: boolean;
  readonly wrap?: boolean;
}

interface TableSpec extends PanelSpec {
  /** By the name of the field, in the order of the columns; other fields are left out. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Titles of columns, the first counts most. */
  readonly sortBy: readonly string[];
  readonly pages?: boolean;
}

/** Rows now. Queries with the same labels become one row. */
export function rows(spec: TableSpec): table.PanelBuilder {
  const columns = Object.entries(spec.columns).flatMap(([name, { title }]) =>
    // Grafana calls it so where the other query has no result.
    name === 'Value #A'
      ? [
          { name, title },
          { name: 'Value', title },
        ]
      : [{ name, title }],
  );
  const names = columns.map(({ name }) => name);
  const panel = dress(new table.PanelBuilder(), spec, 'as table')
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'filterFieldsByName', options: { include: { names } } })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(names.map((name, index) => [name, index])),
        renameByName: Object.fromEntries(columns.map(({ name, title }) => [name, title])),
      },
    })
    .filterable(true)
    .sortBy(
      spec.sortBy.map((title) => new common.TableSortByFieldStateBuilder().displayName(title).desc(true)),
    )
    // An empty cell is no empty table.
    .overrideByRegexp('.*', [{ id: 'noValue', value: '-' }]);
  for (const column of Object.values(spec.columns)) {
    const properties = propertiesOf(column);
    if (properties.length > 0) panel.overrideByName(column.title, properties);
  }
  return spec.pages
    ? panel.footer(
        new common.TableFooterOptionsBuilder()
          .show(false)
          .reducer([])
          .countRows(false)
          .enablePagination(true),
      )
    : panel;
}

function propertiesOf({
  width,
  unit,
  mapping,
  link,
  background,
  wrap,
}: Column): dashboard.DynamicConfigValue[] {
  return [
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    ...(mapping === undefined ? [] : [{ id: 'mappings', value: [mapping, background ? EMPTY : []].flat() }]),
    ...(link === undefined
      ? []
      : [{ id: 'links', value: [new dashboard.DashboardLinkBuilder(link.title).url(link.url).build()] }]),
    ...(background ? [{ id: 'custom.cellOptions', value: { type: 'color-background' } }] : []),
    ...(wrap ? [{ id: 'custom.cellOptions', value: { type: 'auto', wrapText: true } }] : []),
  ];
}
