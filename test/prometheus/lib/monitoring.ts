/** Prometheus and Alertmanager on another host than the node, as a user has them: the shipped routes, and the rules in haste. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { NODE } from '../../e2e/lib/cluster.ts';
import type { Lab } from '../../e2e/lib/lab.ts';
import { ALERTMANAGER_ADDRESS, Alertmanager, type Delivered } from './alertmanager.ts';
import type { Place } from './daemon.ts';
import { HASTE, hasten } from './haste.ts';
import type { Programs } from './programs.ts';
import { type Labels, Prometheus } from './server.ts';

const DEPLOY = join(import.meta.dirname, '..', '..', '..', 'deploy', 'prometheus');

/** External labels go with an alert, and are in no series. */
export const CLUSTER = 'play';
export const NODE_NAME = 'ip-192-168-1-204.ap-northeast-2.compute.internal';
/** Of the cluster too: one that no exporter is on, and one that none can be on. */
export const FORGOTTEN_NODE = 'ip-192-168-1-77.ap-northeast-2.compute.internal';
const FARGATE_NODE = 'fargate-ip-192-168-1-78.ap-northeast-2.compute.internal';

const KUBE_STATE_METRICS = { address: '127.0.0.1', port: 8080 };

export class Monitoring implements AsyncDisposable {
  readonly prometheus: Prometheus;
  readonly alertmanager: Alertmanager;
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(prometheus: Prometheus, alertmanager: Alertmanager, cleanUp: AsyncDisposableStack) {
    this.prometheus = prometheus;
    this.alertmanager = alertmanager;
    this.#cleanUp = cleanUp;
  }

  /** Starts both in the lab's far host; each second the node is scraped and the rules are evaluated. */
  static async start(lab: Lab, programs: Programs): Promise<Monitoring> {
    await using starting = new AsyncDisposableStack();
    const place: Place = { host: lab.network.far, ask: (url) => lab.far.fetch(url) };
    const rules = join(lab.folder, 'rules.yaml');
    await writeFile(rules, hasten(readFileSync(join(DEPLOY, 'rules.yaml'), 'utf8'), HASTE));
    await serveKubeStateMetrics(lab);
    const alertmanager = starting.use(await Alertmanager.start(place, join(DEPLOY, 'alertmanager.yaml')));
    const config = {
      global: {
        ...{ scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        external_labels: { cluster: CLUSTER },
      },
      rule_files: [rules],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [ALERTMANAGER_ADDRESS] }] }] },
      scrape_configs: [
        {
          job_name: 'eks-endpoint-exporter',
          static_configs: [{ targets: [`${NODE}:10943`], labels: { node: NODE_NAME } }],
        },
        {
          job_name: 'kube-state-metrics',
          honor_labels: true,
          static_configs: [{ targets: [`${KUBE_STATE_METRICS.address}:${KUBE_STATE_METRICS.port}`] }],
        },
      ],
    };
    const prometheus = starting.use(await Prometheus.start(programs, { place, config }));
    return new Monitoring(prometheus, alertmanager, starting.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanUp.disposeAsync();
  }

  /**
   * Waits until these alerts fire and no others (see `nameOf`), in Prometheus and in Alertmanager, and each was pending before. Gives
   * them as they were delivered.
   */
  async expectAlerts(...names: readonly string[]): Promise<ReadonlyMap<string, Delivered>> {
    const expected = [...names].sort();
    return this.prometheus.daemon.eventually(async () => {
      const firing = (await this.prometheus.alerts()).filter(({ state }) => state === 'firing');
      expect(firing.map(nameOf).sort(), 'in Prometheus').toEqual(expected);
      const delivered = await this.alertmanager.alerts();
      expect(delivered.map(nameOf).sort(), 'in Alertmanager').toEqual(expected);
      const pending = await this.prometheus.query('count_over_time(ALERTS{alertstate="pending"}[1h])');
      for (const name of names) expect(pending.map(nameOf), 'pending before').toContain(name);
      return new Map(delivered.map((alert) => [nameOf(alert), alert]));
    });
  }

  /** Waits until Alertmanager would tell of all alerts but these, which follow from others. */
  async expectMuted(...names: readonly string[]): Promise<void> {
    await this.alertmanager.daemon.eventually(async () => {
      const muted = (await this.alertmanager.alerts()).filter(({ status }) => status.state === 'suppressed');
      expect(muted.map(nameOf).sort()).toEqual([...names].sort());
    });
  }

  /** Waits until a query gives this one value; null: nothing. */
  async expectValue(query: string, expected: number | null): Promise<void> {
    await this.prometheus.daemon.eventually(async () => {
      expect(await this.prometheus.value(query), query).toBe(expected);
    });
  }
}

/** What it is called without the prefix, how severe it is, and of whom it is said. */
function nameOf({ labels }: { readonly labels: Labels }): string {
  const { alertname = '', severity, node, client } = labels;
  const whom = [node === NODE_NAME ? 'node' : node, client].filter((label) => label !== undefined);
  return [alertname.replace('EksEndpoint', ''), severity, ...whom].join(' ');
}

async function serveKubeStateMetrics(lab: Lab): Promise<void> {
  const { address, port } = KUBE_STATE_METRICS;
  const nodes = [NODE_NAME, FORGOTTEN_NODE, FARGATE_NODE];
  const reply = {
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4' },
    body: nodes.map((node) => `kube_node_info{node="${node}"} 1\n`).join(''),
  };
  await lab.far.listen({ addresses: [address], port, rules: [{ path: '/metrics', reply }] });
}
