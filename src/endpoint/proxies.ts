/** Which proxy each client is told to use for the endpoint. */
import type { EndpointAddress } from '../model/endpoint.ts';
import { messageOf } from '../model/errors.ts';
import type { ClientProcess, OwnersSeen } from '../model/observation.ts';
import { type ProxyAddress, parseProxyUrl, proxyOf } from '../model/proxy.ts';
import { Kubeconfigs, type NodeFiles } from './kubeconfigs.ts';

export interface ClientProxy {
  readonly client: string;
  /** A problem too where it cannot be said whether there is one. */
  readonly proxy: ProxyAddress | { readonly problem: string };
}

/** Finds the proxies; parses what does not change only once. */
export class ProxyFinder {
  readonly #files: NodeFiles;
  readonly #kubeconfigs: Kubeconfigs;

  constructor(files: NodeFiles) {
    this.#files = files;
    this.#kubeconfigs = new Kubeconfigs(files);
  }

  /** Of the clients that use one, or may; each proxy of a client once. Never rejects. */
  async find(
    { processes }: Pick<OwnersSeen, 'processes'>,
    endpoint: EndpointAddress,
  ): Promise<readonly ClientProxy[]> {
    const found = new Map<string, ClientProxy>();
    for (const process of processes) {
      const proxy = await this.#proxyOf(process, endpoint);
      if (proxy === null) continue;
      const { client } = process;
      found.set(JSON.stringify([client, proxy]), { client, proxy });
    }
    return [...found.values()];
  }

  /** A kubeconfig's proxy-url decides: client-go then asks neither the environment nor NO_PROXY. */
  async #proxyOf(
    process: ClientProcess,
    endpoint: EndpointAddress,
  ): Promise<ProxyAddress | { readonly problem: string } | null> {
    const { pid } = process;
    try {
      const path = await this.#kubeconfigs.pathOf(process);
      const proxyUrl = path && (await this.#kubeconfigs.read({ pid, path })).proxyUrl;
      if (proxyUrl !== null) return parseProxyUrl(proxyUrl);
      const environment = this.#files.environ(pid);
      return environment && proxyOf(environment, endpoint);
    } catch (error) {
      return this.#hasVanished(pid) ? null : { problem: messageOf(error) };
    }
  }

  #hasVanished(pid: number): boolean {
    try {
      return this.#files.cmdline(pid) === null;
    } catch {
      return false;
    }
  }
}
