/** Much to do, a few at a time. */

interface PoolOptions {
  /** How many at a time. */
  readonly concurrency: number;
  /** Aborted: nothing more is begun, and it rejects. */
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** What came of each item, in their order. Rejects with the first that rejects; nothing more is begun then. */
export async function inPool<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  { concurrency, signal, onProgress }: PoolOptions,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  let done = 0;
  let failed = false;
  async function worker(): Promise<void> {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        signal.throwIfAborted();
        results[index] = await work(item);
        signal.throwIfAborted();
      } catch (error) {
        failed = true;
        throw error;
      }
      done += 1;
      onProgress(done, items.length);
    }
  }
  onProgress(0, items.length);
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
