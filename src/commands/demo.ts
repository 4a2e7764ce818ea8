/** `demo`: the whole agent on a simulated node that moves to the X-ENIs. Nothing leaves the machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../agent/agent.ts';
import type { Edges } from '../agent/sources.ts';
import type { Config } from '../config.ts';
import { writeProcTree } from '../demo/proc-tree.ts';
import {
  MACHINE,
  NODE_NAME,
  type Phase,
  RESOLVER,
  SLICE,
  storyOf,
  UPTIME_SECONDS,
  VPC_CIDRS,
} from '../demo/story.ts';
import type { Log } from '../log.ts';
import { messageOf } from '../model/errors.ts';
import { renderReport } from '../output/report.ts';
import { type Content, type RunningServer, startServer } from '../output/server.ts';
import { type Runtime, untilSignal } from '../runtime.ts';
import { assembleAgent, contentOf, logOf } from './assembly.ts';

/** What a TLS handshake within a region takes. */
const HANDSHAKE_MS = 4;
/** How often the demo asks whether the agent has seen what a phase shows. */
const POLL_MS = 250;
/** The agent may take this long beyond a phase: a gate asks for ten seconds on the X-ENIs after the looks that show them. */
const GRACE_MS = 15_000;

/** Resolves with the exit code: 0 at the end, or at a signal; 1 when it could not start or the agent did not follow. */
export async function runDemo(config: Config, runtime: Runtime): Promise<number> {
  const log = logOf(config, runtime);
  const stop = new AbortController();
  void untilSignal(runtime, ['SIGINT', 'SIGTERM', 'SIGHUP']).then(() => stop.abort());
  let folder: string;
  try {
    folder = mkdtempSync(join(tmpdir(), 'eks-endpoint-demo-'));
  } catch (error) {
    log.error(
      'cannot run the demo: it needs a folder for its node; TMPDIR may name one that can be written',
      {
        error: messageOf(error),
      },
    );
    return 1;
  }
  const round = new Round(config, runtime, { log, folder });
  try {
    const server = await serve(config, round.content, log);
    const say = (text: string) => runtime.stdout.write(text);
    const rounds = config.once || !runtime.stdout.isTerminal ? 1 : Number.POSITIVE_INFINITY;
    say(introduction(config, server, rounds));
    let shown = true;
    for (let number = 0; number < rounds && shown && !stop.signal.aborted; number++) {
      shown = await round.play({ say, signal: stop.signal });
    }
    await server.close();
    return shown || stop.signal.aborted ? 0 : 1;
  } catch (error) {
    log.error('cannot run the demo', { error: messageOf(error) });
    return 1;
  } finally {
    round.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The migration once, from the beginning, by an agent of its own. */
class Round {
  readonly #config: Config;
  readonly #runtime: Runtime;
  readonly #log: Log;
  readonly #folder: string;
  #agent: Agent;
  #content: Content;
  #phase: Phase | null = null;

  constructor(config: Config, runtime: Runtime, { log, folder }: { log: Log; folder: string }) {
    this.#config = simulatedConfig(config, folder);
    this.#runtime = runtime;
    this.#log = log;
    this.#folder = folder;
    this.#agent = this.#makeAgent();
    this.#content = contentOf(this.#agent, runtime);
  }

  /** What is served: that of the agent of the round under way. */
  get content(): Content {
    return {
      metrics: (maxWaitMs) => this.#content.metrics(maxWaitMs),
      status: (maxWaitMs) => this.#content.status(maxWaitMs),
      page: (maxWaitMs) => this.#content.page(maxWaitMs),
      healthy: () => this.#content.healthy(),
      ready: () => this.#content.ready(),
    };
  }

  /** Plays every phase; false as soon as the agent does not say what a phase is there to show. */
  async play({ say, signal }: { say: (text: string) => void; signal: AbortSignal }): Promise<boolean> {
    this.end();
    const phases = storyOf(Math.floor(this.#runtime.clock().wallMs / 1000) - UPTIME_SECONDS);
    for (const [index, phase] of phases.entries()) {
      const beganMs = this.#now();
      this.#phase = phase;
      writeProcTree(this.#folder, phase.tree);
      if (index === 0) {
        this.#agent = this.#makeAgent();
        this.#content = contentOf(this.#agent, this.#runtime);
        this.#agent.start();
      }
      say(`\n=== ${index + 1}/${phases.length} ${phase.title}\n${phase.story.join('\n')}\n\n`);
      const shown = await this.#untilShown(phase, signal);
      const status = this.#agent.status();
      if (status !== null) say(renderReport(status, { color: this.#runtime.stdout.color }));
      if (signal.aborted) return true;
      if (!shown) {
        say('\nThe agent does not say what this phase is there to show: this is a bug, please report it.\n');
        return false;
      }
      await sleep(Math.max(0, beganMs + this.#config.phaseMs - this.#now()), null, { signal }).catch(
        () => null,
      );
    }
    return true;
  }

  end(): void {
    this.#agent.stop();
  }

  async #untilShown(phase: Phase, signal: AbortSignal): Promise<boolean> {
    const deadlineMs = this.#now() + this.#config.phaseMs + GRACE_MS;
    while (this.#now() < deadlineMs && !signal.aborted) {
      const status = await this.#agent.freshStatus(POLL_MS);
      if (status !== null && phase.isShown(status)) return true;
      await sleep(POLL_MS);
    }
    return false;
  }

  #makeAgent(): Agent {
    return assembleAgent(this.#config, { ...this.#runtime, ...this.#edges() }, { log: this.#log });
  }

  /** Everything that would leave the process answers as in the story. */
  #edges(): Edges {
    const resolve = async () => ({ servers: [RESOLVER], records: this.#phase?.records ?? [] });
    return {
      resolve,
      resolveAt: () => resolve,
      request: async () => ({ status: 200, headers: {}, body: SLICE }),
      handshake: async () => {
        await sleep(HANDSHAKE_MS);
        return { failedStage: null, error: null };
      },
      readFile: async () => 'the token of nobody',
      askMachine: async () => MACHINE,
      random: () => 0.5,
    };
  }

  #now(): number {
    return this.#runtime.clock().monotonicMs;
  }
}

function simulatedConfig(config: Config, procfsPath: string): Config {
  const settings = { ...config.settings, nodeName: NODE_NAME, vpcCidrs: VPC_CIDRS, service: null };
  // A phase is long enough for several looks, also where it is short.
  const scanIntervalMs = Math.min(settings.scanIntervalMs, Math.max(1_000, config.phaseMs / 4));
  return {
    ...config,
    settings: { ...settings, scanIntervalMs, onEc2: false },
    endpoint: null,
    procfsPath,
    machine: MACHINE,
    caFile: null,
    kubernetes: true,
    kubernetesService: { host: '10.100.0.1', port: 443 },
  };
}

/** On the addresses asked for; on any free port of loopback where they are taken, as a demo should just run. */
async function serve(config: Config, content: Content, log: Log): Promise<RunningServer> {
  try {
    return await startServer({ listen: config.listenAddresses, content, log });
  } catch (error) {
    log.warn('serving on a free port instead', { error: messageOf(error) });
    return startServer({ listen: [{ host: '127.0.0.1', port: 0 }], content, log });
  }
}

function introduction({ phaseMs }: Config, { addresses }: RunningServer, rounds: number): string {
  const [address] = addresses;
  const host = address === undefined || ['::', '0.0.0.0'].includes(address.host) ? 'localhost' : address.host;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address?.port}`;
  return [
    'A simulated EKS node moves from the public endpoint to the X-ENIs of its VPC; the agent watches its sockets.',
    `Four phases of ${phaseMs / 1000} s (the last at least 13: public-free needs ten of them)${rounds === 1 ? '' : ', again and again, each round with a new agent: Ctrl-C ends it'}. Nothing leaves this machine. Meanwhile, look at:`,
    `  ${url}/               the page`,
    `  ${url}/metrics        what Prometheus scrapes: curl -s ${url}/metrics | grep -v '^#'`,
    `  ${url}/api/v1/status  the node status as JSON`,
    'and in another terminal, with this same program, at',
    `  watch --agent ${url}   what changes, as it changes`,
    `  verify --agent ${url}  whether this fleet of one node is free of the public endpoint, with an exit code`,
    '',
  ].join('\n');
}
