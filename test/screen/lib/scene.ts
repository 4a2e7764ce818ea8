/** What the browser is shown: the real server with a status that the test changes, as if the agent had looked. */

import type { NodeStatus } from '../../../src/model/status.ts';
import { renderPage } from '../../../src/output/page.ts';
import { type RunningServer, startServer } from '../../../src/output/server.ts';

export class Scene {
  /** What is shown from now on. */
  status: NodeStatus | null;
  /** When it is shown; null: two seconds after its look. */
  nowMs: number | null = null;
  /** How often the page was asked for. */
  asked = 0;
  #server: RunningServer | null = null;
  #port = 0;

  constructor(status: NodeStatus | null) {
    this.status = status;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Serves on a free port; after `stop` on the same one. */
  async start(): Promise<void> {
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    this.#server = await startServer({
      listen: [{ host: '127.0.0.1', port: this.#port }],
      log,
      content: {
        page: async () => {
          this.asked++;
          return renderPage(this.status, this.nowMs ?? Date.parse(this.status?.observedAt ?? '') + 2_000);
        },
        status: async () => JSON.stringify(this.status),
        metrics: async () => null,
        healthy: () => true,
        ready: () => true,
      },
    });
    this.#port = this.#server.addresses[0]?.port ?? 0;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = null;
  }
}
