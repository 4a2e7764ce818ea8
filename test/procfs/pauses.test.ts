import { expect, test } from 'vitest';
import { Pauses } from '../../src/procfs/pauses.ts';

test('a pause is due 8 ms after the last one', async () => {
  let nowMs = 1000;
  const pauses = new Pauses(() => nowMs, 5000);
  expect(pauses.due()).toBe(false);
  nowMs += 7.9;
  expect(pauses.due()).toBe(false);
  nowMs += 0.1;
  expect(pauses.due()).toBe(true);
  await pauses.pause();
  expect(pauses.due()).toBe(false);
});

test('stretches are what lies between pauses', async () => {
  const pauses = new Pauses(() => 0, 5000);
  expect(pauses.stretches).toBe(0);
  await pauses.pause();
  await pauses.pause();
  expect(pauses.stretches).toBe(2);
});

test('a pause lets others run', async () => {
  const pauses = new Pauses(() => 0, 5000);
  let ran = false;
  setImmediate(() => {
    ran = true;
  });
  await pauses.pause();
  expect(ran).toBe(true);
});

test('a pause behind the deadline throws', async () => {
  let nowMs = 1000;
  const pauses = new Pauses(() => nowMs, 5000);
  nowMs = 5999;
  await pauses.pause();
  nowMs = 6000;
  await expect(pauses.pause()).rejects.toThrow('not done within 5 s');
});
