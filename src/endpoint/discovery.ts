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
import { CaFinder, type CaFinderParts, type CaSeen, type KubeconfigCa } from './ca.ts';
import { Kubeconfigs, type NodeFiles, NoKubeconfigError, observersOf } from './kubeconfigs.ts';

/** Finds the endpoint and its CA and keeps the last ones found; `refresh` reads their files anew. */
export class EndpointDiscovery {
  readonly #given: EndpointSeen | null;
  readonly #files: NodeFiles;
  readonly #kubeconfigs: Kubeconfigs;
  readonly #ca: CaFinder;
  readonly #clock: Clock;
  #seen: EndpointSeen | null;
  #stage: StageResult | null = null;
  /** The kubeconfig that was last read. */
  #kubeconfig: KubeconfigCa | null = null;
  #refreshing: Promise<void> = Promise.resolve();

  constructor(parts: EndpointDiscoveryParts) {
    const { given, files, clock } = parts;
    this.#given = given && { ...given, source: 'flag' };
    this.#seen = this.#given;
    this.#files = files;
    this.#kubeconfigs = new Kubeconfigs(files);
    this.#ca = new CaFinder(parts);
    this.#clock = clock;
  }

  /** The last endpoint found, however old. */
  get seen(): EndpointSeen | null {
    return this.#seen;
  }

  /** The last CA found, however old; it never spoils the endpoint. */
  get ca(): CaSeen {
    return this.#ca.seen;
  }

  /** How the last refresh ended, as far as the endpoint is concerned; null before the first. */
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
    const kubeconfig = await outcomeOf(this.#discover(owners));
    const error = this.#given === null && kubeconfig instanceof Error ? sentenceOf(kubeconfig) : null;
    const durationSeconds = (this.#clock().monotonicMs - at.monotonicMs) / 1000;
    this.#stage = { stage: 'endpoint', success: error === null, durationSeconds, error, at };
    await this.#ca.refresh(kubeconfig, observersOf(owners)[0] ?? 1);
  }

  /** The kubeconfig in use; it says where the endpoint is if nobody else does. */
  async #discover(owners: OwnersSeen | null): Promise<KubeconfigCa> {
    const kubeconfig = await this.#kubeconfigs.find(owners);
    const { source, pid, path } = kubeconfig;
    // A kubelet that is being restarted is no reason to change the source to and fro; one that names none is.
    if (
      this.#given === null &&
      this.#seen !== null &&
      this.#kubeconfig !== null &&
      rank(source) > rank(this.#seen.source) &&
      !this.#hasClientOf(this.#seen, owners)
    ) {
      return this.#kubeconfig;
    }
    const { endpoint, ca } = await this.#kubeconfigs.read(kubeconfig);
    this.#seen = this.#given ?? { ...endpoint, source };
    this.#kubeconfig = { pid, path, ca };
    return this.#kubeconfig;
  }

  /** Whether the client that named the kubeconfig is there to be asked. */
  #hasClientOf({ source }: EndpointSeen, owners: OwnersSeen | null): boolean {
    const name = source === 'kubelet-kubeconfig' ? 'kubelet' : 'kube-proxy';
    return (
      owners?.processes.some(({ client, pid }) => client === name && this.#files.cmdline(pid) !== null) ??
      false
    );
  }
}

export interface EndpointDiscoveryParts extends CaFinderParts {
  /** `--endpoint`, or null to discover it. */
  readonly given: EndpointAddress | null;
  readonly clock: Clock;
}

/** What became of the work, also where it failed. */
async function outcomeOf<T>(work: Promise<T>): Promise<T | Error> {
  try {
    return await work;
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

function sentenceOf(error: Error): string {
  return error instanceof NoKubeconfigError ? `${error.message}; give --endpoint` : error.message;
}

function rank(source: EndpointSource): number {
  return ENDPOINT_SOURCES.indexOf(source);
}
