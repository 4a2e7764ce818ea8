/** What the DaemonSet may do, asked of the real API server and of the real kernel. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { X_ENI } from '../e2e/lib/cluster.ts';
import { must, type Outcome, within } from '../e2e/lib/command.ts';
import { ROOT } from '../support/manifests.ts';
import type { Choice } from './lib/checkout.ts';
import { Cluster } from './lib/cluster.ts';
import { Exporter, NAME } from './lib/exporter.ts';
import { describeOnCluster } from './lib/tools.ts';

const MANIFEST = readFileSync(join(ROOT, 'daemonset.yaml'), 'utf8');
const ACCOUNT = `system:serviceaccount:${NAME}:${NAME}`;
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
/** What needs the Prometheus Operator: the folder, and the kind that the operator would bring. */
const OF_THE_OPERATOR = [
  { folder: 'deploy/podmonitor', kind: 'PodMonitor' },
  { folder: 'deploy/prometheus', kind: 'PrometheusRule' },
];
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
    const folder = await exporter.checkout(choice);
    return cluster.tryKubectl(['apply', '--dry-run=server', '--validate=strict', `--kustomize=${folder}`]);
  }

  /** Lines of `kubectl auth can-i --list`: resources, URLs, names, verbs. */
  async function rightsOf(account: string, namespace: string): Promise<readonly string[]> {
    const list = ['auth', 'can-i', '--list', '--no-headers', `--as=${account}`, `--namespace=${namespace}`];
    const lines = (await cluster.kubectl(list)).split('\n').map((line) => line.trim().replace(/\s+/g, ' '));
    return lines.filter((line) => line !== '').sort();
  }

  /** From within the container; gives what goes wrong. */
  async function write(file: string): Promise<string> {
    const script = `require('fs').writeFileSync('${file}', 'x')`;
    return (await exporter.exec('/nodejs/bin/node', '--eval', script)).stderr;
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

  test('of capabilities the kernel gives it SYS_PTRACE in every set that counts, as uid 0, and can give no other', async () => {
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

  test('nothing of the image can be written; what can is what kubelet and the runtime put in', async () => {
    const files = ['/x', '/app/main.js', '/nodejs/bin/node', '/usr/local/bin/x', '/etc/passwd', TOKEN_FILE];
    for (const file of files) expect(await write(file), file).toContain('EROFS');
    const pid = (await exporter.process()).get('Pid');
    const mounts = await must(...within(cluster.hosts.node, ['cat', `/proc/${pid}/mounts`]));
    const writable = mounts
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, , , options]) => options?.split(',').includes('rw'))
      .map(([, place = '']) => place)
      // The runtime hides files of /proc below others.
      .filter((place) => !place.startsWith('/proc/'));
    expect(writable.sort()).toEqual([
      // The runtime's, in every container; kubelet's are /dev/termination-log and /etc/hosts.
      ...['/dev', '/dev/mqueue', '/dev/pts', '/dev/shm', '/dev/termination-log', '/etc/hosts', '/proc'],
      ...(existsSync('/sys/fs/cgroup/cgroup.controllers') ? [] : ['/sys/fs/cgroup']),
    ]);
  });

  test('all the same it is root on the node, as the instructions say: it writes there through /proc/1/root', async () => {
    const file = join(cluster.folder, 'written-from-the-container');
    expect(await write(`/proc/1/root${file}`)).toBe('');
    expect(await readFile(file, 'utf8')).toBe('x');
  });

  describe('its namespace, in a cluster that admits "restricted" pods only', () => {
    /** A pod of the DaemonSet, asked for by itself. */
    async function askForPod(): Promise<Outcome> {
      const { spec } = JSON.parse(await exporter.kubectl('get', 'daemonset', NAME, '--output=json'));
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: spec.template.spec };
      const create = ['create', '--dry-run=server', `--namespace=${NAME}`, '--filename=-'];
      return cluster.tryKubectl(create, JSON.stringify(pod));
    }

    /** What is said to that once the namespace has no such label. */
    async function askWithout(mode: 'enforce' | 'warn'): Promise<Outcome> {
      const label = `pod-security.kubernetes.io/${mode}`;
      await cluster.kubectl(['label', 'namespace', NAME, `${label}-`]);
      try {
        let outcome: Outcome = { code: null, stdout: '', stderr: '' };
        await cluster.eventually(`the API server misses "${label}"`, async () => {
          outcome = await askForPod();
          return outcome.stderr !== '';
        });
        return outcome;
      } finally {
        await cluster.kubectl(['label', 'namespace', NAME, `${label}=privileged`]);
      }
    }

    test('admits its pods, without a word', async () => {
      expect(await askForPod()).toEqual({
        code: 0,
        stdout: 'pod/one created (server dry run)\n',
        stderr: '',
      });
    });

    test('admits them with a warning where the label against it is taken away', async () => {
      const { code, stderr } = await askWithout('warn');
      expect(stderr).toMatch(/^Warning: would violate PodSecurity "restricted:latest"/);
      expect(code).toBe(0);
    });

    test('forbids them without the label that enforces, for the reasons that the instructions list', async () => {
      const { code, stderr } = await askWithout('enforce');
      expect(code).toBe(1);
      expect(stderr).toContain('pods "one" is forbidden: violates PodSecurity "restricted:latest": ');
      const reasons = stderr.split('restricted:latest": ')[1]?.split(/ \(.*?\)(?:, |\n)/);
      expect(reasons).toEqual([
        ...['forbidden AppArmor profile', 'host namespaces', 'hostPort', 'unrestricted capabilities'],
        ...['runAsNonRoot != true', 'runAsUser=0', ''],
      ]);
    });
  });

  test.each(options())('the API server takes $option with every field known to it', async (choice) => {
    const { code, stdout, stderr } = await dryRun(choice);
    expect(code, stderr).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(`daemonset.apps/${NAME}`);
  });

  test.each([
    ['containerPort: 10943', 'containerPort: 109430', 'ports[0].containerPort: Invalid value: 109430'],
    ['targetPort: metrics', 'targetPort: the metrics', 'targetPort: Invalid value: "the metrics"'],
    ['maxUnavailable: 10%', 'maxUnavailable: a tenth', 'maxUnavailable: Invalid value: "a tenth"'],
    ['dnsPolicy: Default', 'dnsPolicy: Node', 'dnsPolicy: Unsupported value: "Node"'],
    ['type: RuntimeDefault', 'type: Default', 'seccompProfile.type: Unsupported value: "Default"'],
    ['operator: NotIn', 'operator: Not', 'operator: Invalid value: "Not"'],
  ])('it refuses the manifest with "%s" as "%s"', async (from, to, problem) => {
    const wrong = MANIFEST.replace(from, to);
    expect(wrong).not.toBe(MANIFEST);
    const apply = ['apply', '--dry-run=server', '--validate=strict', '--filename=-'];
    const { code, stderr } = await cluster.tryKubectl(apply, wrong);
    expect(stderr).toContain(problem);
    expect(code).toBe(1);
  });

  test.each(OF_THE_OPERATOR)(
    'of $folder it takes all but the kind that the Prometheus Operator would bring',
    async ({ folder, kind }) => {
      const { stdout, stderr } = await dryRun({ components: [], resources: [folder] });
      expect(stdout).toContain(`daemonset.apps/${NAME}`);
      expect(stderr.match(/no matches for kind "\w+"/g)).toEqual([`no matches for kind "${kind}"`]);
    },
  );
});

interface Option {
  readonly option: string;
  readonly components: readonly string[];
  readonly resources: readonly string[];
}

/** Each folder of deploy/ by itself, but those that need something beyond Kubernetes. */
function options(): readonly Option[] {
  const beyond = OF_THE_OPERATOR.map(({ folder }) => folder);
  const folders = globSync('deploy/*/kustomization.yaml', { cwd: ROOT }).map(dirname);
  expect(folders).toEqual(expect.arrayContaining(beyond));
  return folders
    .filter((option) => !beyond.includes(option))
    .map((option) => {
      const text = readFileSync(join(ROOT, option, 'kustomization.yaml'), 'utf8');
      const isComponent = text.includes('kind: Component');
      return { option, components: isComponent ? [option] : [], resources: isComponent ? [] : [option] };
    });
}
