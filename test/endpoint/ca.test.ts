import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TreeProcess } from '../../src/demo/proc-tree.ts';
import { CaFinder, type KubeconfigCa } from '../../src/endpoint/ca.ts';
import { Proc } from '../../src/procfs/proc.ts';
import { makeNode } from '../support/made-node.ts';

const CA = fixture('ca.crt');
const OTHER_CA = fixture('other-ca.crt');
const NODE_PATH = '/etc/kubernetes/pki/ca.crt';
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';
const NO_KUBECONFIG = new Error('there is no kubeconfig');

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', name), 'utf8');
}

/** The files of the kubelet (pid 100), of pid 1 and of the agent itself; the last ones may change. */
function finderOn({
  kubelet = {},
  init = {},
  own = {},
  caFile = null,
}: {
  kubelet?: Record<string, string>;
  init?: Record<string, string>;
  own?: Record<string, string>;
  caFile?: string | null;
}): CaFinder {
  const processes: TreeProcess[] = [
    { pid: 1, comm: 'systemd', files: init },
    { pid: 100, comm: 'kubelet', files: kubelet, cwd: '/run/kubelet' },
  ];
  const readFile = async (path: string) => {
    const text = own[path];
    if (text === undefined) throw new Error('ENOENT: no such file or directory');
    return text;
  };
  return new CaFinder({ caFile, readFile, files: new Proc(makeNode({ processes })) });
}

function kubeconfig(ca: KubeconfigCa['ca'], path = '/var/lib/kubelet/kubeconfig'): KubeconfigCa {
  return { pid: 100, path, ca };
}

describe('where the CA is', () => {
  test.each<[string, string, string]>([
    ['an absolute path', '/pki/ca.crt', '/var/lib/kubelet/kubeconfig'],
    ['a path from where the kubeconfig is', '../../../pki/ca.crt', '/var/lib/kubelet/kubeconfig'],
    ['a path beside a kubeconfig that is relative', '../../pki/ca.crt', 'kubeconfig'],
  ])("the kubeconfig's file first: %s", async (_, path, of) => {
    const finder = finderOn({
      kubelet: {
        '/pki/ca.crt': CA,
        [NODE_PATH]: OTHER_CA,
        '/var/lib/kubelet/kubeconfig': '',
        '/run/kubelet/x': '',
      },
      own: { [TOKEN_PATH]: OTHER_CA },
    });
    await finder.refresh(kubeconfig({ path }, of), 1);
    expect(finder.seen).toEqual({ pem: CA });
  });

  test("the kubeconfig's data", async () => {
    const finder = finderOn({ kubelet: { [NODE_PATH]: OTHER_CA } });
    await finder.refresh(kubeconfig({ data: CA }), 1);
    expect(finder.seen).toEqual({ pem: CA });
  });

  test("then the node's file, as the process of the kubeconfig sees it", async () => {
    const finder = finderOn({ kubelet: { [NODE_PATH]: CA }, init: { [NODE_PATH]: OTHER_CA } });
    await finder.refresh(kubeconfig(null), 1);
    expect(finder.seen).toEqual({ pem: CA });
    await finder.refresh(NO_KUBECONFIG, 1);
    expect(finder.seen).toEqual({ pem: OTHER_CA });
  });

  test("then that of the agent's own pod", async () => {
    const finder = finderOn({ own: { [TOKEN_PATH]: CA } });
    await finder.refresh(NO_KUBECONFIG, 1);
    expect(finder.seen).toEqual({ pem: CA });
  });

  test('--ca-file alone where it is given', async () => {
    const own: Record<string, string> = { '/ca.crt': CA };
    const finder = finderOn({ kubelet: { [NODE_PATH]: OTHER_CA }, own, caFile: '/ca.crt' });
    await finder.refresh(kubeconfig({ data: OTHER_CA }), 1);
    expect(finder.seen).toEqual({ pem: CA });
    own['/ca.crt'] = OTHER_CA;
    await finder.refresh(NO_KUBECONFIG, 1);
    expect(finder.seen).toEqual({ pem: OTHER_CA });
  });

  test.each<[string, KubeconfigCa['ca']]>([
    ['is not there', { path: '/nowhere' }],
    ['is no PEM', { path: '/text' }],
    ['is a problem', { problem: 'its certificate-authority-data is not base64' }],
    ['is none', null],
  ])('one that %s is passed over', async (_, ca) => {
    const finder = finderOn({ kubelet: { '/text': 'text', [NODE_PATH]: 'text' }, own: { [TOKEN_PATH]: CA } });
    await finder.refresh(kubeconfig(ca), 1);
    expect(finder.seen).toEqual({ pem: CA });
  });

  test('only the certificates of a file are kept', async () => {
    const finder = finderOn({ kubelet: { [NODE_PATH]: fixture('server.key') + CA } });
    await finder.refresh(kubeconfig(null), 1);
    expect(finder.seen).toEqual({ pem: CA });
  });
});

describe('a CA that is not found', () => {
  const REST = `Cannot read "${TOKEN_PATH}": ENOENT: no such file or directory; give --ca-file`;

  test.each<[string, KubeconfigCa | Error, string]>([
    ['no kubeconfig', NO_KUBECONFIG, 'there is no kubeconfig'],
    ['none named', kubeconfig(null), '"/var/lib/kubelet/kubeconfig" names no CA'],
    [
      'a problem',
      kubeconfig({ problem: 'its certificate-authority-data is not base64' }),
      'Cannot use "/var/lib/kubelet/kubeconfig": its certificate-authority-data is not base64',
    ],
    [
      'no such file',
      kubeconfig({ path: '/x' }),
      'Cannot read "/x" of pid 100: there is no such file (ENOENT)',
    ],
  ])('says what was looked at: %s', async (_, of, reason) => {
    const finder = finderOn({ kubelet: { [NODE_PATH]: 'text' }, init: { [NODE_PATH]: 'text' } });
    await finder.refresh(of, 1);
    expect(finder.seen).toEqual({
      missing: `the CA of the cluster is not known: ${reason}; "${NODE_PATH}" holds no PEM certificate; ${REST}`,
    });
  });

  test('--ca-file of something else', async () => {
    const finder = finderOn({ own: { '/ca.crt': 'text', [TOKEN_PATH]: CA }, caFile: '/ca.crt' });
    await finder.refresh(kubeconfig({ data: CA }), 1);
    expect(finder.seen).toEqual({
      missing:
        'the CA of the cluster is not known: "/ca.crt" holds no PEM certificate; give --ca-file the path of a PEM certificate',
    });
  });

  test('leaves the last good one', async () => {
    const own: Record<string, string> = { '/ca.crt': CA };
    const finder = finderOn({ own, caFile: '/ca.crt' });
    await finder.refresh(NO_KUBECONFIG, 1);
    for (const text of ['', 'text', undefined]) {
      if (text === undefined) delete own['/ca.crt'];
      else own['/ca.crt'] = text;
      await finder.refresh(NO_KUBECONFIG, 1);
      expect(finder.seen).toEqual({ pem: CA });
    }
  });
});
