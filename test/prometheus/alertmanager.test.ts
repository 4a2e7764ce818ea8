/** The example for Alertmanager: whom its routes tell, and what a real Alertmanager mutes by it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALERTS } from '../../scripts/monitoring/rules.ts';
import { must } from '../e2e/lib/command.ts';
import { ALERTMANAGER_ADDRESS, Alertmanager } from './lib/alertmanager.ts';
import { LOOPBACK } from './lib/daemon.ts';
import { describeWithPrometheus } from './lib/tools.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'deploy', 'prometheus');
const CONFIG = join(FOLDER, 'alertmanager.yaml');
const README = join(FOLDER, 'README.md');

describeWithPrometheus('deploy/prometheus/alertmanager.yaml', () => {
  test('amtool takes it', async () => {
    expect(await must('amtool', ['check-config', CONFIG])).toContain('SUCCESS');
  });

  describe('who is told', () => {
    test.each(ALERTS)('of $name, $severity', async ({ name, severity }) => {
      expect(await receiverOf(name, severity)).toBe(
        severity === 'critical' ? 'eks-endpoint-critical' : 'eks-endpoint',
      );
    });

    test("of others' alerts: whoever was before", async () => {
      expect(await receiverOf('TargetDown', 'critical')).toBe('default');
    });
  });

  test('what follows from another alert of the same node is muted, and nothing else', async () => {
    await using alertmanager = await start();
    const all = ALERTS.map(({ name }) => name);
    await post([
      // One node has everything at once.
      ...all.map((alertname) => ({ alertname, cluster: 'blue', node: 'a' })),
      // Another one, its twin in another cluster, and one without the labels that scrapes may add, have no cause.
      ...['EksEndpointStaleConnection', 'EksEndpointUnexpectedRoute'].flatMap((alertname) => [
        { alertname, cluster: 'blue', node: 'b' },
        { alertname, cluster: 'green', node: 'a' },
        { alertname, instance: '10.0.0.9:10943' },
      ]),
      { alertname: 'EksEndpointXEniUnreachable', instance: '10.0.0.8:10943' },
      // By its DNS alone.
      { alertname: 'EksEndpointDnsPublic', cluster: 'blue', node: 'c' },
      { alertname: 'EksEndpointUnexpectedRoute', cluster: 'blue', node: 'c' },
      { alertname: 'EksEndpointStaleConnection', cluster: 'blue', node: 'c' },
    ]);
    const muted = await alertmanager.daemon.eventually(async () => {
      const alerts = await alertmanager.alerts();
      expect(alerts).toHaveLength(all.length + 10);
      expect(alerts.filter(({ status }) => status.state === 'unprocessed')).toEqual([]);
      return alerts.filter(({ status }) => status.inhibitedBy.length > 0);
    });
    const named = muted.map(({ labels }) => `${labels['cluster']} ${labels['node']} ${labels['alertname']}`);
    expect(named.toSorted()).toEqual([
      'blue a EksEndpointStaleConnection',
      'blue a EksEndpointUnexpectedRoute',
      'blue c EksEndpointUnexpectedRoute',
    ]);
  });

  test('the silence of deploy/prometheus/README.md hides what a planned step brings about, and nothing else', async () => {
    await using alertmanager = await start();
    await post(
      ALERTS.flatMap(({ name }) =>
        ['blue', 'green'].map((cluster) => ({ alertname: name, cluster, node: name })),
      ),
    );
    const [, address = '', command = ''] =
      /^```sh\nALERTMANAGER=(\S+)\n(amtool silence add .*?)^```$/ms.exec(readFileSync(README, 'utf8')) ?? [];
    expect(address).toMatch(/^http:/);
    const url = `http://${ALERTMANAGER_ADDRESS}`;
    await must('sh', ['-euc', `USER=me ALERTMANAGER=${url}\n${command}`]);
    await alertmanager.daemon.eventually(async () => {
      const hidden = (await alertmanager.alerts()).filter(({ status }) => status.state === 'suppressed');
      expect(hidden.map(({ labels }) => `${labels['cluster']} ${labels['alertname']}`).toSorted()).toEqual([
        'blue EksEndpointDnsPublic',
        'blue EksEndpointDriftedBack',
        'blue EksEndpointStaleConnection',
        'blue EksEndpointUnexpectedRoute',
      ]);
    });
  });
});

/** With receivers that nobody listens to. */
async function start(): Promise<Alertmanager> {
  const folder = mkdtempSync(join(tmpdir(), 'eks-alertmanager-'));
  const config = join(folder, 'alertmanager.yaml');
  writeFileSync(config, readFileSync(CONFIG, 'utf8').replaceAll(/https:\S+/g, 'http://127.0.0.1:9'));
  try {
    return await Alertmanager.start(LOOPBACK, config);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function receiverOf(alertname: string, severity: string): Promise<string> {
  const labels = [`alertname=${alertname}`, `severity=${severity}`, 'cluster=blue', 'node=a'];
  return (await must('amtool', ['config', 'routes', 'test', `--config.file=${CONFIG}`, ...labels])).trim();
}

async function post(alerts: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const body = alerts.map((labels) => ({
    labels: { job: 'eks-endpoint-exporter', instance: `${labels['node']}:10943`, ...labels },
  }));
  const response = await fetch(`http://${ALERTMANAGER_ADDRESS}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}
