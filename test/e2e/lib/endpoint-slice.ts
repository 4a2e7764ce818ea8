/** The EndpointSlice `default/kubernetes` as the API server gives it, behind the ClusterIP, and what a pod is given to ask for it. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority } from './authority.ts';
import type { Environment } from './command.ts';
import type { Program } from './program.ts';
import type { Reply, Rule } from './servers.ts';

/** Of the `kubernetes` Service: an IPv4 cluster's, an IPv6 cluster's. */
export const CLUSTER_IPS = ['10.100.0.1', 'fd30:9a5c:1::1'] as const;
const PORT = 443;
const PATH = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';
const JSON_TYPE = { 'content-type': 'application/json' };

/** The environment of a pod of the cluster. */
export const IN_CLUSTER: Environment = {
  KUBERNETES_SERVICE_HOST: CLUSTER_IPS[0],
  KUBERNETES_SERVICE_PORT: String(PORT),
};

export class EndpointSlice {
  readonly #far: Program;
  /** What is at /var/run/secrets/kubernetes.io/serviceaccount. */
  readonly #account: string;
  #token = 'token-1';
  #reply: Reply = { status: 503 };

  private constructor(far: Program, account: string) {
    this.#far = far;
    this.#account = account;
  }

  /** Serves it. `run`: what becomes the pod's /var/run. */
  static async start(far: Program, authority: Authority, run: string): Promise<EndpointSlice> {
    const slice = new EndpointSlice(far, join(run, 'secrets', 'kubernetes.io', 'serviceaccount'));
    await mkdir(slice.#account, { recursive: true });
    await writeFile(join(slice.#account, 'ca.crt'), authority.ca);
    await slice.writeToken();
    const ips = CLUSTER_IPS.map((address) => `IP:${address}`);
    const tls = await authority.issue('DNS:kubernetes.default.svc', ...ips);
    await far.listen({ addresses: CLUSTER_IPS, port: PORT, tls, rules: [] });
    return slice;
  }

  /** It gives these addresses, all of one family, from now on. */
  give(addresses: readonly string[]): Promise<void> {
    return this.reply({ status: 200, headers: JSON_TYPE, body: sliceOf(addresses) });
  }

  /** It gives this answer to those who have the token. */
  async reply(reply: Reply): Promise<void> {
    this.#reply = reply;
    await this.#answer();
  }

  /** Another token, and no other, is good from now on. The pod's file has it at once, or when `writeToken` is called. */
  async rotateToken(token: string): Promise<void> {
    this.#token = token;
    await this.#answer();
  }

  async writeToken(): Promise<void> {
    const beside = join(this.#account, 'next');
    await writeFile(beside, this.#token);
    await rename(beside, join(this.#account, 'token'));
  }

  /** The statuses of the answers given so far. */
  async statuses(): Promise<readonly number[]> {
    const served = await Promise.all(CLUSTER_IPS.map((address) => this.#far.served(address, PORT)));
    return served.flat().map(({ status }) => status);
  }

  /** The pod has no service account any more, as one whose token is not mounted. */
  async unmount(): Promise<void> {
    await rm(this.#account, { recursive: true });
  }

  async #answer(): Promise<void> {
    for (const address of CLUSTER_IPS) await this.#far.answer(address, PORT, this.#rules());
  }

  #rules(): readonly Rule[] {
    const asked = { method: 'GET', path: PATH };
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Unauthorized', code: 401 };
    return [
      { ...asked, headers: { authorization: `Bearer ${this.#token}` }, reply: this.#reply },
      { ...asked, reply: { status: 401, headers: JSON_TYPE, body: JSON.stringify(status) } },
    ];
  }
}

/** As kube-apiserver writes it. */
function sliceOf(addresses: readonly string[]): string {
  return JSON.stringify({
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: addresses[0]?.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: 'https', protocol: 'TCP', port: 443 }],
  });
}
