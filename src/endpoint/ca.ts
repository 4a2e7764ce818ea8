/** Where the cluster's CA is: who asks the endpoint for its certificate needs to know whose that must be. */
import { messageOf } from '../model/errors.ts';
import type { ReadFile } from './endpointslice.ts';
import type { KubeconfigCluster } from './kubeconfig.ts';
import { type Kubeconfig, type NodeFiles, textUnderRoot } from './kubeconfigs.ts';
import { certificatesOf } from './pem.ts';

/** The CA's certificates, or a sentence that says why there are none. */
export type CaSeen = { readonly pem: string } | { readonly missing: string };

/** Where nodeadm, Bottlerocket and eksctl put the cluster's CA. */
const NODE_PATH = '/etc/kubernetes/pki/ca.crt';
/** Of the agent's own pod. */
const SERVICE_ACCOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';

interface Place {
  readonly name: string;
  readonly read: () => Promise<string>;
}

/** Finds the CA and keeps the last one found; `refresh` reads its files anew. */
export class CaFinder {
  readonly #caFile: string | null;
  readonly #readFile: ReadFile;
  readonly #files: NodeFiles;
  #seen: CaSeen = { missing: 'the CA of the cluster has not been looked for yet' };

  constructor({ caFile, readFile, files }: CaFinderParts) {
    this.#caFile = caFile;
    this.#readFile = readFile;
    this.#files = files;
  }

  /** The last one found, however old. */
  get seen(): CaSeen {
    return this.#seen;
  }

  /**
   * Looks again, where the CA is usually found first; never rejects. `kubeconfig`: the one in use, or why there is none;
   * `pid`: through whose root the node is seen then.
   */
  async refresh(kubeconfig: KubeconfigCa | Error, pid: number): Promise<void> {
    const reasons: string[] = [];
    for (const { name, read } of this.#places(kubeconfig, pid)) {
      try {
        const pem = certificatesOf(await read());
        if (pem !== null) {
          this.#seen = { pem };
          return;
        }
        reasons.push(`${name} holds no PEM certificate`);
      } catch (error) {
        reasons.push(messageOf(error));
      }
    }
    if ('pem' in this.#seen) return;
    const fix = this.#caFile === null ? 'give --ca-file' : 'give --ca-file the path of a PEM certificate';
    this.#seen = { missing: `the CA of the cluster is not known: ${reasons.join('; ')}; ${fix}` };
  }

  #places(kubeconfig: KubeconfigCa | Error, pid: number): readonly Place[] {
    if (this.#caFile !== null) return [this.#ownFile(this.#caFile)];
    const node = kubeconfig instanceof Error ? pid : kubeconfig.pid;
    return [
      { name: 'the kubeconfig', read: async () => this.#ofKubeconfig(kubeconfig) },
      { name: quote(NODE_PATH), read: async () => textUnderRoot(this.#files, node, NODE_PATH) },
      this.#ownFile(SERVICE_ACCOUNT_PATH),
    ];
  }

  #ofKubeconfig(kubeconfig: KubeconfigCa | Error): string {
    if (kubeconfig instanceof Error) throw kubeconfig;
    const { ca, path, pid } = kubeconfig;
    if (ca === null) throw new Error(`${quote(path)} names no CA`);
    if ('problem' in ca) throw new Error(`Cannot use ${quote(path)}: ${ca.problem}`);
    return 'data' in ca ? ca.data : textUnderRoot(this.#files, pid, beside(path, ca.path));
  }

  /** A file as the agent itself sees it. */
  #ownFile(path: string): Place {
    const read = async () => {
      try {
        return await this.#readFile(path);
      } catch (error) {
        throw new Error(`Cannot read ${quote(path)}: ${messageOf(error)}`);
      }
    };
    return { name: quote(path), read };
  }
}

/** A kubeconfig that was read, and its CA. */
export type KubeconfigCa = Pick<Kubeconfig, 'pid' | 'path'> & Pick<KubeconfigCluster, 'ca'>;

export interface CaFinderParts {
  /** `--ca-file`, a path of the agent's own file system; null: where the node has it. */
  readonly caFile: string | null;
  /** Reads files as the agent sees them. */
  readonly readFile: ReadFile;
  readonly files: NodeFiles;
}

/** A kubeconfig's paths are relative to where it is. */
function beside(kubeconfig: string, path: string): string {
  return path.startsWith('/') ? path : kubeconfig.slice(0, kubeconfig.lastIndexOf('/') + 1) + path;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
