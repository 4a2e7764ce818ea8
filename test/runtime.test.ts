import { expect, test } from 'vitest';
import { untilSignal } from '../src/runtime.ts';
import { testRuntime } from './support/runtime.ts';

test('the first of the signals ends the wait, and no other is listened for after it', async () => {
  const runtime = testRuntime();
  const seen = untilSignal(runtime, ['SIGTERM', 'SIGINT']);
  runtime.raise('SIGHUP');
  runtime.raise('SIGINT');
  runtime.raise('SIGTERM');
  expect(await seen).toBe('SIGINT');
  expect(runtime.listening()).toBe(0);
});
