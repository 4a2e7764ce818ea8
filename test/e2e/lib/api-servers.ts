/** The cluster's API servers, one at each address, each of which can be stopped, or replaced by another. */
import { join } from 'node:path';
import { type Authority, type Certificate, makeAuthority } from './authority.ts';
import type { Program } from './program.ts';
import type { Tally } from './servers.ts';

const PORT = 443;

/** Who answers: an API server of this cluster, one of another cluster, or a server without TLS. */
export type ServerKind = 'cluster' | 'other' | 'plain';

interface Certificates {
  readonly cluster: Certificate;
  readonly other: Certificate;
}

export class ApiServers {
  readonly #far: Program;
  readonly #certificates: Certificates;

  private constructor(far: Program, certificates: Certificates) {
    this.#far = far;
    this.#certificates = certificates;
  }

  /** `folder`: for the other cluster's authority. Like EKS's the certificates name no address. */
  static async make(
    far: Program,
    authority: Authority,
    { hostname, folder }: { readonly hostname: string; readonly folder: string },
  ): Promise<ApiServers> {
    const names = [`DNS:${hostname}`, 'DNS:kubernetes'];
    const stranger = await makeAuthority(join(folder, 'other'));
    return new ApiServers(far, {
      cluster: await authority.issue(...names),
      other: await stranger.issue(...names),
    });
  }

  async start(addresses: readonly string[], kind: ServerKind = 'cluster'): Promise<void> {
    const tls = kind === 'plain' ? {} : { tls: this.#certificates[kind] };
    await this.#far.listen({ addresses, port: PORT, ...tls });
  }

  /** Refuses connections from now on. Those that there are stay. */
  async stop(address: string): Promise<void> {
    await this.#far.unlisten(address, PORT);
  }

  async replace(address: string, kind: ServerKind): Promise<void> {
    await this.stop(address);
    await this.start([address], kind);
  }

  tally(address: string): Promise<Tally> {
    return this.#far.tally(address, PORT);
  }
}
