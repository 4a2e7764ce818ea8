/** The VPC's CIDRs from the instance metadata service. */
import { expect, test } from 'vitest';
import { makeCluster, NODE, PUBLIC, X_ENI } from './lib/cluster.ts';
import { connectionsOf, errorOf, expectNeverXEni, expectRoute } from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const CIDRS = ['192.168.0.0/16'];

describeOnSockets('IMDS', () => {
  test.concurrent('gives the CIDRs on an EC2 instance, without being told to be asked', async () => {
    await using lab = await makeCluster({ answer: X_ENI, imds: CIDRS });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expect(now.metrics.get('scan_success', { stage: 'imds' })).toBe(1);
    });
    expect(connectionsOf(view).map(({ evidence }) => evidence)).toEqual(['dns']);
    const check = await lab.run(['check', '--expect=x-eni']);
    expect(check.code, check.stdout + check.stderr).toBe(0);
  });

  test.concurrent('at its IPv6 address', async () => {
    await using lab = await makeCluster({ node: [NODE, 'fd00::5'], answer: X_ENI, imds: CIDRS });
    await lab.network.silence('169.254.169.254');
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni', '--imds-endpoint=http://[fd00:ec2::254]']);
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
  });

  test.concurrent('is asked elsewhere only with --imds=on', async () => {
    await using lab = await makeCluster({ answer: X_ENI, imds: CIDRS, isEc2: false });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    await agent.eventually((view) => {
      expectRoute(view, 'other');
      expect(view.metrics.get('scan_success', { stage: 'imds' })).toBeUndefined();
    });
    expect(await lab.imds.requests()).toBe(0);
    await agent.stop();
    const asking = await lab.startAgent(['--expect=x-eni', '--imds=on']);
    await asking.eventually((view) => expectRoute(view, 'x-eni'));
  });

  test.concurrent('is not asked with --imds=off', async () => {
    await using lab = await makeCluster({ answer: X_ENI, imds: CIDRS });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni', '--imds=off']);
    await agent.eventually((view) => expectRoute(view, 'other'));
    expect(await lab.imds.requests()).toBe(0);
    expectNeverXEni(agent);
  });

  test.concurrent.for([
    { what: 'HTML', reply: { status: 200, body: '<!DOCTYPE html><html><body>Welcome</body></html>' } },
    { what: '500', reply: { status: 500 } },
    { what: 'the whole internet', reply: { status: 200, body: '0.0.0.0/0' } },
    { what: 'nothing in time', reply: { status: 200, delayMs: 20_000 } },
    { what: '10 MB', reply: { status: 200, padding: 10_000_000 } },
  ])('gives $what: the stage says so, nothing is taken from it', async ({ reply }) => {
    await using lab = await makeCluster({ answer: X_ENI, imds: CIDRS });
    await lab.imds.reply(reply);
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    const view = await agent.eventually((now) => {
      expect(now.metrics.get('scan_success', { stage: 'imds' })).toBe(0);
      expectRoute(now, 'other');
    });
    expect(errorOf(view, 'imds')).toMatch(/\w/);
    await agent.during(2, (now) => expectRoute(now, 'other'));
    expectNeverXEni(agent);
  });

  test.concurrent('is absent (a hybrid node says so with --imds=on): public stays public', async () => {
    await using lab = await makeCluster({ imds: [] });
    await lab.network.silence('169.254.169.254');
    await (await lab.startClient('kubelet')).connect(PUBLIC[0]);
    const agent = await lab.startAgent(['--expect=x-eni', '--imds=on']);
    await agent.eventually((view) => {
      expectRoute(view, 'public');
      expect(errorOf(view, 'imds')).toMatch(/\w/);
    });
  });
});
