/** Asks each exporter's pod through the API server, as kubectl would. */
import { messageOf } from '../../model/errors.ts';
import type { FleetObservation, NoAnswer, NodeObservation } from '../../model/fleet/observation.ts';
import type { Clock } from '../../model/observation.ts';
import { duration } from '../../model/text.ts';
import type { SendRequest } from '../../net/http.ts';
import { inPool } from '../pool.ts';
import { aged, noAnswer } from '../reply.ts';
import type { FleetSource, KubernetesTarget, ObserveOptions } from '../source.ts';
import { accountAccess } from './account.ts';
import { type AccessSource, Api } from './api.ts';
import { isFargate, type KubernetesNode, listNodes } from './nodes.ts';
import { listPods, POD_SELECTOR, type Pod, podsByNode } from './pods.ts';
import { askPod } from './proxy.ts';

interface Tools {
  readonly request: SendRequest;
  readonly readFile: (path: string) => Promise<string>;
  readonly clock: Clock;
}

/** Twenty at a time, each with ten seconds: a hundred and twenty have been asked then. */
const SILENT_AFTER_MS = 60_000;
/** Half of what an answer's age may be by default. */
const LONG_MS = 60_000;

export async function openKubernetes(target: KubernetesTarget, tools: Tools): Promise<FleetSource> {
  const access = await findAccess(target, tools);
  return {
    observe: (options) => observe(access, target, { ...tools, ...options }),
    close: () => {},
  };
}

/** As kubectl: a kubeconfig wins over the pod's account. */
async function findAccess(
  { kubeconfig, service, context }: KubernetesTarget,
  { readFile }: Tools,
): Promise<AccessSource> {
  if (kubeconfig.given || (await isThere(kubeconfig.files, readFile)))
    return (await import('./kubeconfig.ts')).kubeconfigAccess(kubeconfig.files, context);
  if (context !== null) {
    throw new Error(
      `There is no kubeconfig that could have the context ${JSON.stringify(context)}; give its path in $KUBECONFIG, or leave --context out in a pod`,
    );
  }
  if (service !== null) return accountAccess({ service, readFile });
  throw new Error(
    "There is no kubeconfig, and this is no pod of a cluster; give its path in $KUBECONFIG, or make one with 'aws eks update-kubeconfig'",
  );
}

async function isThere(files: readonly string[], readFile: Tools['readFile']): Promise<boolean> {
  const [file] = files;
  if (file === undefined) return false;
  try {
    await readFile(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw new Error(`Cannot read the kubeconfig ${JSON.stringify(file)}: ${messageOf(error)}`);
  }
}

async function observe(
  access: AccessSource,
  { namespace, concurrency }: KubernetesTarget,
  { request, clock, signal, onProgress }: Tools & ObserveOptions,
): Promise<FleetObservation> {
  const api = await Api.open(access, { request, signal });
  try {
    // In this order: a node that joins meanwhile is one without a pod, and none that is not there.
    const pods = await listPods(api, namespace);
    const nodes = await listNodes(api);
    if (pods.length === 0 && !nodes.every(isFargate)) {
      throw new Error(
        `There is no pod of the exporter (${POD_SELECTOR}) in namespace "${namespace}" of ${api.server}; give --namespace, or install it first (daemonset.yaml)`,
      );
    }
    const byNode = podsByNode(pods);
    const startedMs = clock().monotonicMs;
    let hasAnswered = false;
    const asked = await inPool(
      nodes,
      async (node) => {
        const pod = byNode.get(node.name) ?? null;
        const seen = await seenOf(node, pod);
        const atMs = clock().monotonicMs;
        hasAnswered ||= seen.kind === 'answer';
        if (seen.kind === 'none' && !hasAnswered && atMs - startedMs > SILENT_AFTER_MS)
          throw new Error(silence(seen));
        return { node, pod, seen, atMs };
      },
      { concurrency, signal, onProgress },
    );
    const now = clock();
    return {
      source: `Kubernetes at ${api.server} (${access.name})`,
      at: new Date(now.wallMs).toISOString(),
      nodesFrom: 'kubernetes',
      nodes: asked.map(
        ({ node: { name, labels }, pod, seen, atMs }): NodeObservation => ({
          node: name,
          origin: pod === null ? 'its Node object' : `pod "${pod.metadata.name}"`,
          labels,
          seen: aged(seen, now.monotonicMs - atMs),
        }),
      ),
      notes: notesOn(now.monotonicMs - startedMs),
    };
  } finally {
    api.close();
  }

  async function seenOf(node: KubernetesNode, pod: Pod | null): Promise<NodeObservation['seen']> {
    if (pod !== null) return askPod(api, { namespace, pod, node: node.name }, () => clock().wallMs);
    if (isFargate(node)) {
      return noAnswer('fargate', {
        detail: 'it is a node of Fargate, where no DaemonSet runs',
        remedy: 'give --ignore-fargate if that is as it should be',
      });
    }
    return noAnswer('no-exporter', {
      detail: `no pod of the exporter runs there (${POD_SELECTOR} in namespace ${namespace})`,
      remedy:
        "see what keeps the DaemonSet off it: taints it does not tolerate, its node affinity, no room ('kubectl describe node')",
    });
  }
}

/** Each that hangs holds up the others for its ten seconds. */
function notesOn(tookMs: number): readonly string[] {
  return tookMs < LONG_MS
    ? []
    : [
        `It took ${duration(tookMs)} to ask all pods, and the first answers are as old by now: where one is TooOld for that alone, a larger --concurrency would do.`,
      ];
}

/** Thousands of pods that nobody reaches would be asked for an hour, and each would say the same. */
function silence({ detail, remedy }: NoAnswer): string {
  return `No agent has answered within ${SILENT_AFTER_MS / 1000} s; of the last that was asked: ${detail}; ${remedy}`;
}
