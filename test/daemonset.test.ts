/** What daemonset.yaml asks for is what the agent needs, and nothing more. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../src/command-line.ts';
import type { Environment } from '../src/config.ts';
import { environmentName, FLAGS } from '../src/flags.ts';
import { createLog } from '../src/log.ts';
import { startServer } from '../src/output/server.ts';
import { nodeConfigOf } from './support/invocation.ts';
import { at, manifestFiles, parseManifests, ROOT, readManifest } from './support/manifests.ts';
import { UNKNOWN_MACHINE } from './support/observation.ts';

const NAME = 'eks-endpoint-exporter';
const LABELS = { 'app.kubernetes.io/name': NAME };
const MANIFESTS = readManifest('daemonset.yaml').map(({ value }) => value);
const DAEMONSET = ofKind('DaemonSet');
const POD = at(DAEMONSET, 'spec', 'template', 'spec');
const CONTAINER = at(POD, 'containers', 'exporter');

function ofKind(kind: string): unknown {
  return MANIFESTS.find((manifest) => at(manifest, 'kind') === kind);
}

/** Of its fields, in alphabetical order. */
function namesIn(value: unknown): readonly string[] {
  return Object.keys(Object(value)).sort();
}

test('it holds these objects, all but the Role and its binding in a namespace of their own', () => {
  const names = MANIFESTS.map((one) => [
    at(one, 'kind'),
    at(one, 'metadata', 'namespace') ?? null,
    at(one, 'metadata', 'name'),
  ]);
  expect(names).toEqual([
    ['Namespace', null, NAME],
    ['ServiceAccount', NAME, NAME],
    ['Role', 'default', NAME],
    ['RoleBinding', 'default', NAME],
    ['DaemonSet', NAME, NAME],
    ['Service', NAME, NAME],
  ]);
  for (const one of MANIFESTS) expect(at(one, 'metadata', 'labels')).toMatchObject(LABELS);
});

describe('rights', () => {
  test('the account may get the EndpointSlice default/kubernetes, and nothing more', () => {
    expect(at(ofKind('Role'), 'rules')).toEqual([
      {
        apiGroups: ['discovery.k8s.io'],
        resources: ['endpointslices'],
        resourceNames: ['kubernetes'],
        verbs: ['get'],
      },
    ]);
    expect(ofKind('RoleBinding')).toMatchObject({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: NAME },
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAME }],
    });
    expect(at(ofKind('RoleBinding'), 'subjects')).toHaveLength(1);
  });

  test('the token is mounted by the pod that asks for it only', () => {
    expect(at(ofKind('ServiceAccount'), 'automountServiceAccountToken')).toBe(false);
    expect(at(POD, 'serviceAccountName')).toBe(NAME);
    expect(at(POD, 'automountServiceAccountToken')).toBe(true);
  });

  test('the container has SYS_PTRACE, uid 0 and nothing else beyond the least', () => {
    expect(at(CONTAINER, 'securityContext')).toEqual({
      runAsUser: 0,
      runAsGroup: 0,
      runAsNonRoot: false,
      capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] },
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      seccompProfile: { type: 'RuntimeDefault' },
      appArmorProfile: { type: 'Unconfined' },
    });
    expect(at(POD, 'securityContext')).toBeUndefined();
  });

  test("of the host it asks for pids and network; for no IPC, no files, no devices, nobody's secrets", () => {
    expect(at(POD, 'hostPID')).toBe(true);
    expect(at(POD, 'hostNetwork')).toBe(true);
    expect(at(POD, 'containers')).toHaveLength(1);
    // Whatever else there is to be given (hostIPC, volumes, envFrom, initContainers...) would be one more name here.
    expect(namesIn(POD)).toEqual([
      ...['affinity', 'automountServiceAccountToken', 'containers', 'dnsPolicy', 'enableServiceLinks'],
      ...['hostNetwork', 'hostPID', 'priorityClassName', 'serviceAccountName'],
      ...['terminationGracePeriodSeconds', 'tolerations'],
    ]);
    expect(namesIn(CONTAINER)).toEqual([
      ...['env', 'image', 'imagePullPolicy', 'livenessProbe', 'name', 'ports', 'readinessProbe', 'resources'],
      ...['securityContext', 'startupProbe'],
    ]);
    expect(at(CONTAINER, 'ports')).toEqual([{ name: 'metrics', containerPort: 10943 }]);
    expect(at(CONTAINER, 'env')).toEqual([
      { name: 'EKS_ENDPOINT_EXPECT', value: 'any' },
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ]);
  });

  test('the namespace admits such a pod, at each of the three modes', () => {
    const labels = at(ofKind('Namespace'), 'metadata', 'labels');
    for (const mode of ['enforce', 'audit', 'warn'])
      expect(at(labels, `pod-security.kubernetes.io/${mode}`)).toBe('privileged');
  });
});

describe('where it runs', () => {
  test('on every Linux node that the image is for but Fargate, whatever its taints', () => {
    expect(at(POD, 'tolerations')).toEqual([{ operator: 'Exists' }]);
    const terms = at(POD, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
    expect(at(terms, 'nodeSelectorTerms')).toEqual([
      {
        matchExpressions: [
          { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
          { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64', 'arm64'] },
          { key: 'eks.amazonaws.com/compute-type', operator: 'NotIn', values: ['fargate'] },
        ],
      },
    ]);
    expect(at(POD, 'nodeSelector')).toBeUndefined();
  });

  test("it asks the node's resolver, and is not evicted before what it judges", () => {
    expect(at(POD, 'dnsPolicy')).toBe('Default');
    expect(at(POD, 'priorityClassName')).toBe('system-node-critical');
    expect(at(CONTAINER, 'resources', 'limits', 'cpu')).toBeUndefined();
  });

  test('a tenth of the nodes is updated at a time', () => {
    expect(at(DAEMONSET, 'spec', 'updateStrategy')).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: '10%', maxSurge: 0 },
    });
  });

  test('DaemonSet and Service select its pods; an agent that is not ready stays in the list', () => {
    expect(at(DAEMONSET, 'spec', 'selector')).toEqual({ matchLabels: LABELS });
    expect(at(DAEMONSET, 'spec', 'template', 'metadata', 'labels')).toEqual(LABELS);
    expect(at(ofKind('Service'), 'spec')).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: LABELS,
    });
    for (const file of ['deploy/podmonitor/podmonitor.yaml', 'deploy/networkpolicy/networkpolicy.yaml']) {
      const [manifest] = readManifest(file);
      const spec = at(manifest?.value, 'spec');
      expect(at(spec, 'selector') ?? at(spec, 'podSelector')).toEqual({ matchLabels: LABELS });
      expect(at(manifest?.value, 'metadata', 'namespace')).toBe(NAME);
    }
  });
});

describe('it fits the program', () => {
  const host = { hostname: 'host', version: '0.0.0', onEc2: false, machine: UNKNOWN_MACHINE };
  /** What Kubernetes puts into every container, whatever `enableServiceLinks` says. */
  const IN_CLUSTER = {
    KUBERNETES_SERVICE_HOST: '10.100.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    NODE_NAME: 'node-1',
  };
  const run = (env: Environment) => parseCommandLine(['agent'], { ...IN_CLUSTER, ...env }, host);
  const ADDRESS = at(readManifest('deploy/address/daemonset.yaml')[0]?.value, 'spec', 'template', 'spec');

  function environmentOf(container: unknown): Environment {
    const variables = at(container, 'env');
    return Object.fromEntries(
      (Array.isArray(variables) ? variables : [])
        .filter((variable) => at(variable, 'value') !== undefined)
        .map((variable) => [String(at(variable, 'name')), String(at(variable, 'value'))]),
    );
  }

  test('the agent starts with its variables: any expectation, the node by its name in Kubernetes', () => {
    const invocation = run(environmentOf(CONTAINER));
    expect(invocation).toMatchObject({
      kind: 'agent',
      config: { settings: { expect: 'any', nodeName: 'node-1', attribution: 'process' }, kubernetes: true },
    });
  });

  test('no variables come for Services that somebody puts into the namespace', () => {
    expect(at(POD, 'enableServiceLinks')).toBe(false);
  });

  test('the option without SYS_PTRACE does not start before its endpoint is filled in', () => {
    const env = { ...environmentOf(CONTAINER), ...environmentOf(at(ADDRESS, 'containers', 'exporter')) };
    expect(run(env)).toEqual({
      kind: 'problems',
      text: expect.stringMatching(/^EKS_ENDPOINT_ENDPOINT "<fill in the endpoint of the cluster>": /),
    });
    const filledIn = { ...env, EKS_ENDPOINT_ENDPOINT: 'https://0123.gr7.eu-central-1.eks.amazonaws.com' };
    expect(run(filledIn)).toMatchObject({
      kind: 'agent',
      config: { settings: { attribution: 'address' }, endpoint: { port: 443 }, caFile: null },
    });
  });

  test('every variable that manifests and instructions name is a flag', () => {
    const known = new Set(Object.values(FLAGS).map(environmentName));
    const files = [...manifestFiles(), 'deploy/README.md'];
    const named = files.flatMap(
      (file) => readFileSync(join(ROOT, file), 'utf8').match(/\bEKS_ENDPOINT_[A-Z_]+\b/g) ?? [],
    );
    expect(named).toContain('EKS_ENDPOINT_ENDPOINT');
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('one port everywhere: that on which the agent listens by default', () => {
    const invocation = run({});
    const ports = nodeConfigOf(invocation).listenAddresses.map(({ port }) => port);
    expect(ports).toEqual([at(CONTAINER, 'ports', 'metrics', 'containerPort')]);
    expect(ports).toEqual([at(ofKind('Service'), 'spec', 'ports', 'metrics', 'port')]);
    expect(at(ofKind('Service'), 'spec', 'ports', 'metrics', 'targetPort')).toBe('metrics');
    const annotations = at(DAEMONSET, 'spec', 'template', 'metadata', 'annotations');
    expect(ports).toEqual([Number(at(annotations, 'prometheus.io/port'))]);
    const policy = readManifest('deploy/networkpolicy/networkpolicy.yaml')[0]?.value;
    expect(ports).toEqual([at(policy, 'spec', 'ingress', 0, 'ports', 0, 'port')]);
    const monitor = readManifest('deploy/podmonitor/podmonitor.yaml')[0]?.value;
    expect(at(monitor, 'spec', 'podMetricsEndpoints', 0, 'port')).toBe('metrics');
  });

  test('what probes and scrapers ask for is served', async () => {
    const server = await startServer({
      listen: [{ host: '127.0.0.1', port: 0 }],
      content: {
        metrics: async () => ({ type: 'text/plain', body: '' }),
        status: async () => null,
        page: async () => '',
        healthy: () => true,
        ready: () => true,
      },
      log: createLog({ level: 'error', format: 'logfmt', write: () => {}, now: () => new Date(0) }),
    });
    try {
      const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'];
      const paths = probes.map((probe) => String(at(CONTAINER, probe, 'httpGet', 'path')));
      expect(paths).toEqual(['/-/ready', '/-/ready', '/-/healthy']);
      for (const probe of probes) expect(at(CONTAINER, probe, 'httpGet', 'port')).toBe('metrics');
      const metrics = at(DAEMONSET, 'spec', 'template', 'metadata', 'annotations', 'prometheus.io/path');
      for (const path of [...paths, String(metrics)]) {
        const reply = await fetch(`http://127.0.0.1:${server.addresses[0]?.port}${path}`);
        expect([path, reply.status]).toEqual([path, 200]);
      }
    } finally {
      await server.close();
    }
  });

  test("the image's tag is the version of this program", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(at(CONTAINER, 'image')).toBe(`${NAME}:${version}`);
    const images = at(readManifest('kustomization.yaml')[0]?.value, 'images');
    expect(images).toEqual([{ name: NAME, newName: NAME }]);
  });
});

test('the patches of the options are for the DaemonSet that there is', () => {
  const files = ['deploy/address/daemonset.yaml', 'deploy/bottlerocket/daemonset.yaml'];
  for (const file of files) {
    const [patch] = readManifest(file);
    expect(at(patch?.value, 'metadata')).toEqual({ name: NAME, namespace: NAME });
    const containers = at(patch?.value, 'spec', 'template', 'spec', 'containers');
    expect(at(containers, 0, 'name')).toBe('exporter');
    expect(containers).toHaveLength(1);
  }
});

test('a manifest is read as kubectl reads it', () => {
  const [manifest] = parseManifests('a: on\nb: 0o10\nc: "on"', { file: 'x', extent: 'whole' });
  expect(manifest?.value).toEqual({ a: true, b: '0o10', c: 'on' });
});
