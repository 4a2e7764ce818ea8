import { describe, expect, test } from 'vitest';
import { exitCodeOf, runCheck } from '../../src/commands/check.ts';
import type { Config } from '../../src/config.ts';
import type { ProcTree } from '../../src/demo/proc-tree.ts';
import { NODE_ROUTES, type NodeStatus } from '../../src/model/status.ts';
import { configOf } from '../support/invocation.ts';
import { makeNode } from '../support/made-node.ts';
import { Watch } from '../support/observation.ts';
import { answering, failing, testRuntime } from '../support/runtime.ts';

const ON_PUBLIC: ProcTree = {
  sockets: [
    {
      process: 'kubelet',
      pid: 100,
      local: '192.168.1.204:40000',
      peer: '3.34.148.207:443',
      state: 'established',
    },
  ],
};

function onNode(tree: ProcTree, ...flags: string[]): Config {
  return configOf('check', '--endpoint=api.example', `--path.procfs=${makeNode(tree)}`, ...flags);
}

describe('exit codes', () => {
  const status = new Watch().look();

  test.each(NODE_ROUTES.map((route) => ({ route })))('$route with any, x-eni and public', ({ route }) => {
    const codes = (['any', 'x-eni', 'public'] as const).map((expectedRoute) =>
      exitCodeOf({ ...status, route, expectedRoute }),
    );
    const expected: Readonly<Record<string, readonly number[]>> = {
      'x-eni': [0, 0, 1],
      public: [0, 1, 0],
      mixed: [0, 1, 1],
      other: [0, 1, 1],
      none: [2, 2, 2],
      unknown: [2, 2, 2],
    };
    expect(codes).toEqual(expected[route]);
  });
});

describe('a check', () => {
  test.concurrent('reports as a table', async () => {
    const runtime = testRuntime({ resolve: answering(['3.34.148.207']) });
    expect(await runCheck(onNode(ON_PUBLIC, '--expect=x-eni'), runtime)).toBe(1);
    expect(runtime.out.join('')).toMatch(/^ESTAB .* 3\.34\.148\.207:443 +public +dns +kubelet \(pid 100\)$/m);
    expect(runtime.err).toEqual([]);
  });

  test.concurrent('reports as the node status in JSON, of the second look', async () => {
    const runtime = testRuntime({ resolve: answering(['3.34.148.207']) });
    expect(await runCheck(onNode(ON_PUBLIC, '--output=json'), runtime)).toBe(0);
    const status: NodeStatus = JSON.parse(runtime.out.join(''));
    expect(status).toMatchObject({ schemaVersion: 1, route: 'public', scan: { scans: 2 } });
    expect(Date.parse(status.observedAt) - Date.parse(status.observedSince)).toBeGreaterThanOrEqual(1_000);
  });

  test.concurrent('without DNS still tells a public address, and what failed', async () => {
    const runtime = testRuntime({ resolve: failing });
    expect(await runCheck(onNode(ON_PUBLIC), runtime)).toBe(0);
    expect(runtime.out.join('')).toContain('Stage dns failed: the resolver did not answer in time');
  });

  test.concurrent('without a kubelet cannot tell', async () => {
    const runtime = testRuntime({ resolve: answering(['3.34.148.207']) });
    expect(await runCheck(onNode({}), runtime)).toBe(2);
    expect(runtime.out.join('')).toContain('ClientMissing');
  });

  test.concurrent('with an unforeseen error cannot tell', async () => {
    const runtime = testRuntime();
    const stdout = {
      ...runtime.stdout,
      write: () => {
        throw new Error('no space left');
      },
    };
    expect(await runCheck(onNode(ON_PUBLIC), { ...runtime, stdout })).toBe(2);
    expect(runtime.err.join('')).toContain('no space left');
  });

  test.concurrent('a route that is not the expected one is a finding at once', async () => {
    const tree: ProcTree = {
      sockets: [
        {
          process: 'kubelet',
          pid: 100,
          local: '192.168.1.204:40000',
          peer: '192.168.1.231:443',
          state: 'established',
        },
      ],
    };
    const runtime = testRuntime({ resolve: answering(['192.168.1.231']) });
    expect(await runCheck(onNode(tree, '--expect=x-eni'), runtime)).toBe(1);
    expect(runtime.out.join('')).toContain('UnexpectedRoute');
  });
});
