import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { EndpointDiscovery, type EndpointDiscoveryParts } from '../../src/endpoint/discovery.ts';
import { readKubeconfig } from '../../src/endpoint/kubeconfig.ts';
import type { NodeFiles } from '../../src/endpoint/kubeconfigs.ts';
import type { OwnersSeen } from '../../src/model/observation.ts';
import { moment, observation } from '../support/observation.ts';

// The real functions: only their calls are counted.
vi.mock('../../src/endpoint/kubeconfig.ts', { spy: true });

const KUBELET = 100;
const PROXY = 200;

/** A node of processes and files that tests change as they go. */
class FakeNode implements NodeFiles {
  readonly commands = new Map<number, readonly string[]>();
  /** By pid and path; an error is thrown where it is read. */
  readonly files = new Map<string, string | Error>();

  cmdline(pid: number): readonly string[] | null {
    return this.commands.get(pid) ?? null;
  }

  environ(): null {
    return null;
  }

  readFileUnderRoot(pid: number, path: string): Uint8Array | null {
    const file = this.files.get(`${pid} ${path}`);
    if (file instanceof Error) throw file;
    return file === undefined ? null : new TextEncoder().encode(file);
  }
}

function kubeconfig(server: string): string {
  return `clusters: [{name: a, cluster: {server: "${server}"}}]\ncontexts: [{name: b, context: {cluster: a}}]\ncurrent-context: b\n`;
}

function ownersOf(...pids: readonly number[]): OwnersSeen | null {
  const processes = pids.map((pid) => ({ client: pid < PROXY ? 'kubelet' : 'kube-proxy', pid }));
  return observation({ processes }).owners;
}

const BOTH = ownersOf(KUBELET, PROXY);
const REFUSED = new Error('Cannot read "/proc/100/root": EACCES');
const REFUSING: NodeFiles = { cmdline: refuse, environ: refuse, readFileUnderRoot: refuse };

function refuse(): never {
  throw REFUSED;
}

/** Without --endpoint and --ca-file, on an agent that has no files of its own. */
function discoveryOn(files: NodeFiles, parts: Partial<EndpointDiscoveryParts> = {}): EndpointDiscovery {
  return new EndpointDiscovery({
    given: null,
    files,
    clock: () => moment(0),
    caFile: null,
    readFile: async () => {
      throw new Error('there is no such file (ENOENT)');
    },
    ...parts,
  });
}

/** A node as AL2023 with the kube-proxy add-on. */
function usualNode(): FakeNode {
  const node = new FakeNode();
  node.commands.set(KUBELET, [
    '/usr/bin/kubelet',
    '--node-ip=10.0.0.1',
    '--kubeconfig=/var/lib/kubelet/kubeconfig',
  ]);
  node.commands.set(PROXY, ['kube-proxy', '--v=2', '--config=/var/lib/kube-proxy-config/config']);
  node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, kubeconfig('https://KUBELET.example'));
  node.files.set(
    `${PROXY} /var/lib/kube-proxy-config/config`,
    'clientConnection: {kubeconfig: /var/lib/kube-proxy/kubeconfig}\n',
  );
  node.files.set(`${PROXY} /var/lib/kube-proxy/kubeconfig`, kubeconfig('https://proxy.example:8443'));
  return node;
}

describe('where the endpoint comes from', () => {
  test('the flag, whatever the kubeconfigs say and also where nothing can be read', async () => {
    const given = { hostname: 'given.example', port: 8443 };
    for (const files of [usualNode(), REFUSING]) {
      const discovery = discoveryOn(files, { given });
      await discovery.refresh(BOTH);
      expect(discovery.seen).toEqual({ ...given, source: 'flag' });
      expect(discovery.stage).toMatchObject({ stage: 'endpoint', success: true, error: null });
    }
  });

  test('the flag is known before the first refresh', () => {
    const discovery = discoveryOn(new FakeNode(), { given: { hostname: 'given.example', port: 443 } });
    expect(discovery.seen?.source).toBe('flag');
    expect(discovery.stage).toBeNull();
  });

  test("the kubelet's kubeconfig comes first, whatever the order of the processes", async () => {
    for (const owners of [ownersOf(KUBELET, PROXY), ownersOf(PROXY, KUBELET)]) {
      const discovery = discoveryOn(usualNode());
      await discovery.refresh(owners);
      expect(discovery.seen).toEqual({
        hostname: 'KUBELET.example',
        port: 443,
        source: 'kubelet-kubeconfig',
      });
    }
  });

  test("kube-proxy's configuration file comes next", async () => {
    const discovery = discoveryOn(usualNode());
    await discovery.refresh(ownersOf(PROXY));
    expect(discovery.seen).toEqual({
      hostname: 'proxy.example',
      port: 8443,
      source: 'kube-proxy-kubeconfig',
    });
  });

  test("kube-proxy's own flag comes before its configuration file", async () => {
    const node = usualNode();
    node.commands.set(PROXY, ['kube-proxy', '--config=/var/lib/kube-proxy-config/config', '--kubeconfig=/k']);
    node.files.set(`${PROXY} /k`, kubeconfig('https://direct.example'));
    const discovery = discoveryOn(node);
    await discovery.refresh(ownersOf(PROXY));
    expect(discovery.seen?.hostname).toBe('direct.example');
  });

  test.each([
    '/var/lib/kubelet/kubeconfig',
    '/etc/kubernetes/kubelet/kubeconfig',
    '/etc/eksctl/kubeconfig.yaml',
  ])("the well-known path %s comes last, under the kubelet's root or that of pid 1", async (path) => {
    for (const [pid, owners] of [
      [KUBELET, ownersOf(KUBELET)],
      [1, ownersOf()],
      [1, null],
    ] as const) {
      const node = new FakeNode();
      node.commands.set(KUBELET, ['kubelet']);
      node.files.set(`${pid} ${path}`, kubeconfig('https://known.example'));
      const discovery = discoveryOn(node);
      await discovery.refresh(owners);
      expect(discovery.seen).toEqual({
        hostname: 'known.example',
        port: 443,
        source: 'well-known-kubeconfig',
      });
    }
  });

  test('the well-known paths have an order', async () => {
    const node = new FakeNode();
    node.files.set('1 /etc/eksctl/kubeconfig.yaml', kubeconfig('https://third.example'));
    node.files.set('1 /etc/kubernetes/kubelet/kubeconfig', kubeconfig('https://second.example'));
    const discovery = discoveryOn(node);
    await discovery.refresh(null);
    expect(discovery.seen?.hostname).toBe('second.example');
  });

  test('a kubelet that has just vanished is passed over', async () => {
    const node = usualNode();
    node.commands.delete(KUBELET);
    const discovery = discoveryOn(node);
    await discovery.refresh(BOTH);
    expect(discovery.seen?.source).toBe('kube-proxy-kubeconfig');
  });
});

describe('a discovery that fails says the path and the reason', () => {
  async function failure(node: FakeNode, owners: OwnersSeen | null = BOTH): Promise<string | null> {
    const discovery = discoveryOn(node);
    await discovery.refresh(owners);
    expect(discovery.seen).toBeNull();
    expect(discovery.stage?.success).toBe(false);
    return discovery.stage?.error ?? null;
  }

  test('nothing names a kubeconfig', async () => {
    const paths =
      '/var/lib/kubelet/kubeconfig, /etc/kubernetes/kubelet/kubeconfig, /etc/eksctl/kubeconfig.yaml';
    const nobody = { processes: [], leftOut: [], unreadable: 0 };
    expect(await failure(new FakeNode(), nobody)).toBe(
      `neither kubelet nor kube-proxy names a kubeconfig, and there is none at ${paths}; give --endpoint`,
    );
    expect(await failure(new FakeNode(), null)).toBe(
      `the processes could not be read, and there is none at ${paths}; give --endpoint`,
    );
  });

  test('the named file is refused, and no other is taken in its place', async () => {
    const node = usualNode();
    node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, REFUSED);
    expect(await failure(node)).toBe(
      'Cannot read "/var/lib/kubelet/kubeconfig" of pid 100: Cannot read "/proc/100/root": EACCES',
    );
  });

  test('the named file is not there', async () => {
    const node = usualNode();
    node.files.delete(`${KUBELET} /var/lib/kubelet/kubeconfig`);
    expect(await failure(node)).toContain(
      'Cannot read "/var/lib/kubelet/kubeconfig" of pid 100: there is no such file',
    );
  });

  test('the named file is no kubeconfig', async () => {
    const node = usualNode();
    node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, 'a: 1\n');
    expect(await failure(node)).toBe(
      'Cannot use "/var/lib/kubelet/kubeconfig": not a usable kubeconfig: it does not say which context is current',
    );
  });

  test("kube-proxy's configuration is refused", async () => {
    const node = usualNode();
    node.files.set(`${PROXY} /var/lib/kube-proxy-config/config`, REFUSED);
    expect(await failure(node, ownersOf(PROXY))).toContain(
      'Cannot read "/var/lib/kube-proxy-config/config" of pid 200: ',
    );
  });

  test("kube-proxy's configuration is no YAML", async () => {
    const node = usualNode();
    node.files.set(`${PROXY} /var/lib/kube-proxy-config/config`, 'clientConnection: [');
    const error = await failure(node, ownersOf(PROXY));
    expect(error).toContain('not YAML');
    expect(error).toContain('/var/lib/kube-proxy-config/config');
  });

  test('a well-known file is refused: then it is not said that there is none', async () => {
    const node = new FakeNode();
    node.files.set('1 /var/lib/kubelet/kubeconfig', REFUSED);
    const error = await failure(node, null);
    expect(error).toContain('EACCES');
    expect(error).not.toContain('there is none');
  });

  test('what /proc throws is no rejection', async () => {
    const discovery = discoveryOn(REFUSING);
    await expect(discovery.refresh(BOTH)).resolves.toBeUndefined();
    expect(discovery.stage).toMatchObject({ success: false, error: REFUSED.message });
  });
});

describe('the next discovery', () => {
  test('notices that the file has changed', async () => {
    const node = usualNode();
    const discovery = discoveryOn(node);
    await discovery.refresh(BOTH);
    node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, kubeconfig('https://other.example:6443'));
    await discovery.refresh(BOTH);
    expect(discovery.seen).toMatchObject({ hostname: 'other.example', port: 6443 });
  });

  test('keeps the last endpoint when the file breaks or is refused, and says so', async () => {
    const node = usualNode();
    const discovery = discoveryOn(node);
    await discovery.refresh(BOTH);
    for (const broken of ['', 'a: [', REFUSED]) {
      node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, broken);
      await discovery.refresh(BOTH);
      expect(discovery.seen?.hostname).toBe('KUBELET.example');
      expect(discovery.stage?.success).toBe(false);
    }
    node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, kubeconfig('https://KUBELET.example'));
    await discovery.refresh(BOTH);
    expect(discovery.stage).toMatchObject({ success: true, error: null });
  });

  test('fails each time while the file stays broken', async () => {
    const node = usualNode();
    const discovery = discoveryOn(node);
    node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, 'a: [');
    await discovery.refresh(BOTH);
    await discovery.refresh(BOTH);
    expect(discovery.stage?.success).toBe(false);
  });

  test('does not change the source while kubelet is being restarted', async () => {
    const discovery = discoveryOn(usualNode());
    await discovery.refresh(BOTH);
    await discovery.refresh(ownersOf(PROXY));
    expect(discovery.seen).toMatchObject({ hostname: 'KUBELET.example', source: 'kubelet-kubeconfig' });
    expect(discovery.stage?.success).toBe(true);
  });

  test('takes the worse source when the kubelet that is there names no file any more', async () => {
    const node = usualNode();
    const discovery = discoveryOn(node);
    await discovery.refresh(BOTH);
    node.commands.set(KUBELET, ['/usr/bin/kubelet']);
    await discovery.refresh(BOTH);
    expect(discovery.seen?.source).toBe('kube-proxy-kubeconfig');
  });

  test('takes the better source when kubelet comes later', async () => {
    const discovery = discoveryOn(usualNode());
    await discovery.refresh(ownersOf(PROXY));
    expect(discovery.seen?.source).toBe('kube-proxy-kubeconfig');
    await discovery.refresh(BOTH);
    expect(discovery.seen).toMatchObject({ hostname: 'KUBELET.example', source: 'kubelet-kubeconfig' });
  });

  test('names the better source also where both files read alike', async () => {
    const node = usualNode();
    node.files.set(`${PROXY} /var/lib/kube-proxy/kubeconfig`, kubeconfig('https://KUBELET.example'));
    const discovery = discoveryOn(node);
    await discovery.refresh(ownersOf(PROXY));
    await discovery.refresh(BOTH);
    expect(discovery.seen?.source).toBe('kubelet-kubeconfig');
  });
});

describe('the CA', () => {
  const CA = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', 'ca.crt'), 'utf8');
  const OTHER_CA = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', 'other-ca.crt'), 'utf8');
  const NODE_CA = '/etc/kubernetes/pki/ca.crt';

  test("is that of the kubelet's kubeconfig, and of the one that is named next", async () => {
    const node = usualNode();
    const withCa = kubeconfig('https://a.example').replace(
      'server:',
      'certificate-authority: ca.crt, server:',
    );
    node.files.set(`${KUBELET} /var/lib/kubelet/kubeconfig`, withCa);
    node.files.set(`${KUBELET} /var/lib/kubelet/ca.crt`, CA);
    node.files.set(`${PROXY} ${NODE_CA}`, OTHER_CA);
    const discovery = discoveryOn(node);
    expect(discovery.ca).toEqual({ missing: 'the CA of the cluster has not been looked for yet' });
    await discovery.refresh(BOTH);
    expect(discovery.ca).toEqual({ pem: CA });
    // Kubelet is being restarted: then its kubeconfig stays the one in use.
    await discovery.refresh(ownersOf(PROXY));
    expect(discovery.ca).toEqual({ pem: CA });
    node.commands.set(KUBELET, ['/usr/bin/kubelet']);
    await discovery.refresh(BOTH);
    expect(discovery.ca).toEqual({ pem: OTHER_CA });
  });

  test('is looked for with --endpoint too', async () => {
    const node = usualNode();
    node.files.set(`${KUBELET} ${NODE_CA}`, CA);
    const discovery = discoveryOn(node, { given: { hostname: 'given.example', port: 443 } });
    await discovery.refresh(BOTH);
    expect(discovery.ca).toEqual({ pem: CA });
  });

  test.each([
    ['no kubelet', ownersOf(PROXY), PROXY],
    ['no client', ownersOf(), 1],
    ['no processes', null, 1],
  ])('is found where nobody names a kubeconfig, with %s', async (_, owners, pid) => {
    const node = new FakeNode();
    node.files.set(`${pid} ${NODE_CA}`, CA);
    const discovery = discoveryOn(node);
    await discovery.refresh(owners);
    expect(discovery.ca).toEqual({ pem: CA });
    expect(discovery.stage?.success).toBe(false);
  });

  test('that is missing says why, and does not spoil the endpoint', async () => {
    const discovery = discoveryOn(usualNode());
    await discovery.refresh(BOTH);
    expect(discovery.seen?.hostname).toBe('KUBELET.example');
    expect(discovery.stage).toMatchObject({ success: true, error: null });
    expect(discovery.ca).toEqual({ missing: expect.stringContaining('give --ca-file') });
    const refused = discoveryOn(REFUSING, { given: { hostname: 'given.example', port: 443 } });
    await refused.refresh(BOTH);
    expect(refused.ca).toEqual({ missing: expect.stringContaining('EACCES') });
  });

  test('where there is no kubeconfig, the sentence does not ask for --endpoint', async () => {
    const discovery = discoveryOn(new FakeNode());
    await discovery.refresh(null);
    expect(discovery.ca).toEqual({ missing: expect.not.stringContaining('--endpoint') });
    expect(discovery.stage?.error).toContain('; give --endpoint');
  });
});

describe('a file is parsed once', () => {
  const PATH = '/var/lib/kubelet/kubeconfig';
  beforeEach(() => {
    vi.mocked(readKubeconfig).mockClear();
  });

  test('while it stays as it was, and anew when its text changes', async () => {
    const node = usualNode();
    const discovery = discoveryOn(node);
    for (let refresh = 0; refresh < 3; refresh++) await discovery.refresh(BOTH);
    expect(readKubeconfig).toHaveBeenCalledTimes(1);
    node.files.set(`${KUBELET} ${PATH}`, kubeconfig('https://other.example'));
    for (let refresh = 0; refresh < 3; refresh++) await discovery.refresh(BOTH);
    expect(readKubeconfig).toHaveBeenCalledTimes(2);
    expect(discovery.seen?.hostname).toBe('other.example');
  });

  test('also where it cannot be used: the error stays the same until its text changes', async () => {
    const node = usualNode();
    const discovery = discoveryOn(node);
    node.files.set(`${KUBELET} ${PATH}`, 'a: 1\n');
    const errors: unknown[] = [];
    for (let refresh = 0; refresh < 3; refresh++) {
      await discovery.refresh(BOTH);
      errors.push(discovery.stage?.error);
    }
    expect(new Set(errors).size).toBe(1);
    expect(errors[0]).toContain(`Cannot use "${PATH}": not a usable kubeconfig`);
    expect(readKubeconfig).toHaveBeenCalledTimes(1);
    node.files.set(`${KUBELET} ${PATH}`, kubeconfig('https://mended.example'));
    await discovery.refresh(BOTH);
    expect(discovery.stage).toMatchObject({ success: true, error: null });
    expect(discovery.seen?.hostname).toBe('mended.example');
  });

  test('the same text at another path is another file: an error names the right one', async () => {
    const node = usualNode();
    const discovery = discoveryOn(node);
    node.files.set(`${KUBELET} ${PATH}`, 'a: 1\n');
    await discovery.refresh(BOTH);
    node.commands.set(KUBELET, ['kubelet', '--kubeconfig=/moved']);
    node.files.set(`${KUBELET} /moved`, 'a: 1\n');
    await discovery.refresh(BOTH);
    expect(discovery.stage?.error).toContain('Cannot use "/moved"');
  });
});

describe('refreshes that are asked for at once', () => {
  test('run one after the other, and the last one decides', async () => {
    const node = usualNode();
    const path = `${KUBELET} /var/lib/kubelet/kubeconfig`;
    const log: string[] = [];
    const files: NodeFiles = {
      cmdline: (pid) => node.cmdline(pid),
      environ: () => null,
      readFileUnderRoot: (pid, name) => {
        if (name.endsWith('kubeconfig')) log.push('read');
        return node.readFileUnderRoot(pid, name);
      },
    };
    const clock = () => {
      // A refresh asks for the time when it begins and when it ends.
      log.push('clock');
      return moment(0);
    };
    const discovery = discoveryOn(files, { clock });
    const first = discovery.refresh(BOTH);
    const second = discovery.refresh(BOTH).then(() => discovery.seen?.hostname);
    await first;
    node.files.set(path, kubeconfig('https://later.example'));
    await second;
    const third = discovery.refresh(BOTH);
    await third;
    expect(log).toEqual(['clock', 'read', 'clock', 'clock', 'read', 'clock', 'clock', 'read', 'clock']);
    expect(discovery.seen?.hostname).toBe('later.example');
  });

  test('go on after one that fails', async () => {
    const discovery = discoveryOn(usualNode());
    const failing = discovery.refresh(ownersOf());
    const working = discovery.refresh(BOTH);
    await Promise.all([failing, working]);
    expect(discovery.stage).toMatchObject({ success: true, error: null });
    expect(discovery.seen?.source).toBe('kubelet-kubeconfig');
  });
});

test('a refresh is timed by the monotonic clock', async () => {
  let seconds = 0;
  const clock = () => moment(seconds++);
  const discovery = discoveryOn(usualNode(), { clock });
  await discovery.refresh(BOTH);
  expect(discovery.stage).toMatchObject({ at: moment(0), durationSeconds: 1 });
});
