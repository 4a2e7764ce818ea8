/** The EndpointSlice: what it proves, and what stays of it while it cannot be read. */
import { expect, test } from 'vitest';
import { makeCluster, NODE, PUBLIC, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import {
  connectionsOf,
  errorOf,
  expectClear,
  expectGate,
  expectNeverXEni,
  expectRaised,
  expectRoute,
} from './lib/expect.ts';
import type { Reply } from './lib/servers.ts';
import { describeOnSockets } from './lib/tools.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const NEW_X_ENI = '192.168.2.77';
const NEWER_X_ENI = '192.168.1.99';

const FAULTS: readonly { readonly what: string; readonly reply: Reply; readonly says: RegExp }[] = [
  { what: '401', reply: { status: 401 }, says: /token/ },
  { what: '403', reply: { status: 403 }, says: /Role|get/ },
  { what: '404', reply: { status: 404 }, says: /404/ },
  { what: '429', reply: { status: 429, headers: { 'retry-after': '30' } }, says: /429/ },
  { what: '500', reply: { status: 500, body: 'oops' }, says: /500/ },
  { what: '10 MB', reply: { status: 200, headers: JSON_TYPE, padding: 10_000_000 }, says: /bytes|large|MiB/ },
  { what: 'HTML', reply: { status: 200, body: '<html><body>Sign in</body></html>' }, says: /JSON/ },
  { what: 'half of it', reply: { status: 200, headers: JSON_TYPE, body: '{"kind": "Endpoi' }, says: /JSON/ },
  { what: 'nothing in time', reply: { status: 200, delayMs: 6000 }, says: /5 ?s|5000|time|answer/ },
  {
    what: 'hostile values',
    reply: { status: 200, headers: JSON_TYPE, body: hostile() },
    says: /address/,
  },
];

describeOnSockets('the EndpointSlice', () => {
  test.concurrent('alone tells the X-ENIs, without any other source', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectGate(now, 'private-ready', 'true');
      expect(now.metrics.get('x_eni_source_addresses', { source: 'endpointslice' })).toBe(2);
      expect(now.metrics.get('scan_success', { stage: 'endpointslice' })).toBe(1);
    });
    expect(connectionsOf(view).map(({ evidence }) => evidence)).toEqual(['endpointslice']);
    expect(view.status.xEni?.addresses.map(({ address }) => address).sort()).toEqual([...X_ENI].sort());
    expect(await lab.slice.statuses()).toEqual([200]);
    const check = await lab.run(['check', '--expect=x-eni']);
    expect(check.code, check.stdout + check.stderr).toBe(0);
  });

  test.concurrent('is asked at the ClusterIP of an IPv6 cluster', async () => {
    await using lab = await makeCluster({ node: [NODE, 'fd00::5'], answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const env = { KUBERNETES_SERVICE_HOST: 'fd30:9a5c:1::1' };
    const agent = await lab.startAgent(['--expect=x-eni'], { env });
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
  });

  test.concurrent('cannot be asked for without a service account: the stage names what is missing', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await lab.slice.unmount();
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni']);
    const view = await agent.eventually((now) => {
      expectRoute(now, 'other');
      expect(errorOf(now, 'endpointslice')).toContain('/var/run/secrets/kubernetes.io/serviceaccount');
    });
    expect(errorOf(view, 'endpointslice')).toContain('ENOENT');
    expect(await lab.slice.statuses()).toEqual([]);
    expectNeverXEni(agent);
  });

  test.concurrent('is not asked with --no-kubernetes, nor outside a cluster', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR, '--no-kubernetes']);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.metrics.get('scan_success', { stage: 'endpointslice' })).toBeUndefined();
      expect(view.metrics.get('x_eni_source_addresses', { source: 'endpointslice' })).toBeUndefined();
      expect(view.status.evaluated).not.toContain('SliceUnavailable');
    });
    await agent.stop();
    const outside = await lab.startAgent(['--expect=x-eni', VPC_CIDR], {
      env: { KUBERNETES_SERVICE_HOST: '' },
    });
    await outside.eventually((view) => expectRoute(view, 'x-eni'));
    expect(await lab.slice.statuses()).toEqual([]);
  });

  test.concurrent.for(FAULTS)(
    'gives $what from the start: the stage says so, nothing is taken from it',
    async ({ reply, says }) => {
      await using lab = await makeCluster({ answer: X_ENI, slice: [] });
      await lab.slice.reply(reply);
      await (await lab.startClient('kubelet')).connect();
      const agent = await lab.startAgent(['--expect=x-eni']);
      const view = await agent.eventually((now) => {
        expect(now.metrics.get('scan_success', { stage: 'endpointslice' })).toBe(0);
        expectRoute(now, 'other');
      });
      expect(errorOf(view, 'endpointslice')).toMatch(says);
      expect(view.metrics.get('x_eni_source_addresses', { source: 'endpointslice' })).not.toBe(2);
      expectGate(view, 'private-ready', 'unknown');
      expectNeverXEni(agent);
    },
  );

  test.concurrent('fails later: the last good set stays, and it recovers with a new token', async () => {
    await using lab = await makeCluster({
      answer: X_ENI,
      servers: [...PUBLIC, ...X_ENI, NEW_X_ENI, NEWER_X_ENI],
      slice: X_ENI,
    });
    await (await lab.startClient('kubelet')).connect(X_ENI[0]);
    const agent = await lab.startAgent(['--expect=x-eni']);
    await agent.eventually((view) => expectRoute(view, 'x-eni'));
    // The token is not good any more, and the change of DNS makes the slice be read again.
    await lab.slice.rotateToken('token-2');
    await lab.flipDns([...X_ENI, NEW_X_ENI]);
    const failed = await agent.eventually((view) =>
      expect(view.metrics.get('scan_success', { stage: 'endpointslice' })).toBe(0),
    );
    expect(errorOf(failed, 'endpointslice')).toContain('401');
    await agent.during(3, (view) => {
      expectRoute(view, 'x-eni');
      expect(view.metrics.get('x_eni_source_addresses', { source: 'endpointslice' })).toBe(2);
      // Five minutes make a finding of it.
      expectClear(view, 'SliceUnavailable');
    });
    await lab.slice.writeToken();
    await lab.slice.give([...X_ENI, NEWER_X_ENI]);
    await lab.flipDns([X_ENI[0], NEWER_X_ENI]);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.metrics.get('scan_success', { stage: 'endpointslice' })).toBe(1);
      expect(view.metrics.get('x_eni_source_addresses', { source: 'endpointslice' })).toBe(3);
      // A new one is not left for the next interval.
      expect(view.metrics.get('probe_success', { address: NEWER_X_ENI })).toBe(1);
    });
    expect(await lab.slice.statuses()).toEqual([200, 401, 200]);
  });

  test.concurrent('says when to ask again, and is not asked before', async () => {
    await using lab = await makeCluster({ answer: X_ENI, slice: X_ENI });
    await lab.slice.reply({ status: 429, headers: { 'retry-after': '60' } });
    const kubelet = await lab.startClient('kubelet');
    await kubelet.connect();
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    await agent.eventually((view) => expect(errorOf(view, 'endpointslice')).toContain('429'));
    await lab.flipDns(PUBLIC);
    await kubelet.connect();
    await agent.during(12, () => {});
    expect(await lab.slice.statuses()).toEqual([429]);
  });

  test.concurrent('no longer holds an X-ENI that kubelet is connected to', async () => {
    await using lab = await makeCluster({
      answer: X_ENI,
      servers: [...PUBLIC, ...X_ENI, NEW_X_ENI],
      slice: X_ENI,
    });
    const kubelet = await lab.startClient('kubelet');
    const old = await kubelet.connect(X_ENI[0]);
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expectClear(view, 'StaleXEni');
    });
    await lab.slice.give([X_ENI[1], NEW_X_ENI]);
    await lab.flipDns([X_ENI[1], NEW_X_ENI]);
    const view = await agent.eventually((now) => {
      expect(expectRaised(now, 'StaleXEni')).toMatchObject({
        ...{ severity: 'warning', client: 'kubelet', address: X_ENI[0] },
      });
      expect(now.status.route).not.toBe('x-eni');
    });
    expect(view.metrics.get('x_eni_addresses')).toBe(2);
    expect(view.status.events.some(({ event }) => event === 'x-eni')).toBe(true);
    await kubelet.connect();
    await kubelet.program.close(old);
    await agent.eventually((now) => {
      expectRoute(now, 'x-eni');
      expectClear(now, 'StaleXEni');
    });
  });
});

/** Addresses that are none of an X-ENI, whoever says so. */
function hostile(): string {
  return JSON.stringify({
    ...{ kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', addressType: 'IPv4' },
    endpoints: [{ addresses: ['$(reboot)', '<script>'], conditions: { ready: true } }],
    ports: [{ name: 'https', port: 443 }],
  });
}
