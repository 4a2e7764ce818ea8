/** DNS that fails while the agent runs: the last answer stays, with its age. */
import { expect, test } from 'vitest';
import { makeCluster, VPC_CIDR, X_ENI } from './lib/cluster.ts';
import { expectRoute } from './lib/expect.ts';
import { describeOnSockets } from './lib/tools.ts';

const LAST_SUCCESS = 'dns_last_success_timestamp_seconds';

describeOnSockets('DNS fails later', () => {
  test.concurrent('the last answer stays, its age shows, and the agent recovers', async () => {
    await using lab = await makeCluster({ answer: X_ENI });
    await (await lab.startClient('kubelet')).connect();
    // The X-ENIs are known by DNS alone.
    const agent = await lab.startAgent(['--expect=x-eni', VPC_CIDR]);
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.metrics.get('dns_success')).toBe(1);
      expect(view.metrics.get('dns_ttl_seconds')).toBe(1);
    });

    lab.dns.pause();
    const failed = await agent.eventually((view) => {
      expect(view.metrics.get('dns_success')).toBe(0);
      expect(view.metrics.get('dns_failures_total', { reason: 'timeout' })).toBeGreaterThan(0);
    });
    await agent.during(3, (view) => {
      expectRoute(view, 'x-eni');
      expect(view.metrics.get('dns_addresses', { route: 'x-eni' })).toBe(2);
      expect(view.metrics.get(LAST_SUCCESS)).toBe(failed.metrics.get(LAST_SUCCESS));
      expect(view.metrics.get('dns_changes_total')).toBe(0);
    });

    lab.dns.resume();
    await agent.eventually((view) => {
      expectRoute(view, 'x-eni');
      expect(view.metrics.get('dns_success')).toBe(1);
      expect(view.metrics.get(LAST_SUCCESS)).toBeGreaterThan(failed.metrics.get(LAST_SUCCESS) ?? Infinity);
      expect(view.metrics.get('dns_changes_total')).toBe(0);
    });
  });
});
