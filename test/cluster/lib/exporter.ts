/** daemonset.yaml on the cluster, as a user installs it, and what its agent says. */
import { join } from 'node:path';
import { NODE } from '../../e2e/lib/cluster.ts';
import { must, type Outcome, within } from '../../e2e/lib/command.ts';
import { Views } from '../../e2e/lib/views.ts';
import { builtImage } from '../../image/lib/image.ts';
import { ROOT } from '../../support/manifests.ts';
import { type Choice, writeCheckout } from './checkout.ts';
import type { Cluster } from './cluster.ts';

const MANIFEST = join(ROOT, 'daemonset.yaml');
/** As kubelet's probes do, the test asks at the node's address. */
const ADDRESS = `http://${NODE}:10943`;
export const NAME = 'eks-endpoint-exporter';
const DAEMON_SET = `daemonset/${NAME}`;
/** Longer than any interval in these tests; only a test that fails waits so long. */
const PATIENCE_MS = 60_000;

export class Exporter extends Views {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    super({ window: cluster.window, address: ADDRESS, patienceMs: PATIENCE_MS });
    this.#cluster = cluster;
  }

  /** The committed image, and the committed manifest as it is; waits until it is rolled out. */
  static async install(cluster: Cluster): Promise<Exporter> {
    const exporter = await Exporter.prepare(cluster);
    await exporter.applyManifest();
    return exporter;
  }

  /** The image is there, and nothing else. */
  static async prepare(cluster: Cluster): Promise<Exporter> {
    await cluster.containerd.importImage(await (await builtImage()).archive());
    return new Exporter(cluster);
  }

  async applyManifest(): Promise<void> {
    await this.#cluster.kubectl(['apply', '--validate=strict', `--filename=${MANIFEST}`]);
    await this.rolledOut();
  }

  async uninstall(): Promise<void> {
    await this.#cluster.kubectl(['delete', `--filename=${MANIFEST}`, '--wait', '--timeout=60s']);
  }

  /** Lines of the repository's kustomization.yaml set, in a copy of it, and that applied. */
  async apply(choice: Choice): Promise<void> {
    await this.#cluster.kubectl(['apply', '--validate=strict', `--kustomize=${await this.checkout(choice)}`]);
  }

  /** The folder of such a copy. */
  async checkout(choice: Choice): Promise<string> {
    const folder = join(this.#cluster.folder, 'checkout');
    await writeCheckout(folder, choice);
    return folder;
  }

  /** Everything of it that kubectl does in its namespace. */
  kubectl(...args: readonly string[]): Promise<string> {
    return this.#cluster.kubectl([`--namespace=${NAME}`, ...args]);
  }

  /** What the agent wrote last, of the container before where that has ended. */
  log(): Promise<string> {
    return this.kubectl('logs', DAEMON_SET, '--tail=40');
  }

  async rolledOut(): Promise<void> {
    try {
      await this.kubectl('rollout', 'status', DAEMON_SET, '--timeout=90s');
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${await this.evidence()}`);
    }
  }

  /** Runs the program beside the agent, as the README says; `words` begin with the command. */
  run(...words: readonly string[]): Promise<Outcome> {
    return this.exec(NAME, ...words);
  }

  /**
   * Any program of the image, in the agent's container. A kubelet that has just been restarted refuses for a while: what
   * fails then is kubectl, with the exit code 1 that a program may have too. So it waits until one is let in.
   */
  async exec(...words: readonly string[]): Promise<Outcome> {
    const into = [`--namespace=${NAME}`, 'exec', DAEMON_SET, '--'];
    await this.#cluster.eventually('kubelet lets kubectl into the container', async () => {
      return (await this.#cluster.tryKubectl([...into, NAME, '--version'])).code === 0;
    });
    return this.#cluster.tryKubectl([...into, ...words]);
  }

  /** What the kernel says of the agent's process, by the keys of /proc/<pid>/status. */
  async process(): Promise<ReadonlyMap<string, string>> {
    const script = 'cat "$(dirname "$(grep -lz "^/app/main.js$" /proc/[0-9]*/cmdline | head -n 1)")/status"';
    const status = await must(...within(this.#cluster.hosts.node, ['sh', '-c', script]));
    return new Map(
      Array.from(status.matchAll(/^(\w+):\s*(.*)$/gm), ([, key = '', value = '']) => [key, value]),
    );
  }

  protected override hasEnded(): boolean {
    return false;
  }

  protected override async evidence(): Promise<string> {
    const ask = async (...args: readonly string[]) => {
      const { stdout, stderr } = await this.#cluster.tryKubectl(args);
      return `--- kubectl ${args.join(' ')}\n${stdout}${stderr}`;
    };
    const parts = [
      await ask('get', 'pods', '--all-namespaces', '--output=wide'),
      await ask('get', 'events', `--namespace=${NAME}`),
      await ask('logs', `--namespace=${NAME}`, DAEMON_SET, '--tail=40'),
      await this.#cluster.tails(),
    ];
    return parts.join('\n');
  }
}
