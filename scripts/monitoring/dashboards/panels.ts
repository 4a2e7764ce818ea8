/** Panels of the kinds that both dashboards are made of, each with a title, a description and what it says without data. */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { COLOURS_BY_LEGEND, NEUTRAL } from './words.ts';

/** The variable, never one data source's own uid. */
export const DATASOURCE: common.DataSourceRef = { type: 'prometheus', uid: `\${datasource}` };

export type Panel = Builder<dashboard.Panel>;

export interface PanelSpec {
  readonly title: string;
  /** What it says and what it does not. */
  readonly description: string;
  /** What is shown where there is nothing: it says what is missing. */
  readonly noValue: string;
  readonly width: number;
  readonly height: number;
  readonly queries: readonly Query[];
  readonly unit?: string;
}

interface Query {
  readonly expr: string;
  readonly legend?: string;
}

export interface TileSpec extends PanelSpec {
  readonly mappings?: readonly dashboard.ValueMapping[];
  /** From which value on which colour; below the first it is the neutral one. */
  readonly steps?: readonly (readonly [from: number, colour: string])[];
  readonly base?: string;
  readonly decimals?: number;
  readonly text?: common.BigValueTextMode;
}

/** What all kinds of panels can be told. */
interface Dressed {
  title(title: string): this;
  description(description: string): this;
  noValue(text: string): this;
  datasource(datasource: common.DataSourceRef): this;
  height(height: number): this;
  span(width: number): this;
  unit(unit: string): this;
  thresholds(thresholds: Builder<dashboard.ThresholdsConfig>): this;
  withTarget(target: Builder<Dataquery>): this;
}

/** Numbers now, as coloured tiles. */
export function tiles(spec: TileSpec): stat.PanelBuilder {
  const panel = dress(new stat.PanelBuilder(), spec, 'now')
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.BackgroundSolid)
    .textMode(spec.text ?? common.BigValueTextMode.Auto)
    .reduceOptions(lastValue())
    .mappings([...(spec.mappings ?? [])])
    .thresholds(steps(spec.base ?? NEUTRAL, spec.steps ?? []));
  return spec.decimals === undefined ? panel : panel.decimals(spec.decimals);
}

/** Numbers now, as bars with their names beside. */
export function bars(spec: PanelSpec): bargauge.PanelBuilder {
  return dress(new bargauge.PanelBuilder(), spec, 'now')
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .orientation(common.VizOrientation.Horizontal)
    .reduceOptions(lastValue())
    .min(0)
    .decimals(0)
    .overrides(coloursOf(spec.queries));
}

/** Lines over time; `stacked` where the parts make a whole. */
export function lines(spec: PanelSpec & { readonly stacked?: boolean }): timeseries.PanelBuilder {
  const panel = dress(new timeseries.PanelBuilder(), spec, 'over time')
    .min(0)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .calcs(['lastNotNull']),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .overrides(coloursOf(spec.queries));
  return spec.stacked
    ? panel.fillOpacity(60).stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal))
    : panel;
}

/** States over time: a row a series. A gap is a time of which nothing is known. */
export function timeline(
  spec: PanelSpec & { readonly mapping: dashboard.ValueMapping },
): statetimeline.PanelBuilder {
  return dress(new statetimeline.PanelBuilder(), spec, 'over time')
    .mappings([spec.mapping])
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto)
    .spanNulls(false)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Single)
        .sort(common.SortOrder.None),
    );
}

/** What is the same on every panel. */
export function dress<T extends Dressed>(
  panel: T,
  spec: PanelSpec,
  how: 'now' | 'over time' | 'as table',
): T {
  panel
    .title(spec.title)
    .description(spec.description)
    .noValue(spec.noValue)
    .datasource(DATASOURCE)
    .height(spec.height)
    .span(spec.width)
    // "short" would make "1 K" of 1,402 nodes and of 1,398 alike.
    .unit(spec.unit ?? 'none')
    // Grafana's own begin with green.
    .thresholds(steps(NEUTRAL, []));
  for (const [index, { expr, legend }] of spec.queries.entries()) {
    const query = new prometheus.DataqueryBuilder()
      .refId(String.fromCharCode('A'.charCodeAt(0) + index))
      .datasource(DATASOURCE)
      .editorMode(prometheus.QueryEditorMode.Code)
      .expr(expr);
    if (legend !== undefined) query.legendFormat(legend);
    if (how === 'over time') query.range();
    else query.instant();
    panel.withTarget(how === 'as table' ? query.format(prometheus.PromQueryFormat.Table) : query);
  }
  return panel;
}

function steps(
  base: string,
  more: readonly (readonly [number, string])[],
): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...more.map(([value, color]) => ({ value, color }))]);
}

function lastValue(): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields('');
}

/** A series whose name is a state, or ends with one, has its colour. */
function coloursOf(
  queries: readonly Query[],
): { matcher: dashboard.MatcherConfig; properties: dashboard.DynamicConfigValue[] }[] {
  const legends = queries.map(({ legend }) => legend ?? '');
  return Object.entries(COLOURS_BY_LEGEND)
    .filter(([end]) => legends.some((legend) => legend.endsWith(end)))
    .flatMap(([, colours]) => Object.entries(colours))
    .map(([word, fixedColor]) => ({
      matcher: { id: 'byRegexp', options: `/(^|\\s)${word}$/` },
      properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
    }));
}
