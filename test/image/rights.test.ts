/**
 * The image with exactly the rights that daemonset.yaml gives it, on a node of real sockets; and what is left of its
 * answers when one of them is taken away: never a green.
 *
 * "The host" is the lab's node here: hostPID is the namespace of its processes (podman's --pid=ns:), hostNetwork that
 * of its network.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ATTRIBUTIONS, type Attribution } from '../../src/model/status.ts';
import { PUBLIC, X_ENI } from '../e2e/lib/cluster.ts';
import {
  expectConnections,
  expectGate,
  expectNeverXEni,
  expectRaised,
  expectRoute,
} from '../e2e/lib/expect.ts';
import type { View } from '../e2e/lib/views.ts';
import { Container, NODE_NAME, runContainer } from './lib/container.ts';
import { podman } from './lib/engine.ts';
import { builtImage } from './lib/image.ts';
import { type Pod, readPod } from './lib/manifest.ts';
import { Node } from './lib/node.ts';
import { describeOnContainers } from './lib/tools.ts';

const LESS = [
  { what: 'without SYS_PTRACE', pod: withSecurity({ capabilities: { drop: ['ALL'] } }), why: /EACCES/ },
  { what: "without the host's processes", pod: withSpec({ hostPID: false }), why: /hostPID/ },
  {
    what: 'as another user',
    pod: withSecurity({ runAsUser: 65532, runAsGroup: 65532, runAsNonRoot: true }),
    why: /EACCES/,
  },
] as const;

describeOnContainers("the image with the manifest's rights", () => {
  test.concurrent('sees whose the sockets are, through a whole migration', async () => {
    await using node = await Node.make(PUBLIC);
    await using container = await Container.start(node.lab, {
      pod: readPod(),
      args: ['agent', '--scan-interval=1s'],
    });
    const agent = await container.agent(node.lab);
    const { status } = await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectAttribution(view, 'process');
      expectGate(view, 'private-ready', 'true');
    });
    expect(status.node).toBe(NODE_NAME);
    expect(status.expectedRoute).toBe('any');
    // The kubeconfig is a file of the node's, which the container sees through /proc/<pid>/root alone.
    expect(status.endpoint).toMatchObject({ hostname: node.lab.hostname, source: 'kubelet-kubeconfig' });
    expect(status.xEni?.sources).toEqual(['endpointslice']);
    await node.lab.flipDns(X_ENI);
    await agent.eventually((view) => {
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 1 });
      expectConnections(view, 'kube-proxy', { routes: { public: 1 }, stale: 1 });
      expectRaised(view, 'ConnectionMoving');
    });
    await node.reconnect();
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectConnections(view, 'kubelet', { routes: { 'x-eni': 1 }, stale: 0 });
      expectConnections(view, 'kube-proxy', { routes: { 'x-eni': 1 }, stale: 0 });
      expectGate(view, 'public-free', 'true');
    });
  });

  test.concurrent('is given what the manifest says and no more', async () => {
    await using node = await Node.make(X_ENI);
    await using container = await Container.start(node.lab, { pod: readPod() });
    await container.agent(node.lab);
    const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
    const SYS_PTRACE = (1n << 19n).toString(16).padStart(16, '0');
    for (const set of ['CapEff', 'CapPrm', 'CapBnd']) expect(lineOf(status, set), set).toBe(SYS_PTRACE);
    expect(lineOf(status, 'NoNewPrivs')).toBe('1');
    // 2: filtered by a profile.
    expect(lineOf(status, 'Seccomp')).toBe('2');
    expect(lineOf(status, 'Uid')).toBe('0\t0\t0\t0');
    const mounts = readFileSync(`/proc/${container.pid}/mounts`, 'utf8').split('\n');
    const root = mounts.map((line) => line.split(' ')).find(([, path]) => path === '/');
    expect(root?.[3]?.split(',')).toContain('ro');
    expect(writable(mounts)).toEqual([]);
  });

  test.concurrent('of what the kernel would let it do, its JavaScript writes no file and starts no program', async () => {
    await using node = await Node.make(X_ENI);
    const { Entrypoint } = JSON.parse(
      await podman('inspect', '--format={{json .Config}}', (await builtImage()).name),
    );
    const tried = `
      const said = (act) => { try { act(); return 'done'; } catch ({ code }) { return code; } };
      const fs = require('fs');
      console.log(JSON.stringify({
        read: said(() => fs.readFileSync('/proc/1/root/proc/1/comm')),
        write: said(() => fs.writeFileSync('/dev/shm/x', '')),
        host: said(() => fs.writeFileSync('/proc/1/root/proc/1/oom_score_adj', '0')),
        start: said(() => require('child_process').execFileSync('/nodejs/bin/node', ['--version'])),
      }));`;
    const run = (flags: readonly string[]) =>
      runContainer(node.lab, {
        pod: readPod(),
        options: [`--entrypoint=${JSON.stringify(['/nodejs/bin/node', ...flags, '--eval', tried])}`],
        args: [],
      });
    const kernel = { read: 'done', write: 'done', host: 'done', start: 'done' };
    expect(JSON.parse((await run([])).stdout)).toEqual(kernel);
    const fenced = await run(Entrypoint.slice(1, -1));
    expect(fenced.stderr).toBe('');
    const DENIED = 'ERR_ACCESS_DENIED';
    expect(JSON.parse(fenced.stdout)).toEqual({ ...kernel, write: DENIED, host: DENIED, start: DENIED });
  });

  test.concurrent('check in the running container says the same', async () => {
    await using node = await Node.make(X_ENI);
    await using container = await Container.start(node.lab, { pod: readPod() });
    await container.agent(node.lab);
    const good = await container.exec('eks-endpoint-exporter', 'check', '--expect=x-eni');
    expect(good.code, good.stdout + good.stderr).toBe(0);
    expect(good.stdout).toContain('Node route: x-eni (expected: x-eni)');
    expect(good.stdout).toMatch(/kubelet \(pid \d+\)/);
    expect(good.stderr).toBe('');
    const bad = await container.exec('eks-endpoint-exporter', 'check', '--expect=public');
    expect(bad.code, bad.stdout + bad.stderr).toBe(1);
  });

  test.concurrent.for(LESS)('$what: falls back to addresses and says so', async ({ pod, why }) => {
    await using node = await Node.make(PUBLIC);
    const args = ['--scan-interval=1s', `--endpoint=${node.lab.hostname}`];
    await using container = await Container.start(node.lab, { pod, args: ['agent', ...args] });
    const agent = await container.agent(node.lab);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectAttribution(view, 'address');
      expectConnections(view, 'unattributed', { routes: { public: 2 }, stale: 0 });
      expect(expectRaised(view, 'Blind').summary).toMatch(why);
      expectGate(view, 'public-free', 'false');
    });
    await node.lab.flipDns(X_ENI);
    await node.reconnect();
    // All is well now, as far as addresses tell; whose the sockets are nobody knows.
    const { status } = await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expectAttribution(view, 'address');
      expectConnections(view, 'unattributed', { routes: { 'x-eni': 2 }, stale: 0 });
      expectRaised(view, 'Blind');
    });
    expect(status.routeReason).toMatch(/\w/);
    await agent.during(3, (view) => expectGate(view, 'public-free', 'unknown'));
    expectNeverXEni(agent);
    const check = await runContainer(node.lab, { pod, args: ['check', '--expect=x-eni', ...args.slice(1)] });
    expect(check.code, check.stdout + check.stderr).toBe(2);
    expect(check.stdout).toContain('Blind');
  });
});

function withSpec(changes: Pod['spec']): Pod {
  const pod = readPod();
  return { ...pod, spec: { ...pod.spec, ...changes } };
}

function withSecurity(changes: Pod['securityContext']): Pod {
  const pod = readPod();
  return { ...pod, securityContext: { ...pod.securityContext, ...changes } };
}

function expectAttribution({ status, metrics }: View, attribution: Attribution): void {
  expect(status.attribution).toBe(attribution);
  for (const mode of ATTRIBUTIONS) {
    expect(metrics.get('attribution', { mode }), mode).toBe(mode === attribution ? 1 : 0);
  }
}

/** A line "CapEff:	0000000000080000" of /proc/<pid>/status. */
function lineOf(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\t(.*)$`, 'm').exec(status)?.[1];
}

/** Where a file could be written: not in /proc, /dev and /sys, which are the kernel's. */
function writable(mounts: readonly string[]): readonly string[] {
  return mounts
    .map((line) => line.split(' '))
    .filter(
      ([, path = '', , options = '']) =>
        options.split(',').includes('rw') && !/^\/(proc|dev|sys)(\/|$)/.test(path),
    )
    .map(([, path = '']) => path);
}
