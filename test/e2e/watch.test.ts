/** `watch` on a node that moves: what it says of it as it goes on, and whether what it waits for is there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import type { Outcome } from './lib/command.ts';
import { expectGate, expectRoute } from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const WATCH = ['watch', '--expect=x-eni', VPC_CIDR];
const AGENT = 'http://127.0.0.1:10943';
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all'];
const WITHOUT_PTRACE = ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'];

interface Line {
  readonly kind: string;
  readonly at: string;
  readonly subject: string | null;
  readonly detail: string;
  readonly route: unknown;
}

/** What it wrote with `--output=json`. */
function linesOf({ stdout }: Outcome): readonly Line[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describeOnSockets('watch', () => {
  test.concurrent('public-free: it ends with 0 when the node has been on the X-ENIs for ten seconds, and says what moved when', async () => {
    await using lab = await makeCluster({ slice: X_ENI });
    const kubelet = await lab.startClient('kubelet');
    const old = await kubelet.connect();
    const watching = lab.run([...WATCH, '--until=public-free', '--timeout=28s', '--output=json']);
    await sleep(3_000);
    await lab.flipDns(X_ENI);
    await kubelet.connect();
    await sleep(2_000);
    await kubelet.program.close(old);
    const outcome = await watching;
    expect(outcome.stderr).toBe('');
    expect(outcome.code).toBe(0);
    const lines = linesOf(outcome);
    expect(lines[0]).toMatchObject({ kind: 'status', route: 'public' });
    const details = (kind: string) => lines.filter((line) => line.kind === kind).map(({ detail }) => detail);
    expect(details('dns')).toContain(`${[...PUBLIC].sort().join(' ')} -> ${[...X_ENI].sort().join(' ')}`);
    expect(details('client-route')).toEqual([
      'kubelet public -> x-eni and public',
      'kubelet x-eni and public -> x-eni',
    ]);
    expect(details('route')).toEqual(expect.arrayContaining(['public -> mixed', 'unknown -> x-eni']));
    expect(details('connection-opened')).toEqual([expect.stringMatching(/^kubelet .*:443 \(x-eni\)$/)]);
    expect(details('connection-closed')).toEqual([expect.stringMatching(/^kubelet .*:443 \(public\)$/)]);
    const timeOf = (detail: string) => Date.parse(lines.findLast((line) => line.detail === detail)?.at ?? '');
    expect(timeOf('public-free unknown -> true') - timeOf('unknown -> x-eni')).toBeGreaterThanOrEqual(9_000);
    expect(lines.at(-1)).toMatchObject({
      kind: 'summary',
      ended: 'reached',
      exitCode: 0,
      route: ['public', 'x-eni'],
      clients: { kubelet: ['public', 'x-eni'] },
    });
  });

  test.concurrent('known not to hold when the time is up: 1, for people in words', async () => {
    await using lab = await makeCluster({ slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const [route, gate] = await Promise.all([
      lab.run([...WATCH, '--until=x-eni', '--timeout=4s']),
      lab.run([...WATCH, '--until=public-free', '--timeout=4s']),
    ]);
    expect([route.code, gate.code]).toEqual([1, 1]);
    expect(route.stdout).toMatch(/^\S+Z status \S+: route public, .*$/m);
    expect(route.stdout).toContain('The time is up and x-eni does not hold.');
    expect(gate.stdout).toContain('The time is up and public-free does not hold.');
  });

  test.concurrent('not known when the time is up: 2, also where everything is on the X-ENIs and it cannot see that', async () => {
    await using lab = await makeCluster({ slice: X_ENI, answer: X_ENI });
    const args = [...WATCH, `--endpoint=${lab.hostname}`, '--until=x-eni', '--timeout=4s'];
    expect((await lab.run(args)).code).toBe(2);
    await (await lab.startClient('kubelet')).connect();
    const blind = await lab.run(args, { through: WITHOUT_PTRACE });
    expect(blind.code).toBe(2);
    expect(blind.stdout).toContain('it cannot be told whether x-eni holds');
    expect(blind.stdout).toMatch(/WARNING Blind/);
    // With its rights it is there at once.
    expect((await lab.run(args)).code).toBe(0);
  });

  test.concurrent('it follows the agent of the node as nobody, and what a silent agent last said does not count', async () => {
    await using lab = await makeCluster({ slice: X_ENI, answer: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectGate(view, 'public-free', 'unknown');
    });
    const asNobody = { through: NOBODY };
    const follow = ['watch', `--agent=${AGENT}`];
    const there = await lab.run([...follow, '--until=x-eni', '--timeout=20s'], asNobody);
    expect([there.code, there.stderr]).toEqual([0, '']);
    const waiting = lab.run([...follow, '--until=public-free', '--timeout=6s', '--output=json'], asNobody);
    await sleep(2_000);
    expect((await agent.stop()).code).toBe(0);
    const outcome = await waiting;
    expect(outcome.code).toBe(2);
    expect(linesOf(outcome).map(({ kind, route }) => [kind, route])).toContainEqual(['silent', 'unknown']);
    const gone = await lab.run([...follow, '--timeout=2s'], asNobody);
    expect(gone.code).toBe(2);
    expect(gone.stdout).toMatch(
      /^\S+Z silent the agent does not answer: Cannot ask .*the connection was refused/m,
    );
  });
});
