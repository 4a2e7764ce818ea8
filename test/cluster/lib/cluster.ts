/** A Kubernetes of one node, as EKS has it: control plane, DNS, the node, kube-proxy. */
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE, PUBLIC, X_ENI } from '../../e2e/lib/cluster.ts';
import { type Outcome, run, within } from '../../e2e/lib/command.ts';
import { Dns } from '../../e2e/lib/dns.ts';
import { Program } from '../../e2e/lib/program.ts';
import { Containerd } from './containerd.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type Daemon, Daemons, PATIENCE_MS } from './daemon.ts';
import { type Hosts, makeHosts } from './hosts.ts';
import { makeImage } from './images.ts';
import { KUBE_PROXY_IMAGE, kubeProxyManifest } from './kube-proxy.ts';
import { startKubelet } from './kubelet.ts';
import { type Binaries, binaries } from './kubernetes.ts';

/** Upper case, as EKS writes it in kubelet's kubeconfig. */
const HOSTNAME = '0123456789ABCDEF0123456789ABCDEF.gr7.ap-northeast-2.eks.amazonaws.com';
const NODE_NAME = 'ip-192-168-1-204.ap-northeast-2.compute.internal';
const RESOLVER = '192.168.0.2';
/** Short, where EKS has 60 s: the tests wait for it. */
const TTL_SECONDS = 2;
const SERVICES = { serviceCidr: '10.100.0.0/16', clusterIp: '10.100.0.1' };
const KUBE_SYSTEM = '--namespace=kube-system';
const KUBE_PROXY = 'daemonset/kube-proxy';

interface Parts {
  readonly folder: string;
  readonly programs: Binaries;
  readonly hosts: Hosts;
  readonly daemons: Daemons;
  readonly dns: Dns;
  readonly control: ControlPlane;
  readonly containerd: Containerd;
  readonly kubelet: Daemon;
  readonly window: Program;
}

export class Cluster implements AsyncDisposable {
  readonly nodeName = NODE_NAME;
  /** Of the endpoint. */
  readonly hostname = HOSTNAME;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Starts it and waits until the node is ready and kube-proxy runs. DNS gives the public addresses. */
  static async make(): Promise<Cluster> {
    const programs = await binaries();
    const folder = await mkdtemp(join(tmpdir(), 'eks-cluster-'));
    const hosts = await makeHosts({
      ...{ folder, resolver: RESOLVER, hostname: NODE_NAME },
      ...{ node: [NODE], far: [...X_ENI, ...PUBLIC, RESOLVER] },
    });
    const logs = join(folder, 'logs');
    const daemons = new Daemons(logs);
    try {
      await mkdir(logs);
      const cluster = new Cluster(await startParts({ folder, programs, hosts, daemons }));
      await cluster.#settle();
      return cluster;
    } catch (error) {
      const message = error instanceof Error ? error.message : error;
      const tails = await daemons.tails();
      await hosts[Symbol.asyncDispose]();
      throw new Error(`${message}\n${tails}`, { cause: error });
    }
  }

  /** Ends everything, and removes it from the machine. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.hosts[Symbol.asyncDispose]();
  }

  get containerd(): Containerd {
    return this.#parts.containerd;
  }

  get kubelet(): Daemon {
    return this.#parts.kubelet;
  }

  /** A program on the node, to ask from there. */
  get window(): Program {
    return this.#parts.window;
  }

  /** Path of the cluster's CA, PEM. */
  get caFile(): string {
    return this.#parts.control.caFile;
  }

  get hosts(): Hosts {
    return this.#parts.hosts;
  }

  /** A folder of the cluster's own, gone with it. */
  get folder(): string {
    return this.#parts.folder;
  }

  /** Runs kubectl, with every right; any exit code but 0 is an Error. Gives its stdout. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(args, input);
    if (code !== 0) throw new Error(`"kubectl ${args.join(' ')}" says: ${stderr || stdout}`);
    return stdout;
  }

  async tryKubectl(args: readonly string[], input = ''): Promise<Outcome> {
    const { programs, control, folder, hosts } = this.#parts;
    const command = [programs.path('kubectl'), ...args];
    const env = { HOME: join(folder, 'home'), KUBECONFIG: control.kubeconfig };
    return run(...within(hosts.far, command), { input, env, timeoutMs: PATIENCE_MS });
  }

  /** Flips DNS and waits until the node is given the new answer. */
  async flipDns(addresses: readonly string[]): Promise<void> {
    await this.#parts.dns.answer(addresses);
    const expected = [...addresses].sort().join(' ');
    await this.eventually(`DNS gives "${expected}"`, async () => {
      const seen = await this.#parts.window.resolve(HOSTNAME);
      return [...seen].sort().join(' ') === expected;
    });
  }

  async rolloutKubeProxy(): Promise<void> {
    await this.kubectl([KUBE_SYSTEM, 'rollout', 'restart', KUBE_PROXY]);
    await this.#kubeProxyRolledOut();
  }

  /** Waits until something is so, as long as the programs of the cluster run. */
  eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
    return this.#parts.daemons.eventually(what, isSo);
  }

  /** What each program said last. */
  tails(): Promise<string> {
    return this.#parts.daemons.tails();
  }

  async #settle(): Promise<void> {
    await this.eventually('both API servers are in the EndpointSlice', async () => {
      const slice = ['get', 'endpointslice', 'kubernetes', '--output=jsonpath={.endpoints[*].addresses[*]}'];
      const { stdout } = await this.tryKubectl(slice);
      return X_ENI.every((address) => stdout.split(' ').includes(address));
    });
    const { folder, programs, containerd } = this.#parts;
    // As EKS does for its API servers, which ask kubelet for logs and exec.
    const rights = ['--clusterrole=system:kubelet-api-admin', '--user=kube-apiserver'];
    await this.kubectl(['create', 'clusterrolebinding', 'kube-apiserver', ...rights]);
    const program = programs.path('kube-proxy');
    const image = { name: KUBE_PROXY_IMAGE, program, folder: join(folder, 'kube-proxy') };
    await containerd.importImage(await makeImage(image));
    const manifest = kubeProxyManifest(`https://${HOSTNAME.toLowerCase()}`);
    await this.kubectl(['apply', '--validate=strict', '--filename=-'], manifest);
    await this.eventually('the node is there, and sends its heartbeats', async () => {
      const lease = ['--namespace=kube-node-lease', 'get', 'lease', NODE_NAME];
      return (await this.tryKubectl(lease)).code === 0;
    });
    await this.kubectl(['wait', '--for=condition=Ready', `node/${NODE_NAME}`, '--timeout=90s']);
    await this.#kubeProxyRolledOut();
  }

  async #kubeProxyRolledOut(): Promise<void> {
    await this.kubectl([KUBE_SYSTEM, 'rollout', 'status', KUBE_PROXY, '--timeout=90s']);
  }
}

async function startParts(base: Pick<Parts, 'folder' | 'programs' | 'hosts' | 'daemons'>): Promise<Parts> {
  const { folder, programs, hosts, daemons } = base;
  const { node, far, cgroup } = hosts;
  const dns = new Dns({
    ...{ host: far, address: RESOLVER, folder: join(folder, 'dns'), hostname: HOSTNAME },
    ttlSeconds: TTL_SECONDS,
  });
  await dns.start(PUBLIC);
  const control = await startControlPlane({
    ...{ host: far, folder: join(folder, 'control'), daemons, binaries: programs, hostname: HOSTNAME },
    ...{ xEnis: X_ENI, publicAddresses: PUBLIC, ...SERVICES, nodeName: NODE_NAME },
  });
  const onNode = { host: node, daemons, binaries: programs };
  const containerd = await Containerd.start({ ...onNode, folder: join(folder, 'containerd') });
  const kubelet = await startKubelet({
    ...{ ...onNode, folder: join(folder, 'lib', 'kubelet'), cgroup, name: NODE_NAME, address: NODE },
    ...{ server: `https://${HOSTNAME}`, caFile: control.caFile, token: control.nodeToken },
  });
  return { ...base, dns, control, containerd, kubelet, window: await Program.start(node) };
}
