/** The agent as a process: how it ends, when it does not start, and what Prometheus' own linter says of it. */
import os from 'node:os';
import { expect, test } from 'vitest';
import { makeCluster, VPC_CIDR, X_ENI, X_ENI_FLAGS } from './lib/cluster.ts';
import { run } from './lib/command.ts';
import { expectRoute } from './lib/expect.ts';
import { MODEL } from './lib/machine.ts';
import { describeOnSockets } from './lib/tools.ts';

const FLAGS = ['--expect=x-eni', VPC_CIDR, ...X_ENI_FLAGS];

describeOnSockets('the agent as a process', () => {
  test('SIGTERM ends it with 0 within a second', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
    const { code, milliseconds } = await agent.stop();
    expect(code, agent.log).toBe(0);
    expect(milliseconds).toBeLessThan(1000);
  });

  test('SIGTERM ends it within a second also while DNS does not answer', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    lab.dns.pause();
    const agent = await lab.startAgent(FLAGS);
    await agent.eventually(({ status }) => expect(status.dns).not.toBeNull());
    const { code, milliseconds } = await agent.stop();
    expect(code, agent.log).toBe(0);
    expect(milliseconds).toBeLessThan(1000);
  });

  test('a port in use: exit code 1 and a sentence that names it', async () => {
    await using lab = await makeCluster();
    const holder = await lab.startClient('kubelet');
    await holder.program.listen({ addresses: ['::'], port: 10943 });
    const { code, stderr } = await lab.run(['agent', ...FLAGS]);
    expect(code).toBe(1);
    expect(stderr).toContain('10943');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('promtool finds nothing to say of its metrics', async () => {
    await using lab = await makeCluster();
    await (await lab.startClient('kubelet')).connect(X_ENI[0]);
    await (await lab.startClient('kube-proxy')).connect();
    const agent = await lab.startAgent(FLAGS);
    const { metrics } = await agent.eventually((view) => expectRoute(view, 'mixed'));
    expect(await run('promtool', ['check', 'metrics'], { input: metrics.text })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('its metrics and its JSON say the same', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent([...FLAGS, '--node-name=ip-192-168-1-204']);
    const { status, metrics } = await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.status.probes).toHaveLength(X_ENI.length);
      expect(view.status.stages.map(({ stage }) => stage)).toContain('facts');
    });
    // Nothing serves on kubelet's port: whether this is a node's table at all cannot be told.
    expect(status).toMatchObject({ schemaVersion: 1, node: 'ip-192-168-1-204', inbound: null });
    for (const { address, success } of status.probes ?? []) {
      expect(metrics.get('probe_success', { address })).toBe(Number(success));
    }
    // By the kernel and the firmware.
    const machine = { kernel: os.release(), arch: os.arch(), vendor: 'somebody else', model: MODEL };
    expect(status.machine).toEqual(machine);
    expect(metrics.get('machine_info', { ...machine, nodename: status.node })).toBe(1);
    expect(metrics.get('scan_success', { stage: 'facts' })).toBe(1);
    expect(metrics.get('expected_route', { route: 'x-eni' })).toBe(1);
    for (const { gate, state } of status.gates) expect(metrics.get('gate', { gate, state })).toBe(1);
    const json = await lab.run(['check', '--output=json', ...FLAGS]);
    expect(json.code, json.stderr).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ schemaVersion: 1, route: 'x-eni', findings: [] });
  });
});
