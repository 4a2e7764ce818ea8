/** The exporter's pods, and which of them speaks for a node. */
import * as v from 'valibot';
import type { NoAnswer } from '../../model/fleet/observation.ts';
import { noAnswer } from '../reply.ts';
import type { Api } from './api.ts';
import { listAll } from './lists.ts';

/** Of daemonset.yaml. */
export const POD_SELECTOR = 'app.kubernetes.io/name=eks-endpoint-exporter';
const PORT_NAME = 'metrics';
const USUAL_PORT = 10_943;

export type Pod = v.InferOutput<typeof POD>;

const TEXT = v.optional(v.string(), '');
const NAMED = { name: TEXT };

const POD = v.object({
  metadata: v.object({
    name: v.pipe(v.string(), v.nonEmpty()),
    creationTimestamp: TEXT,
    deletionTimestamp: v.nullish(v.string()),
  }),
  spec: v.object({
    nodeName: TEXT,
    containers: v.array(
      v.object({ ports: v.nullish(v.array(v.object({ ...NAMED, containerPort: v.number() }))) }),
    ),
  }),
  status: v.object({
    phase: TEXT,
    reason: TEXT,
    message: TEXT,
    conditions: v.nullish(v.array(v.object({ type: TEXT, status: TEXT, reason: TEXT, message: TEXT }))),
    containerStatuses: v.nullish(
      v.array(
        v.object({
          state: v.nullish(v.object({ waiting: v.nullish(v.object({ reason: TEXT, message: TEXT })) })),
        }),
      ),
    ),
  }),
});

export function listPods(api: Api, namespace: string): Promise<readonly Pod[]> {
  return listAll(api, {
    path: `/api/v1/namespaces/${namespace}/pods`,
    what: `pods in namespace "${namespace}"`,
    right: `a Role in namespace "${namespace}" with the verb list on pods`,
    query: { labelSelector: POD_SELECTOR },
    item: POD,
  });
}

/** For each node the pod that speaks for it: one that stays, rather a ready one, the newest. */
export function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, Pod> {
  const staying = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
  const order = staying.toSorted(
    (one, other) =>
      Number(isReady(one)) - Number(isReady(other)) ||
      one.metadata.creationTimestamp.localeCompare(other.metadata.creationTimestamp),
  );
  return new Map(order.map((pod) => [pod.spec.nodeName, pod]));
}

export function portOf({ spec }: Pod): number {
  const ports = spec.containers.flatMap((container) => container.ports ?? []);
  return ports.find(({ name }) => name === PORT_NAME)?.containerPort ?? USUAL_PORT;
}

/** Why the pod cannot be asked; null where it can. */
export function notReady(pod: Pod): NoAnswer | null {
  if (isReady(pod)) return null;
  const { metadata, status } = pod;
  const waiting = status.containerStatuses?.map(({ state }) => state?.waiting).find(Boolean);
  const condition = status.conditions?.find((one) => one.type === 'Ready' && one.status !== 'True');
  const why = [waiting, status, condition]
    .map((one) => [one?.reason, one?.message].filter(Boolean).join(': '))
    .find((text) => text !== '');
  return noAnswer('not-answering', {
    detail: `its pod ${metadata.name} is ${status.phase || 'in no phase'} and not ready${why === undefined ? '' : ` (${onOneLine(why)})`}`,
    remedy: `see 'kubectl describe pod ${metadata.name}' in the exporter's namespace, and its log`,
  });
}

function isReady({ status }: Pod): boolean {
  return (
    status.phase === 'Running' &&
    (status.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True')
  );
}

function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 200);
}
