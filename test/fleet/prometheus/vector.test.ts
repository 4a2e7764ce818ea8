import { describe, expect, test } from 'vitest';
import { readVector } from '../../../src/fleet/prometheus/vector.ts';

/** An instant vector as Prometheus writes it. */
function answer(result: unknown, more: object = {}): string {
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result }, ...more });
}

describe('an answer', () => {
  test('of a vector', () => {
    const text = answer([
      { metric: { __name__: 'up', job: 'a' }, value: [1_795_000_000.5, '1'] },
      { metric: {}, value: [1_795_000_000.5, '1795000000.071'] },
    ]);
    expect(readVector(text)).toEqual({
      samples: [
        { labels: { __name__: 'up', job: 'a' }, value: 1 },
        { labels: {}, value: 1_795_000_000.071 },
      ],
    });
  });

  test('of a scalar', () => {
    const data = { resultType: 'scalar', result: [1_795_000_000, '7'] };
    expect(readVector(JSON.stringify({ status: 'success', data }))).toEqual({
      samples: [{ labels: {}, value: 7 }],
    });
  });

  test.each(['NaN', '+Inf', '-Inf', '', ' ', 'one'])('a value of %j is not a number', (value) => {
    expect(readVector(answer([{ metric: {}, value: [1, value] }]))).toEqual({
      samples: [{ labels: {}, value: Number.NaN }],
    });
  });

  test('Prometheus 3 has hints beside it, which take nothing away', () => {
    expect(readVector(answer([], { infos: ['metric might not be a counter'] }))).toEqual({ samples: [] });
    expect(readVector(answer([], { warnings: [], isPartial: false }))).toEqual({ samples: [] });
  });
});

describe('what is not all', () => {
  test('with warnings', () => {
    const text = answer([], { warnings: ['store a: timeout', 'store b: gone'] });
    expect(readVector(text)).toEqual({ partial: 'store a: timeout; store b: gone' });
  });

  test('by its own word', () => {
    expect(readVector(answer([], { isPartial: true }))).toEqual({ partial: 'it says isPartial' });
  });
});

test('what it says is wrong', () => {
  const text = JSON.stringify({ status: 'error', errorType: 'bad_data', error: 'parse error' });
  expect(readVector(text)).toEqual({ error: 'parse error', type: 'bad_data' });
});

test.each([
  '',
  'null',
  '[]',
  '{}',
  '<html>',
  '{"status":"success"}',
  '{"status":"error"}',
  '{"status":"success","data":{"resultType":"matrix","result":[]}}',
  '{"status":"success","data":{"resultType":"vector","result":{}}}',
  '{"status":"success","data":{"resultType":"vector"}}',
  answer([null]),
  answer([{ metric: {} }]),
  answer([{ metric: {}, value: [1, 1] }]),
  answer([{ metric: {}, value: [1, '1', '1'] }]),
  answer([{ metric: { node: 1 }, value: [1, '1'] }]),
  answer([{ metric: [], value: [1, '1'] }]),
  answer([
    { metric: { node: 'good' }, value: [1, '1'] },
    { metric: null, value: [1, '1'] },
  ]),
  answer([{ metric: {}, value: [1, '1'] }]).slice(0, -5),
  '{"status":"success","warnings":"one","data":{"resultType":"vector","result":[]}}',
])('%j is not an answer', (text) => {
  expect(readVector(text)).toEqual({ problem: 'it answers what is not an answer of its query API' });
});
