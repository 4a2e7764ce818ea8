/**
 * Never a false green: whatever keeps the agent from seeing, it says `unknown`, and why. Behind each of these
 * nodes everything is on the X-ENIs, so that a guess would be `x-eni`.
 */
import { expect, test } from 'vitest';
import type { Agent, AgentOptions } from './lib/agent.ts';
import { makeCluster, PUBLIC, VPC_CIDR, X_ENI, X_ENI_FLAGS } from './lib/cluster.ts';
import {
  codesOf,
  connectionsOf,
  expectClear,
  expectConnections,
  expectGate,
  expectNeverXEni,
  expectRoute,
} from './lib/expect.ts';
import type { Lab } from './lib/lab.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR, ...X_ENI_FLAGS];
const WITHOUT_PTRACE = { through: ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'] };
/** Two looks make a green; this is one more. */
const LOOKS = 3;

describeOnSockets('blind is unknown', () => {
  test.concurrent('no kubelet', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kube-proxy')).connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expect(view.status.routeReason).toContain('kubelet');
      expect(codesOf(view)).toEqual(['ClientMissing']);
      expect(view.metrics.get('finding', { code: 'ClientMissing', severity: 'warning' })).toBe(1);
      expect(view.metrics.get('client_found', { client: 'kubelet' })).toBe(0);
      expectConnections(view, 'kube-proxy', { routes: { 'x-eni': 1 }, stale: 0 });
    });
    await expectBlindness(agent, lab, ['check', ...FLAGS]);
    await (await lab.startClient('kubelet')).connect();
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectClear(view, 'ClientMissing');
    });
  });

  test.concurrent('an agent without SYS_PTRACE', async () => {
    await using lab = await movedNode();
    const agent = await lab.startAgent([...FLAGS, `--endpoint=${lab.hostname}`], WITHOUT_PTRACE);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expect(view.status.routeReason).toMatch(/EACCES|SYS_PTRACE/);
      expect(codesOf(view)).toContain('Blind');
      expect(view.metrics.get('finding', { code: 'Blind', severity: 'warning' })).toBe(1);
      expect(view.metrics.get('attribution', { mode: 'none' })).toBe(1);
      expect(view.metrics.get('attribution', { mode: 'process' })).toBe(0);
      expect(view.metrics.get('proc_read_errors_total', { reason: 'EACCES' })).toBeGreaterThan(0);
      // Unknown is absent, not 0.
      expect(view.metrics.get('connections', { client: 'kubelet', route: 'public' })).toBeUndefined();
      expect(view.metrics.get('stale_connections', { client: 'kubelet' })).toBeUndefined();
    });
    const check = ['check', ...FLAGS, `--endpoint=${lab.hostname}`];
    await expectBlindness(agent, lab, check, { options: WITHOUT_PTRACE });
    // It is the capability that makes the difference.
    expect((await lab.run(check)).code).toBe(0);
  });

  test.concurrent('a wrong path to /proc', async () => {
    await using lab = await movedNode();
    const flags = [...FLAGS, '--path.procfs=/nowhere', `--endpoint=${lab.hostname}`];
    const agent = await lab.startAgent(flags);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expect(view.status.routeReason).toContain('/nowhere');
      expect(codesOf(view)).toContain('Blind');
      expect(view.metrics.get('scan_success', { stage: 'owners' })).toBe(0);
      expect(view.metrics.get('scan_sockets')).toBeUndefined();
      expect(view.metrics.get('client_found', { client: 'kubelet' })).toBeUndefined();
    });
    await expectBlindness(agent, lab, ['check', ...flags]);
  });

  test.concurrent.for([
    { what: 'silent', reason: 'timeout', fail: (lab: Lab) => lab.dns.pause() },
    { what: 'not there', reason: 'refused', fail: (lab: Lab) => lab.dns.stop() },
  ])('a DNS server that is $what from the start', async ({ reason, fail }) => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    fail(lab);
    // Without --x-eni: only DNS could tell that these addresses are X-ENIs.
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    const failed = await agent.eventually((view) => {
      expect(view.metrics.get('dns_success')).toBe(0);
      expect(view.metrics.get('dns_failures_total', { reason })).toBeGreaterThan(0);
      expect(view.metrics.get('scan_success', { stage: 'dns' })).toBe(0);
      expect(view.metrics.get('dns_addresses', { route: 'x-eni' })).toBeUndefined();
      expect(view.metrics.get('dns_last_success_timestamp_seconds')).toBeUndefined();
    });
    expect(failed.status.stages.find(({ stage }) => stage === 'dns')?.error).toMatch(/resolver/);
    expect(failed.status.dns?.addresses).toBeNull();
    // The certificate tells that it is the endpoint, and nobody that the address is an X-ENI's.
    await agent.eventually((view) => {
      expectRoute(view, 'other');
      expect(connectionsOf(view).map(({ evidence, route }) => [evidence, route])).toEqual([['tls', 'vpc']]);
      expectGate(view, 'private-ready', 'unknown');
    });
    await expectBlindness(agent, lab, ['check', '--expect=x-eni', VPC_CIDR], { code: 1 });
  });

  test.concurrent('a program named kubelet that does not run as root, and no other', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet', { uid: 1000 })).connect();
    const flags = [...FLAGS, `--endpoint=${lab.hostname}`];
    const agent = await lab.startAgent(flags);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expect(view.metrics.get('clients_left_out')).toBe(1);
      expect(view.status.scan.clientsLeftOut).toBe(1);
      expect(view.status.clients.find(({ client }) => client === 'kubelet')?.pids).toEqual([]);
    });
    await expectBlindness(agent, lab, ['check', ...flags]);
  });

  test.concurrent('a program named kubelet in a network of its own, and no other', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet', { isPod: true })).connect(X_ENI[0]);
    const flags = [...FLAGS, `--endpoint=${lab.hostname}`];
    const agent = await lab.startAgent(flags);
    await agent.eventually((view) => {
      expectRoute(view, 'unknown');
      expect(codesOf(view)).toEqual(['ClientMissing']);
      expect(view.metrics.get('clients_left_out')).toBe(1);
    });
    await expectBlindness(agent, lab, ['check', ...flags]);
  });

  test.concurrent('a kubelet of another user has no say beside the real one', async () => {
    await using lab = await makeCluster();
    await (await lab.startClient('kubelet')).connect(PUBLIC[0]);
    await (await lab.startClient('kubelet', { uid: 1000 })).connect(X_ENI[0]);
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expectConnections(view, 'kubelet', { routes: { public: 1 }, stale: 0 });
      expect(view.metrics.get('clients_left_out')).toBe(1);
    });
    expectNeverXEni(agent);
  });
});

async function movedNode(): Promise<Lab> {
  const lab = await makeCluster({ answer: X_ENI });
  for (const name of ['kubelet', 'kube-proxy']) await (await lab.startClient(name)).connect();
  return lab;
}

/** Look after look the agent does not say `x-eni`, and `check` cannot tell, or ends with the given code. */
async function expectBlindness(
  agent: Agent,
  lab: Lab,
  check: readonly string[],
  expected: { readonly options?: AgentOptions; readonly code?: number } = {},
): Promise<void> {
  await agent.during(LOOKS, ({ metrics }) => expect(metrics.get('node_route', { route: 'x-eni' })).toBe(0));
  expectNeverXEni(agent);
  const { code, stdout, stderr } = await lab.run(check, expected.options);
  expect(code, stdout + stderr).toBe(expected.code ?? 2);
}
