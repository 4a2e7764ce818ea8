import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inPool } from '../../src/fleet/pool.ts';

const NEVER = new AbortController().signal;

test('results come in the order of the items, however long each takes', async () => {
  const results = await inPool(
    [30, 1, 20, 2],
    async (ms) => {
      await sleep(ms);
      return `${ms} ms`;
    },
    { concurrency: 3, signal: NEVER, onProgress: () => {} },
  );
  expect(results).toEqual(['30 ms', '1 ms', '20 ms', '2 ms']);
});

test.each([1, 4, 20])('%i at a time, and no more', async (concurrency) => {
  let running = 0;
  let most = 0;
  const seen: [number, number][] = [];
  await inPool(
    Array.from({ length: 12 }, (_, index) => index),
    async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(2);
      running -= 1;
    },
    { concurrency, signal: NEVER, onProgress: (done, total) => seen.push([done, total]) },
  );
  expect(most).toBe(Math.min(concurrency, 12));
  expect(seen).toEqual(Array.from({ length: 13 }, (_, done) => [done, 12]));
});

test('nothing to do is done at once', async () => {
  const work = async () => 1;
  expect(await inPool([], work, { concurrency: 4, signal: NEVER, onProgress: () => {} })).toEqual([]);
});

test('one that fails ends it, and nothing more is begun', async () => {
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    await sleep(1);
    if (item === 1) throw new Error('so it is');
    await sleep(5);
  };
  const pool = inPool([1, 2, 3, 4], work, { concurrency: 2, signal: NEVER, onProgress: () => {} });
  await expect(pool).rejects.toThrow('so it is');
  await sleep(20);
  expect(begun).toEqual([1, 2]);
});

test('what was given up is no result, whatever the work says', async () => {
  const abort = new AbortController();
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    await sleep(5);
    return 'an answer';
  };
  const options = { concurrency: 2, signal: abort.signal, onProgress: () => {} };
  const pool = inPool([1, 2, 3, 4, 5], work, options);
  abort.abort();
  await expect(pool).rejects.toThrow(/abort/i);
  expect(begun).toEqual([1, 2]);
});
