/** Rules with one mistake each: what the rule tests have to notice. */
import { parser } from '@prometheus-io/lezer-promql';
import type { Rule } from './rules-file.ts';

export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  readonly rule: Rule;
}

/** What stands for a text, a metric or a label that is not there. */
const NONE = 'mutant';

const SWAPPED: Readonly<Record<string, string>> = {
  and: 'unless',
  unless: 'and',
  or: 'unless',
  '=': '!=',
  '!=': '=',
  '=~': '!~',
  '!~': '=~',
  '==': '!=',
  '-': '+',
  '>': '<',
  '>=': '<',
  '*': '+',
  '/': '*',
  by: 'without',
  without: 'by',
  on: 'ignoring',
  ignoring: 'on',
  sum: 'max',
  max: 'min',
  count: 'sum',
  max_over_time: 'min_over_time',
  min_over_time: 'max_over_time',
  avg_over_time: 'max_over_time',
  last_over_time: 'min_over_time',
};

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Every mutant of a rule. */
export function mutantsOf(rule: Rule): readonly Mutant[] {
  const { expr, for: hold, labels, annotations } = rule;
  return [
    ...mutatedExpressions(expr).map(({ name, text }) => ({ name, rule: { ...rule, expr: text } })),
    ...(hold === undefined ? [] : mutatedDurations(hold)).map((text) => ({
      name: `for: ${hold} -> ${text}`,
      rule: { ...rule, for: text },
    })),
    ...Object.keys(labels ?? {}).map((label) => ({
      name: `label ${label}`,
      rule: { ...rule, labels: { ...labels, [label]: NONE } },
    })),
    ...Object.keys(annotations ?? {}).map((annotation) => ({
      name: `annotation ${annotation}`,
      rule: { ...rule, annotations: { ...annotations, [annotation]: NONE } },
    })),
  ];
}

/** One for each token of the expression that can be another, and where it can be two others, two. */
function mutatedExpressions(expr: string): readonly { readonly name: string; readonly text: string }[] {
  const mutants: { name: string; text: string }[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, from, to, node }) => {
      if (node.firstChild !== null) return;
      const token = expr.slice(from, to);
      for (const other of others(name, token)) {
        const line = expr.slice(0, from).split('\n').length;
        mutants.push({
          name: `line ${line}: ${token} -> ${other}`,
          text: expr.slice(0, from) + other + expr.slice(to),
        });
      }
    },
  });
  return mutants;
}

function others(kind: string, token: string): readonly string[] {
  if (kind === 'NumberDurationLiteral') return mutatedNumbers(Number(token));
  if (kind === 'NumberDurationLiteralInDurationContext') return mutatedDurations(token);
  if (kind === 'StringLiteral') return mutatedTexts(token);
  if (kind === 'Identifier' || kind === 'LabelName') return [NONE];
  const swapped = SWAPPED[token];
  return swapped === undefined ? [] : [swapped];
}

function mutatedNumbers(number: number): readonly string[] {
  return (number === 0 ? [1, -1] : [number * 1.2, number * 0.8]).map(String);
}

function mutatedDurations(duration: string): readonly string[] {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? Number.NaN);
  return [seconds * 1.2, seconds * 0.8].map((one) => `${one}s`);
}

/** Another text; of alternatives, one the less. */
function mutatedTexts(quoted: string): readonly string[] {
  const alternatives = quoted.slice(1, -1).split('|');
  const fewer = alternatives.map((one) => alternatives.filter((other) => other !== one).join('|'));
  return (alternatives.length === 1 ? [NONE] : fewer).map((text) => `"${text}"`);
}
