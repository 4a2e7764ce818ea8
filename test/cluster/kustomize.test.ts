/** The options of deploy/ as kustomize builds them: what they change, and that Kubernetes would take the result. */
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { at, codeBlocks, judge, parseManifests, ROOT, readManifest } from '../support/manifests.ts';
import { type Choice, writeCheckout } from './lib/checkout.ts';
import { kubectl } from './lib/kubernetes.ts';

const run = promisify(execFile);
const NAME = 'eks-endpoint-exporter';
const KUSTOMIZATION = readFileSync(join(ROOT, 'kustomization.yaml'), 'utf8');

/** Every option there is, by its folder; a new one is included. */
const OPTIONS = globSync('deploy/*/kustomization.yaml', { cwd: ROOT }).map(dirname).sort();
const COMPONENTS = OPTIONS.filter((option) => kindOf(option) === 'Component');
const RESOURCES = OPTIONS.filter((option) => kindOf(option) === 'Kustomization');

let program: string;
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'kustomize-')));

beforeAll(async () => {
  program = await kubectl();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function kindOf(option: string): unknown {
  return at(readManifest(`${option}/kustomization.yaml`)[0]?.value, 'kind');
}

/** The manifests that kustomize makes of a folder. Rejects with what it says. */
async function build(folder: string): Promise<readonly unknown[]> {
  const { stdout } = await run(program, ['kustomize', folder]);
  const manifests = parseManifests(stdout, { file: relative(ROOT, folder), extent: 'whole' });
  expect(manifests.flatMap(judge)).toEqual([]);
  return manifests.map(({ value }) => value);
}

let folders = 0;

/** A folder of a user's own, outside of the repository. */
function ownFolder(kustomization: string): string {
  folders += 1;
  const folder = join(scratch, String(folders));
  mkdirSync(folder);
  writeFileSync(join(folder, 'kustomization.yaml'), kustomization);
  return folder;
}

/** A user's kustomization of the installation and some options. */
function buildWith(options: readonly string[], more: object = {}): Promise<readonly unknown[]> {
  const folder = ownFolder('');
  const reach = (paths: readonly string[]) => paths.map((path) => relative(folder, join(ROOT, path)));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: reach(['.', ...options.filter((option) => RESOURCES.includes(option))]),
    components: reach(options.filter((option) => COMPONENTS.includes(option))),
    ...more,
  };
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
  return build(folder);
}

/** This checkout with an edited kustomization.yaml, as the file itself tells users to do. */
async function buildEdited(choice: Choice): Promise<readonly unknown[]> {
  const folder = ownFolder('');
  await writeCheckout(folder, choice);
  return build(folder);
}

function find(manifests: readonly unknown[], kind: string): unknown {
  return manifests.find((manifest) => at(manifest, 'kind') === kind);
}

function podOf(manifests: readonly unknown[]): unknown {
  return at(find(manifests, 'DaemonSet'), 'spec', 'template', 'spec');
}

function containerOf(manifests: readonly unknown[]): unknown {
  return at(podOf(manifests), 'containers', 'exporter');
}

function byKind(manifests: readonly unknown[]): readonly unknown[] {
  return manifests.toSorted((one, other) => String(at(one, 'kind')).localeCompare(String(at(other, 'kind'))));
}

const PLAIN = readManifest('daemonset.yaml').map(({ value }) => value);

describe('kustomization.yaml', () => {
  test('as it is, is daemonset.yaml', async () => {
    expect(byKind(await build(ROOT))).toEqual(byKind(PLAIN));
  });

  test('names the image in one place', async () => {
    const registry = '111122223333.dkr.ecr.eu-central-1.amazonaws.com';
    const built = await buildEdited({ newName: `${registry}/${NAME}` });
    const image = String(at(containerOf(PLAIN), 'image'));
    expect(at(containerOf(built), 'image')).toBe(`${registry}/${image}`);
    expect(JSON.parse(JSON.stringify(byKind(built)).replace(`${registry}/`, ''))).toEqual(byKind(PLAIN));
  });

  test('names the expectation in one place', async () => {
    const built = await buildEdited({ env: { EKS_ENDPOINT_EXPECT: 'x-eni' } });
    expect(at(containerOf(built), 'env', 'EKS_ENDPOINT_EXPECT', 'value')).toBe('x-eni');
    expect(at(containerOf(built), 'env')).toHaveLength(2);
  });

  test('takes the priority away by a line beside the containers, as deploy/README.md says', async () => {
    const folder = ownFolder('');
    await writeCheckout(folder, {});
    const beside = KUSTOMIZATION.replace(/^( *)containers:\n/m, '$1priorityClassName: null\n$&');
    writeFileSync(join(folder, 'kustomization.yaml'), beside);
    const { priorityClassName, ...others } = Object(podOf(PLAIN));
    expect(priorityClassName).toBe('system-node-critical');
    expect(podOf(await build(folder))).toEqual(others);
  });

  test('takes each option by a line that stands there', async () => {
    const built = await buildEdited({ components: COMPONENTS, resources: RESOURCES });
    for (const option of OPTIONS) expect(KUSTOMIZATION).toContain(option);
    expect(built).toHaveLength(PLAIN.length + RESOURCES.length);
    expect(at(podOf(built), 'hostPID')).toBeUndefined();
  });
});

describe('options', () => {
  test('there are those that the instructions name', () => {
    expect(OPTIONS.map((option) => basename(option))).toEqual([
      'address',
      'bottlerocket',
      'networkpolicy',
      'podmonitor',
      'prometheus',
    ]);
  });

  test.each(OPTIONS)('%s builds on the installation', async (option) => {
    const built = await buildWith([option]);
    expect(built).toHaveLength(PLAIN.length + (RESOURCES.includes(option) ? 1 : 0));
  });

  test('all of them build together', async () => {
    expect(await buildWith(OPTIONS)).toHaveLength(PLAIN.length + RESOURCES.length);
  });

  test.each(RESOURCES)('%s builds alone, for the namespace of the agent', async (option) => {
    const [built, ...rest] = await build(join(ROOT, option));
    expect(rest).toEqual([]);
    expect(at(built, 'metadata')).toMatchObject({ name: NAME, namespace: NAME });
  });

  test.each(COMPONENTS)('%s alone is refused', async (option) => {
    await expect(run(program, ['kustomize', join(ROOT, option)])).rejects.toThrow(
      'no matches for Id DaemonSet',
    );
  });

  test('address: neither hostPID nor a capability, another uid, by addresses; the rest as it was', async () => {
    const built = await buildWith(['deploy/address']);
    const pod = podOf(built);
    expect(at(pod, 'hostPID')).toBeUndefined();
    expect(at(pod, 'hostNetwork')).toBe(true);
    expect(at(containerOf(built), 'securityContext')).toEqual({
      runAsUser: 65532,
      runAsGroup: 65532,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(at(containerOf(built), 'env', 'EKS_ENDPOINT_ATTRIBUTION', 'value')).toBe('address');
    expect(at(containerOf(built), 'env', 'NODE_NAME', 'valueFrom')).toBeDefined();
    for (const field of ['tolerations', 'affinity', 'dnsPolicy', 'serviceAccountName'])
      expect(at(pod, field)).toEqual(at(podOf(PLAIN), field));
    for (const field of ['image', 'ports', 'resources', 'livenessProbe'])
      expect(at(containerOf(built), field)).toEqual(at(containerOf(PLAIN), field));
  });

  test('address: the endpoint can be filled in beside the expectation', async () => {
    const endpoint = 'https://0123.gr7.eu-central-1.eks.amazonaws.com';
    const env = { EKS_ENDPOINT_ENDPOINT: endpoint };
    const built = await buildEdited({ components: ['deploy/address'], env });
    expect(at(containerOf(built), 'env', 'EKS_ENDPOINT_ENDPOINT', 'value')).toBe(endpoint);
  });

  test('bottlerocket: the label is added, and nothing else changes', async () => {
    const built = await buildWith(['deploy/bottlerocket']);
    expect(at(containerOf(built), 'securityContext')).toEqual({
      ...Object(at(containerOf(PLAIN), 'securityContext')),
      seLinuxOptions: { user: 'system_u', role: 'system_r', type: 'spc_t', level: 's0' },
    });
  });
});

describe('the examples of deploy/README.md', () => {
  const examples = codeBlocks(readFileSync(join(ROOT, 'deploy/README.md'), 'utf8'));
  const whole = examples.filter((text) => text.includes('kind: Kustomization'));
  const patches = examples.filter((text) => !whole.includes(text));

  test('build from beside the checkout', async () => {
    const built = await Promise.all(
      whole.map((text) => {
        const folder = ownFolder('');
        const example = text.replaceAll('../eks-endpoint-exporter', relative(folder, ROOT));
        writeFileSync(join(folder, 'kustomization.yaml'), example);
        return build(folder);
      }),
    );
    expect(built).toHaveLength(2);
    const [settings = [], withoutHybrid = []] = built;
    expect(at(containerOf(settings), 'image')).toMatch(/^1111.*\.amazonaws\.com\/eks-endpoint-exporter:/);
    expect(at(containerOf(settings), 'env', 'EKS_ENDPOINT_EXPECT', 'value')).toBe('x-eni');
    expect(at(find(settings, 'PodMonitor'), 'metadata', 'namespace')).toBe(NAME);
    const terms = at(
      podOf(withoutHybrid),
      'affinity',
      'nodeAffinity',
      'requiredDuringSchedulingIgnoredDuringExecution',
    );
    expect(at(terms, 'nodeSelectorTerms', 0, 'matchExpressions', 2)).toEqual({
      key: 'eks.amazonaws.com/compute-type',
      operator: 'NotIn',
      values: ['fargate', 'hybrid'],
    });
  });

  test('are patches that fit', async () => {
    expect(patches).toHaveLength(1);
    const built = await buildWith(['deploy/address'], { patches: patches.map((patch) => ({ patch })) });
    expect(at(containerOf(built), 'env', 'EKS_ENDPOINT_ENDPOINT', 'value')).toMatch(/^https:/);
  });
});
