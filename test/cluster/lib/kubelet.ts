/** kubelet on the node, as on EKS: its kubeconfig where Amazon Linux has it, the endpoint by name, in upper case. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../../e2e/lib/command.ts';
import { SOCKET } from './containerd.ts';
import type { Daemon, Daemons } from './daemon.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Binaries } from './kubernetes.ts';

export interface KubeletOptions {
  readonly host: Host;
  /** What the node sees as /var/lib/kubelet. */
  readonly folder: string;
  readonly daemons: Daemons;
  readonly binaries: Binaries;
  /** Parent of the pods' control groups. */
  readonly cgroup: string;
  /** Of the node. */
  readonly name: string;
  readonly address: string;
  /** The endpoint, and what to log in with. */
  readonly server: string;
  readonly caFile: string;
  readonly token: string;
}

const SEEN = '/var/lib/kubelet';

/** Starts it; the node joins the cluster by itself. */
export async function startKubelet(options: KubeletOptions): Promise<Daemon> {
  const { host, folder, daemons, binaries, server, token } = options;
  await mkdir(folder, { recursive: true });
  await copyFile(options.caFile, join(folder, 'ca.crt'));
  const kubeconfig = kubeconfigText({ server, caFile: `${SEEN}/ca.crt`, user: { token } });
  await writeFile(join(folder, 'kubeconfig'), kubeconfig);
  await writeFile(join(folder, 'config.json'), JSON.stringify(configuration(options.cgroup)));
  return daemons.start('kubelet', {
    host,
    command: [
      binaries.path('kubelet'),
      ...[`--config=${SEEN}/config.json`, `--kubeconfig=${SEEN}/kubeconfig`],
      ...[`--hostname-override=${options.name}`, `--node-ip=${options.address}`],
    ],
  });
}

function configuration(cgroup: string): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: `${SEEN}/ca.crt` } },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${SOCKET}`,
    volumePluginDir: `${SEEN}/volume-plugins`,
    ...{ cgroupDriver: 'cgroupfs', cgroupRoot: cgroup, enforceNodeAllocatable: [], failCgroupV1: false },
    failSwapOn: false,
    // What a machine for tests may not give: the right to raise limits.
    ...{ maxOpenFiles: 20000, oomScoreAdj: 0 },
    // However full its disk is, the node takes pods and keeps images.
    evictionHard: { 'imagefs.available': '0%', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%' },
    imageGCHighThresholdPercent: 100,
  };
}
