/** What an agent says over HTTP, asked again and again until it says what a test expects. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeStatus } from '../../../src/model/status.ts';
import { Metrics } from './metrics.ts';
import type { Program } from './program.ts';

const POLL_MS = 200;

/** What the agent says at one moment. */
export interface View {
  readonly status: NodeStatus;
  readonly metrics: Metrics;
}

interface Source {
  /** In the agent's network. */
  readonly window: Program;
  /** `http://host:port`, seen from there. */
  readonly address: string;
  /** Longer than any interval in the tests; only a test that fails waits so long. */
  readonly patienceMs: number;
}

export abstract class Views {
  /** Every verdict that any scrape or status gave so far, in order, without repetition. */
  readonly verdicts: string[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** What there is to see where an assertion never held. */
  protected abstract evidence(): Promise<string>;

  /** Whether there is nobody to ask any more. */
  protected abstract hasEnded(): boolean;

  async view(): Promise<View> {
    const metrics = new Metrics(await this.#get('/metrics'));
    const status: NodeStatus = JSON.parse(await this.#get('/api/v1/status'));
    for (const verdict of [metrics.oneHot('node_route', 'route') ?? 'not one-hot', status.route]) {
      if (this.verdicts.at(-1) !== verdict) this.verdicts.push(verdict);
    }
    return { status, metrics };
  }

  /** Asks until the assertions hold; fails with the last that did not, the last status, and the evidence. */
  async eventually(assert: (view: View) => void): Promise<View> {
    const deadline = performance.now() + this.#source.patienceMs;
    let last: View | null = null;
    for (;;) {
      try {
        last = await this.view();
        assert(last);
        return last;
      } catch (error) {
        if (this.hasEnded() || performance.now() > deadline) {
          const status = JSON.stringify(last?.status, null, 1);
          throw new Error(`${error}\n\nlast status: ${status}\n\n${await this.evidence()}`, { cause: error });
        }
      }
      await sleep(POLL_MS);
    }
  }

  /** Holds the assertions against every answer until the agent has made so many more looks. */
  async during(looks: number, assert: (view: View) => void): Promise<void> {
    const deadline = performance.now() + this.#source.patienceMs;
    const { status: first } = await this.view();
    let made = 0;
    while (made < looks) {
      const view = await this.view();
      assert(view);
      made = view.status.scan.scans - first.scan.scans;
      if (performance.now() > deadline) throw new Error(`The agent made ${made} looks, not ${looks}`);
      await sleep(POLL_MS);
    }
  }

  async #get(path: string): Promise<string> {
    const { window, address } = this.#source;
    const { status, body } = await window.fetch(`${address}${path}`);
    if (status !== 200) throw new Error(`${path} answers ${status}: ${body}`);
    return body;
  }
}
