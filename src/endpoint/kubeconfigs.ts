/** Which kubeconfig each client on this node really uses, and what it says. */
import { messageOf } from '../model/errors.ts';
import type { ClientProcess, EndpointSource, OwnersSeen } from '../model/observation.ts';
import { type KubeconfigCluster, kubeconfigOfKubeProxyConfig, readKubeconfig } from './kubeconfig.ts';

/** What is needed of /proc; class Proc has it. Null: not there. All throw where they are refused. */
export interface NodeFiles {
  cmdline(pid: number): readonly string[] | null;
  environ(pid: number): Readonly<Record<string, string>> | null;
  /** Reads `path` as the process sees it. */
  readFileUnderRoot(pid: number, path: string): Uint8Array | null;
}

/** A kubeconfig file on the node, by the process through whose root it is read. */
export interface Kubeconfig {
  readonly source: EndpointSource;
  readonly pid: number;
  readonly path: string;
}

/** Where nodes keep the kubelet's kubeconfig: AL2, AL2023 and hybrid; Bottlerocket; eksctl. */
const WELL_KNOWN_PATHS = [
  '/var/lib/kubelet/kubeconfig',
  '/etc/kubernetes/kubelet/kubeconfig',
  '/etc/eksctl/kubeconfig.yaml',
];

/** No client names a kubeconfig, and there is none where they usually are. */
export class NoKubeconfigError extends Error {
  override readonly name = 'NoKubeconfigError';
}

/** Finds and reads the kubeconfigs. They are asked for every few seconds and hardly ever change: each is parsed once. */
export class Kubeconfigs {
  readonly #files: NodeFiles;
  readonly #clusters = new ParsedTexts(readKubeconfig);
  readonly #kubeProxyConfigs = new ParsedTexts(kubeconfigOfKubeProxyConfig);

  constructor(files: NodeFiles) {
    this.#files = files;
  }

  /** The first source that names a kubeconfig decides: what a client names is what it uses. Throws where none does. */
  async find(owners: OwnersSeen | null): Promise<Kubeconfig> {
    const processes = owners?.processes ?? [];
    for (const [client, source] of [
      ['kubelet', 'kubelet-kubeconfig'],
      ['kube-proxy', 'kube-proxy-kubeconfig'],
    ] as const) {
      for (const process of processes.filter((one) => one.client === client)) {
        const path = await this.pathOf(process);
        if (path !== null) return { source, pid: process.pid, path };
      }
    }
    const pid = processes.find(({ client }) => client === 'kubelet')?.pid ?? 1;
    const there = WELL_KNOWN_PATHS.find((path) => this.#exists(pid, path));
    if (there !== undefined) return { source: 'well-known-kubeconfig', pid, path: there };
    const clients =
      owners === null
        ? 'the processes could not be read'
        : 'neither kubelet nor kube-proxy names a kubeconfig';
    throw new NoKubeconfigError(`${clients}, and there is none at ${WELL_KNOWN_PATHS.join(', ')}`);
  }

  /** The path of the kubeconfig that the client's command line names; null without. */
  async pathOf({ client, pid }: Pick<ClientProcess, 'client' | 'pid'>): Promise<string | null> {
    const cmdline = this.#files.cmdline(pid) ?? [];
    const direct = flagValue(cmdline, 'kubeconfig');
    const config = client === 'kube-proxy' ? flagValue(cmdline, 'config') : null;
    if (direct !== null || config === null) return direct;
    return use(config, this.#kubeProxyConfigs.parse(textUnderRoot(this.#files, pid, config)));
  }

  /** What the kubeconfig says; throws, with its path and the reason, where it cannot be read or used. */
  async read({ pid, path }: Pick<Kubeconfig, 'pid' | 'path'>): Promise<KubeconfigCluster> {
    return use(path, this.#clusters.parse(textUnderRoot(this.#files, pid, path)));
  }

  #exists(pid: number, path: string): boolean {
    try {
      return this.#files.readFileUnderRoot(pid, path) !== null;
    } catch (error) {
      throw new NoKubeconfigError(messageOf(error));
    }
  }
}

/** Through whose roots the node is seen, the best first: what the kubelet sees is what the node is like. */
export function observersOf(owners: OwnersSeen | null): readonly number[] {
  const pidsOf = (name: string) =>
    owners?.processes.flatMap(({ client, pid }) => (client === name ? [pid] : [])) ?? [];
  return [...pidsOf('kubelet'), ...pidsOf('kube-proxy'), 1];
}

/** The file at `path` as the process sees it; throws, with the path and the reason, where it cannot be read. */
export function textUnderRoot(
  files: Pick<NodeFiles, 'readFileUnderRoot'>,
  pid: number,
  path: string,
): string {
  let reason = 'there is no such file (ENOENT)';
  try {
    const bytes = files.readFileUnderRoot(pid, path);
    if (bytes !== null) return new TextDecoder().decode(bytes);
  } catch (error) {
    reason = messageOf(error);
  }
  throw new Error(`Cannot read ${JSON.stringify(path)} of pid ${pid}: ${reason}`);
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

/** More files than the clients of a node name; a bound for a file that changes all the time. */
const MAX_TEXTS = 8;

/** Remembers what came of the last texts, also where that is an error. */
class ParsedTexts<Result> {
  readonly #parse: (text: string) => Promise<Result>;
  readonly #results = new Map<string, Promise<Result>>();

  constructor(parse: (text: string) => Promise<Result>) {
    this.#parse = parse;
  }

  parse(text: string): Promise<Result> {
    const known = this.#results.get(text);
    if (known !== undefined) return known;
    if (this.#results.size >= MAX_TEXTS) this.#results.clear();
    const result = this.#parse(text);
    this.#results.set(text, result);
    return result;
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
