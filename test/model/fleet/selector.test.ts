import { describe, expect, test } from 'vitest';
import {
  formatSelector,
  kubeStateMetricsName,
  parseSelector,
  selects,
} from '../../../src/model/fleet/selector.ts';

describe('a selector', () => {
  test.each([
    ['type=hybrid', [{ key: 'type', value: 'hybrid' }]],
    ['type==hybrid', [{ key: 'type', value: 'hybrid' }]],
    ['type', [{ key: 'type', value: null }]],
    ['type=', [{ key: 'type', value: '' }]],
    [
      ' a = b , c ',
      [
        { key: 'a', value: 'b' },
        { key: 'c', value: null },
      ],
    ],
    ['eks.amazonaws.com/compute-type=hybrid', [{ key: 'eks.amazonaws.com/compute-type', value: 'hybrid' }]],
    [
      'label_eks_amazonaws_com_compute_type=hybrid',
      [{ key: 'label_eks_amazonaws_com_compute_type', value: 'hybrid' }],
    ],
    ['instance=10.0.0.1:10943', [{ key: 'instance', value: '10.0.0.1:10943' }]],
  ])('%j is read', (text, requirements) => {
    expect(parseSelector(text)).toEqual(requirements);
  });

  test.each([
    '',
    ',',
    'a,',
    '=b',
    'a!=b',
    '!a',
    'a in (b)',
    'a notin (b)',
    'a=b=c',
    'a/b/c=d',
    'a=b c',
    'a=~b',
  ])('%j is none', (text) => {
    expect(parseSelector(text)).toBeNull();
  });

  test.each(['a=b', 'a', 'a=', 'a=b,c'])('%j is written as it was read', (text) => {
    expect(formatSelector(parseSelector(text) ?? [])).toBe(text);
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['a=b', { a: 'b' }, true],
    ['a=b', { a: 'c' }, false],
    ['a=b', {}, false],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['a=', { a: '' }, true],
    ['a=', {}, false],
    ['a=b,c=d', { a: 'b', c: 'd' }, true],
    ['a=b,c=d', { a: 'b' }, false],
    ['constructor', {}, false],
    ['toString', {}, false],
  ])('%j on %o: %s', (text, labels, fits) => {
    expect(selects(parseSelector(text) ?? [], labels)).toBe(fits);
  });
});

describe('the name of kube-state-metrics', () => {
  test.each([
    ['eks.amazonaws.com/compute-type', 'label_eks_amazonaws_com_compute_type'],
    ['eks.amazonaws.com/capacityType', 'label_eks_amazonaws_com_capacity_type'],
    ['kubernetes.io/os', 'label_kubernetes_io_os'],
    ['team', 'label_team'],
  ])('of %s is %s, and the selector fits either', (key, name) => {
    expect(kubeStateMetricsName(key)).toBe(name);
    const selector = parseSelector(`${key}=a`) ?? [];
    expect(selects(selector, { [name]: 'a' })).toBe(true);
    expect(selects(selector, { [key]: 'a' })).toBe(true);
    expect(selects(selector, { [key]: 'b', [name]: 'a' })).toBe(false);
  });
});
