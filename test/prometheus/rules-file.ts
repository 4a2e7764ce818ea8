/** A rules file of Prometheus, as far as the tests look into it. */
import { parse, stringify } from 'yaml';

export interface RulesFile {
  readonly groups: readonly Group[];
}

interface Group {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function parseRules(text: string): RulesFile {
  return parse(text);
}

/** What the Operator hands to Prometheus. */
export function rulesOfResource(text: string): RulesFile {
  const { spec }: { readonly spec: RulesFile } = parse(text);
  return spec;
}

export function formatRules(rules: RulesFile): string {
  return stringify(rules, { lineWidth: 0 });
}

export function nameOf({ alert, record }: Rule): string {
  return alert ?? record ?? '';
}

/** With one rule in another's place. */
export function replaced(rules: RulesFile, old: Rule, changed: Rule): RulesFile {
  return {
    groups: rules.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule === old ? changed : rule)),
    })),
  };
}

export function without({ groups }: RulesFile, name: string): RulesFile {
  return {
    groups: groups.map((group) => ({ ...group, rules: group.rules.filter((rule) => nameOf(rule) !== name) })),
  };
}

/** The groups of alerts alone. */
export function alertsOf({ groups }: RulesFile): RulesFile {
  return { groups: groups.filter(({ rules }) => rules.every(({ alert }) => alert !== undefined)) };
}
