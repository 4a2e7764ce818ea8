/**
 * Holds a PromQL query against the metrics that there are: by the official grammar, with the labels that each part of
 * it can have. A metric, a label or a label's value that nothing gives is a problem: such a query is silent for ever.
 */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** The labels of a metric, each with the values that there are, or null where anything may stand. */
export type Metrics = ReadonlyMap<string, ReadonlyMap<string, readonly string[] | null>>;

export interface Checked {
  readonly problems: readonly string[];
  /** Labels that the result can have. */
  readonly labels: ReadonlySet<string>;
  readonly metrics: ReadonlySet<string>;
}

type Labels = ReadonlySet<string>;
const NONE: Labels = new Set();
/** Aggregations that keep the series as they are. */
const CHOOSING = ['topk', 'bottomk', 'limitk', 'limit_ratio'];
/** Functions whose result is a number. */
const NUMBERS = ['scalar', 'time', 'pi'];
/** The kinds of nodes that are expressions. */
const EXPRESSIONS = [
  'VectorSelector',
  'MatrixSelector',
  'SubqueryExpr',
  'OffsetExpr',
  'ParenExpr',
  'UnaryExpr',
  'AggregateExpr',
  'FunctionCall',
  'BinaryExpr',
  'NumberDurationLiteral',
  'StringLiteral',
];

export function checkQuery(query: string, metrics: Metrics): Checked {
  const checker = new Checker(query, metrics);
  const labels = checker.check();
  return { problems: checker.problems, labels, metrics: checker.used };
}

class Checker {
  readonly problems: string[] = [];
  readonly used = new Set<string>();
  readonly #query: string;
  readonly #metrics: Metrics;

  constructor(query: string, metrics: Metrics) {
    this.#query = query;
    this.#metrics = metrics;
  }

  check(): Labels {
    const tree = parser.parse(this.#query);
    tree.iterate({
      enter: ({ type, from, to }) => {
        if (type.isError)
          this.problems.push(
            `does not parse at ${from}: "${this.#query.slice(from, Math.max(to, from + 20))}"`,
          );
      },
    });
    const root = tree.topNode.firstChild;
    return root === null || this.problems.length > 0 ? NONE : this.#labelsOf(root);
  }

  #labelsOf(node: SyntaxNode): Labels {
    switch (node.name) {
      case 'VectorSelector':
        return this.#ofSelector(node);
      case 'AggregateExpr':
        return this.#ofAggregation(node);
      case 'FunctionCall':
        return this.#ofFunction(node);
      case 'BinaryExpr':
        return this.#ofBinary(node);
      case 'NumberDurationLiteral':
      case 'StringLiteral':
        return NONE;
      case 'MatrixSelector':
      case 'SubqueryExpr':
      case 'OffsetExpr':
      case 'ParenExpr':
      case 'UnaryExpr':
        return union(operands(node).map((one) => this.#labelsOf(one)));
      default:
        this.problems.push(`has a part of a kind that is not known here: ${node.name}`);
        return NONE;
    }
  }

  #ofSelector(node: SyntaxNode): Labels {
    const matchers = (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map(
      (matcher) => ({
        label: this.#text(matcher.getChild('LabelName')),
        operator: this.#text(matcher.getChild('MatchOp')),
        value: this.#string(matcher.getChild('StringLiteral')),
      }),
    );
    const identifier = node.getChild('Identifier');
    const names =
      identifier === null
        ? matchers.filter(({ label }) => label === '__name__').flatMap(({ value }) => value.split('|'))
        : [this.#text(identifier)];
    if (names.length === 0) this.problems.push(`"${this.#text(node)}" names no metric`);
    return union(
      names.map((name) => {
        const labels = this.#metrics.get(name);
        if (labels === undefined) {
          this.problems.push(`there is no metric ${name}`);
          return NONE;
        }
        this.used.add(name);
        for (const matcher of matchers) {
          if (matcher.label !== '__name__') this.problems.push(...matcherProblems(name, labels, matcher));
        }
        return new Set(labels.keys());
      }),
    );
  }

  #ofAggregation(node: SyntaxNode): Labels {
    const operator = this.#text(node.getChild('AggregateOp'));
    const body = node.getChild('FunctionCallBody');
    const inner = union(body === null ? [] : operands(body).map((one) => this.#labelsOf(one)));
    const modifier = node.getChild('AggregateModifier');
    const named = this.#names(modifier?.getChild('GroupingLabels'));
    if (modifier === null) return CHOOSING.includes(operator) ? inner : NONE;
    const word = modifier.getChild('By') === null ? 'without' : 'by';
    for (const name of named) {
      if (!inner.has(name)) this.problems.push(`${operator} ${word} (${name}): nothing in it has that label`);
    }
    if (CHOOSING.includes(operator)) return inner;
    const made =
      operator === 'count_values' && body !== null ? [this.#string(body.getChild('StringLiteral'))] : [];
    return word === 'by'
      ? new Set([...named, ...made])
      : new Set([...[...inner].filter((label) => !named.includes(label)), ...made]);
  }

  #ofFunction(node: SyntaxNode): Labels {
    const name = this.#text(node.getChild('FunctionIdentifier'));
    const parts = operands(node);
    const inner = union(parts.map((one) => this.#labelsOf(one)));
    if (NUMBERS.includes(name) || name === 'vector') return NONE;
    if (name !== 'label_replace' && name !== 'label_join') return inner;
    const strings = parts.filter((one) => one.name === 'StringLiteral').map((one) => this.#string(one));
    const [target = ''] = strings;
    const sources = name === 'label_replace' ? strings.slice(2, 3) : strings.slice(2);
    for (const source of sources.filter((one) => one !== '' && !inner.has(one))) {
      this.problems.push(`${name} from ${source}: nothing in it has that label`);
    }
    return new Set([...inner, target]);
  }

  #ofBinary(node: SyntaxNode): Labels {
    const [leftNode, rightNode] = operands(node);
    if (leftNode === undefined || rightNode === undefined) {
      this.problems.push(`"${this.#text(node)}" has no two sides`);
      return NONE;
    }
    const left = this.#labelsOf(leftNode);
    const right = this.#labelsOf(rightNode);
    const clause = node.getChild('MatchingModifierClause');
    const [matching, grouped] = clause?.getChildren('GroupingLabels') ?? [];
    const names = clause === null ? [] : this.#names(matching);
    const on = clause?.getChild('On') != null;
    const where = on ? 'on' : 'ignoring';
    for (const name of names) {
      // A label that one side never has matches nothing.
      const isFine = on ? left.has(name) && right.has(name) : left.has(name) || right.has(name);
      if (!isFine)
        this.problems.push(
          `${where} (${name}): ${on ? 'not both sides have' : 'neither side has'} that label`,
        );
    }
    if (node.getChild('Or') !== null) return union([left, right]);
    if (node.getChild('And') !== null || node.getChild('Unless') !== null) return left;
    const [many, one] = clause?.getChild('GroupRight') != null ? [right, left] : [left, right];
    const extra = this.#names(grouped);
    for (const name of extra) {
      if (!one.has(name)) this.problems.push(`group_left (${name}): the other side has no such label`);
    }
    if (clause?.getChild('GroupLeft') != null || clause?.getChild('GroupRight') != null)
      return new Set([...many, ...extra]);
    if (this.#isNumber(leftNode) || this.#isNumber(rightNode)) return union([left, right]);
    if (on) return new Set(names);
    return new Set([...left].filter((label) => !names.includes(label)));
  }

  #isNumber(node: SyntaxNode): boolean {
    if (node.name === 'NumberDurationLiteral') return true;
    if (node.name === 'FunctionCall')
      return NUMBERS.includes(this.#text(node.getChild('FunctionIdentifier')));
    return (
      ['BinaryExpr', 'ParenExpr', 'UnaryExpr'].includes(node.name) &&
      operands(node).every((one) => this.#isNumber(one))
    );
  }

  #names(node: SyntaxNode | null | undefined): string[] {
    return (node?.getChildren('LabelName') ?? []).map((one) => this.#text(one));
  }

  #text(node: SyntaxNode | null): string {
    return node === null ? '' : this.#query.slice(node.from, node.to);
  }

  #string(node: SyntaxNode | null): string {
    return this.#text(node).slice(1, -1);
  }
}

interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

function matcherProblems(
  name: string,
  labels: ReadonlyMap<string, readonly string[] | null>,
  { label, operator, value }: Matcher,
): readonly string[] {
  const values = labels.get(label);
  if (values === undefined) return [`${name} has no label ${label}`];
  if (values === null) return [];
  const asked = operator.endsWith('~') && !value.includes('(') ? value.split('|') : [value];
  return asked
    .filter((one) =>
      operator.endsWith('~')
        ? !values.some((possible) => new RegExp(`^(?:${one})$`).test(possible))
        : !values.includes(one),
    )
    .map((one) => `${name}{${label}} is never "${one}"`);
}

/** The parts of a node that are expressions. */
function operands(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (EXPRESSIONS.includes(child.name)) found.push(child);
    else if (child.name === 'FunctionCallBody') found.push(...operands(child));
  }
  return found;
}

function union(sets: readonly Labels[]): Labels {
  return new Set(sets.flatMap((set) => [...set]));
}
