/** `watch`: shows a node as it is now, again and again, and what changed; ends with what moved when, and an exit code. */
import type { Config } from '../config.ts';
import { messageOf } from '../model/errors.ts';
import type { NodeStatus } from '../model/status.ts';
import { beginWatch, holds, seeSilence, seeStatus, type Watched } from '../model/watched.ts';
import { summaryOf, type WatchEnding } from '../output/watch/summary.ts';
import type { Runtime } from '../runtime.ts';
import { logOf } from './assembly.ts';
import { agentLooks, type Listener, type Looks, ownLooks } from './looks.ts';
import { makeWatchView, type WatchView } from './watch-view.ts';

/** How often it is seen how old the last look is, and a screen is drawn, without any news. */
const TICK_MS = 1_000;

const REACHED = 0;
const DOES_NOT_HOLD = 1;
const CANNOT_TELL = 2;

/** Resolves with the exit code: 0 reached (or ended, without `--until`), 1 known not to hold, 2 cannot tell. */
export async function runWatch(config: Config, runtime: Runtime): Promise<number> {
  const view = makeWatchView(config, runtime);
  const log = logOf(config, { ...runtime, stderr: view.stderr });
  const watching = new Watching(config, runtime, view);
  const { onStatus, onSilence } = watching;
  try {
    const { agentUrl } = config;
    const looks =
      agentUrl === null
        ? ownLooks(config, runtime, { log, onStatus })
        : await agentLooks(agentUrl, { config, runtime, onStatus, onSilence });
    return await watching.run(looks);
  } catch (error) {
    log.error('cannot watch', { error: messageOf(error) });
    return CANNOT_TELL;
  } finally {
    view.leave();
  }
}

class Watching implements Listener {
  readonly #config: Config;
  readonly #runtime: Runtime;
  readonly #view: WatchView;
  #watched: Watched;
  #end: (ending: WatchEnding) => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor(config: Config, runtime: Runtime, view: WatchView) {
    this.#config = config;
    this.#runtime = runtime;
    this.#view = view;
    this.#watched = beginWatch(runtime.clock());
  }

  readonly onStatus = (status: NodeStatus): void => {
    this.#see((watched) => seeStatus(watched, status, this.#runtime.clock()));
  };

  readonly onSilence = (problem: string): void => {
    this.#see((watched) => seeSilence(watched, problem, this.#runtime.clock()));
  };

  async run(looks: Looks): Promise<number> {
    const { until, timeoutMs } = this.#config;
    const { onSignal, clock } = this.#runtime;
    const ended = new Promise<WatchEnding>((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    const offs = [
      onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], () => this.#end('signal')),
      onSignal(['SIGWINCH', 'SIGCONT'], () => this.#see((watched) => watched)),
    ];
    const ticks = setInterval(() => this.#seeAge(looks), TICK_MS);
    const timeUp = () => {
      this.#seeAge(looks);
      this.#end('timeout');
    };
    const timer = timeoutMs === null ? undefined : setTimeout(timeUp, timeoutMs);
    try {
      this.#view.begin();
      this.#see((watched) => watched);
      looks.start();
      const ending = await ended;
      const exitCode = this.#exitCodeOf(ending);
      const summary = summaryOf(this.#watched, { at: clock(), ended: ending, until, exitCode });
      this.#view.end(this.#watched, summary);
      return exitCode;
    } finally {
      this.#see = () => {};
      looks.stop();
      clearInterval(ticks);
      clearTimeout(timer);
      for (const off of offs) off();
    }
  }

  /** The last look says less and less the older it is. That of a silent agent is shown as old already. */
  #seeAge(looks: Looks): void {
    const status = this.#watched.silence === null ? looks.status() : null;
    this.#see((watched) => (status === null ? watched : seeStatus(watched, status, this.#runtime.clock())));
  }

  /** Called within a look, whose agent takes an error for one of its own. */
  #see = (next: (watched: Watched) => Watched): void => {
    try {
      const before = this.#watched;
      this.#watched = next(before);
      const { changes, forgotten } = this.#watched;
      const news = changes.length + forgotten - before.changes.length - before.forgotten;
      this.#view.show(this.#watched, news === 0 ? [] : changes.slice(-news));
      const { until } = this.#config;
      if (until !== null && holds(this.#watched, until)) this.#end('reached');
      if (this.#runtime.stdout.isClosed) this.#end('closed');
    } catch (error) {
      this.#fail(error);
    }
  };

  #exitCodeOf(ending: WatchEnding): number {
    const { until } = this.#config;
    if (until === null) return this.#watched.looks > 0 ? REACHED : CANNOT_TELL;
    if (ending === 'reached') return REACHED;
    return ending === 'timeout' && holds(this.#watched, until) === false ? DOES_NOT_HOLD : CANNOT_TELL;
  }
}
