/** A real Alertmanager that gossips with nobody, and what its API says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Daemon, type Place } from './daemon.ts';
import type { Labels } from './server.ts';

/** An alert that was delivered to it and is not resolved. */
export interface Delivered {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly receivers: readonly { readonly name: string }[];
  readonly status: {
    readonly state: 'unprocessed' | 'active' | 'suppressed';
    readonly inhibitedBy: readonly string[];
  };
}

export const ALERTMANAGER_ADDRESS = '127.0.0.1:9093';

export class Alertmanager implements AsyncDisposable {
  readonly daemon: Daemon;

  private constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  /** `place`: of a network of its own. `config`: path of its configuration. */
  static async start(place: Place, config: string): Promise<Alertmanager> {
    const folder = await mkdtemp(join(tmpdir(), 'eks-alertmanager-'));
    const command = [
      'prometheus-alertmanager',
      `--config.file=${config}`,
      `--storage.path=${folder}`,
      `--web.listen-address=${ALERTMANAGER_ADDRESS}`,
      '--cluster.listen-address=',
    ] as const;
    const cleanUp = () => rm(folder, { recursive: true, force: true });
    return new Alertmanager(
      await Daemon.start({ place, command, url: `http://${ALERTMANAGER_ADDRESS}`, cleanUp }),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.daemon[Symbol.asyncDispose]();
  }

  alerts(): Promise<readonly Delivered[]> {
    return this.daemon.json('/api/v2/alerts');
  }
}
