/** The findings in the tables: their words, which comes first, and what to do about each, from the findings' own table. */
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { adviceOf, FINDING_CODES, severityOf } from '../../../src/model/findings.ts';
import type { FindingCode } from '../../../src/model/status.ts';
import { BAD, GREY, HALF, NEUTRAL, rangeMap, UNKNOWN, valueMap } from './words.ts';

/** From where on each severity counts among the stragglers. */
const FROM = { critical: 400, missing: 300, warning: 200, info: 100 } as const;

export const SEVERITY_WORDS = valueMap([
  ['critical', 'critical', BAD],
  ['warning', 'warning', HALF],
  ['info', 'info', NEUTRAL],
]);

/** Rows of the stragglers that are no finding of an agent: their code is made here. */
export const MISSING = 'ExporterMissing';
export const ROUTE_UNKNOWN = 'RouteUnknown';
export const NO_FINDING = 'NoFinding';

/** The findings, worst first, else in the order of their table. */
export const CODES = FINDING_CODES.toSorted((one, other) => FROM[severityOf(other)] - FROM[severityOf(one)]);

type Code = FindingCode | typeof MISSING | typeof ROUTE_UNKNOWN | typeof NO_FINDING;

/**
 * How much each code counts among the stragglers: no two the same, so that one is first. A node of which nothing is
 * known comes before warnings; a route that is not known comes after them, for they say why.
 */
export function weightOf(code: Code): number {
  switch (code) {
    case MISSING:
      return FROM.missing;
    case ROUTE_UNKNOWN:
      return FROM.warning;
    case NO_FINDING:
      return 0;
    default:
      return FROM[severityOf(code)] + CODES.length - CODES.indexOf(code);
  }
}

export const WEIGHT_WORDS: readonly dashboard.ValueMapping[] = [
  rangeMap([FROM.critical, FROM.critical + 99], { text: 'critical', color: BAD, index: 0 }),
  rangeMap([FROM.missing, FROM.missing + 99], { text: 'not known', color: UNKNOWN, index: 1 }),
  rangeMap([FROM.warning, FROM.warning], { text: 'not known', color: UNKNOWN, index: 2 }),
  rangeMap([FROM.warning + 1, FROM.warning + 99], { text: 'warning', color: HALF, index: 3 }),
  rangeMap([FROM.info, FROM.info + 99], { text: 'info', color: NEUTRAL, index: 4 }),
  rangeMap([0, 0], { text: 'none', color: GREY, index: 5 }),
];

/** What to do about each code. */
export const ADVICE = valueMap([
  ...CODES.map((code) => [code, adviceOf(code)] as const),
  [
    MISSING,
    'See that the DaemonSet has a ready pod there and that its port is open to Prometheus; until then nothing is known of the node.',
  ],
  [
    ROUTE_UNKNOWN,
    "See the reason on the agent's page or in /api/v1/status (routeReason); until then nothing good is known of the node.",
  ],
  [NO_FINDING, 'Nothing while this is the route that DNS gives and the operator expects.'],
]);

export const CODE_WORDS = valueMap([
  ...CODES.map((code) => [code, code] as const),
  [MISSING, 'no exporter answers'],
  [ROUTE_UNKNOWN, 'route not known'],
  [NO_FINDING, 'none'],
]);
