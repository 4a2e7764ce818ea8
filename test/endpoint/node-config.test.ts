import { afterEach, describe, expect, test } from 'vitest';
import type { ProcTree, TreeProcess } from '../../src/demo/proc-tree.ts';
import { type Resolve, systemResolver } from '../../src/endpoint/dns.ts';
import type { NodeFiles } from '../../src/endpoint/kubeconfigs.ts';
import { NodeConfigSource } from '../../src/endpoint/node-config.ts';
import type { OwnersSeen } from '../../src/model/observation.ts';
import { Proc, ProcReadError } from '../../src/procfs/proc.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { makeNode } from '../support/made-node.ts';
import { ENDPOINT, HOSTNAME, moment, observation } from '../support/observation.ts';

const KUBELET = 100;
const PROXY = 200;
const HOSTS = `127.0.0.1 localhost\n10.0.0.12 ${HOSTNAME.toLowerCase()} # pinned\n`;
const STUB = 'nameserver 127.0.0.53\nnameserver 127.0.0.54\noptions edns0 trust-ad\n';
const UPSTREAM = '/run/systemd/resolve/resolv.conf';

const sources: NodeConfigSource[] = [];
afterEach(() => {
  for (const source of sources.splice(0)) source.stop();
});

function sourceOn(files: NodeFiles, resolve: Resolve = unasked) {
  let seconds = 0;
  const source = new NodeConfigSource({
    files,
    resolve,
    clock: () => moment(seconds++),
  });
  sources.push(source);
  return { source };
}

const unasked: Resolve = () => {
  throw new Error('DNS was asked');
};

/** A kubelet and a kube-proxy, beside pid 1. */
function treeOf(kubelet: Partial<TreeProcess> = {}, proxy: Partial<TreeProcess> = {}): ProcTree {
  return {
    processes: [
      {
        pid: 1,
        comm: 'systemd',
        files: { '/etc/hosts': `10.0.0.1 ${HOSTNAME}`, '/etc/resolv.conf': 'nameserver 10.0.0.1' },
      },
      { pid: KUBELET, comm: 'kubelet', ...kubelet },
      { pid: PROXY, comm: 'kube-proxy', ...proxy },
    ],
  };
}

function ownersOf(...pids: readonly number[]): OwnersSeen | null {
  const processes = pids.map((pid) => ({ client: pid < PROXY ? 'kubelet' : 'kube-proxy', pid }));
  return observation({ processes }).owners;
}
const BOTH = ownersOf(KUBELET, PROXY);

/** The files of the tree, of which some are refused. */
function refusing(tree: ProcTree, isRefused: (pid: number, path: string) => boolean): NodeFiles {
  const proc = new Proc(makeNode(tree));
  const guard = (pid: number, path: string) => {
    if (isRefused(pid, path)) throw new ProcReadError(`/proc/${pid}/${path}`, 'EACCES');
  };
  return {
    cmdline(pid) {
      guard(pid, 'cmdline');
      return proc.cmdline(pid);
    },
    environ(pid) {
      guard(pid, 'environ');
      return proc.environ(pid);
    },
    readFileUnderRoot(pid, path) {
      guard(pid, path);
      return proc.readFileUnderRoot(pid, path);
    },
  };
}

/** Hosts and resolvers as texts. */
async function filesSeen(files: NodeFiles, owners = BOTH, endpoint: typeof ENDPOINT | null = ENDPOINT) {
  const { source } = sourceOn(files);
  await source.refresh(owners, endpoint);
  const { hosts, resolvers } = source.seen ?? { hosts: undefined, resolvers: undefined };
  return {
    hosts: hosts?.map(({ text }) => text) ?? hosts,
    resolvers: resolvers?.map(({ text }) => text) ?? resolvers,
  };
}

describe('hosts and resolvers', () => {
  test("are the kubelet's", async () => {
    const files = { '/etc/hosts': HOSTS, '/etc/resolv.conf': 'nameserver 192.168.0.2\n' };
    const node = new Proc(makeNode(treeOf({ files })));
    expect(await filesSeen(node)).toEqual({ hosts: ['10.0.0.12'], resolvers: ['192.168.0.2'] });
  });

  test.each<[string, OwnersSeen | null, readonly string[]]>([
    ["the kubelet's and kube-proxy's, each address once", BOTH, ['10.0.0.12', '10.0.0.13', '10.0.0.20']],
    ["kube-proxy's without a kubelet", ownersOf(PROXY), ['10.0.0.20', '10.0.0.12']],
    ["kube-proxy's where the kubelet has vanished", ownersOf(99, PROXY), ['10.0.0.20', '10.0.0.12']],
    ["pid 1's without either", ownersOf(), ['10.0.0.1']],
    ["pid 1's where both have vanished", ownersOf(99, 201), ['10.0.0.1']],
    ["pid 1's where the processes could not be read", null, ['10.0.0.1']],
  ])('are %s', async (_, owners, hosts) => {
    // Without a line's end: what follows in another file must stand on its own.
    const kubelet = { files: { '/etc/hosts': `10.0.0.12 ${HOSTNAME}\n10.0.0.13 ${HOSTNAME}` } };
    const proxy = { files: { '/etc/hosts': `10.0.0.20 ${HOSTNAME}\n10.0.0.12 ${HOSTNAME}` } };
    const { hosts: seen } = await filesSeen(new Proc(makeNode(treeOf(kubelet, proxy))), owners);
    expect(seen).toEqual(hosts);
  });

  test('of files that are not there are none, and the machine itself', async () => {
    expect(await filesSeen(new Proc(makeNode(treeOf())))).toEqual({ hosts: [], resolvers: ['127.0.0.1'] });
  });

  test.each(['/etc/hosts', '/etc/resolv.conf'])(
    'of %s that is refused are unknown, and the others known',
    async (path) => {
      const seen = await filesSeen(refusing(treeOf(), (_, refused) => refused === path));
      expect(seen.hosts).toEqual(path === '/etc/hosts' ? null : []);
      expect(seen.resolvers).toEqual(path === '/etc/resolv.conf' ? null : ['127.0.0.1']);
    },
  );

  test("are not known where a client's hosts are refused; the resolvers are the kubelet's alone", async () => {
    const tree = treeOf({ files: { '/etc/hosts': HOSTS, '/etc/resolv.conf': 'nameserver 192.168.0.2\n' } });
    const seen = await filesSeen(refusing(tree, (pid, path) => pid === PROXY && path !== 'cmdline'));
    expect(seen).toEqual({ hosts: null, resolvers: ['192.168.0.2'] });
  });

  test('of a client that vanishes while they are read do not count, refused or not', async () => {
    const proc = new Proc(makeNode(treeOf({ files: { '/etc/hosts': HOSTS } })));
    const vanishing: NodeFiles = {
      cmdline: (pid) => (pid === PROXY ? null : proc.cmdline(pid)),
      environ: () => null,
      readFileUnderRoot(pid, path) {
        if (pid === PROXY) throw new ProcReadError(`/proc/${pid}/root`, 'EIO');
        return proc.readFileUnderRoot(pid, path);
      },
    };
    expect((await filesSeen(vanishing)).hosts).toEqual(['10.0.0.12']);
  });

  test('are those of every client, also of one that was named', async () => {
    const agent = { pid: 300, comm: 'aws-k8s-agent', files: { '/etc/hosts': HOSTS } };
    const tree = treeOf();
    const node = new Proc(makeNode({ processes: [...(tree.processes ?? []), agent] }));
    const { owners } = observation({
      processes: [
        { client: 'kubelet', pid: KUBELET },
        { client: 'aws-k8s-agent', pid: 300 },
      ],
    });
    expect((await filesSeen(node, owners)).hosts).toEqual(['10.0.0.12']);
  });

  test('are unknown where everything is refused, and where nobody is there', async () => {
    const unknown = { hosts: null, resolvers: null };
    expect(await filesSeen(refusing(treeOf(), () => true))).toEqual(unknown);
    const nobody: NodeFiles = { cmdline: () => null, environ: () => null, readFileUnderRoot: () => null };
    expect(await filesSeen(nobody)).toEqual(unknown);
  });

  test('without an endpoint there is no name to look for', async () => {
    const files = { '/etc/hosts': HOSTS, '/etc/resolv.conf': 'nameserver 192.168.0.2\n' };
    const node = new Proc(makeNode(treeOf({ files, environ: { HTTPS_PROXY: 'http://10.0.0.9' } })));
    expect(await filesSeen(node, BOTH, null)).toEqual({ hosts: null, resolvers: ['192.168.0.2'] });
  });

  test.each<[string, Record<string, string>, readonly string[] | null]>([
    [
      'whom it asks',
      { '/etc/resolv.conf': STUB, [UPSTREAM]: 'nameserver 192.168.0.2\nnameserver fd00:ec2::253\n' },
      ['192.168.0.2', 'fd00:ec2::253'],
    ],
    ['not known where it does not say', { '/etc/resolv.conf': STUB }, null],
    [
      'itself and another: the others are asked too',
      {
        '/etc/resolv.conf': 'nameserver 127.0.0.53\nnameserver 10.0.0.3\n',
        [UPSTREAM]: 'nameserver 192.168.0.2\n',
      },
      ['127.0.0.53', '10.0.0.3'],
    ],
    [
      'another resolver of the machine is none of it',
      { '/etc/resolv.conf': 'nameserver 127.0.0.1\n', [UPSTREAM]: 'nameserver 192.168.0.2\n' },
      ['127.0.0.1'],
    ],
  ])('behind systemd-resolved: %s', async (_, files, resolvers) => {
    expect((await filesSeen(new Proc(makeNode(treeOf({ files }))))).resolvers).toEqual(resolvers);
  });

  test('behind systemd-resolved, whose file is refused, are unknown', async () => {
    const tree = treeOf({ files: { '/etc/resolv.conf': STUB, [UPSTREAM]: 'nameserver 192.168.0.2\n' } });
    const seen = await filesSeen(refusing(tree, (_, path) => path === UPSTREAM));
    expect(seen).toEqual({ hosts: [], resolvers: null });
  });
});

describe('proxies', () => {
  test('of an address are known without DNS', async () => {
    const tree = treeOf({ environ: { HTTPS_PROXY: 'http://user:secret@10.0.0.9:3128' } });
    const { source } = sourceOn(new Proc(makeNode(tree)));
    await source.refresh(BOTH, ENDPOINT);
    expect(source.seen?.proxies).toMatchObject([
      {
        client: 'kubelet',
        url: 'http://10.0.0.9:3128',
        port: 3128,
        addresses: [{ text: '10.0.0.9' }],
        error: null,
      },
    ]);
  });

  test('of a name are asked of DNS, once for all clients', async () => {
    const server = await startDnsServer({ A: [{ address: '10.0.0.9', ttl: 60 }], AAAA: [] });
    const environ = { HTTPS_PROXY: 'proxy.corp.example:3128' };
    const { source } = sourceOn(
      new Proc(makeNode(treeOf({ environ }, { environ }))),
      systemResolver([server.address]),
    );
    await source.refresh(BOTH, ENDPOINT);
    const proxy = { url: 'http://proxy.corp.example:3128', port: 3128, error: null };
    expect(source.seen?.proxies).toMatchObject([
      { client: 'kubelet', ...proxy, addresses: [{ text: '10.0.0.9' }] },
      { client: 'kube-proxy', ...proxy, addresses: [{ text: '10.0.0.9' }] },
    ]);
    expect([...server.questions].sort()).toEqual(['A proxy.corp.example', 'AAAA proxy.corp.example']);
    await source.refresh(BOTH, ENDPOINT);
    expect(server.questions).toHaveLength(2);
  });

  test('of a name that DNS does not know say so', async () => {
    const server = await startDnsServer({ A: 'nxdomain', AAAA: 'nxdomain' });
    const tree = treeOf({ environ: { HTTPS_PROXY: 'http://proxy.example' } });
    const { source } = sourceOn(new Proc(makeNode(tree)), systemResolver([server.address]));
    await source.refresh(BOTH, ENDPOINT);
    expect(source.seen?.proxies).toEqual([
      {
        client: 'kubelet',
        url: 'http://proxy.example',
        port: 80,
        addresses: [],
        error: 'Cannot resolve the proxy "proxy.example": there is no name "proxy.example" in DNS',
      },
    ]);
  });

  test('of a name in the hosts file are not asked of DNS', async () => {
    const files = { '/etc/hosts': '10.0.0.9 Proxy.example\n' };
    const tree = treeOf({ files, environ: { HTTPS_PROXY: 'http://proxy.example' } });
    const { source } = sourceOn(new Proc(makeNode(tree)));
    await source.refresh(BOTH, ENDPOINT);
    expect(source.seen?.proxies).toMatchObject([{ addresses: [{ text: '10.0.0.9' }], error: null }]);
  });

  test('of a name are looked for in the hosts file of their client', async () => {
    const environ = { HTTPS_PROXY: 'http://proxy.example' };
    const tree = treeOf(
      { environ, files: { '/etc/hosts': '10.0.0.9 proxy.example\n' } },
      { environ, files: { '/etc/hosts': '10.0.0.10 proxy.example\n' } },
    );
    const { source } = sourceOn(new Proc(makeNode(tree)));
    await source.refresh(BOTH, ENDPOINT);
    const seen = () => source.seen?.proxies?.map(({ client, addresses }) => [client, addresses[0]?.text]);
    const found = [
      ['kubelet', '10.0.0.9'],
      ['kube-proxy', '10.0.0.10'],
    ];
    expect(seen()).toEqual(found);
    // Nor is DNS asked while the processes cannot be read.
    await source.refresh(null, ENDPOINT);
    expect(seen()).toEqual(found);
  });

  test('that are not known have no URL and a reason', async () => {
    const tree = treeOf({ environ: {} }, { environ: { HTTPS_PROXY: 'http://:0' } });
    const { source } = sourceOn(refusing(tree, (pid, path) => pid === KUBELET && path === 'environ'));
    await source.refresh(BOTH, ENDPOINT);
    const unknown = { url: null, port: 0, addresses: [] };
    expect(source.seen?.proxies).toEqual([
      { client: 'kubelet', ...unknown, error: 'Cannot read "/proc/100/environ": EACCES' },
      {
        client: 'kube-proxy',
        ...unknown,
        error: expect.stringContaining('Cannot use HTTPS_PROXY "http://:0": '),
      },
    ]);
  });

  test('stay while the processes cannot be read, and go with the client', async () => {
    const { source } = sourceOn(new Proc(makeNode(treeOf({ environ: { HTTPS_PROXY: 'http://10.0.0.9' } }))));
    await source.refresh(null, ENDPOINT);
    // Nobody's environment has been read: that is not none.
    expect(source.seen?.proxies).toBeNull();
    await source.refresh(BOTH, ENDPOINT);
    await source.refresh(null, ENDPOINT);
    expect(source.seen?.proxies).toHaveLength(1);
    await source.refresh(ownersOf(PROXY), ENDPOINT);
    expect(source.seen?.proxies).toEqual([]);
  });
});

describe('refreshes', () => {
  test('nothing is seen before the first', () => {
    expect(sourceOn(new Proc(makeNode(treeOf()))).source.seen).toBeNull();
  });

  test('that are asked for at once run one after the other', async () => {
    const root = makeNode(treeOf({ files: { '/etc/hosts': HOSTS } }));
    const { source } = sourceOn(new Proc(root));
    const first = source.refresh(BOTH, ENDPOINT);
    const second = source.refresh(BOTH, { ...ENDPOINT, hostname: 'other.example' });
    await first;
    expect(source.seen?.hosts).toHaveLength(1);
    await second;
    expect(source.seen?.hosts).toEqual([]);
  });

  test('end with it: what comes later is not seen', async () => {
    const held: (() => void)[] = [];
    const resolve: Resolve = () =>
      new Promise((answer) => {
        held.push(() => answer({ servers: [], records: [{ address: '10.0.0.9', ttl: 60 }] }));
      });
    const tree = treeOf({ environ: { HTTPS_PROXY: 'http://proxy' } });
    const { source } = sourceOn(new Proc(makeNode(tree)), resolve);
    const refreshing = source.refresh(BOTH, ENDPOINT);
    await expect.poll(() => held.length).toBe(1);
    const { seen } = source;
    expect(seen?.proxies).toMatchObject([
      { addresses: [], error: 'Cannot resolve the proxy "proxy": DNS has not answered yet' },
    ]);
    source.stop();
    for (const answer of held) answer();
    await refreshing;
    await source.refresh(ownersOf(), ENDPOINT);
    expect(source.seen?.at).toEqual(seen?.at);
  });
});
