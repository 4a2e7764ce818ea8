import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { logChanges, runAgent } from '../../src/commands/agent.ts';
import { assembleAgent } from '../../src/commands/assembly.ts';
import type { Config } from '../../src/config.ts';
import { writeProcTree } from '../../src/demo/proc-tree.ts';
import { createLog } from '../../src/log.ts';
import { configOf } from '../support/invocation.ts';
import { makeNode } from '../support/made-node.ts';
import { answering, failing, steppedClock, type TestRuntime, testRuntime } from '../support/runtime.ts';

function listeningOn(address: string): Config {
  const root = makeNode({
    sockets: [
      {
        process: 'kubelet',
        pid: 100,
        local: '192.168.1.204:40000',
        peer: '3.34.148.207:443',
        state: 'established',
      },
    ],
  });
  return configOf(
    'agent',
    '--endpoint=api.example',
    `--path.procfs=${root}`,
    `--web.listen-address=${address}`,
  );
}

/** The port that the agent says it listens on. */
async function portOf(runtime: TestRuntime): Promise<number> {
  for (;;) {
    const port = /msg=listening .*port=(\d+)/.exec(runtime.err.join(''))?.[1];
    if (port !== undefined) return Number(port);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('the agent serves metrics, status, page and health until SIGTERM, and ends with 0', async () => {
  const runtime = testRuntime({ resolve: answering(['3.34.148.207']) });
  const ended = runAgent(listeningOn('127.0.0.1:0'), runtime);
  // A forgotten expectation is seen here and nowhere else.
  expect(runtime.err[0]).toMatch(/ msg=starting version=\S+ node=\S+ expect=any attribution=process\n$/);
  const url = `http://127.0.0.1:${await portOf(runtime)}`;
  const metrics = await fetch(`${url}/metrics`);
  expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(await metrics.text()).toContain('eks_endpoint_node_route{route=');
  const status = await (await fetch(`${url}/api/v1/status`)).json();
  expect(status).toMatchObject({
    schemaVersion: 1,
    clients: [{ client: 'kubelet' }, { client: 'kube-proxy' }],
  });
  expect(await (await fetch(`${url}/`)).text()).toContain('<!doctype html>');
  expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
  expect((await fetch(`${url}/-/ready`)).status).toBe(200);
  runtime.raise('SIGHUP');
  runtime.raise('SIGTERM');
  expect(await ended).toBe(0);
  expect(runtime.err.join('')).toContain('reading configuration files anew');
  await expect(fetch(`${url}/metrics`)).rejects.toThrow();
});

test('a port in use ends it with 1 and a sentence', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  const address = squatter.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const runtime = testRuntime();
  expect(await runAgent(listeningOn(`127.0.0.1:${port}`), runtime)).toBe(1);
  expect(runtime.err.join('')).toMatch(
    /level=error msg="cannot start" error="Cannot listen on .*another process listens there/,
  );
  squatter.close();
});

test('the log tells what changed, and a stage that fails once only', async () => {
  const { clock, step } = steppedClock();
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'logfmt',
    write: (line) => lines.push(line),
    now: () => new Date(0),
  });
  const root = makeNode({
    sockets: [
      {
        process: 'kubelet',
        pid: 100,
        local: '10.0.0.1:40000',
        peer: '3.34.148.207:443',
        state: 'established',
      },
    ],
  });
  const config = configOf('agent', '--endpoint=api.example', `--path.procfs=${root}`);
  const agent = assembleAgent(config, testRuntime({ clock, resolve: failing }), {
    log,
    onStatus: (status, before) => logChanges(log, status, before),
  });
  await agent.refreshSources();
  await agent.look();
  step(10_000);
  await agent.look();
  expect(lines.filter((line) => line.includes('msg="a stage failed" stage=dns'))).toHaveLength(1);
  writeProcTree(root, {});
  step(10_000);
  await agent.look();
  agent.stop();
  const told = lines.filter((line) => /msg=(?:route|client|connection-closed)/.test(line));
  expect(told.map((line) => line.replace(/^.*msg=/, ''))).toEqual([
    'route detail="unknown -> public" reason="every endpoint connection of kubelet is on a public address"',
    'client detail="kubelet is gone"',
    'connection-closed detail="kubelet 10.0.0.1:40000 -> 3.34.148.207:443 (public)"',
    'route detail="public -> unknown" reason="kubelet is not running, and it is required"',
  ]);
});
