/** A node with everything around it: network, DNS, the cluster's API servers, kubelet and kube-proxy, the agent. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type AgentOptions, runProgram } from './agent.ts';
import { type Authority, makeAuthority } from './authority.ts';
import type { Outcome } from './command.ts';
import { Dns } from './dns.ts';
import { makeNetwork, type Network } from './network.ts';
import { Program } from './program.ts';
import type { Connection } from './stand-in.ts';

export interface LabOptions {
  readonly hostname?: string;
  /** Addresses of the node, of the API servers (public and X-ENIs), and of the DNS server. */
  readonly node: readonly string[];
  readonly servers: readonly string[];
  readonly resolver?: string;
  readonly ttlSeconds?: number;
  /** The first answer of DNS. */
  readonly answer: readonly string[];
}

export interface ClientOptions {
  readonly uid?: number;
  /** Where the kubeconfig is that it is started with; without, one that is right. */
  readonly kubeconfig?: string;
}

/** Upper case, as EKS writes it. */
const HOSTNAME = '0123456789ABCDEF0123456789ABCDEF.gr7.ap-northeast-2.eks.amazonaws.com';

export class Lab implements AsyncDisposable {
  readonly hostname: string;
  /** A folder of its own. */
  readonly folder: string;
  readonly dns: Dns;
  /** Holds the API servers' addresses. */
  readonly far: Program;
  readonly #network: Network;
  /** Asks questions from within the node, under no client's name. */
  readonly #window: Program;
  readonly #authority: Authority;
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(parts: {
    readonly hostname: string;
    readonly folder: string;
    readonly dns: Dns;
    readonly far: Program;
    readonly network: Network;
    readonly window: Program;
    readonly authority: Authority;
    readonly cleanUp: AsyncDisposableStack;
  }) {
    this.hostname = parts.hostname;
    this.folder = parts.folder;
    this.dns = parts.dns;
    this.far = parts.far;
    this.#network = parts.network;
    this.#window = parts.window;
    this.#authority = parts.authority;
    this.#cleanUp = parts.cleanUp;
  }

  /** Builds it up; use with `await using`, so that nothing stays behind whatever a test does. */
  static async make(options: LabOptions): Promise<Lab> {
    await using building = new AsyncDisposableStack();
    const hostname = options.hostname ?? HOSTNAME;
    const resolver = options.resolver ?? '192.168.0.2';
    const folder = await mkdtemp(join(tmpdir(), 'eks-e2e-'));
    building.defer(() => rm(folder, { recursive: true }));
    const network = building.use(
      await makeNetwork({ node: options.node, far: [...options.servers, resolver], resolver }),
    );
    const dns = new Dns({
      ...{ host: network.far, address: resolver, folder: join(folder, 'dns'), hostname },
      ttlSeconds: options.ttlSeconds ?? 1,
    });
    await dns.start(options.answer);
    const authority = await makeAuthority(folder);
    const [far, window] = await Promise.all([Program.start(network.far), Program.start(network.node)]);
    await far.listen({ addresses: options.servers, port: 443, tls: await authority.issue(hostname) });
    const lab = new Lab({ hostname, folder, dns, far, network, window, authority, cleanUp: building.move() });
    await mkdir(join(folder, 'kube'));
    await writeFile(lab.kubeconfig, lab.kubeconfigText());
    await lab.dnsAnswers(options.answer);
    return lab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }

  /** Path of a kubeconfig that is right. */
  get kubeconfig(): string {
    return join(this.folder, 'kube', 'config');
  }

  kubeconfigText(): string {
    const ca = Buffer.from(this.#authority.ca).toString('base64');
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

  /** Waits until DNS gives the node these addresses. */
  async dnsAnswers(addresses: readonly string[]): Promise<void> {
    const expected = [...addresses].sort().join(' ');
    const deadline = performance.now() + 10_000;
    let seen = '';
    while (performance.now() < deadline) {
      seen = [...(await this.#window.resolve(this.hostname))].sort().join(' ');
      if (seen === expected) return;
    }
    throw new Error(`DNS gives "${seen}", not "${expected}"`);
  }

  /** Starts a client of that comm on the node. */
  async startClient(comm: string, options: ClientOptions = {}): Promise<Client> {
    const uid = options.uid === undefined ? [] : [`--uid=${options.uid}`];
    const args = [`--comm=${comm}`, `--kubeconfig=${options.kubeconfig ?? this.kubeconfig}`, ...uid];
    const program = await Program.start(this.#network.node, args);
    return new Client(program, { servername: this.hostname, ca: this.#authority.ca });
  }

  /** Starts the agent on the node, a look a second, and waits until it has made one. */
  startAgent(args: readonly string[] = [], options: AgentOptions = {}): Promise<Agent> {
    const start = { args: ['agent', '--scan-interval=1s', ...args], ...options };
    return Agent.start(this.#network.node, this.#window, start);
  }

  /** Runs the program on the node, to its end. */
  run(args: readonly string[], options: AgentOptions = {}): Promise<Outcome> {
    return runProgram(this.#network.node, { args, ...options });
  }
}

/** kubelet or kube-proxy: verifies the endpoint's certificate and keeps its connections open. */
export class Client {
  readonly program: Program;
  readonly #tls: { readonly servername: string; readonly ca: string };

  constructor(program: Program, tls: { readonly servername: string; readonly ca: string }) {
    this.program = program;
    this.#tls = tls;
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Opens a connection to the endpoint, wherever DNS leads, or to the given address, from the given one. */
  connect(
    to: string = this.#tls.servername,
    from: { readonly localAddress?: string; readonly localPort?: number } = {},
  ): Promise<Connection> {
    return this.program.connect({ host: to, port: 443, tls: this.#tls, ...from });
  }

  /** Ends it, its connections with it. */
  stop(): Promise<void> {
    return this.program.stop();
  }
}
