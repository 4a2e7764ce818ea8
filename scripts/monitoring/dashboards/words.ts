/**
 * States as words and colours. The colours are those of Okabe and Ito, which people tell apart who see no red or green;
 * the word always stands beside. Green is kept for what is known to be good.
 */
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import {
  ACCESS_MODES,
  ATTRIBUTIONS,
  GATE_STATES,
  type GateState,
  NODE_ROUTES,
  type NodeRoute,
  type Route,
} from '../../../src/model/status.ts';

export const GOOD = '#009E73';
export const BAD = '#D55E00';
export const HALF = '#E69F00';
export const NEUTRAL = '#56B4E9';
export const UNKNOWN = '#CC79A7';
const BLUE = '#0072B2';
const YELLOW = '#F0E442';
export const GREY = '#999999';

/** What stands for a node of which nothing is known; no route has the name. */
export const NO_ANSWER = 'no answer';

const NODE_ROUTE_COLOURS: Readonly<Record<NodeRoute, string>> = {
  'x-eni': GOOD,
  public: BAD,
  mixed: HALF,
  other: YELLOW,
  none: GREY,
  unknown: UNKNOWN,
};
const ROUTE_COLOURS: Readonly<Record<Route, string>> = {
  'x-eni': GOOD,
  vpc: NEUTRAL,
  private: BLUE,
  public: BAD,
  proxy: YELLOW,
};
const GATE_STATE_COLOURS: Readonly<Record<GateState, string>> = { true: GOOD, false: BAD, unknown: UNKNOWN };

/** Colours of the series whose legend ends so, by the words that they can end with. */
export const COLOURS_BY_LEGEND: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '{{route}}': { ...NODE_ROUTE_COLOURS, ...ROUTE_COLOURS },
  '{{state}}': GATE_STATE_COLOURS,
  [NO_ANSWER]: { [NO_ANSWER]: GREY },
};

/** A state as a number, for what can be drawn only as one. Numbers differ between the sets, so that one mapping serves all. */
export interface State {
  readonly value: string;
  readonly number: number;
  readonly text: string;
  readonly colour: string;
}

export const NODE_ROUTE_STATES = NODE_ROUTES.map((value, index) =>
  state(value, 10 + index, NODE_ROUTE_COLOURS[value]),
);
export const GATE_STATE_STATES = GATE_STATES.map((value, index) =>
  state(value, 20 + index, GATE_STATE_COLOURS[value]),
);
export const ATTRIBUTION_STATES = ATTRIBUTIONS.map((value, index) =>
  state(value, 30 + index, value === 'process' ? NEUTRAL : UNKNOWN),
);
export const ACCESS_MODE_STATES = ACCESS_MODES.map((value, index) =>
  state(value, 40 + index, value === 'unknown' ? UNKNOWN : NEUTRAL),
);
/** What DNS gives, worst first. */
export const DNS_STATES = {
  public: { value: 'public', number: 53, text: 'public addresses', colour: BAD },
  other: { value: 'other', number: 52, text: 'private addresses, not known as X-ENIs', colour: YELLOW },
  'x-eni': { value: 'x-eni', number: 51, text: 'X-ENIs only', colour: GOOD },
} as const satisfies Readonly<Record<string, State>>;
const YES_NO: readonly State[] = [
  { value: '1', number: 1, text: 'yes', colour: NEUTRAL },
  { value: '0', number: 0, text: 'no', colour: BAD },
];

export function mappingOf(states: readonly State[]): dashboard.ValueMap {
  return valueMap(states.map(({ number, text, colour }) => [String(number), text, colour]));
}

/** For everything that is drawn on a time line. */
export const ALL_STATES = mappingOf([
  ...NODE_ROUTE_STATES,
  ...GATE_STATE_STATES,
  ...Object.values(DNS_STATES),
  ...YES_NO,
]);

export const ROUTE_WORDS = valueMap(
  Object.entries({ ...NODE_ROUTE_COLOURS, ...ROUTE_COLOURS }).map(([route, colour]) => [
    route,
    route,
    colour,
  ]),
);

function state(value: string, number: number, colour: string): State {
  return { value, number, text: value, colour };
}

export function rangeMap(
  [from, to]: readonly [from: number, to: number],
  result: dashboard.ValueMappingResult,
): dashboard.RangeMap {
  return { type: dashboard.MappingType.RangeToText, options: { from, to, result } };
}

export function valueMap(
  entries: readonly (readonly [value: string, text: string, colour?: string])[],
): dashboard.ValueMap {
  return {
    type: dashboard.MappingType.ValueToText,
    options: Object.fromEntries(
      entries.map(([value, text, color], index) => [
        value,
        { text, index, ...(color === undefined ? {} : { color }) },
      ]),
    ),
  };
}
