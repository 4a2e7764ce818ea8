import { describe, expect, test } from 'vitest';
import { formatMatcher, makeQueries } from '../../../src/fleet/prometheus/queries.ts';
import { metricsWith } from '../../support/known-metrics.ts';
import { checkQuery, type Metrics } from '../../support/metrics-used.ts';

const CLUSTER = { name: 'cluster', op: '=', value: 'a' } as const;
const JOB = { name: 'job', op: '=~', value: 'x|y' } as const;

describe('every query', () => {
  const metrics: Metrics = new Map([
    ...metricsWith(),
    ['kube_node_labels', new Map(['cluster', 'job', 'instance', 'node'].map((label) => [label, null]))],
  ]);

  test.each(Object.entries(makeQueries([CLUSTER])).filter(([name]) => name !== 'now'))(
    '%s is of metrics and labels that there are',
    (_, query) => {
      expect(() => checkQuery(query, metrics)).not.toThrow();
    },
  );

  test.each(Object.entries(makeQueries([CLUSTER])))(
    '%s: the matchers are at every selector',
    (name, query) => {
      if (['now', 'nodesOfAll', 'targets', 'answersOfAll'].includes(name))
        expect(query).not.toContain('cluster');
      else {
        const selectors = query.match(/\b(?:eks_endpoint|kube)_\w+|\bup\b/g) ?? [];
        expect(selectors.length).toBeGreaterThan(0);
        expect(query.match(/cluster="a"/g)).toHaveLength(selectors.length);
      }
    },
  );
});

test("what is said of the exporters' pods is not said of those of kube-state-metrics", () => {
  const { nodes, nodesGone, nodeLabels, answers } = makeQueries([CLUSTER, JOB]);
  for (const query of [nodes, nodesGone, nodeLabels]) {
    expect(query).toContain('{cluster="a"}');
    expect(query).not.toContain('job');
  }
  expect(answers).toContain('eks_endpoint_node_route{cluster="a", job=~"x|y"}');
});

test('times are those of the samples: timestamp() is of a selector alone', () => {
  const { answers } = makeQueries([]);
  expect(answers.match(/timestamp\([a-z_]+(?:\{[^}]*\})?\)/g)).toHaveLength(4);
  expect(answers.match(/timestamp\(/g)).toHaveLength(4);
});

test.each([
  [{ name: 'a', op: '=', value: 'b' }, 'a="b"'],
  [{ name: 'a', op: '!~', value: 'say "b\\d"\n' }, String.raw`a!~"say \"b\\d\"\n"`],
] as const)('%j is %s', (matcher, expected) => {
  expect(formatMatcher(matcher)).toBe(expected);
});
