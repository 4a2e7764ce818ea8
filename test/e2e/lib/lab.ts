/** A node with everything around it: network, DNS, the cluster's API servers, kubelet and kube-proxy, the agent. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type AgentOptions, runProgram } from './agent.ts';
import { ApiServers } from './api-servers.ts';
import { type Authority, makeAuthority } from './authority.ts';
import { Client } from './client.ts';
import type { Environment, Outcome } from './command.ts';
import { Dns } from './dns.ts';
import { CLUSTER_IPS, EndpointSlice, IN_CLUSTER } from './endpoint-slice.ts';
import { IMDS_ADDRESSES, Imds } from './imds.ts';
import { Machine } from './machine.ts';
import { makeNetwork, type Network } from './network.ts';
import { Program } from './program.ts';

export interface LabOptions {
  readonly hostname?: string;
  /** Addresses of the node, of the API servers (public and X-ENIs), and of the DNS server. */
  readonly node: readonly string[];
  readonly servers: readonly string[];
  /** More addresses of the far host, at which nothing listens yet. */
  readonly others?: readonly string[];
  readonly resolver?: string;
  readonly ttlSeconds?: number;
  /** The first answer of DNS, and of the resolver outside the VPC. */
  readonly answer: readonly string[];
  readonly outside?: readonly string[];
  /** What the EndpointSlice gives at first; with it the agent runs in the cluster. */
  readonly slice?: readonly string[];
  /** The VPC's CIDRs that IMDS gives at first; with them the machine is an EC2 instance. */
  readonly imds?: readonly string[];
  /** Whether it is one all the same, though IMDS is off. */
  readonly isEc2?: boolean;
}

export interface ClientOptions {
  readonly uid?: number;
  /** Where the kubeconfig is that it is started with; without, one that is right. */
  readonly kubeconfig?: string;
  readonly env?: Environment;
  /** In a network of its own, as a pod. */
  readonly isPod?: boolean;
}

/** Upper case, as EKS writes it. */
const HOSTNAME = '0123456789ABCDEF0123456789ABCDEF.gr7.ap-northeast-2.eks.amazonaws.com';

/** Of a public resolver; held by the far host, as all the others. */
const OUTSIDE_RESOLVER = '8.8.8.8';

/** For the agent: whom to ask for what the endpoint's name gives outside the VPC. */
export const OUTSIDE_FLAG = `--outside-resolver=${OUTSIDE_RESOLVER}`;

interface Parts {
  readonly hostname: string;
  readonly folder: string;
  readonly network: Network;
  readonly dns: Dns;
  readonly outside: Dns;
  readonly far: Program;
  readonly servers: ApiServers;
  readonly slice: EndpointSlice | null;
  readonly imds: Imds | null;
  readonly machine: Machine;
  readonly window: Program;
  readonly authority: Authority;
}

export class Lab implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(parts: Parts, cleanUp: AsyncDisposableStack) {
    this.#parts = parts;
    this.#cleanUp = cleanUp;
  }

  /** Builds it up; use with `await using`, so that nothing stays behind whatever a test does. */
  static async make(options: LabOptions): Promise<Lab> {
    await using building = new AsyncDisposableStack();
    const { answer, servers: addresses, others = [], node } = options;
    const hostname = options.hostname ?? HOSTNAME;
    const resolver = options.resolver ?? '192.168.0.2';
    const folder = await mkdtemp(join(tmpdir(), 'eks-e2e-'));
    building.defer(() => rm(folder, { recursive: true }));
    const held = new Set([
      ...addresses,
      ...others,
      resolver,
      OUTSIDE_RESOLVER,
      ...CLUSTER_IPS,
      ...IMDS_ADDRESSES,
    ]);
    const network = building.use(await makeNetwork({ node, far: [...held], resolver }));
    const dnsOf = (address: string, name: string) =>
      new Dns({
        ...{ host: network.far, address, folder: join(folder, name), hostname },
        ttlSeconds: options.ttlSeconds ?? 1,
      });
    const dns = dnsOf(resolver, 'dns');
    const outside = dnsOf(OUTSIDE_RESOLVER, 'outside');
    const isEc2 = options.isEc2 ?? options.imds !== undefined;
    const [far, window, authority, machine] = await Promise.all([
      Program.start(network.far),
      Program.start(network.node),
      makeAuthority(folder),
      Machine.make(join(folder, 'machine'), isEc2 ? 'Amazon EC2' : 'somebody else'),
      dns.start(answer),
      options.outside === undefined ? null : outside.start(options.outside),
    ]);
    const servers = await ApiServers.make(far, authority, { hostname, folder });
    await servers.start(addresses);
    const slice = options.slice === undefined ? null : await EndpointSlice.start(far, authority, machine.run);
    await slice?.give(options.slice ?? []);
    const imds = options.imds === undefined ? null : await Imds.start(far);
    await imds?.give(options.imds ?? []);
    const lab = new Lab(
      { hostname, folder, network, dns, outside, far, servers, slice, imds, machine, window, authority },
      building.move(),
    );
    await mkdir(join(folder, 'kube'));
    await writeFile(lab.kubeconfig, lab.kubeconfigText());
    await lab.dnsAnswers(answer);
    if (options.outside !== undefined) await lab.dnsAnswers(options.outside, OUTSIDE_RESOLVER);
    return lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }

  get hostname(): string {
    return this.#parts.hostname;
  }

  /** A folder of its own. */
  get folder(): string {
    return this.#parts.folder;
  }

  get network(): Network {
    return this.#parts.network;
  }

  get dns(): Dns {
    return this.#parts.dns;
  }

  get outside(): Dns {
    return this.#parts.outside;
  }

  /** Holds all addresses that are not the node's. */
  get far(): Program {
    return this.#parts.far;
  }

  get servers(): ApiServers {
    return this.#parts.servers;
  }

  get slice(): EndpointSlice {
    return need(this.#parts.slice, 'slice');
  }

  /** Whether the agent runs in the cluster. */
  get hasSlice(): boolean {
    return this.#parts.slice !== null;
  }

  get imds(): Imds {
    return need(this.#parts.imds, 'imds');
  }

  get machine(): Machine {
    return this.#parts.machine;
  }

  /** A program on the node to look at it with. */
  get window(): Program {
    return this.#parts.window;
  }

  get authority(): Authority {
    return this.#parts.authority;
  }

  /** Path of a kubeconfig that is right. */
  get kubeconfig(): string {
    return join(this.folder, 'kube', 'config');
  }

  kubeconfigText(): string {
    const ca = Buffer.from(this.authority.ca).toString('base64');
    return `apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster:
    certificate-authority-data: ${ca}
    server: https://${this.hostname}
contexts:
- name: kubelet
  context: {cluster: kubernetes, user: kubelet}
current-context: kubelet
users:
- name: kubelet
  user: {}
`;
  }

  /** Flips DNS and waits until the node is given the new answer. */
  async flipDns(addresses: readonly string[]): Promise<void> {
    await this.dns.answer(addresses);
    await this.dnsAnswers(addresses);
  }

  /** Waits until DNS, or the given server, gives the node these addresses. */
  async dnsAnswers(addresses: readonly string[], server?: string): Promise<void> {
    const expected = [...addresses].sort().join(' ');
    const deadline = performance.now() + 10_000;
    let seen = '';
    while (performance.now() < deadline) {
      seen = [...(await this.#parts.window.resolve(this.hostname, server))].sort().join(' ');
      if (seen === expected) return;
    }
    throw new Error(`DNS gives "${seen}", not "${expected}"`);
  }

  /** Starts a client of that comm on the node. */
  async startClient(comm: string, options: ClientOptions = {}): Promise<Client> {
    const uid = options.uid === undefined ? [] : [`--uid=${options.uid}`];
    const args = [`--comm=${comm}`, `--kubeconfig=${options.kubeconfig ?? this.kubeconfig}`, ...uid];
    const { node, pod } = this.network;
    const program = await Program.start(options.isPod ? pod : node, args, options.env);
    return new Client(program, { servername: this.hostname, ca: this.authority.ca });
  }

  /** Starts the agent on the node, a look a second, and waits until it has made one. */
  startAgent(args: readonly string[] = [], options: AgentOptions = {}): Promise<Agent> {
    const start = { args: ['agent', '--scan-interval=1s', ...args], ...this.#here(options) };
    return Agent.start(this.network.node, this.#parts.window, start);
  }

  /** Runs the program on the node, to its end. */
  run(args: readonly string[], options: AgentOptions = {}): Promise<Outcome> {
    return runProgram(this.network.node, { args, ...this.#here(options) });
  }

  /** On this lab's machine, and in its cluster where that has an API server to ask. */
  #here({ through = [], env = {} }: AgentOptions): Required<AgentOptions> {
    const { machine, slice } = this.#parts;
    return {
      through: [...machine.through, ...through],
      env: { ...(slice === null ? {} : IN_CLUSTER), ...env },
    };
  }
}

function need<Part>(part: Part | null, option: keyof LabOptions): Part {
  if (part === null) throw new Error(`Cannot use a part of the lab: it was made without "${option}"`);
  return part;
}
