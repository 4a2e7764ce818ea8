/**
 * daemonset.yaml's pod, as podman is told to run it. A field that is not known here is an error, so that nothing of
 * the manifest is silently not applied.
 */
import { at, readManifest } from '../../support/manifests.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A pod's spec with one container, both as the manifest has them. */
export interface Pod {
  readonly spec: Fields;
  readonly container: Fields;
  readonly securityContext: Fields;
}

/** What a kubelet would know of its node. */
export interface Place {
  readonly nodeName: string;
  /** Paths of the node's namespaces of network and processes. */
  readonly network: string;
  readonly pids: string;
  /** The node's files. */
  readonly resolvConf: string;
  readonly hosts: string;
}

/** How podman runs the container, and what it is told to run, where the manifest says so. */
export interface Command {
  readonly options: readonly string[];
  readonly args: readonly string[];
}

/** The pod of the DaemonSet. */
export function readPod(): Pod {
  const daemonSet = readManifest('daemonset.yaml').find(({ value }) => at(value, 'kind') === 'DaemonSet');
  const spec = fieldsOf(at(daemonSet?.value, 'spec', 'template', 'spec'));
  const containers = spec['containers'];
  if (!Array.isArray(containers) || containers.length !== 1)
    throw new Error('Cannot run a pod but of one container');
  const container = fieldsOf(containers[0]);
  return { spec, container, securityContext: fieldsOf(container['securityContext']) };
}

export function commandOf(pod: Pod, place: Place): Command {
  const apply = (rules: Rules, fields: Fields, what: string) =>
    Object.entries(fields).flatMap(([name, value]) => {
      const rule = rules[name];
      if (rule === undefined) throw new Error(`Cannot apply "${name}" of the ${what}: it is not known here`);
      const options = rule(value, { place, pod });
      if (options === null)
        throw new Error(`Cannot apply "${name}: ${JSON.stringify(value)}" of the ${what}`);
      return options;
    });
  if (pod.spec['hostNetwork'] !== true) throw new Error('Cannot run a pod with a network of its own');
  return {
    options: [
      ...apply(POD, pod.spec, 'pod'),
      ...apply(CONTAINER, pod.container, 'container'),
      ...apply(SECURITY, pod.securityContext, 'security context'),
    ],
    args: words(pod.container['args']),
  };
}

/** Options of podman; null where the value is not one that it can be told. */
type Rule = (value: unknown, about: { readonly place: Place; readonly pod: Pod }) => readonly string[] | null;
type Rules = Readonly<Record<string, Rule>>;

/** Of no meaning for one container on one node: the scheduler's, the API server's, or asked of it by a test. */
const elsewhere: Rule = () => [];

const POD: Rules = {
  serviceAccountName: elsewhere,
  // Where the test has an API server, it mounts a token.
  automountServiceAccountToken: elsewhere,
  priorityClassName: elsewhere,
  tolerations: elsewhere,
  affinity: elsewhere,
  containers: elsewhere,
  hostPID: (value, { place }) => (value === true ? [`--pid=ns:${place.pids}`] : []),
  // The host's name is of another namespace, which goes with the host's network.
  hostNetwork: (value, { place }) =>
    value === true ? [`--network=ns:${place.network}`, '--uts=host'] : null,
  // With the host's network kubelet writes the node's hosts file into the pod.
  dnsPolicy: (value, { place }) =>
    value === 'Default'
      ? [
          `--volume=${place.resolvConf}:/etc/resolv.conf:ro`,
          `--volume=${place.hosts}:/etc/hosts:ro`,
          '--no-hosts',
        ]
      : null,
  // podman has no services.
  enableServiceLinks: (value) => (value === false ? [] : null),
  terminationGracePeriodSeconds: (value) => [`--stop-timeout=${value}`],
};

const CONTAINER: Rules = {
  name: elsewhere,
  image: elsewhere,
  imagePullPolicy: elsewhere,
  ports: elsewhere,
  args: elsewhere,
  startupProbe: elsewhere,
  readinessProbe: elsewhere,
  livenessProbe: elsewhere,
  securityContext: elsewhere,
  env: (value, { place }) => listOf(value).map((each) => `--env=${variable(each, place)}`),
  command: (value) => [`--entrypoint=${JSON.stringify(words(value))}`],
  resources: (value) => {
    const { limits = {}, requests = {}, ...others } = fieldsOf(value);
    const { memory, ...limited } = fieldsOf(limits);
    const { cpu, memory: _, ...requested } = fieldsOf(requests);
    if ([others, limited, requested].some((left) => Object.keys(left).length > 0)) return null;
    const mebibytes = /^(\d+)Mi$/.exec(String(memory))?.[1];
    const millicores = /^(\d+)m$/.exec(String(cpu))?.[1];
    if (mebibytes === undefined || millicores === undefined) return null;
    return [`--memory=${mebibytes}m`, `--cpu-shares=${Math.round((Number(millicores) * 1024) / 1000)}`];
  },
};

const SECURITY: Rules = {
  runAsUser: (value, { pod }) => [`--user=${value}:${pod.securityContext['runAsGroup'] ?? 0}`],
  runAsGroup: (_value, { pod }) => (pod.securityContext['runAsUser'] === undefined ? null : []),
  runAsNonRoot: (value, { pod }) => (value === (pod.securityContext['runAsUser'] !== 0) ? [] : null),
  capabilities: (value, { pod }) => {
    const { drop, add, ...others } = fieldsOf(value);
    if (Object.keys(others).length > 0) return null;
    const dropped = words(drop).map((name) => `--cap-drop=${name}`);
    // podman would make those of another user ambient, so that they count; containerd does not, and they do not.
    return pod.securityContext['runAsUser'] === 0
      ? [...dropped, ...words(add).map((name) => `--cap-add=${name}`)]
      : dropped;
  },
  privileged: (value) => (value === true ? ['--privileged'] : []),
  allowPrivilegeEscalation: (value) => (value === true ? [] : ['--security-opt=no-new-privileges']),
  readOnlyRootFilesystem: (value) => (value === true ? ['--read-only', '--read-only-tmpfs=false'] : []),
  // podman's default profile is containerd's as far as it concerns reading /proc.
  seccompProfile: (value) => (fieldsOf(value)['type'] === 'RuntimeDefault' ? [] : null),
  appArmorProfile: (value) =>
    fieldsOf(value)['type'] === 'Unconfined' ? ['--security-opt=apparmor=unconfined'] : null,
};

function variable(value: unknown, { nodeName }: Place): string {
  const { name, value: text, valueFrom, ...others } = fieldsOf(value);
  if (Object.keys(others).length > 0) throw new Error(`Cannot apply the variable ${JSON.stringify(value)}`);
  if (valueFrom === undefined) return `${name}=${text}`;
  if (JSON.stringify(valueFrom) !== '{"fieldRef":{"fieldPath":"spec.nodeName"}}')
    throw new Error(`Cannot apply the variable ${JSON.stringify(value)}`);
  return `${name}=${nodeName}`;
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`Cannot read ${JSON.stringify(value)}: it has no fields`);
  return { ...value };
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function words(value: unknown): readonly string[] {
  return listOf(value).map(String);
}
