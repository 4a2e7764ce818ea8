import { expect, test } from 'vitest';
import { FLAGS } from '../src/flags.ts';
import { shorten, Values } from '../src/values.ts';

const INTERVAL = FLAGS.scanInterval.name;

test('the last value counts, a wrong one before it is still a problem', () => {
  const values = new Values({
    [INTERVAL]: [
      { by: INTERVAL, text: '5x' },
      { by: INTERVAL, text: '5s' },
    ],
  });
  expect(values.one(FLAGS.scanInterval)).toBe(5_000);
  expect(values.problems).toEqual([expect.stringMatching(/^--scan-interval "5x": not a duration/)]);
});

test('without a value there is the default, and where there is none there is nothing', () => {
  const values = new Values({});
  expect(values.one(FLAGS.scanInterval)).toBe(10_000);
  expect(values.optional(FLAGS.scanInterval)).toBe(null);
  expect(values.all(FLAGS.xEni)).toEqual([]);
  expect(values.all(FLAGS.requireClient)).toEqual(['kubelet']);
  expect(values.problems).toEqual([]);
});

test('what the environment alone gives is given, and not on the command line', () => {
  const values = new Values({
    [INTERVAL]: [{ by: 'EKS_ENDPOINT_SCAN_INTERVAL', text: '5s' }],
    [FLAGS.expect.name]: [{ by: '--expect', text: 'wrong' }],
  });
  expect([values.isGiven(FLAGS.scanInterval), values.isOnCommandLine(FLAGS.scanInterval)]).toEqual([
    true,
    false,
  ]);
  expect([values.isGiven(FLAGS.expect), values.isOnCommandLine(FLAGS.expect)]).toEqual([true, true]);
  expect([values.isGiven(FLAGS.client), values.isOnCommandLine(FLAGS.client)]).toEqual([false, false]);
});

test('texts are shown in quotes, escaped, and cut', () => {
  expect(shorten('a\u001b[31m')).toBe('"a\\u001b[31m"');
  expect(shorten('x'.repeat(100))).toBe(`"${'x'.repeat(80)}"...`);
});
