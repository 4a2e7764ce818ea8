/** The shipped rules for a test that has seconds where users have minutes. */
import { Document, parse } from 'yaml';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly expr: string; readonly for?: string }[];
  }[];
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A duration that is a word of its own, as after `for:`, within `[]` and after `offset`. */
const DURATION = /(?<![\w."])\d+[a-z]\w*/g;

/** The bound, in seconds, of the query of an age: from some time to the exporter's last look. */
const AGE = /^(\(\s*last_over_time\(eks_endpoint_last_scan_timestamp_seconds[\s\S]*\) > )(\d+)$/;

/** 15 minutes are 6 s, an hour is 24 s. In the 2 s of 5 minutes there has to be a scrape: there is one each second. */
export const HASTE = 150;

/** Divides every duration of a rules file by `factor`: how long an alert must hold, ranges, offsets and bounds of ages. Nothing else. */
export function hasten(rulesText: string, factor: number): string {
  const rules: Rules = parse(rulesText);
  const shorten = (duration: string) => `${secondsOf(duration) / factor}s`;
  const groups = rules.groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule) => ({
      ...rule,
      expr: rule.expr
        .replace(AGE, (_, before: string, seconds: string) => `${before}${Number(seconds) / factor}`)
        .replace(DURATION, shorten),
      ...(rule.for === undefined ? {} : { for: shorten(rule.for) }),
    })),
  }));
  return new Document({ ...rules, groups }).toString({ lineWidth: 0 });
}

/** Errors where it is not a whole number of one unit. */
function secondsOf(duration: string): number {
  const [, count = '', unit = ''] = /^(\d+)([a-z]+)$/.exec(duration) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? Number.NaN);
  if (Number.isNaN(seconds)) throw new Error(`Cannot shorten the duration "${duration}"`);
  return seconds;
}
