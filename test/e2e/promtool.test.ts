/** What Prometheus' own linter says of the golden metrics. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from './lib/command.ts';
import { describeOnSockets } from './lib/tools.ts';

const GOLDEN = globSync(join(import.meta.dirname, '..', 'golden', '*.metrics.txt'));

describeOnSockets('promtool finds nothing to say of the golden metrics', () => {
  test('there are some', () => {
    expect(GOLDEN.length).toBeGreaterThanOrEqual(4);
  });

  test.each(GOLDEN.map((file) => [file.split('/').at(-1), file]))('%s', async (_, file = '') => {
    const silent = { code: 0, stdout: '', stderr: '' };
    expect(await run('promtool', ['check', 'metrics'], { input: readFileSync(file, 'utf8') })).toEqual(
      silent,
    );
  });
});
