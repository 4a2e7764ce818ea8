import { expect, test } from 'vitest';
import { assembleAgent, contentOf } from '../../src/commands/assembly.ts';
import { createLog } from '../../src/log.ts';
import { configOf } from '../support/invocation.ts';
import { makeNode } from '../support/made-node.ts';
import { answering, steppedClock, testRuntime } from '../support/runtime.ts';

test('metrics are rendered once for each status, and anew for the next', async () => {
  const { clock, step } = steppedClock();
  const runtime = testRuntime({ clock, resolve: answering(['3.34.148.207']) });
  let rendered = 0;
  const selfUsage = () => {
    rendered++;
    return runtime.selfUsage();
  };
  const counting = { ...runtime, selfUsage };
  const config = configOf('agent', '--endpoint=api.example', `--path.procfs=${makeNode({})}`);
  const log = createLog({ level: 'error', format: 'logfmt', write: () => {}, now: () => new Date(0) });
  const content = contentOf(assembleAgent(config, counting, { log }), counting);
  const [first, second] = await Promise.all([content.metrics(1_000), content.metrics(1_000)]);
  expect(second).toEqual(first);
  const before = rendered;
  await content.metrics(1_000);
  expect(rendered).toBe(before);
  step(2_000);
  await content.metrics(1_000);
  expect(rendered).toBe(before + 1);
});

test.each([
  [['--x-eni=192.168.1.231', '--x-eni=2600:1f16::1'], 0],
  [['--x-eni=3.34.148.0/24'], 1],
  [['--x-eni=3.34.148.0/24', '--vpc-cidr=3.34.0.0/16'], 0],
  [['--x-eni=2600:1f16::1', '--vpc-cidr=2600:1f17::/56'], 1],
])('%j: an X-ENI that is not believed is said in the log', (flags, warnings) => {
  const lines: string[] = [];
  const log = createLog({
    level: 'warn',
    format: 'logfmt',
    write: (line) => lines.push(line),
    now: () => new Date(0),
  });
  assembleAgent(configOf('agent', ...flags), testRuntime(), { log });
  expect(lines.filter((line) => line.includes('not taken for X-ENIs'))).toHaveLength(warnings);
});
