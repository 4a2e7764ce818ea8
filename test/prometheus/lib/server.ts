/** A real Prometheus, and what its API says. */

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, LOOPBACK, type Place } from './daemon.ts';
import type { Programs } from './programs.ts';

export type Labels = Readonly<Record<string, string>>;

/** One element of an instant vector. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One series of a range: seconds and values. */
export interface Series {
  readonly labels: Labels;
  readonly values: readonly (readonly [number, number])[];
}

export interface Range {
  /** All in seconds. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** An alert that is pending or firing. */
export interface ActiveAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'pending' | 'firing';
}

export interface Rule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

export interface Target {
  readonly labels: Labels;
  readonly scrapeUrl: string;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}

interface PrometheusOptions {
  readonly place?: Place;
  /** Its configuration; JSON is YAML. */
  readonly config: object;
  /** Blocks that it begins with: a folder that becomes its own. */
  readonly data?: string;
}

/** What the API answers; Prometheus 3 has `infos` too, such as that a rate is taken of what is no counter. */
type Answer<Data> =
  | {
      readonly status: 'success';
      readonly data: Data;
      readonly warnings?: readonly string[];
      readonly infos?: readonly string[];
    }
  | { readonly status: 'error'; readonly error: string };

interface Vector<Value> {
  readonly result: readonly (Value & { readonly metric: Labels })[];
}

export class Prometheus implements AsyncDisposable {
  readonly daemon: Daemon;

  private constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  /** Starts it on loopback of its place; returns when it is ready. */
  static async start(
    { prometheus }: Programs,
    { place = LOOPBACK, config, data }: PrometheusOptions,
  ): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'eks-prometheus-'));
    const file = join(folder, 'prometheus.json');
    await writeFile(file, JSON.stringify(config));
    // A network namespace has ports of its own.
    const address = `127.0.0.1:${place.host === null ? await freePort() : 9090}`;
    const command = [
      prometheus,
      `--config.file=${file}`,
      `--storage.tsdb.path=${data ?? join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ] as const;
    const cleanUp = () => rm(folder, { recursive: true, force: true });
    return new Prometheus(await Daemon.start({ place, command, url: `http://${address}`, cleanUp }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.daemon[Symbol.asyncDispose]();
  }

  /** The instant vector that a query gives; a scalar is one element without labels. `time`: seconds, now where it is not given. */
  async query(query: string, time?: number): Promise<readonly Sample[]> {
    const at: Labels = time === undefined ? {} : { time: String(time) };
    const { result } = await this.#get<Vector<{ readonly value: readonly [number, string] }>>(
      '/api/v1/query',
      {
        query,
        ...at,
      },
    );
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** The one value that a query gives; null where it gives nothing. */
  async value(query: string): Promise<number | null> {
    const samples = await this.query(query);
    if (samples.length > 1) throw new Error(`"${query}" gives ${samples.length} series, not one`);
    return samples[0]?.value ?? null;
  }

  async queryRange(query: string, { start, end, step }: Range): Promise<readonly Series[]> {
    const { result } = await this.#get<Vector<{ readonly values: readonly (readonly [number, string])[] }>>(
      '/api/v1/query_range',
      { query, start: String(start), end: String(end), step: String(step) },
    );
    return result.map(({ metric, values }) => ({
      labels: metric,
      values: values.map(([seconds, value]) => [seconds, Number(value)]),
    }));
  }

  /** Of the series that the selector gives, at any time. */
  labelValues(label: string, selector: string): Promise<readonly string[]> {
    return this.#get(`/api/v1/label/${label}/values`, { 'match[]': selector });
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.#get<{ readonly alerts: readonly ActiveAlert[] }>('/api/v1/alerts')).alerts;
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.#get<{ readonly groups: readonly { readonly rules: readonly Rule[] }[] }>(
      '/api/v1/rules',
    );
    return groups.flatMap(({ rules }) => rules);
  }

  async targets(): Promise<readonly Target[]> {
    return (await this.#get<{ readonly activeTargets: readonly Target[] }>('/api/v1/targets')).activeTargets;
  }

  /** A warning is as bad as an error here. */
  async #get<Data>(path: string, parameters: Labels = {}): Promise<Data> {
    const answer = await this.daemon.json<Answer<Data>>(path, parameters);
    const said =
      answer.status === 'error' ? [answer.error] : [...(answer.warnings ?? []), ...(answer.infos ?? [])];
    if (answer.status === 'error' || said.length > 0) {
      throw new Error(`Cannot ask Prometheus for "${parameters['query'] ?? path}": ${said.join('; ')}`);
    }
    return answer.data;
  }
}

/** One that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port');
  return address.port;
}
