/**
 * Clusters beside each other in one Prometheus, told apart by the label `cluster`: exporters of made fleets, what else answers
 * in their place, and kube-state-metrics.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect } from 'vitest';
import { Fleet, METRICS_TYPE } from '../../../bench/fleet/fleet.ts';
import type { FleetOptions } from '../../../bench/fleet/story.ts';
import { JOB } from '../../../scripts/monitoring/rules.ts';
import type { Programs } from './programs.ts';
import { type Labels, Prometheus } from './server.ts';

export interface MadeTarget {
  /** Beside `cluster` and `job`. */
  readonly labels: Labels & { readonly instance: string };
  /** Null: it answers with an error. */
  metrics(): Promise<string | null>;
}

export interface MadeCluster {
  readonly targets: readonly MadeTarget[];
  /** What each kube-state-metrics says; null: it answers with an error. */
  readonly kube?: readonly (string | null)[];
}

const HOUR_MS = 3_600_000;
const DURATION_MS = 20 * HOUR_MS;

/** A fleet so far in its migration, 0 to 1. */
export function fleetAt(share: number, options: Pick<FleetOptions, 'nodes' | 'specials'>): Fleet {
  return new Fleet({ ...options, startMs: Date.now() - share * DURATION_MS, durationMs: DURATION_MS });
}

/** The exporters of a fleet. */
export function targetsOf(fleet: Fleet): readonly MadeTarget[] {
  return fleet.nodes.map(({ name, instance }, index) => ({
    labels: { instance, node: name },
    metrics: () => fleet.metricsOf(index, Date.now()),
  }));
}

/** What kube-state-metrics says of nodes of these names. */
export function kubeNodes(names: readonly string[], labels: Readonly<Record<string, Labels>> = {}): string {
  const ofNode = (name: string, more: Labels) =>
    Object.entries({ node: name, ...more })
      .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
      .join(',');
  return [
    ...names.map((name) => `kube_node_info{${ofNode(name, { os_image: 'Amazon Linux 2023' })}} 1\n`),
    ...names.map((name) => `kube_node_labels{${ofNode(name, labels[name] ?? {})}} 1\n`),
  ].join('');
}

export class VerifyWorld implements AsyncDisposable {
  /** By the label; may be changed while Prometheus looks. */
  readonly clusters: Map<string, MadeCluster>;
  readonly #server: Server;
  readonly #host: string;

  private constructor(clusters: Map<string, MadeCluster>, server: Server, host: string) {
    this.clusters = clusters;
    this.#server = server;
    this.#host = host;
  }

  static async serve(made: Readonly<Record<string, MadeCluster>>): Promise<VerifyWorld> {
    const clusters = new Map(Object.entries(made));
    const server = createServer(async (request, response) => {
      const body = await answerTo(request.url ?? '/', clusters, request.headers.host ?? '').catch(String);
      const type = request.url?.startsWith('/discover/') ? 'application/json' : METRICS_TYPE;
      response.writeHead(body === null ? 503 : 200, { 'content-type': type }).end(body ?? '');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
    return new VerifyWorld(clusters, server, `127.0.0.1:${address.port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** A Prometheus that has scraped all of it, often enough to know that it is all. */
  async watch(programs: Programs): Promise<Prometheus> {
    const discover = (what: string) => [
      { url: `http://${this.#host}/discover/${what}`, refresh_interval: '1s' },
    ];
    const prometheus = await Prometheus.start(programs, {
      config: {
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [
          { job_name: JOB, http_sd_configs: discover('targets') },
          { job_name: 'kube-state-metrics', honor_labels: true, http_sd_configs: discover('kube') },
        ],
      },
    });
    const all = [...this.clusters.values()];
    const wanted = all.flatMap(({ targets, kube = [] }) => [...targets, ...kube]).length;
    await prometheus.daemon.eventually(async () => {
      expect(await prometheus.value('count(count_over_time(up[10s]) >= 4)')).toBe(wanted);
    });
    return prometheus;
  }
}

/** Null: an error. */
async function answerTo(
  path: string,
  clusters: ReadonlyMap<string, MadeCluster>,
  host: string,
): Promise<string | null> {
  if (path.startsWith('/discover/')) {
    const what = path.endsWith('/kube') ? 'kube' : 'targets';
    return JSON.stringify(
      [...clusters].flatMap(([cluster, { targets, kube = [] }]) =>
        what === 'targets'
          ? targets.map(({ labels }) =>
              discovered(host, `${cluster}/${labels.instance}`, { cluster, ...labels }),
            )
          : kube.map((_, nth) =>
              discovered(host, `${cluster}/kube/${nth}`, { cluster, instance: `10.0.40.${nth}:8080` }),
            ),
      ),
    );
  }
  const [, cluster = '', one = '', nth = ''] = path.split('/');
  const made = clusters.get(cluster);
  if (one === 'kube') return made?.kube?.[Number(nth)] ?? null;
  return (await made?.targets.find(({ labels }) => labels.instance === one)?.metrics()) ?? null;
}

function discovered(host: string, path: string, labels: Labels): object {
  return { targets: [host], labels: { __metrics_path__: `/${path}`, ...labels } };
}
