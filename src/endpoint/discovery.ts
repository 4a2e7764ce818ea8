/** Where the endpoint's name comes from: the flag, else the kubeconfig that a client on this node really uses. */
import type { EndpointAddress } from '../model/endpoint.ts';
import { messageOf } from '../model/errors.ts';
import {
  type Clock,
  ENDPOINT_SOURCES,
  type EndpointSeen,
  type EndpointSource,
  type OwnersSeen,
  type StageResult,
} from '../model/observation.ts';
import { endpointOfKubeconfig, kubeconfigOfKubeProxyConfig } from './kubeconfig.ts';

/** What discovery needs of /proc; class Proc has it. Null: not there. Both throw where they are refused. */
export interface NodeFiles {
  cmdline(pid: number): readonly string[] | null;
  /** Reads `path` as the process sees it. */
  readFileUnderRoot(pid: number, path: string): Uint8Array | null;
}

/** Where nodes keep the kubelet's kubeconfig: AL2, AL2023 and hybrid; Bottlerocket; eksctl. */
const WELL_KNOWN_PATHS = [
  '/var/lib/kubelet/kubeconfig',
  '/etc/kubernetes/kubelet/kubeconfig',
  '/etc/eksctl/kubeconfig.yaml',
];

/** A kubeconfig file on the node, by the process through whose root it is read. */
interface Kubeconfig {
  readonly source: EndpointSource;
  readonly pid: number;
  readonly path: string;
}

/** Finds the endpoint and keeps the last one found; `refresh` reads its files anew. */
export class EndpointDiscovery {
  readonly #given: EndpointSeen | null;
  readonly #files: NodeFiles;
  readonly #clock: Clock;
  #seen: EndpointSeen | null;
  #stage: StageResult | null = null;
  /** The last file and what came of it: most refreshes find it unchanged. */
  #last: { readonly path: string; readonly text: string; readonly endpoint: EndpointAddress | Error } | null =
    null;
  #refreshing: Promise<void> = Promise.resolve();

  constructor({ given, files, clock }: EndpointDiscoveryParts) {
    this.#given = given && { ...given, source: 'flag' };
    this.#seen = this.#given;
    this.#files = files;
    this.#clock = clock;
  }

  /** The last endpoint found, however old. */
  get seen(): EndpointSeen | null {
    return this.#seen;
  }

  /** How the last refresh ended; null before the first. */
  get stage(): StageResult | null {
    return this.#stage;
  }

  /** Looks again, after a refresh under way; never rejects. `owners`: the processes of the last look, null if unknown. */
  refresh(owners: OwnersSeen | null): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#refresh(owners));
    return this.#refreshing;
  }

  async #refresh(owners: OwnersSeen | null): Promise<void> {
    const at = this.#clock();
    let error: string | null = null;
    try {
      if (this.#given === null) await this.#discover(owners);
    } catch (problem) {
      error = messageOf(problem);
    }
    const durationSeconds = (this.#clock().monotonicMs - at.monotonicMs) / 1000;
    this.#stage = { stage: 'endpoint', success: error === null, durationSeconds, error, at };
  }

  async #discover(owners: OwnersSeen | null): Promise<void> {
    const { source, pid, path } = await this.#find(owners);
    // A kubelet that is being restarted is no reason to change the source to and fro; one that names none is.
    if (
      this.#seen !== null &&
      rank(source) > rank(this.#seen.source) &&
      !this.#hasClientOf(this.#seen, owners)
    ) {
      return;
    }
    const text = this.#read(pid, path);
    if (text !== this.#last?.text || path !== this.#last.path) {
      this.#last = { text, path, endpoint: await outcomeOf(use(path, endpointOfKubeconfig(text))) };
    }
    const { endpoint } = this.#last;
    if (endpoint instanceof Error) throw endpoint;
    this.#seen = { ...endpoint, source };
  }

  /** Whether the client that named the kubeconfig is there to be asked. */
  #hasClientOf({ source }: EndpointSeen, owners: OwnersSeen | null): boolean {
    const name = source === 'kubelet-kubeconfig' ? 'kubelet' : 'kube-proxy';
    return (
      owners?.processes.some(({ client, pid }) => client === name && this.#files.cmdline(pid) !== null) ??
      false
    );
  }

  /** The first source that names a kubeconfig decides: what a client names is what it uses. */
  async #find(owners: OwnersSeen | null): Promise<Kubeconfig> {
    const processes = owners?.processes ?? [];
    for (const { pid, client } of processes) {
      const path = client === 'kubelet' ? flagValue(this.#files.cmdline(pid) ?? [], 'kubeconfig') : null;
      if (path !== null) return { source: 'kubelet-kubeconfig', pid, path };
    }
    for (const { pid, client } of processes) {
      const path = client === 'kube-proxy' ? await this.#kubeProxyKubeconfig(pid) : null;
      if (path !== null) return { source: 'kube-proxy-kubeconfig', pid, path };
    }
    const pid = processes.find(({ client }) => client === 'kubelet')?.pid ?? 1;
    const wellKnown = WELL_KNOWN_PATHS.map(
      (path) => ({ source: 'well-known-kubeconfig', pid, path }) as const,
    );
    const there = wellKnown.find((file) => this.#exists(file));
    if (there !== undefined) return there;
    const clients =
      owners === null
        ? 'the processes could not be read'
        : 'neither kubelet nor kube-proxy names a kubeconfig';
    throw new Error(`${clients}, and there is none at ${WELL_KNOWN_PATHS.join(', ')}; give --endpoint`);
  }

  async #kubeProxyKubeconfig(pid: number): Promise<string | null> {
    const cmdline = this.#files.cmdline(pid) ?? [];
    const direct = flagValue(cmdline, 'kubeconfig');
    if (direct !== null) return direct;
    const config = flagValue(cmdline, 'config');
    return config && use(config, kubeconfigOfKubeProxyConfig(this.#read(pid, config)));
  }

  #exists({ pid, path }: Kubeconfig): boolean {
    try {
      return this.#files.readFileUnderRoot(pid, path) !== null;
    } catch (error) {
      throw new Error(`${messageOf(error)}; give --endpoint`);
    }
  }

  #read(pid: number, path: string): string {
    let reason = 'there is no such file (ENOENT)';
    try {
      const bytes = this.#files.readFileUnderRoot(pid, path);
      if (bytes !== null) return new TextDecoder().decode(bytes);
    } catch (error) {
      reason = messageOf(error);
    }
    throw new Error(`Cannot read ${JSON.stringify(path)} of pid ${pid}: ${reason}`);
  }
}

export interface EndpointDiscoveryParts {
  /** `--endpoint`, or null to discover it. */
  readonly given: EndpointAddress | null;
  readonly files: NodeFiles;
  readonly clock: Clock;
}

/**
 * The value of a Go flag in a command line: `--name=value` or `--name value`, with one or two hyphens, the last
 * one where it is given twice; null without, or where it is empty.
 */
export function flagValue(cmdline: readonly string[], name: string): string | null {
  const values = cmdline.flatMap((word, index) => {
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(word);
    return match?.[1] === name ? [match[2] ?? cmdline[index + 1] ?? ''] : [];
  });
  return values.at(-1) || null;
}

/** What became of the work, also where it failed. */
async function outcomeOf<T>(work: Promise<T>): Promise<T | Error> {
  try {
    return await work;
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/** What was read of a file; where it cannot be used, the error names the file. */
async function use<T>(path: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    throw new SyntaxError(`Cannot use ${JSON.stringify(path)}: ${messageOf(error)}`);
  }
}

function rank(source: EndpointSource): number {
  return ENDPOINT_SOURCES.indexOf(source);
}
