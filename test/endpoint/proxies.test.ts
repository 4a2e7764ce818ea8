import { afterEach, describe, expect, test, vi } from 'vitest';
import { type TreeProcess, writeProcTree } from '../../src/demo/proc-tree.ts';
import { readKubeconfig } from '../../src/endpoint/kubeconfig.ts';
import type { NodeFiles } from '../../src/endpoint/kubeconfigs.ts';
import { type ClientProxy, ProxyFinder } from '../../src/endpoint/proxies.ts';
import { Proc, ProcReadError } from '../../src/procfs/proc.ts';
import { makeNode } from '../support/made-node.ts';
import { observation } from '../support/observation.ts';

// The real functions: only their calls are counted.
vi.mock('../../src/endpoint/kubeconfig.ts', { spy: true });
afterEach(() => {
  vi.mocked(readKubeconfig).mockClear();
});

const ENDPOINT = { hostname: 'ABC.gr7.eu-west-1.eks.amazonaws.com', port: 443 };
const VARIABLE = { url: 'http://proxy:3128', host: 'proxy', port: 3128 };
const FROM_FILE = { url: 'http://other:8080', host: 'other', port: 8080 };
const WITH_PROXY = kubeconfig('http://other:8080');

function kubeconfig(proxyUrl: string): string {
  return `clusters: [{name: a, cluster: {server: "https://a", proxy-url: "${proxyUrl}"}}]\ncontexts: [{name: b, context: {cluster: a}}]\ncurrent-context: b\n`;
}

function kubelet(process: Partial<TreeProcess>): TreeProcess {
  return { pid: 100, comm: 'kubelet', ...process };
}

function ownersOf(processes: readonly { readonly pid: number; readonly comm: string }[]) {
  return {
    processes:
      observation({ processes: processes.map(({ pid, comm }) => ({ pid, client: comm })) }).owners
        ?.processes ?? [],
  };
}

async function proxiesOf(...processes: readonly TreeProcess[]): Promise<readonly ClientProxy[]> {
  const finder = new ProxyFinder(new Proc(makeNode({ processes })));
  return finder.find(ownersOf(processes), ENDPOINT);
}

describe('the proxies of the clients', () => {
  test('are none where nobody names one', async () => {
    expect(await proxiesOf()).toEqual([]);
    expect(
      await proxiesOf(
        kubelet({
          environ: { PATH: '/bin' },
          cmdline: ['kubelet', '--kubeconfig=/k'],
          files: { '/k': kubeconfig('') },
        }),
      ),
    ).toEqual([]);
  });

  test('are those of the environments, each of a client once', async () => {
    const environ = { HTTPS_PROXY: 'http://user:secret@proxy:3128' };
    const found = await proxiesOf(
      kubelet({ environ }),
      kubelet({ pid: 101, environ }),
      kubelet({ pid: 102, environ: { https_proxy: 'http://other:8080' } }),
      { pid: 200, comm: 'kube-proxy', environ },
      { pid: 300, comm: 'aws-k8s-agent', environ: { ...environ, NO_PROXY: '.eks.amazonaws.com' } },
    );
    expect(found).toEqual([
      { client: 'kubelet', proxy: VARIABLE },
      { client: 'kubelet', proxy: FROM_FILE },
      { client: 'kube-proxy', proxy: VARIABLE },
    ]);
  });

  test("a kubeconfig's proxy-url comes before the environment and NO_PROXY", async () => {
    const process = kubelet({
      environ: { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*' },
      cmdline: ['kubelet', '--kubeconfig', '/k'],
      files: { '/k': WITH_PROXY },
    });
    expect(await proxiesOf(process)).toEqual([{ client: 'kubelet', proxy: FROM_FILE }]);
  });

  test("also the one that kube-proxy's configuration names", async () => {
    const process = {
      pid: 200,
      comm: 'kube-proxy',
      cmdline: ['kube-proxy', '--config=/c'],
      files: { '/c': 'clientConnection: {kubeconfig: /k}\n', '/k': WITH_PROXY },
    };
    expect(await proxiesOf(process)).toEqual([{ client: 'kube-proxy', proxy: FROM_FILE }]);
  });

  test.each<[string, Partial<TreeProcess>, string]>([
    [
      'the variable is unusable',
      { environ: { HTTPS_PROXY: 'http://' } },
      'Cannot use HTTPS_PROXY "http://": ',
    ],
    [
      'proxy-url is unusable',
      { cmdline: ['kubelet', '--kubeconfig=/k'], files: { '/k': kubeconfig('proxy:3128') } },
      'Cannot use proxy-url "proxy:3128": ',
    ],
    [
      'the kubeconfig is not there',
      { cmdline: ['kubelet', '--kubeconfig=/k'] },
      'Cannot read "/k" of pid 100: ',
    ],
    [
      'the kubeconfig is none',
      { cmdline: ['kubelet', '--kubeconfig=/k'], files: { '/k': 'a: [' } },
      'Cannot use "/k": not YAML',
    ],
  ])('what is not known is a problem: %s', async (_, process, problem) => {
    expect(await proxiesOf(kubelet({ environ: {}, ...process }))).toEqual([
      { client: 'kubelet', proxy: { problem: expect.stringContaining(problem) } },
    ]);
  });

  test('an environment that is refused is a problem, and none of the other clients', async () => {
    const proc = new Proc(makeNode({ processes: [kubelet({}), { pid: 200, comm: 'kube-proxy' }] }));
    const files: NodeFiles = {
      cmdline: (pid) => proc.cmdline(pid),
      readFileUnderRoot: (pid, path) => proc.readFileUnderRoot(pid, path),
      environ(pid) {
        if (pid === 100) throw new ProcReadError('/proc/100/environ', 'EACCES');
        return { HTTPS_PROXY: 'http://proxy:3128' };
      },
    };
    const owners = ownersOf([kubelet({}), { pid: 200, comm: 'kube-proxy' }]);
    expect(await new ProxyFinder(files).find(owners, ENDPOINT)).toEqual([
      { client: 'kubelet', proxy: { problem: 'Cannot read "/proc/100/environ": EACCES' } },
      { client: 'kube-proxy', proxy: VARIABLE },
    ]);
  });

  test('a process that vanishes has none, whenever it does', async () => {
    const proc = new Proc(makeNode({}));
    expect(await new ProxyFinder(proc).find(ownersOf([kubelet({})]), ENDPOINT)).toEqual([]);
    let isThere = true;
    const vanishing: NodeFiles = {
      cmdline: () => (isThere ? ['kubelet', '--kubeconfig=/k'] : null),
      readFileUnderRoot() {
        isThere = false;
        return null;
      },
      environ: () => null,
    };
    expect(await new ProxyFinder(vanishing).find(ownersOf([kubelet({})]), ENDPOINT)).toEqual([]);
  });

  test('everything is read anew, and parsed only when it has changed', async () => {
    const process = kubelet({ cmdline: ['kubelet', '--kubeconfig=/k'], files: { '/k': WITH_PROXY } });
    const root = makeNode({ processes: [process] });
    const finder = new ProxyFinder(new Proc(root));
    const found = async () => (await finder.find(ownersOf([process]), ENDPOINT)).map(({ proxy }) => proxy);
    for (let round = 0; round < 3; round++) expect(await found()).toEqual([FROM_FILE]);
    expect(readKubeconfig).toHaveBeenCalledTimes(1);
    const environ = { HTTPS_PROXY: 'http://proxy:3128' };
    writeProcTree(root, { processes: [{ ...process, environ, files: { '/k': kubeconfig('') } }] });
    for (let round = 0; round < 3; round++) expect(await found()).toEqual([VARIABLE]);
    expect(readKubeconfig).toHaveBeenCalledTimes(2);
  });
});
