/** Which nodes there are: names and labels alone, for a whole Node object has 10 to 20 KB. */
import * as v from 'valibot';
import type { Api } from './api.ts';
import { listAll } from './lists.ts';

export interface KubernetesNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const NODE = v.pipe(
  v.object({
    metadata: v.object({
      name: v.pipe(v.string(), v.nonEmpty()),
      labels: v.nullish(v.record(v.string(), v.string())),
    }),
  }),
  v.transform(({ metadata: { name, labels } }): KubernetesNode => ({ name, labels: labels ?? {} })),
);

export function listNodes(api: Api): Promise<readonly KubernetesNode[]> {
  return listAll(api, {
    path: '/api/v1/nodes',
    what: 'nodes',
    right: 'a ClusterRole with the verb list on nodes',
    accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json',
    item: NODE,
  });
}

/**
 * Nobody runs DaemonSets there: https://docs.aws.amazon.com/eks/latest/userguide/fargate.html. By the label that keeps the
 * exporter off it, too: a name is anybody's to choose, and what is taken for Fargate can be ignored.
 */
export function isFargate({ labels }: KubernetesNode): boolean {
  return labels['eks.amazonaws.com/compute-type'] === 'fargate';
}
