/** Asks an exporter's pod through the API server: it reaches every node, wherever this program runs. */
import { messageOf } from '../../model/errors.ts';
import type { NoAnswer } from '../../model/fleet/observation.ts';
import type { HttpReply } from '../../net/http.ts';
import { MAX_STATUS_BYTES } from '../node-status.ts';
import { type AgentReply, noAnswer, readAgentReply, STATUS_DEADLINE_MS, STATUS_PATH } from '../reply.ts';
import { type Api, RefusedError, statusMessage } from './api.ts';
import { notReady, type Pod, portOf } from './pods.ts';

interface PodOfNode {
  readonly namespace: string;
  readonly pod: Pod;
  /** Of the node that it is to speak for. */
  readonly node: string;
}

/** Rejects only where nobody can be asked. */
export async function askPod(
  api: Api,
  { namespace, pod, node }: PodOfNode,
  wallMs: () => number,
): Promise<AgentReply['seen']> {
  const unready = notReady(pod);
  if (unready !== null) return unready;
  const port = portOf(pod);
  try {
    const reply = await api.get({
      path: `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}:${port}/proxy${STATUS_PATH}`,
      deadlineMs: STATUS_DEADLINE_MS,
      maxBytes: MAX_STATUS_BYTES,
      isPassedOn: true,
    });
    const refused = reply.status === 200 ? null : refusal(reply, { namespace, port });
    if (refused !== null) return refused;
    const { node: speaker, seen } = readAgentReply(reply, wallMs());
    return speaker === null || speaker === node ? seen : otherNode(speaker, pod);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    return noAnswer('not-answering', {
      detail: `the API server gave no answer of its pod: ${messageOf(error)}`,
      remedy: letIn(port),
    });
  }
}

function otherNode(speaker: string, { metadata }: Pod): NoAnswer {
  return noAnswer('other-node', {
    detail: `its pod ${metadata.name} speaks for ${JSON.stringify(speaker)}`,
    remedy:
      'give the container NODE_NAME from spec.nodeName, as daemonset.yaml has it, and leave --node-name out',
  });
}

/** What the API server says itself, not the pod behind it; null where it is the pod that answers. */
function refusal(
  reply: HttpReply,
  { namespace, port }: { readonly namespace: string; readonly port: number },
): NoAnswer | null {
  const message = statusMessage(reply);
  if (message === null) return null;
  const { status } = reply;
  if (status === 403) {
    return noAnswer('not-answering', {
      detail: `the API server does not let us ask its pod (403: ${message})`,
      remedy: `a Role in namespace ${namespace} with the verb get on pods/proxy would do`,
    });
  }
  if (status === 404) {
    return noAnswer('not-answering', {
      detail: `its pod went away while it was asked (404: ${message})`,
      remedy: 'ask again',
    });
  }
  return noAnswer('not-answering', {
    detail: `the API server cannot reach its pod (${status}: ${message})`,
    remedy: letIn(port),
  });
}

/** The API server's own connection to the pod, which with hostNetwork is one to the node. */
function letIn(port: number): string {
  return `let port ${port} in from the control plane: an inbound rule of the nodes' security group, from the cluster's security group; then see that the agent answers there`;
}
