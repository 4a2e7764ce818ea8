import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { runWatch } from '../../src/commands/watch.ts';
import { type ProcTree, writeProcTree } from '../../src/demo/proc-tree.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { renderJson } from '../../src/output/json.ts';
import { ENTER_SCREEN, LEAVE_SCREEN } from '../../src/output/watch/screen.ts';
import { configOf } from '../support/invocation.ts';
import { makeNode } from '../support/made-node.ts';
import { answering, failing, type TestRuntime, testRuntime } from '../support/runtime.ts';
import { looksAt, STEPS } from '../support/watched.ts';

const PUBLIC = '3.34.148.207';
const X_ENI = '192.168.1.231';

function kubeletTo(peer: string, inode: number): ProcTree {
  return {
    sockets: [
      {
        process: 'kubelet',
        pid: 100,
        local: `192.168.1.204:${inode}`,
        peer: `${peer}:443`,
        state: 'established',
        inode,
      },
      { local: '[::]:10250', state: 'listen' },
    ],
  };
}

const ON_PUBLIC = kubeletTo(PUBLIC, 40_001);
const ON_X_ENI = kubeletTo(X_ENI, 40_002);

function watch(runtime: TestRuntime, root: string, ...flags: readonly string[]): Promise<number> {
  const node = ['--endpoint=api.example', `--path.procfs=${root}`, '--x-eni=192.168.1.231', '--no-probe'];
  return runWatch(configOf('watch', ...node, ...flags), runtime);
}

async function untilSaid(runtime: TestRuntime, text: RegExp): Promise<void> {
  while (!text.test(runtime.out.join(''))) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** An agent that says these, one after the other, and then the last again and again; where there are none, nothing. */
function saying(...statuses: readonly NodeStatus[]): TestRuntime {
  const left = [...statuses];
  let last: NodeStatus | undefined;
  return testRuntime({
    request: async ({ url }) => {
      last = left.shift() ?? last;
      if (last === undefined) throw new Error(`Cannot ask "${url}": the connection was refused`);
      return { status: 200, headers: {}, body: renderJson(last) };
    },
  });
}

function follow(runtime: TestRuntime, ...flags: readonly string[]): Promise<number> {
  return runWatch(configOf('watch', '--agent=http://127.0.0.1:10943', ...flags), runtime);
}

describe('in a pipe', () => {
  test.concurrent('the state, a line a change as it is seen, and at SIGTERM what moved; exit code 0', async () => {
    const root = makeNode(ON_PUBLIC);
    const runtime = testRuntime({ resolve: answering([PUBLIC]) });
    const ended = watch(runtime, root);
    await untilSaid(runtime, /^\S+Z status node: route public/m);
    writeProcTree(root, ON_X_ENI);
    await untilSaid(runtime, / route unknown -> x-eni: /);
    runtime.raise('SIGTERM');
    expect(await ended).toBe(0);
    const text = runtime.out.join('');
    expect(text).toMatch(
      /^\S+Z connection-opened kubelet 192\.168\.1\.204:40002 -> 192\.168\.1\.231:443 \(x-eni\)$/m,
    );
    expect(text).toMatch(/^\S+Z route public -> unknown: \S/m);
    expect(text).toMatch(/^Node route: public -> x-eni$/m);
    expect(runtime.err).toEqual([]);
    expect(runtime.listening()).toBe(0);
  });

  test.concurrent('as JSON lines: status, changes, summary', async () => {
    const root = makeNode(ON_PUBLIC);
    const runtime = testRuntime({ resolve: answering([PUBLIC]) });
    const ended = watch(runtime, root, '--output=json');
    await untilSaid(runtime, /"kind":"status"/);
    writeProcTree(root, ON_X_ENI);
    await untilSaid(runtime, /"kind":"client-route"/);
    runtime.raise('SIGINT');
    expect(await ended).toBe(0);
    const lines = runtime.out.map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ kind: 'status', node: 'node', route: 'public', findings: [] });
    expect(lines.at(-1)).toMatchObject({
      kind: 'summary',
      ended: 'signal',
      exitCode: 0,
      route: ['public', 'unknown'],
      clients: { kubelet: ['public', 'x-eni'] },
    });
    expect(lines.find(({ kind }) => kind === 'client-route')).toMatchObject({
      subject: 'kubelet',
      route: 'unknown',
    });
  });

  test.concurrent('it ends quietly when nobody reads on', async () => {
    const runtime = testRuntime({ resolve: answering([PUBLIC]) });
    const ended = watch(runtime, makeNode(ON_PUBLIC));
    await untilSaid(runtime, /status node/);
    runtime.closeStdout();
    expect(await ended).toBe(0);
    expect(runtime.err).toEqual([]);
  });

  test.concurrent('what cannot be written ends it with 2, and is no look that failed', async () => {
    const runtime = testRuntime({ resolve: answering([PUBLIC]) });
    const stdout = {
      ...runtime.stdout,
      write: () => {
        throw new Error('no space left');
      },
    };
    expect(await watch({ ...runtime, stdout }, makeNode(ON_PUBLIC))).toBe(2);
    expect(runtime.err).toHaveLength(1);
    expect(runtime.err[0]).toContain('msg="cannot watch" error="no space left"');
    expect(runtime.listening()).toBe(0);
  });
});

describe('on a terminal', () => {
  test.concurrent('frames that follow the size of the terminal; left as it was', async () => {
    const runtime = testRuntime({ terminal: true, resolve: answering([PUBLIC]) });
    const ended = watch(runtime, makeNode(ON_PUBLIC));
    await untilSaid(runtime, /Route {3}public/);
    const before = runtime.out.length;
    Object.assign(runtime.size, { columns: 40, rows: 5 });
    runtime.raise('SIGWINCH');
    // At once, not at the next look.
    const frame = stripVTControlCharacters(runtime.out[before] ?? '').split('\r\n');
    expect(frame).toHaveLength(5);
    expect(Math.max(...frame.map(({ length }) => length))).toBe(39);
    runtime.raise('SIGINT');
    expect(await ended).toBe(0);
    expect(runtime.out.at(-2)).toBe(LEAVE_SCREEN);
    expect(runtime.out.at(-1)).toMatch(/^Watched node for \d s/);
  });

  test.concurrent('stopped by Ctrl-Z the shell has its terminal back, and it is drawn anew when it goes on', async () => {
    const runtime = testRuntime({ terminal: true, resolve: answering([PUBLIC]) });
    const ended = watch(runtime, makeNode(ON_PUBLIC));
    await untilSaid(runtime, /Route {3}public/);
    const before = runtime.out.length;
    runtime.raise('SIGTSTP');
    runtime.raise('SIGCONT');
    expect(runtime.out.slice(before)).toEqual([
      ...[LEAVE_SCREEN, 'suspended', ENTER_SCREEN],
      expect.stringMatching(/Route {3}public/),
    ]);
    runtime.raise('SIGINT');
    expect(await ended).toBe(0);
    expect(runtime.out.filter((text) => text === LEAVE_SCREEN)).toHaveLength(2);
    expect(runtime.listening()).toBe(0);
  });

  test.concurrent('an error leaves it as it was, too', async () => {
    const runtime = testRuntime({ terminal: true, resolve: answering([PUBLIC]) });
    expect(await watch({ ...runtime, stdout: failingAt(3, runtime) }, makeNode(ON_PUBLIC))).toBe(2);
    expect(runtime.out.at(-1)).toBe(LEAVE_SCREEN);
    expect(runtime.err.join('')).toContain('it cannot be drawn');
  });
});

/** A terminal on which the frame of that number cannot be drawn. */
function failingAt(number: number, { stdout }: TestRuntime): TestRuntime['stdout'] {
  let writes = 0;
  return {
    ...stdout,
    write(text) {
      writes += 1;
      if (writes === number) throw new Error('it cannot be drawn');
      stdout.write(text);
    },
  };
}

describe('what is waited for', () => {
  const [onPublic, , , , moved, later] = looksAt(
    ...[STEPS.public, STEPS.flipped, STEPS.mixed, STEPS.moved, STEPS.moved, STEPS.moved],
  );
  if (onPublic === undefined || moved === undefined || later === undefined) throw new RangeError('no look');

  test.concurrent('reached: 0, and it ends by itself', async () => {
    const runtime = saying(onPublic, moved);
    expect(await follow(runtime, '--until=x-eni', '--timeout=20s')).toBe(0);
    expect(runtime.out.join('')).toContain('x-eni was reached.');
    expect(runtime.out.join('')).toMatch(/ route public -> x-eni|unknown -> x-eni/);
  });

  test.concurrent('known not to hold when the time is up: 1', async () => {
    const runtime = saying(onPublic);
    expect(await follow(runtime, '--until=x-eni', '--timeout=1s')).toBe(1);
    expect(runtime.out.join('')).toContain('The time is up and x-eni does not hold.');
    expect(await follow(saying(onPublic), '--until=public-free', '--timeout=1s')).toBe(1);
  });

  test.concurrent('not known when the time is up: 2', async () => {
    expect(await follow(saying({ ...onPublic, route: 'none' }), '--until=x-eni', '--timeout=1s')).toBe(2);
    expect(await follow(saying(), '--until=x-eni', '--timeout=1s')).toBe(2);
    // Its gate is unknown: it has not been on the X-ENIs for long enough.
    const runtime = saying(moved, later);
    expect(await follow(runtime, '--until=public-free', '--timeout=2s')).toBe(2);
    expect(runtime.out.join('')).toContain('it cannot be told whether public-free holds');
  });

  test.concurrent('a copy of a status that was good once does not reach it', async () => {
    expect(await follow(saying(moved), '--until=x-eni', '--timeout=3s')).toBe(2);
  });

  test.concurrent('an agent that became silent does not, though it was good when it last spoke', async () => {
    let asked = 0;
    const runtime = testRuntime({
      request: async ({ url }) => {
        asked += 1;
        if (asked > 1) throw new Error(`Cannot ask "${url}": the connection was refused`);
        return { status: 200, headers: {}, body: renderJson(onPublic) };
      },
    });
    // It said false, and nobody knows what it would say now.
    expect(await follow(runtime, '--until=x-eni', '--timeout=2s')).toBe(2);
    const text = runtime.out.join('');
    expect(text).toMatch(/^\S+Z silent the agent does not answer: Cannot ask .*refused$/m);
    expect(text).toContain('Node route: public -> unknown');
  });

  test.concurrent('another node behind the same address does not reach it', async () => {
    const [ready, still] = [moved, later].map((status) => ({ ...status, node: 'another' }));
    const runtime = saying(...[onPublic, ready, still].filter((one) => one !== undefined));
    expect(await follow(runtime, '--until=x-eni', '--timeout=3s')).toBe(2);
    expect(runtime.out.join('')).toContain('answers for another node now, "another"');
    expect(runtime.out.join('')).toContain('Watched ip-192-168-1-204 for');
  });

  test.concurrent('ended by a signal before: 2', async () => {
    const runtime = saying(onPublic);
    const ended = follow(runtime, '--until=x-eni');
    await untilSaid(runtime, /status/);
    runtime.raise('SIGINT');
    expect(await ended).toBe(2);
    expect(runtime.out.join('')).toContain('Ended before x-eni was reached.');
  });

  test.concurrent('x-eni takes two looks of its own', async () => {
    const runtime = testRuntime({ resolve: answering([X_ENI]) });
    const root = makeNode(ON_X_ENI);
    expect(await watch(runtime, root, '--until=x-eni', '--timeout=20s')).toBe(0);
    expect(runtime.out.join('')).toMatch(/: [2-9] looks\. x-eni was reached\.$/m);
  });
});

describe('without a goal', () => {
  test.concurrent('the time is up: 0', async () => {
    const runtime = testRuntime({ resolve: failing });
    expect(await watch(runtime, makeNode(ON_PUBLIC), '--timeout=2s')).toBe(0);
    expect(runtime.out.join('')).toContain('The time is up.');
  });

  test.concurrent('where nothing was ever seen: 2', async () => {
    const runtime = saying();
    expect(await follow(runtime, '--timeout=1s')).toBe(2);
    expect(runtime.out.join('')).toContain('Nothing was seen for 1 s');
  });
});
