/**
 * A made fleet in the middle of its migration, and Prometheus as it would be then: it holds the hours that have passed,
 * the recorded series too, and goes on scraping each node.
 */
import { createWriteStream, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'vitest';
import { Fleet } from '../../../bench/fleet/fleet.ts';
import { writeHistory } from '../../../bench/fleet/history.ts';
import { serveFleet } from '../../../bench/fleet/server.ts';
import { RECORDING_RULES, type RecordingRule } from '../../../scripts/monitoring/rules.ts';
import { run } from '../../e2e/lib/command.ts';
import { HASTE, hasten } from './haste.ts';
import type { Programs } from './programs.ts';
import { Prometheus } from './server.ts';

const RULES = join(import.meta.dirname, '..', '..', '..', 'deploy', 'prometheus', 'rules.yaml');

/**
 * Between the past and the first scrape: longer than queries look back. The past has no mark where a series ends, which would
 * be seen beside what came after it.
 */
const GAP_MS = 330_000;

export interface WorldOptions {
  readonly nodes: number;
  /** How much of the migration has passed, 0 to 1, and how long that took. */
  readonly share: number;
  readonly hours: number;
  /** Of every series, as who scrapes several clusters has it; null: there is no such label. */
  readonly cluster: string | null;
  readonly kubeStateMetrics: boolean;
}

export class FleetWorld implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly options: WorldOptions;
  /** Where the fleet's past begins and where it ends, in seconds. */
  readonly start: number;
  readonly end: number;
  readonly #folder: string;
  readonly #url: string;
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(
    fleet: Fleet,
    parts: Pick<FleetWorld, 'options' | 'start' | 'end'> & { folder: string; url: string },
    cleanUp: AsyncDisposableStack,
  ) {
    this.fleet = fleet;
    this.options = parts.options;
    this.start = parts.start;
    this.end = parts.end;
    this.#folder = parts.folder;
    this.#url = parts.url;
    this.#cleanUp = cleanUp;
  }

  /** `maker`: whose promtool makes the past. Later releases read it too. */
  static async make(options: WorldOptions, maker: Programs): Promise<FleetWorld> {
    await using making = new AsyncDisposableStack();
    const { nodes, share, hours, cluster, kubeStateMetrics } = options;
    const folder = await mkdtemp(join(tmpdir(), 'eks-fleet-'));
    making.defer(() => rm(folder, { recursive: true, force: true }));
    const passedMs = hours * 3_600_000;
    const startMs = Date.now() - passedMs;
    const endMs = Date.now() - GAP_MS;
    const fleet = new Fleet({ nodes, startMs, durationMs: passedMs / share });
    const past = {
      kubeStateMetrics,
      labels: cluster === null ? {} : { cluster },
    };
    // The last minutes as often as users have it: Grafana takes rates over four scrapes.
    const recentMs = endMs - 600_000;
    const lines = async function* () {
      for await (const line of writeHistory(fleet, { ...past, startMs, endMs: recentMs, stepMs: 60_000 })) {
        if (line !== '# EOF\n') yield line;
      }
      yield* writeHistory(fleet, { ...past, startMs: recentMs + 15_000, endMs, stepMs: 15_000 });
    };
    await pipeline(Readable.from(lines()), createWriteStream(join(folder, 'past.om')));
    await writeFile(join(folder, 'rules.yaml'), hasten(readFileSync(RULES, 'utf8'), HASTE));
    const server = await serveFleet(fleet);
    making.defer(() => server.close());
    await promtool(maker, [
      'create-blocks-from',
      'openmetrics',
      join(folder, 'past.om'),
      join(folder, 'past'),
    ]);
    const parts = { options, start: startMs / 1000, end: endMs / 1000, folder, url: server.url };
    await record(join(folder, 'past'), parts, maker);
    return new FleetWorld(fleet, parts, making.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanUp.disposeAsync();
  }

  /** A Prometheus that knows all this; returns when it has scraped every node several times. */
  async watch(programs: Programs): Promise<Prometheus> {
    const data = await mkdtemp(join(this.#folder, 'watch-'));
    await cp(join(this.#folder, 'past'), data, { recursive: true });
    const prometheus = await Prometheus.start(programs, { config: this.#config(), data });
    try {
      const { nodes } = this.fleet;
      await prometheus.daemon.eventually(async () => {
        const scraped = await prometheus.query('count_over_time(up{job="eks-endpoint-exporter"}[8s]) >= 3');
        expect(scraped.length).toBe(nodes.length);
        expect((await prometheus.query('ALERTS{alertstate="firing"}')).length).toBeGreaterThan(0);
      });
    } catch (error) {
      await prometheus[Symbol.asyncDispose]();
      throw error;
    }
    return prometheus;
  }

  /** A Prometheus that evaluates the rules, and scrapes kube-state-metrics or nothing at all: no exporter. */
  async watchWithoutExporters(
    programs: Programs,
    { kubeStateMetrics }: { readonly kubeStateMetrics: boolean },
  ): Promise<Prometheus> {
    const config = { ...this.#config(), scrape_configs: kubeStateMetrics ? [this.#stateScrape()] : [] };
    return Prometheus.start(programs, { config });
  }

  #config(): object {
    const exporters = {
      job_name: 'eks-endpoint-exporter',
      http_sd_configs: [{ url: `${this.#url}/targets`, refresh_interval: '5s' }],
      ...this.#relabelling(),
    };
    return {
      global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '1s' },
      rule_files: [join(this.#folder, 'rules.yaml')],
      scrape_configs: this.options.kubeStateMetrics ? [exporters, this.#stateScrape()] : [exporters],
    };
  }

  /** Its instance is that of the past: else there would be two of each node for five minutes. */
  #stateScrape(): object {
    return {
      job_name: 'kube-state-metrics',
      metrics_path: '/kube-state-metrics',
      honor_labels: true,
      static_configs: [{ targets: [new URL(this.#url).host], labels: { instance: '10.0.40.30:8080' } }],
      ...this.#relabelling(),
    };
  }

  #relabelling(): object {
    const { cluster } = this.options;
    return cluster === null ? {} : { relabel_configs: [{ target_label: 'cluster', replacement: cluster }] };
  }
}

/**
 * What the recording rules would have recorded, by the rules as they are shipped, into blocks beside the others. Those
 * that are made of what others record come after them.
 */
async function record(
  data: string,
  { start, end }: Pick<FleetWorld, 'start' | 'end'>,
  maker: Programs,
): Promise<void> {
  for (const [index, rules] of levelsOf(RECORDING_RULES).entries()) {
    const file = `${data}-${index}.json`;
    const recorded = `${data}-${index}`;
    const plain = rules.map(({ record: name, expr }) => ({ record: name, expr }));
    await writeFile(file, JSON.stringify({ groups: [{ name: 'past', rules: plain }] }));
    await mkdir(recorded);
    {
      await using prometheus = await Prometheus.start(maker, { config: {}, data });
      const span = [`--start=${start}`, `--end=${end}`, '--eval-interval=60s'];
      const where = [`--url=${prometheus.daemon.url}`, `--output-dir=${recorded}`];
      await promtool(maker, ['create-blocks-from', 'rules', ...span, ...where, file]);
    }
    for (const block of await readdir(recorded)) await rename(join(recorded, block), join(data, block));
  }
}

type Recording = Pick<RecordingRule, 'record' | 'expr'>;

/** Each of what the levels before it record, and of scraped series. */
function levelsOf(rules: readonly Recording[]): readonly (readonly Recording[])[] {
  if (rules.length === 0) return [];
  const level = rules.filter(({ expr }) => !rules.some(({ record }) => expr.includes(record)));
  if (level.length === 0)
    throw new Error('Cannot put the recording rules in order: they are made of each other');
  return [level, ...levelsOf(rules.filter((rule) => !level.includes(rule)))];
}

async function promtool({ promtool: program }: Programs, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(program, ['tsdb', ...args], { timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`Cannot run "promtool tsdb ${args.join(' ')}": ${stderr || stdout}`);
}
