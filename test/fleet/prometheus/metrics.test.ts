import { describe, expect, test } from 'vitest';
import * as METRICS from '../../../src/fleet/prometheus/metrics.ts';
import { agree, GATE, INFO, ROUTE, splitLabels, UP } from '../../../src/fleet/prometheus/metrics.ts';
import { FAMILIES } from '../../../src/output/families.ts';

describe('what is asked for is what the exporter has', () => {
  const asked = Object.values(METRICS).flatMap((value) => (typeof value === 'object' ? [value] : []));

  test.each(asked.filter(({ name }) => name !== 'up'))('$name', ({ name, own }) => {
    const family = FAMILIES.find((one) => one.name === name);
    expect(Object.keys(family?.labels ?? {}).sort()).toEqual([...own].sort());
    expect(family).toBeDefined();
  });

  test('all of them', () => expect(asked.length).toBe(11));
});

describe('the labels of a series', () => {
  test("are the metric's own, or the target's", () => {
    const labels = { __name__: ROUTE.name, route: 'x-eni', node: 'a', job: 'j' };
    expect(splitLabels(ROUTE, labels)).toEqual({
      key: '[["job","j"],["node","a"]]',
      target: { job: 'j', node: 'a' },
      own: { route: 'x-eni' },
    });
  });

  test('of one target have one key, in whatever order', () => {
    const route = splitLabels(ROUTE, { route: 'x-eni', node: 'a', job: 'j' });
    const gate = splitLabels(GATE, { node: 'a', job: 'j', gate: 'public-free', state: 'true' });
    expect(gate.key).toBe(route.key);
    expect(splitLabels(UP, { job: 'j', node: 'a' }).key).toBe(route.key);
  });

  test("a target that has a label of the same name: the metric's is exported_", () => {
    const info = splitLabels(INFO, { hostname: 'h', port: '1', exported_port: '443', source: 'flag' });
    expect(info.own).toEqual({ hostname: 'h', port: '443', source: 'flag' });
    expect(info.target).toEqual({ port: '1' });
    expect(splitLabels(ROUTE, { route: 'x-eni', port: '1' }).key).toBe(info.key);
  });

  test("exported_ of what is no label of the metric is the target's", () => {
    expect(splitLabels(ROUTE, { route: 'x-eni', exported_job: 'j' }).target).toEqual({ exported_job: 'j' });
  });
});

test.each([
  [{ a: '1', b: '2' }, { a: '1', c: '3' }, true],
  [{ a: '1' }, { a: '2' }, false],
  [{ a: '1' }, {}, true],
  [{}, { a: '1' }, true],
])('%j and %j agree: %j', (one, other, expected) => {
  expect(agree(one, other)).toBe(expected);
  expect(agree(other, one)).toBe(expected);
});
