/** The image as a container on a lab's node: in the namespaces of the node, with the rights that the manifest gives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from '../../e2e/lib/agent.ts';
import { type Outcome, run } from '../../e2e/lib/command.ts';
import { IN_CLUSTER } from '../../e2e/lib/endpoint-slice.ts';
import type { Lab } from '../../e2e/lib/lab.ts';
import { ENGINE_ENVIRONMENT, PODMAN, podman } from './engine.ts';
import { builtImage } from './image.ts';
import { commandOf, type Place, type Pod } from './manifest.ts';

export const NODE_NAME = 'ip-192-168-1-204.ap-northeast-2.compute.internal';

export interface Start {
  readonly pod: Pod;
  /** Instead of what the manifest says, or of the image's own "agent". */
  readonly args?: readonly string[];
  /** More of podman's options. */
  readonly options?: readonly string[];
}

/** Containers carry the pid of the run that started them, so that leftovers are known. */
const PREFIX = 'eks-test';
/** Only a test that fails waits so long. */
const PATIENCE_MS = 20_000;
/** `demo` goes through four phases. */
const RUN_MS = 90_000;
let made = 0;

export class Container implements AsyncDisposable {
  readonly name: string;
  /** As the machine counts. */
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;

  private constructor(child: ChildProcess, name: string, pid: number) {
    this.#child = child;
    this.name = name;
    this.pid = pid;
    this.#exited = exitOf(child);
  }

  /** Starts it; returns when it has a process. `child` is podman, which has the container's output and exit code. */
  static async start(lab: Lab, start: Start): Promise<Container> {
    made += 1;
    const name = `${PREFIX}-${process.pid}-${made}`;
    await removeLeftovers();
    const [program, args] = await commandLine(lab, start, ['--rm', `--name=${name}`]);
    const child = spawn(program, args, {
      env: ENGINE_ENVIRONMENT,
      stdio: ['ignore', 'inherit', 'pipe'],
      // Where memory ran out, conmon leaves a file there.
      cwd: tmpdir(),
    });
    try {
      return new Container(child, name, await pidOf(name, child));
    } catch (error) {
      await remove(name);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.name);
    await this.#exited;
  }

  /** The agent in it, once it has made a look. */
  agent(lab: Lab): Promise<Agent> {
    return Agent.watch(this.#child, lab.window);
  }

  /** Runs a command in it, to its end. */
  exec(...command: readonly string[]): Promise<Outcome> {
    return runPodman(['exec', this.name, ...command]);
  }

  /** What it wrote to stderr and nobody has read. */
  get unreadLog(): string {
    return String(this.#child.stderr?.read() ?? '');
  }

  /** Of podman, which has taken over the container's; waits for the end. */
  get exitCode(): Promise<number | null> {
    return this.#exited;
  }

  /** Sends a signal to its process; gives the container's exit code, and how long the process still lived. */
  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<{
    readonly code: number | null;
    readonly milliseconds: number;
  }> {
    const start = performance.now();
    process.kill(this.pid, signal);
    while (existsSync(`/proc/${this.pid}`) && performance.now() - start < PATIENCE_MS) await sleep(2);
    const milliseconds = performance.now() - start;
    if (existsSync(`/proc/${this.pid}`)) throw new Error(`"${signal}" has not ended the container`);
    return { code: await this.#exited, milliseconds };
  }
}

/** Runs the image to its end. */
export async function runContainer(lab: Lab, start: Start): Promise<Outcome> {
  const [program, args] = await commandLine(lab, start, ['--rm']);
  return run(program, args, { env: ENGINE_ENVIRONMENT, timeoutMs: RUN_MS });
}

export function runPodman(args: readonly string[]): Promise<Outcome> {
  const [program, ...storage] = PODMAN;
  return run(program, [...storage, ...args], { env: ENGINE_ENVIRONMENT, timeoutMs: RUN_MS });
}

/** The lab's node, as the manifest's pod meets it. */
function placeOf({ network }: Lab): Place {
  const files = `/etc/netns/${network.node.name}`;
  return {
    nodeName: NODE_NAME,
    network: `/run/netns/${network.node.name}`,
    pids: network.pids,
    resolvConf: `${files}/resolv.conf`,
    hosts: `${files}/hosts`,
  };
}

async function commandLine(
  lab: Lab,
  { pod, args, options = [] }: Start,
  more: readonly string[],
): Promise<[string, readonly string[]]> {
  const image = await builtImage();
  const command = commandOf(pod, placeOf(lab));
  const [program, ...storage] = PODMAN;
  return [
    program,
    [
      ...[...storage, 'run', '--pull=never', ...more, ...command.options, ...inCluster(lab), ...options],
      ...[image.id, ...(args ?? command.args)],
    ],
  ];
}

/** What kubelet adds to every container: the way to the API server, and the token. */
function inCluster(lab: Lab): readonly string[] {
  if (!lab.hasSlice) return [];
  const variables = Object.entries(IN_CLUSTER).map(([name, value]) => `--env=${name}=${value}`);
  return [...variables, `--volume=${lab.machine.run}/secrets:/var/run/secrets:ro`];
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function pidOf(name: string, child: ChildProcess): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) {
      const said = await child.stderr?.setEncoding('utf8').toArray();
      throw new Error(`The container has ended with ${child.exitCode}: ${said?.join('')}`);
    }
    const { code, stdout } = await runPodman(['inspect', '--format={{.State.Pid}}', name]);
    if (code === 0 && Number(stdout) > 0) return Number(stdout);
    await sleep(20);
  }
  throw new Error(`Cannot start the container "${name}": it has no process`);
}

/** Those of runs that ended without doing so. */
async function removeLeftovers(): Promise<void> {
  const names = await podman('ps', '--all', '--format={{.Names}}');
  for (const name of names.split('\n')) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await remove(name);
  }
}

async function remove(name: string): Promise<void> {
  await podman('rm', '--force', '--ignore', '--time=0', name);
}
