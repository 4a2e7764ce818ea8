import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { runDemo } from '../../src/commands/demo.ts';
import { configOf } from '../support/invocation.ts';
import { failing, type TestRuntime, testRuntime } from '../support/runtime.ts';

/** The folders of demos, running or left behind. */
function folders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('eks-endpoint-demo-'));
}

const before = folders();

async function untilSaid(runtime: TestRuntime, text: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const match = text.exec(runtime.out.join(''));
    if (match !== null) return match;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the demo', () => {
  test.concurrent('tells public, flipped, stale and moved, serves each, and ends with 0', {
    timeout: 60_000,
  }, async () => {
    // The system's resolver must not be asked: the demo answers DNS itself.
    // And the machine it runs on is none of its business.
    const askMachine = vi.fn(() => new Promise<never>(() => {}));
    const runtime = testRuntime({ resolve: failing, askMachine });
    const ended = runDemo(configOf('demo', '--phase=3s', '--web.listen-address=127.0.0.1:0'), runtime);
    const [, url = ''] = await untilSaid(runtime, /(http:\/\/127\.0\.0\.1:\d+)\/metrics/);
    await untilSaid(runtime, /=== 3\/4 stale/);
    await untilSaid(runtime, /WARNING StaleConnection: kubelet/);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'eks_endpoint_stale_connections{client="kubelet"} 1',
    );
    expect(await ended).toBe(0);
    const told = runtime.out.join('');
    const order = [
      '=== 1/4 public',
      'WARNING DnsPublic',
      '=== 2/4 flipped',
      'INFO ConnectionMoving',
      '=== 3/4 stale',
      'WARNING StaleConnection',
      '=== 4/4 moved',
      'Node route: x-eni',
    ];
    expect(told).toMatch(/^Machine {3}Amazon EC2 m7i\.large, x64, kernel 6\.12\.40$/m);
    expect(askMachine).not.toHaveBeenCalled();
    const places = order.map((text) => told.indexOf(text));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(runtime.err).toEqual([]);
  });

  test.concurrent('on a terminal it goes on until Ctrl-C, cleans up and ends with 0', async () => {
    const runtime = testRuntime({ terminal: true });
    const ended = runDemo(configOf('demo', '--phase=3s', '--web.listen-address=127.0.0.1:0'), runtime);
    await untilSaid(runtime, /Node route: public/);
    expect(runtime.out[0]).toContain('again and again, each round with a new agent: Ctrl-C ends it.');
    runtime.raise('SIGINT');
    expect(await ended).toBe(0);
  });

  test.concurrent('where the port is taken it serves on a free one and says so', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
    const address = squatter.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const runtime = testRuntime({ terminal: true });
    const ended = runDemo(configOf('demo', '--phase=3s', `--web.listen-address=127.0.0.1:${port}`), runtime);
    const [, other] = await untilSaid(runtime, /http:\/\/127\.0\.0\.1:(\d+)\/metrics/);
    expect(other).not.toBe(String(port));
    expect(runtime.err.join('')).toContain('another process listens there');
    runtime.raise('SIGTERM');
    expect(await ended).toBe(0);
    squatter.close();
  });
});

test('no folder is left behind', () => {
  expect(folders().filter((name) => !before.includes(name))).toEqual([]);
});
