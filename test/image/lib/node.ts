/** A lab's node with a kubelet that listens on its port, a kube-proxy, and the EndpointSlice: what each test begins with. */
import type { Client } from '../../e2e/lib/client.ts';
import { makeCluster, X_ENI } from '../../e2e/lib/cluster.ts';
import type { Lab } from '../../e2e/lib/lab.ts';
import type { Connection } from '../../e2e/lib/stand-in.ts';

export class Node implements AsyncDisposable {
  readonly lab: Lab;
  readonly #connections = new Map<Client, Connection>();

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  /** DNS gives these addresses; each client has a connection there. */
  static async make(answer: readonly string[]): Promise<Node> {
    const node = new Node(await makeCluster({ answer, slice: X_ENI }));
    const { lab } = node;
    const [kubelet, kubeProxy] = [await lab.startClient('kubelet'), await lab.startClient('kube-proxy')];
    await kubelet.program.listen({ addresses: ['::'], port: 10250 });
    for (const client of [kubelet, kubeProxy]) node.#connections.set(client, await client.connect());
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }

  /** Each client closes its connection and opens another, wherever DNS leads now. */
  async reconnect(): Promise<void> {
    for (const [client, old] of this.#connections) {
      await client.program.close(old);
      this.#connections.set(client, await client.connect());
    }
  }
}
