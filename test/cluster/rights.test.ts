/** What the DaemonSet may do, asked of the real API server and of the real kernel. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { X_ENI } from '../e2e/lib/cluster.ts';
import type { Outcome } from '../e2e/lib/command.ts';
import { Cluster } from './lib/cluster.ts';
import { type Choice, Exporter, NAME, ROOT } from './lib/exporter.ts';
import { describeOnCluster } from './lib/tools.ts';

const ACCOUNT = `system:serviceaccount:${NAME}:${NAME}`;
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const POD_MONITOR = 'deploy/podmonitor';
const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

describeOnCluster('the rights of the DaemonSet', () => {
  let cluster: Cluster;
  let exporter: Exporter;
  let token: string;

  beforeAll(async () => {
    cluster = await Cluster.make();
    exporter = await Exporter.install(cluster);
    const read = `process.stdout.write(require('fs').readFileSync('${TOKEN_FILE}', 'utf8'))`;
    token = (await exporter.exec('/nodejs/bin/node', '--eval', read)).stdout;
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  async function dryRun(choice: Choice): Promise<Outcome> {
    const folder = await exporter.kustomization(choice);
    return cluster.tryKubectl(['apply', '--dry-run=server', '--validate=strict', `--kustomize=${folder}`]);
  }

  /** Lines of `kubectl auth can-i --list`: resources, URLs, names, verbs. */
  async function rightsOf(account: string, namespace: string): Promise<readonly string[]> {
    const list = ['auth', 'can-i', '--list', '--no-headers', `--as=${account}`, `--namespace=${namespace}`];
    const lines = (await cluster.kubectl(list)).split('\n').map((line) => line.trim().replace(/\s+/g, ' '));
    return lines.filter((line) => line !== '').sort();
  }

  /** With the pod's own token: "200", or why not. */
  async function ask(path: string): Promise<string> {
    const login = ['--kubeconfig=/dev/null', `--server=https://${X_ENI[0]}`, `--token=${token}`];
    const ca = `--certificate-authority=${cluster.caFile}`;
    const { code, stderr } = await cluster.tryKubectl([...login, ca, 'get', `--raw=${path}`]);
    return code === 0 ? '200' : stderr.trim();
  }

  test('in "default" it may get one EndpointSlice more than an account without a role, elsewhere nothing', async () => {
    for (const namespace of ['default', 'kube-system', NAME, 'kube-node-lease']) {
      const anyone = await rightsOf('system:serviceaccount:default:anyone', namespace);
      const more = (await rightsOf(ACCOUNT, namespace)).filter((line) => !anyone.includes(line));
      expect(anyone.length).toBeGreaterThan(0);
      const expected = ['endpointslices.discovery.k8s.io [] [kubernetes] [get]'];
      expect(more, namespace).toEqual(namespace === 'default' ? expected : []);
    }
  });

  test('with the token of the pod that slice is read, and nothing else', async () => {
    expect(token.split('.')).toHaveLength(3);
    expect(await ask(`${SLICES}/kubernetes`)).toBe('200');
    const others = [
      ...[SLICES, `${SLICES}/other`, `${SLICES}?watch=true&fieldSelector=metadata.name%3Dkubernetes`],
      ...['/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kubernetes'],
      ...['/api/v1/pods', '/api/v1/nodes', `/api/v1/nodes/${cluster.nodeName}`],
      ...[
        '/api/v1/namespaces/default/endpoints/kubernetes',
        '/api/v1/namespaces/default/services/kubernetes',
      ],
      ...['/api/v1/secrets', `/api/v1/namespaces/${NAME}/secrets`, `/api/v1/namespaces/${NAME}/pods`],
      '/apis/apps/v1/daemonsets',
    ];
    for (const path of others) expect(await ask(path), path).toMatch(/^Error from server \(Forbidden\)/);
    for (const verb of ['update', 'patch', 'delete']) {
      const question = ['auth', 'can-i', verb, 'endpointslices/kubernetes', `--as=${ACCOUNT}`];
      expect((await cluster.tryKubectl(question)).stdout.trim(), verb).toBe('no');
    }
  });

  test('the kernel gives it uid 0 with SYS_PTRACE and no other capability, and no way to more', async () => {
    const fields = await exporter.process();
    // CAP_SYS_PTRACE is bit 19.
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) expect(fields.get(set), set).toBe('0000000000080000');
    for (const set of ['CapInh', 'CapAmb']) expect(fields.get(set), set).toBe('0000000000000000');
    expect(fields.get('Uid')?.split('\t')).toEqual(['0', '0', '0', '0']);
    expect(fields.get('Gid')?.split('\t')).toEqual(['0', '0', '0', '0']);
    expect(fields.get('NoNewPrivs')).toBe('1');
    // Filtered.
    expect(fields.get('Seccomp')).toBe('2');
  });

  test('nothing in its root can be written', async () => {
    for (const file of ['/x', '/tmp/x', '/app/main.js', '/var/run/secrets/kubernetes.io/serviceaccount/x']) {
      const write = `require('fs').writeFileSync('${file}', 'x')`;
      const { code, stderr } = await exporter.exec('/nodejs/bin/node', '--eval', write);
      expect(code, file).not.toBe(0);
      expect(stderr, file).toMatch(/EROFS|ENOENT/);
    }
  });

  test.each(options())('the API server takes $option with every field known to it', async (choice) => {
    const { code, stdout, stderr } = await dryRun(choice);
    expect(code, stderr).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(`daemonset.apps/${NAME}`);
  });

  test('of deploy/podmonitor it takes all but the kind that the Prometheus Operator would bring', async () => {
    const { stdout, stderr } = await dryRun({ components: [], resources: [POD_MONITOR] });
    expect(stdout).toContain(`daemonset.apps/${NAME}`);
    expect(stderr.match(/no matches for kind "\w+"/g)).toEqual(['no matches for kind "PodMonitor"']);
  });
});

interface Option {
  readonly option: string;
  readonly components: readonly string[];
  readonly resources: readonly string[];
}

/** Each folder of deploy/ by itself, but the one that needs something beyond Kubernetes. */
function options(): readonly Option[] {
  const folders = globSync('deploy/*/kustomization.yaml', { cwd: ROOT }).map(dirname);
  expect(folders).toContain(POD_MONITOR);
  return folders
    .filter((option) => option !== POD_MONITOR)
    .map((option) => {
      const text = readFileSync(join(ROOT, option, 'kustomization.yaml'), 'utf8');
      const isComponent = text.includes('kind: Component');
      return { option, components: isComponent ? [option] : [], resources: isComponent ? [] : [option] };
    });
}
