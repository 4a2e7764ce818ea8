/** What the node's own files say of how its clients reach the endpoint: hosts, resolvers and proxies. */
import type { Address } from '../model/address.ts';
import type { Clock, EndpointSeen, NodeConfigSeen, OwnersSeen, ProxySeen } from '../model/observation.ts';
import type { Resolve } from './dns.ts';
import { addressesOfHosts } from './hosts.ts';
import { type NodeFiles, observersOf } from './kubeconfigs.ts';
import { type ClientProxy, ProxyFinder } from './proxies.ts';
import { ProxyNames } from './proxy-names.ts';
import { nameserversOf } from './resolv-conf.ts';

const HOSTS = '/etc/hosts';
const RESOLV_CONF = '/etc/resolv.conf';
/** Where systemd-resolved writes whom it asks itself. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';
/** systemd-resolved as the machine's own resolver (resolved.conf(5), DNSStubListener). */
const RESOLVED_ADDRESSES = ['127.0.0.53', '127.0.0.54'];

/** What was read; the addresses that DNS gives a proxy come and go between two refreshes. */
interface NodeConfigRead extends Omit<NodeConfigSeen, 'proxies'> {
  readonly proxies: readonly FoundProxy[] | null;
}

interface FoundProxy extends ClientProxy {
  /** Addresses that the hosts file gives its name: then DNS is not asked. */
  readonly inHosts: readonly Address[];
}

/** What a client's resolver asks before DNS. */
interface HostsFile {
  /** Null: of pid 1, where there is no client. */
  readonly client: string | null;
  /** Empty where there is no such file; null where it could not be read. */
  readonly text: string | null;
}

/** Keeps what was last read; `refresh` reads the files anew. */
export class NodeConfigSource {
  readonly #files: NodeFiles;
  readonly #clock: Clock;
  readonly #finder: ProxyFinder;
  readonly #names: ProxyNames;
  #read: NodeConfigRead | null = null;
  #refreshing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor({ files, resolve, clock }: NodeConfigParts) {
    this.#files = files;
    this.#clock = clock;
    this.#finder = new ProxyFinder(files);
    this.#names = new ProxyNames({ resolve, clock });
  }

  /** Null before the first refresh. */
  get seen(): NodeConfigSeen | null {
    if (this.#read === null) return null;
    return { ...this.#read, proxies: this.#read.proxies?.map((proxy) => this.#see(proxy)) ?? null };
  }

  /**
   * Looks again, after a refresh under way, and waits until the names of new proxies have been asked for; never rejects.
   * Without `owners` the proxies stay as they were.
   */
  refresh(owners: OwnersSeen | null, endpoint: EndpointSeen | null): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#refresh(owners, endpoint));
    return this.#refreshing;
  }

  /** Looks and asks no more. */
  stop(): void {
    this.#stopped = true;
    this.#names.stop();
  }

  async #refresh(owners: OwnersSeen | null, endpoint: EndpointSeen | null): Promise<void> {
    const at = this.#clock();
    const hostsFiles = this.#hostsFiles(owners);
    const resolvers = this.#resolvers(owners);
    const hosts = endpoint && addressesIn(hostsFiles, endpoint.hostname);
    const proxies = await this.#proxies(owners, endpoint, hostsFiles);
    if (this.#stopped) return;
    this.#read = { hosts, resolvers, proxies, at };
    this.#names.follow(
      (proxies ?? []).flatMap(({ proxy, inHosts }) =>
        'host' in proxy && inHosts.length === 0 ? [proxy.host] : [],
      ),
    );
    await this.#names.asked();
  }

  async #proxies(
    owners: OwnersSeen | null,
    endpoint: EndpointSeen | null,
    hostsFiles: readonly HostsFile[],
  ): Promise<readonly FoundProxy[] | null> {
    if (endpoint === null) return null;
    if (owners === null) return this.#read?.proxies ?? null;
    const found = await this.#finder.find(owners, endpoint);
    return found.map(({ client, proxy }) => {
      const own = hostsFiles.filter((file) => file.client === client);
      return { client, proxy, inHosts: ('host' in proxy && addressesIn(own, proxy.host)) || [] };
    });
  }

  /** Each client's: that of a pod is another than the node's. */
  #hostsFiles(owners: OwnersSeen | null): readonly HostsFile[] {
    const files = (owners?.processes ?? []).flatMap(({ pid, client }) => this.#hostsFile(pid, client));
    return files.length > 0 ? files : this.#hostsFile(1, null);
  }

  /** None of a process that has vanished. */
  #hostsFile(pid: number, client: string | null): readonly HostsFile[] {
    const text = unlessRefused(() => this.#text(pid, HOSTS) ?? '');
    return this.#hasVanished(pid) ? [] : [{ client, text }];
  }

  /** As the first process sees them that is there. */
  #resolvers(owners: OwnersSeen | null): readonly Address[] | null {
    for (const pid of observersOf(owners)) {
      const resolvers = unlessRefused(() => this.#resolversOf(pid));
      if (!this.#hasVanished(pid)) return resolvers;
    }
    return null;
  }

  #resolversOf(pid: number): readonly Address[] | null {
    const servers = nameserversOf(this.#text(pid, RESOLV_CONF) ?? '');
    if (!servers.every(({ text }) => RESOLVED_ADDRESSES.includes(text))) return servers;
    const upstream = this.#text(pid, RESOLVED_CONF);
    return upstream === null ? null : nameserversOf(upstream);
  }

  /** To be asked after its files were read: they vanish with it. */
  #hasVanished(pid: number): boolean {
    return unlessRefused(() => this.#files.cmdline(pid) === null) ?? false;
  }

  /** Null where there is no such file. */
  #text(pid: number, path: string): string | null {
    const bytes = this.#files.readFileUnderRoot(pid, path);
    return bytes && new TextDecoder().decode(bytes);
  }

  #see({ client, proxy, inHosts }: FoundProxy): ProxySeen {
    if ('problem' in proxy) return { client, url: null, port: 0, addresses: [], error: proxy.problem };
    const { url, host, port } = proxy;
    const known = inHosts.length > 0 ? { addresses: inHosts, error: null } : this.#names.addressesOf(host);
    return { client, url, port, ...known };
  }
}

export interface NodeConfigParts {
  readonly files: NodeFiles;
  /** Asks DNS for the names of proxies. */
  readonly resolve: Resolve;
  readonly clock: Clock;
}

/** What these give the name, each address once; null where one could not be read, and without any. */
function addressesIn(files: readonly HostsFile[], hostname: string): readonly Address[] | null {
  const texts = new Set(files.map(({ text }) => text));
  if (texts.size === 0 || texts.has(null)) return null;
  return addressesOfHosts([...texts].join('\n'), hostname);
}

function unlessRefused<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
