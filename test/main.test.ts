/** The built program as a process: streams, exit codes, signals. `npm test` builds it first. */
import { spawn } from 'node:child_process';
import os from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProcTree } from '../src/demo/proc-tree.ts';
import { makeNode } from './support/made-node.ts';

const MAIN = join(import.meta.dirname, '..', 'dist', 'main.js');
/** The endpoint is an address: nothing is asked of DNS, and no packet leaves. */
const MANY: ProcTree = {
  sockets: Array.from({ length: 400 }, (_, index) => ({
    process: 'kubelet',
    pid: 100,
    local: `10.0.0.1:${10_000 + index}`,
    peer: '203.0.113.7:443',
    state: 'established' as const,
  })),
};

/** Runs a shell command with the program as `$NODE $MAIN`. */
async function shell(command: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'] ?? '', NODE: process.execPath, MAIN };
  const child = spawn('bash', ['-c', command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()),
  );
  return { code: await closed, stdout: (stdout ?? []).join(''), stderr: (stderr ?? []).join('') };
}

/** Tests run on the release line that ships; npm itself runs on the machine's own Node, the oldest of which is 20.12. */
describe('on the Node that npm runs on', () => {
  const node = process.env['npm_node_execpath'] ?? process.execPath;
  const kubeconfig = `printf '%s' '${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'of nobody' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })}' >$folder/config; export KUBECONFIG=$folder/config`;

  test.concurrent.each([
    ['verify --kubernetes', 2, 'Cannot list pods in namespace .*: the connection was refused'],
    [
      'verify --agent=http://127.0.0.1:1',
      2,
      '"http://127.0.0.1:1/api/v1/status": the connection was refused',
    ],
    ['verify --prometheus=http://127.0.0.1:1', 2, 'http://127.0.0.1:1.*: the connection was refused'],
    ['watch --agent=http://127.0.0.1:1 --timeout=1s', 2, 'the connection was refused'],
    ['check --expect=nothing', 64, '--expect "nothing": unknown'],
    ['demo --phase=3s --once --web.listen-address=127.0.0.1:0', 0, 'public-free: true'],
  ])(
    '%s ends with %i and says so',
    async (command, code, words) => {
      const outcome = await shell(
        `folder=$(mktemp -d); ${kubeconfig}; ${node} "$MAIN" ${command}; code=$?; rm -r $folder; exit $code`,
      );
      expect(outcome.stdout + outcome.stderr).toMatch(new RegExp(words));
      expect(outcome.code, outcome.stderr).toBe(code);
    },
    60_000,
  );
});

describe('the program', () => {
  test.concurrent('says its version and its help on stdout, and problems on stderr with 64', async () => {
    expect(await shell('"$NODE" "$MAIN" --version')).toMatchObject({ code: 0, stderr: '' });
    expect((await shell('"$NODE" "$MAIN" --help')).stdout).toContain('Usage: eks-endpoint-exporter');
    expect(await shell('"$NODE" "$MAIN" check --expect=nothing')).toMatchObject({
      code: 64,
      stdout: '',
      stderr: expect.stringContaining('--expect "nothing": unknown; give x-eni, public or any'),
    });
  });

  test
    .runIf(process.platform === 'linux')
    .concurrent('knows the machine without starting a program', async () => {
      const node = makeNode(MANY);
      const off = '--no-probe --no-kubernetes --imds=off';
      const check = `"$NODE" "$MAIN" check --output=json --endpoint=203.0.113.7 ${off} --path.procfs=${node}`;
      // Whoever is started runs this instead, and the check would never end.
      const { code, stdout, stderr } = await shell(
        `traps=$(mktemp -d) && printf '#!/bin/sh\n: >"$0.ran"; sleep 100\n' >$traps/cat && chmod +x $traps/cat &&
        for name in dmesg dmidecode hostname ls; do cp $traps/cat $traps/$name; done &&
        PATH=$traps:$PATH ${check}; code=$?; ls $traps | grep ran >&2; rm -r $traps; exit $code`,
      );
      expect([code, stderr]).toEqual([0, '']);
      const { machine, stages } = JSON.parse(stdout);
      expect(machine).toMatchObject({ kernel: os.release(), arch: os.arch() });
      expect(stages.find(({ stage }: { stage: string }) => stage === 'facts')).toMatchObject({
        success: true,
      });
    });

  test.concurrent('the demo says what it needs where no folder can be made', async () => {
    const { code, stdout, stderr } = await shell('TMPDIR=/dev/null "$NODE" "$MAIN" demo --once');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^[^\n]*cannot run the demo: it needs a folder[^\n]*TMPDIR[^\n]*ENOTDIR[^\n]*\n$/);
  });

  test.concurrent('a reader that is slow gets the whole answer', async () => {
    const node = makeNode(MANY);
    const check = `"$NODE" "$MAIN" check --output=json --endpoint=203.0.113.7 --vpc-cidr=203.0.113.0/24 --path.procfs=${node}`;
    const { stdout } = await shell(`${check} | { sleep 2; cat; }`);
    expect(stdout.length).toBeGreaterThan(100_000);
    expect(JSON.parse(stdout).clients[0].connections).toHaveLength(400);
  });

  test.concurrent('a reader that goes away is no error', async () => {
    const node = makeNode(MANY);
    const check = `"$NODE" "$MAIN" check --endpoint=203.0.113.7 --vpc-cidr=203.0.113.0/24 --path.procfs=${node}`;
    const { stdout, stderr } = await shell(`${check} | head -1; echo "code \${PIPESTATUS[0]}"`);
    expect(stdout).toMatch(/^Node .*\ncode 0\n$/);
    expect(stderr).toBe('');
  });

  test
    .runIf(process.platform === 'linux')
    .concurrent('an answer that could not be written is none', async () => {
      const node = makeNode(MANY);
      const check = `"$NODE" "$MAIN" check --endpoint=203.0.113.7 --vpc-cidr=203.0.113.0/24 --path.procfs=${node}`;
      const { code, stderr } = await shell(`${check} >/dev/full`);
      expect(code).toBe(2);
      expect(stderr).toContain('Cannot write: ENOSPC');
    });
});
