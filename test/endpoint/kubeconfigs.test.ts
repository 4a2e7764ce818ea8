import { describe, expect, test } from 'vitest';
import { flagValue, Kubeconfigs, observersOf } from '../../src/endpoint/kubeconfigs.ts';
import type { OwnersSeen } from '../../src/model/observation.ts';
import { Proc } from '../../src/procfs/proc.ts';
import { makeNode } from '../support/made-node.ts';
import { observation } from '../support/observation.ts';

const CONFIG = '/var/lib/kube-proxy-config/config';

function kubeconfig(server: string): string {
  return `clusters: [{name: a, cluster: {server: "${server}"}}]\ncontexts: [{name: b, context: {cluster: a}}]\ncurrent-context: b\n`;
}

/** On a node where this process runs. */
function kubeconfigsOf(comm: string, cmdline: readonly string[], files: Record<string, string> = {}) {
  return new Kubeconfigs(new Proc(makeNode({ processes: [{ pid: 100, comm, cmdline, files }] })));
}

function ownersOf(...clients: readonly string[]): OwnersSeen | null {
  return observation({ processes: clients.map((client, index) => ({ client, pid: 100 + index })) }).owners;
}

describe('a flag in a command line', () => {
  test.each<[string, readonly string[], string | null]>([
    ['with an equals sign', ['kubelet', '--v=2', '--kubeconfig=/a', '--node-ip=1.2.3.4'], '/a'],
    ['as a word of its own', ['kubelet', '--v=2', '--kubeconfig', '/a', '--node-ip=1.2.3.4'], '/a'],
    ['with one hyphen', ['kubelet', '-kubeconfig=/a'], '/a'],
    ['first', ['--kubeconfig', '/a'], '/a'],
    ['last', ['kubelet', '--v=2', '--kubeconfig=/a'], '/a'],
    ['with an equals sign in the value', ['kubelet', '--kubeconfig=/a=b'], '/a=b'],
    ['with blanks and line ends in the value', ['kubelet', '--kubeconfig=/a b\nc'], '/a b\nc'],
    ['given twice: the last one counts, as in Go', ['kubelet', '--kubeconfig=/a', '--kubeconfig=/b'], '/b'],
    ['given twice in both forms', ['kubelet', '--kubeconfig', '/a', '--kubeconfig=/b'], '/b'],
    ['beside one whose name holds it', ['kubelet', '--bootstrap-kubeconfig=/b', '--kubeconfig-dir=/c'], null],
    ['empty', ['kubelet', '--kubeconfig='], null],
    ['without a value', ['kubelet', '--kubeconfig'], null],
    ['absent', ['kubelet', '--v=2'], null],
    ['of no hyphen', ['kubelet', 'kubeconfig=/a'], null],
    ['in no command line', [], null],
  ])('%s', (_, cmdline, value) => {
    expect(flagValue(cmdline, 'kubeconfig')).toBe(value);
  });
});

describe('the kubeconfig that a client names', () => {
  const process = (client: string) => ({ client, pid: 100 });

  test('is the one of its flag, whatever the client', async () => {
    for (const client of ['kubelet', 'kube-proxy', 'aws-k8s-agent']) {
      const kubeconfigs = kubeconfigsOf(client, [client, '--kubeconfig=/k', `--config=${CONFIG}`]);
      expect(await kubeconfigs.pathOf(process(client))).toBe('/k');
    }
  });

  test("kube-proxy's may be in its configuration file; the --config of others is not read", async () => {
    const files = { [CONFIG]: 'clientConnection: {kubeconfig: /k}\n' };
    const cmdline = ['x', `--config=${CONFIG}`];
    expect(await kubeconfigsOf('kube-proxy', cmdline, files).pathOf(process('kube-proxy'))).toBe('/k');
    expect(await kubeconfigsOf('kubelet', cmdline, files).pathOf(process('kubelet'))).toBeNull();
  });

  test('is none without a flag, and where the process has vanished', async () => {
    const kubeconfigs = kubeconfigsOf('kubelet', ['kubelet']);
    expect(await kubeconfigs.pathOf(process('kubelet'))).toBeNull();
    expect(await kubeconfigs.pathOf({ client: 'kubelet', pid: 101 })).toBeNull();
  });

  test('is not known where the configuration file cannot be read or used', async () => {
    const cmdline = ['kube-proxy', `--config=${CONFIG}`];
    await expect(kubeconfigsOf('kube-proxy', cmdline).pathOf(process('kube-proxy'))).rejects.toThrow(
      `Cannot read "${CONFIG}" of pid 100: there is no such file (ENOENT)`,
    );
    const broken = kubeconfigsOf('kube-proxy', cmdline, { [CONFIG]: 'a: [' });
    await expect(broken.pathOf(process('kube-proxy'))).rejects.toThrow(`Cannot use "${CONFIG}": not YAML`);
  });
});

describe('what a kubeconfig says', () => {
  test('is read through the root of the process', async () => {
    const kubeconfigs = kubeconfigsOf('kubelet', [], { '/k': kubeconfig('https://a.example') });
    expect(await kubeconfigs.read({ pid: 100, path: '/k' })).toMatchObject({
      endpoint: { hostname: 'a.example', port: 443 },
    });
    await expect(kubeconfigs.read({ pid: 1, path: '/k' })).rejects.toThrow('Cannot read "/k" of pid 1: ');
  });

  test('of two files that read alike, each error names its own', async () => {
    const kubeconfigs = kubeconfigsOf('kubelet', [], { '/k': 'a: 1\n', '/l': 'a: 1\n' });
    for (const path of ['/k', '/l', '/k'])
      await expect(kubeconfigs.read({ pid: 100, path })).rejects.toThrow(
        `Cannot use "${path}": not a usable`,
      );
  });

  test('of many files is right for each, also when it is asked for again', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`/k${index}`, kubeconfig(`https://a${index}.example`)]),
    );
    const kubeconfigs = kubeconfigsOf('kubelet', [], files);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 20; index++) {
        const { endpoint } = await kubeconfigs.read({ pid: 100, path: `/k${index}` });
        expect(endpoint.hostname).toBe(`a${index}.example`);
      }
    }
  });
});

describe('through whose roots the node is seen', () => {
  test.each<[string, OwnersSeen | null, readonly number[]]>([
    ["the kubelet's first", ownersOf('kube-proxy', 'kubelet', 'kubelet'), [101, 102, 100, 1]],
    ["kube-proxy's", ownersOf('aws-k8s-agent', 'kube-proxy'), [101, 1]],
    ["pid 1's alone where no other is known", ownersOf('aws-k8s-agent'), [1]],
    ['and where no process is', null, [1]],
  ])('%s', (_, owners, pids) => {
    expect(observersOf(owners)).toEqual(pids);
  });
});
