/** Series and what is expected of the rules, written down as a test for `promtool test rules`: a sample a minute. */
import { stringify } from 'yaml';

/** A value, or null where the series is not there. */
export type Sample = number | null;

/** At a minute: the alerts that are firing, all of them, each with its nodes; and sums of queries. */
export interface Check {
  readonly minute: number;
  readonly firing: Readonly<Record<string, readonly string[]>>;
  readonly records: Readonly<Record<string, number>>;
}

interface Test {
  readonly rulesFile: string;
  readonly name: string;
  /** By name and labels, each from minute 0 on. */
  readonly series: ReadonlyMap<string, readonly Sample[]>;
  readonly checks: readonly Check[];
}

export function formatTest({ rulesFile, name, series, checks }: Test): string {
  return stringify(
    {
      rule_files: [rulesFile],
      evaluation_interval: '1m',
      tests: [
        {
          name,
          interval: '1m',
          input_series: [...series].map(([one, samples]) => ({ series: one, values: inNotation(samples) })),
          promql_expr_test: checks.flatMap(expectationsOf),
        },
      ],
    },
    { lineWidth: 0 },
  );
}

function expectationsOf({ minute, firing, records }: Check): readonly object[] {
  const at = `${minute}m`;
  return [
    {
      expr: 'sum by (alertname, node) (ALERTS{alertstate="firing"})',
      eval_time: at,
      exp_samples: Object.entries(firing).flatMap(([alert, nodes]) =>
        nodes.map((node) => ({ labels: `{alertname="${alert}", node="${node}"}`, value: 1 })),
      ),
    },
    ...Object.entries(records).map(([query, value]) => ({
      expr: `sum(${query})`,
      eval_time: at,
      exp_samples: [{ labels: '{}', value }],
    })),
  ];
}

/** promtool's: `1x3` is 1 and three more, `_` a gap; a series that ends goes stale, as after a scrape without it. */
function inNotation(samples: readonly Sample[]): string {
  const words: string[] = [];
  let begin = 0;
  samples.forEach((value, index) => {
    if (samples[index + 1] === value) return;
    const run = index + 1 - begin;
    if (value !== null) words.push(`${value}x${run - 1}`);
    else if (begin === 0) words.push(`_x${run}`);
    else words.push(...(run === 1 ? ['stale'] : ['stale', `_x${run - 1}`]));
    begin = index + 1;
  });
  return [...words, 'stale'].join(' ');
}
