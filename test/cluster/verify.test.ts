/** `verify --kubernetes` on a real cluster: from outside with a kubeconfig, and as the Job of deploy/verify-job.yaml. */
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { BUNDLE } from '../../scripts/bundle.ts';
import { X_ENI } from '../e2e/lib/cluster.ts';
import { type Outcome, run, within } from '../e2e/lib/command.ts';
import { expectGate, expectRoute } from '../e2e/lib/expect.ts';
import { ROOT } from '../support/manifests.ts';
import { Cluster } from './lib/cluster.ts';
import { Exporter } from './lib/exporter.ts';
import { describeOnCluster } from './lib/tools.ts';

const NAME = 'eks-endpoint-verify';
const NAMESPACE = `--namespace=${NAME}`;
const JOB = `job/${NAME}`;
const PHASE = '{.items[*].status.phase}';
const TERMINATED = '{.items[*].status.containerStatuses[0].state.terminated.exitCode}';
const MANIFEST = readFileSync(join(ROOT, 'deploy', 'verify-job.yaml'), 'utf8');

interface Ended extends Outcome {
  readonly condition: string;
}

describeOnCluster('verify --kubernetes', () => {
  let cluster: Cluster;
  let exporter: Exporter;
  let kubeconfig: string;

  beforeAll(async () => {
    cluster = await Cluster.make();
    exporter = await Exporter.install(cluster);
    await cluster.kubectl(['apply', '--validate=strict', '--filename=-'], jobManifest(['--version']));
    await bundle();
    kubeconfig = await writeKubeconfig();
    await exporter.eventually((view) => {
      expectRoute(view, 'public');
      expectGate(view, 'private-ready', 'true');
    });
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  /** The program as it ships on a machine, with the client for kubeconfigs. */
  async function bundle(): Promise<void> {
    const define = { __VERSION__: '"0.0.0"', __REVISION__: '"test"' };
    await build({ ...BUNDLE, absWorkingDir: ROOT, outdir: join(cluster.folder, 'dist'), define });
    await writeFile(join(cluster.folder, 'dist', 'package.json'), '{"type":"module"}');
  }

  /** Of the Job's own account, whose token a plugin gives as `aws eks get-token` does. */
  async function writeKubeconfig(): Promise<string> {
    const token = (await cluster.kubectl([NAMESPACE, 'create', 'token', NAME])).trim();
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token },
    };
    const plugin = join(cluster.folder, 'get-token');
    await writeFile(plugin, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
    await chmod(plugin, 0o755);
    const file = join(cluster.folder, 'verify.kubeconfig');
    const exec = { apiVersion: credential.apiVersion, interactiveMode: 'Never', command: './get-token' };
    const server = { server: `https://${X_ENI[0]}`, 'certificate-authority': cluster.caFile };
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'default' },
      clusters: [{ name: 'kubernetes', cluster: server }],
      users: [{ name: 'verify', user: { exec } }],
      contexts: [{ name: 'default', context: { cluster: 'kubernetes', user: 'verify' } }],
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  }

  /** On a machine outside. */
  function verify(...flags: readonly string[]): Promise<Outcome> {
    const command = [process.execPath, join(cluster.folder, 'dist', 'main.js'), 'verify', '--kubernetes'];
    const env = { KUBECONFIG: kubeconfig, HOME: join(cluster.folder, 'home') };
    return run(...within(cluster.hosts.far, [...command, ...flags]), { env, timeoutMs: 60_000 });
  }

  async function startJob(flags: readonly string[]): Promise<void> {
    await cluster.kubectl([NAMESPACE, 'delete', JOB, '--ignore-not-found', '--timeout=60s']);
    await cluster.kubectl(['apply', '--validate=strict', '--filename=-'], jobManifest(['verify', ...flags]));
  }

  /** By the commands in the head of the manifest. */
  async function endOfJob(): Promise<Ended> {
    const follow = [NAMESPACE, 'logs', '--follow', '--pod-running-timeout=90s', JOB];
    await cluster.eventually('the Job has a pod', async () => (await podsOfJob(PHASE)) !== '');
    const stdout = await cluster.kubectl(follow);
    await cluster.eventually('its container has ended', async () => (await podsOfJob(TERMINATED)) !== '');
    const code = Number(await podsOfJob(TERMINATED));
    const condition = code === 0 ? 'complete' : 'failed';
    await cluster.kubectl([NAMESPACE, 'wait', `--for=condition=${condition}`, '--timeout=30s', JOB]);
    return { code, stdout, stderr: '', condition };
  }

  async function podsOfJob(path: string): Promise<string> {
    const pods = [NAMESPACE, 'get', 'pods', `--selector=job-name=${NAME}`, `--output=jsonpath=${path}`];
    return (await cluster.kubectl(pods)).trim();
  }

  async function job(...flags: readonly string[]): Promise<Ended> {
    await startJob(flags);
    return endOfJob();
  }

  test('the manifest is taken by the API server as it is, and its pod by the namespace, which is "restricted"', async () => {
    const dryRun = ['apply', '--dry-run=server', '--validate=strict', '--filename=-'];
    // The Job of these tests, which has the network of the node, stands in the way.
    await cluster.kubectl([NAMESPACE, 'delete', JOB, '--ignore-not-found', '--timeout=60s']);
    const { code, stderr } = await cluster.tryKubectl(dryRun, MANIFEST);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/would violate|Error/);
    const { template } = documentsOf(MANIFEST).find(({ kind }) => kind === 'Job')?.spec ?? {};
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'strict' } };
    await cluster.kubectl(['apply', '--filename=-'], JSON.stringify(namespace));
    const pod = (spec: object) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: NAME, namespace: 'strict' }, spec });
    const spec = { ...template?.spec, serviceAccountName: 'default' };
    await cluster.eventually('the namespace has its account', async () => {
      return (
        (await cluster.tryKubectl(['--namespace=strict', 'get', 'serviceaccount', 'default'])).code === 0
      );
    });
    expect(await cluster.tryKubectl(dryRun, pod(spec))).toMatchObject({ code: 0 });
    // Nothing of that says anything where everything is admitted.
    const { stderr: refused } = await cluster.tryKubectl(dryRun, pod({ ...spec, hostNetwork: true }));
    expect(refused).toContain('violates PodSecurity "restricted');
  });

  test('a node on the public endpoint does not pass: exit 1, with its name, its connections and what to do', async () => {
    const { code, stdout, stderr } = await verify();
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain(cluster.nodeName);
    expect(stdout).toMatch(/public/);
  });

  test('as JSON: the answer is fresh by the clock of the agent, and labels are those of the Node', async () => {
    const { code, stdout } = await verify('--output=json');
    expect(code).toBe(1);
    const status = JSON.parse(stdout);
    expect(status).toMatchObject({
      nodesFrom: 'kubernetes',
      counts: { nodes: 1, fail: 1 },
      endpoints: [{ hostname: cluster.hostname.toLowerCase(), nodes: 1 }],
    });
    expect(status.nodes).toMatchObject([{ node: cluster.nodeName, verdict: 'fail', route: 'public' }]);
    expect(status.nodes[0].answerAgeSeconds).toBeLessThan(15);
    // By a label that only the Node has.
    const selected = await verify('--gate-for=kubernetes.io/os=linux=private-ready');
    expect(selected.code).toBe(0);
  });

  test('another gate holds: exit 0', async () => {
    expect(await verify('--gate=private-ready')).toMatchObject({ code: 0 });
  });

  test.each([
    [
      'another namespace',
      ['--namespace=default'],
      /pods.*forbidden.*it needs a Role in namespace "default" with the verb list on pods/s,
    ],
    ['an unknown context', ['--context=stage'], /There is no context "stage" .* it has "default"/],
    ['more nodes than there are', ['--gate=private-ready', '--min-nodes=2'], /2/],
  ])('%s: exit 2', async (_, flags, says) => {
    const { code, stdout, stderr } = await verify(...flags);
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(says);
  });

  test('as a Job, with the account of its pod and the client-less image: failed, 1; complete, 0', async () => {
    const failed = await job('--kubernetes');
    expect(failed).toMatchObject({ code: 1, condition: 'failed' });
    expect(failed.stdout).toContain(cluster.nodeName);
    expect(await job('--kubernetes', '--gate=private-ready')).toMatchObject({
      code: 0,
      condition: 'complete',
    });
  });

  test.each([
    ['ClusterRole', 'nodes', [], /Cannot list nodes .*it needs a ClusterRole with the verb list on nodes/s],
    [
      'Role',
      'pods',
      ['--namespace=eks-endpoint-exporter'],
      /it needs a Role in namespace "eks-endpoint-exporter" with the verb list on pods/,
    ],
    ['Role', 'pods/proxy', ['--namespace=eks-endpoint-exporter'], /get on pods\/proxy/],
  ])(
    'each right is needed, and named where it is missing: %s, %s',
    async (kind, resource, namespace, says) => {
      const role = documentsOf(MANIFEST).find((one) => one.kind === kind);
      const rules = role?.rules?.filter(({ resources }) => !resources.includes(resource)) ?? [];
      expect(rules.length).toBeLessThan(role?.rules?.length ?? 0);
      const patch = ['patch', kind, NAME, '--type=merge', `--patch=${JSON.stringify({ rules })}`];
      await cluster.kubectl([...namespace, ...patch]);
      try {
        // Outside, with the same account: the Job's manifest would give the right back.
        const { code, stdout, stderr } = await verify('--gate=private-ready');
        expect(code).toBe(2);
        expect(stdout + stderr).toMatch(says);
      } finally {
        await cluster.kubectl(['apply', '--filename=-'], jobManifest(['--version'], ['Role', 'ClusterRole']));
      }
    },
  );

  test('in the image a kubeconfig that is given is named, and nobody else is asked', async () => {
    const env = [{ name: 'KUBECONFIG', value: '/somewhere/config' }];
    await cluster.kubectl([NAMESPACE, 'delete', JOB, '--ignore-not-found', '--timeout=60s']);
    const manifest = jobManifest(['verify', '--kubernetes', '--gate=private-ready'], ['Job'], env);
    await cluster.kubectl(['apply', '--filename=-'], manifest);
    const { code, stdout } = await endOfJob();
    expect(code).toBe(2);
    expect(stdout).toContain('has no Kubernetes client to read it with');
  });

  test('a Job that waits goes on while the node moves, and is complete when it has', async () => {
    await startJob(['--kubernetes', '--wait=5m', '--interval=2s']);
    await cluster.eventually('it has asked once', async () => {
      return (await cluster.tryKubectl([NAMESPACE, 'logs', JOB])).stdout.trim() !== '';
    });
    await cluster.flipDns(X_ENI);
    await cluster.kubelet.restart();
    await cluster.rolloutKubeProxy();
    await exporter.eventually((view) => expectGate(view, 'public-free', 'true'));
    expect(await endOfJob()).toMatchObject({ code: 0, condition: 'complete' });
    expect(await verify()).toMatchObject({ code: 0 });
  });
});

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly { readonly resources: readonly string[] }[];
  readonly spec?: { readonly template?: Template };
}

interface Template {
  readonly spec?: { readonly containers: readonly object[] };
}

function documentsOf(text: string): readonly Document[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}

/**
 * The manifest with these arguments. Pods of this cluster have the network of their node, as there is no other: so its
 * pod has, in a namespace that admits it. `kinds`: of them alone.
 */
function jobManifest(
  args: readonly string[],
  kinds: readonly string[] = [],
  env: readonly object[] = [],
): string {
  const documents = documentsOf(MANIFEST).map((document) => {
    const { kind, metadata, spec } = document;
    if (kind === 'Namespace') {
      const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
      return { ...document, metadata: { ...metadata, labels } };
    }
    if (kind !== 'Job') return document;
    const pod = spec?.template?.spec;
    const containers = (pod?.containers ?? []).map((one) => ({ ...one, args, env }));
    const host = { hostNetwork: true, dnsPolicy: 'Default' };
    return {
      ...document,
      spec: { ...spec, template: { ...spec?.template, spec: { ...pod, ...host, containers } } },
    };
  });
  const items = documents.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
