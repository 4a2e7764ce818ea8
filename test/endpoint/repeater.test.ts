import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { jittered, Repeater } from '../../src/endpoint/repeater.ts';
import type { Clock } from '../../src/model/observation.ts';

// The wall clock is stepped backwards all the time: only the monotonic one counts.
const clock: Clock = () => ({ wallMs: -Date.now(), monotonicMs: Date.now() - startedAt });
let startedAt = 0;

beforeEach(() => {
  vi.useFakeTimers();
  startedAt = Date.now();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that takes `takesMs`, is to be repeated after `inMs`, and writes down when it began. */
function working({ takesMs = 0, inMs = 60_000 } = {}): { repeater: Repeater; began: number[] } {
  const began: number[] = [];
  const repeater = new Repeater(async () => {
    began.push(clock().monotonicMs);
    if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    return inMs;
  }, clock);
  return { repeater, began };
}

describe('again and again', () => {
  test('nothing is done before somebody asks', async () => {
    const { began } = working();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(began).toEqual([]);
  });

  test('each time counts from the end of the one before', async () => {
    const { repeater, began } = working({ takesMs: 5_000 });
    void repeater.now();
    await vi.advanceTimersByTimeAsync(150_000);
    expect(began).toEqual([0, 65_000, 130_000]);
  });

  test('who comes while it works joins it', async () => {
    const { repeater, began } = working({ takesMs: 5_000 });
    const first = repeater.now();
    await vi.advanceTimersByTimeAsync(1_000);
    const second = repeater.now();
    await vi.advanceTimersByTimeAsync(4_000);
    await Promise.all([first, second]);
    expect(began).toEqual([0]);
  });

  test('who asks in between starts it, and the next time counts from there', async () => {
    const { repeater, began } = working();
    await repeater.now();
    await vi.advanceTimersByTimeAsync(50_000);
    await repeater.now();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(began).toEqual([0, 50_000, 110_000]);
  });

  test.each([Number.POSITIVE_INFINITY, 2 ** 31])('in %d ms is not at once', async (inMs) => {
    const { repeater, began } = working({ inMs });
    await repeater.now();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(began).toEqual([0]);
  });

  test('its timer does not keep the process alive', async () => {
    const timers: NodeJS.Timeout[] = [];
    const original = setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((callback, ms) => {
      const timer = original(callback, ms);
      timers.push(timer);
      return timer;
    });
    const { repeater } = working();
    await repeater.now();
    vi.mocked(setTimeout).mockRestore();
    expect(timers.map((timer) => timer.hasRef())).toEqual([false]);
  });
});

describe('soon', () => {
  test('is at once where it never worked', async () => {
    const { repeater, began } = working();
    repeater.soon(10_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(began).toEqual([0]);
  });

  test('is at once where the last time is long ago', async () => {
    const { repeater, began } = working();
    await repeater.now();
    await vi.advanceTimersByTimeAsync(30_000);
    repeater.soon(10_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(began).toEqual([0, 30_000]);
  });

  test('waits until the gap since it last began has passed, once for all who asked', async () => {
    const { repeater, began } = working({ takesMs: 2_000 });
    void repeater.now();
    for (let second = 0; second < 9; second += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      repeater.soon(10_000);
    }
    await vi.advanceTimersByTimeAsync(30_000);
    expect(began).toEqual([0, 10_000]);
  });

  test('asked all the time, it works once a gap', async () => {
    const { repeater, began } = working();
    for (let second = 0; second < 39; second += 1) {
      repeater.soon(10_000);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(began).toEqual([0, 10_000, 20_000, 30_000]);
  });

  test('asked while it works, it works once more: that work began before', async () => {
    const { repeater, began } = working({ takesMs: 15_000 });
    void repeater.now();
    await vi.advanceTimersByTimeAsync(14_000);
    repeater.soon(10_000);
    repeater.soon(10_000);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(began).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(28_000);
    expect(began).toHaveLength(2);
  });

  test('never puts off what is due before', async () => {
    const { repeater, began } = working({ inMs: 5_000 });
    await repeater.now();
    repeater.soon(10_000);
    await vi.advanceTimersByTimeAsync(7_000);
    expect(began).toEqual([0, 5_000]);
  });

  test('who works now needs not work soon', async () => {
    const { repeater, began } = working();
    await repeater.now();
    repeater.soon(10_000);
    await vi.advanceTimersByTimeAsync(5_000);
    await repeater.now();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(began).toEqual([0, 5_000]);
  });
});

describe('stopped', () => {
  test('it works no more, whoever asks', async () => {
    const { repeater, began } = working();
    await repeater.now();
    repeater.soon(10_000);
    repeater.stop();
    await repeater.now();
    repeater.soon(10_000);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(began).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('while it works, it comes to its end and sets no timer', async () => {
    const { repeater, began } = working({ takesMs: 5_000 });
    const work = repeater.now();
    repeater.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    await work;
    expect(began).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('jitter is a fifth to both sides', () => {
  expect([0, 0.5, 1].map((random) => Math.round(jittered(1_000, () => random)))).toEqual([800, 1_000, 1_200]);
});
