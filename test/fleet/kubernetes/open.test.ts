import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openKubernetes } from '../../../src/fleet/kubernetes/open.ts';
import type { KubernetesTarget } from '../../../src/fleet/source.ts';
import { messageOf } from '../../../src/model/errors.ts';
import type { FleetObservation, NodeObservation } from '../../../src/model/fleet/observation.ts';
import type { Clock } from '../../../src/model/observation.ts';
import { sendRequest } from '../../../src/net/http.ts';
import { writeKubeconfig } from '../../support/kubeconfig-file.ts';
import {
  clusterOf,
  type KubernetesApi,
  type MadeCluster,
  READY,
  sendStatus,
  startKubernetesApi,
  statusText,
} from '../../support/kubernetes-api.ts';
import { realClock, steppedClock } from '../../support/runtime.ts';
import { tlsFixture } from '../../support/web-server.ts';

type Surroundings = Pick<KubernetesTarget, 'kubeconfig' | 'service'>;

const NO_KUBECONFIG = { files: ['/no/such/home/.kube/config'], given: false };
const ACCOUNT: Readonly<Record<string, string>> = {
  '/var/run/secrets/kubernetes.io/serviceaccount/token': 'of-the-account\n',
  '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt': tlsFixture('ca.crt'),
};

interface Asked extends Partial<Surroundings> {
  readonly context?: string;
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  readonly files?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

async function observe(asked: Asked): Promise<FleetObservation> {
  const { context = null, concurrency = 20, files = ACCOUNT, clock = realClock, ...rest } = asked;
  const {
    signal = new AbortController().signal,
    onProgress = () => {},
    kubeconfig = NO_KUBECONFIG,
    service = null,
  } = rest;
  const source = await openKubernetes(
    { kind: 'kubernetes', context, namespace: 'eks-endpoint-exporter', concurrency, kubeconfig, service },
    {
      request: sendRequest,
      clock,
      readFile: async (path) => {
        const text = files[path];
        if (text === undefined) throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
        return text;
      },
    },
  );
  try {
    return await source.observe({ signal, onProgress });
  } finally {
    source.close();
  }
}

/** By a kubeconfig that is given. */
function by(api: KubernetesApi): Surroundings {
  return { kubeconfig: { files: [writeKubeconfig({ server: api.url })], given: true }, service: null };
}

async function observed(cluster: MadeCluster): Promise<FleetObservation> {
  return observe(by(await startKubernetesApi(cluster)));
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it worked',
    (error: unknown) => messageOf(error),
  );
}

/** What is seen of the only node, whose pod is like this. */
async function seenOf(pod: Partial<MadeCluster['pods'][number]>): Promise<NodeObservation['seen']> {
  const [node] = (
    await observed({ nodes: [{ name: 'a' }], pods: [{ name: 'exporter-a', node: 'a', ...pod }] })
  ).nodes;
  if (node === undefined) throw new TypeError('there is no node');
  return node.seen;
}

const warnings: Error[] = [];
const keep = (warning: Error) => warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on('warning', keep);
});
afterEach(() => {
  process.off('warning', keep);
  expect(warnings).toEqual([]);
});

test('each node by its pod, through the proxy of the API server', async () => {
  const api = await startKubernetesApi(clusterOf(3));
  const observation = await observe(by(api));
  expect(observation).toMatchObject({ nodesFrom: 'kubernetes', notes: [] });
  expect(observation.source).toMatch(/^Kubernetes at https:\/\/127\.0\.0\.1:\d+ \(context "prod" of ".*"\)$/);
  expect(observation.nodes).toMatchObject(
    [1, 2, 3].map((index) => ({
      node: `node-${index}`,
      origin: `pod "exporter-${index}"`,
      labels: { 'kubernetes.io/hostname': `node-${index}` },
      seen: { kind: 'answer', route: 'x-eni' },
    })),
  );
  expect(api.requests.toSorted()).toEqual([
    ...[1, 2, 3].map(
      (index) =>
        `GET /api/v1/namespaces/eks-endpoint-exporter/pods/exporter-${index}:10943/proxy/api/v1/status`,
    ),
    'GET /api/v1/namespaces/eks-endpoint-exporter/pods?limit=500&labelSelector=app.kubernetes.io%2Fname%3Deks-endpoint-exporter',
    'GET /api/v1/nodes?limit=500',
  ]);
});

test('2,000 nodes: page by page, each once, over as many connections as are asked at a time', async () => {
  const api = await startKubernetesApi(clusterOf(2_000));
  const seen: number[] = [];
  const onProgress = (done: number, total: number) => {
    if (total === 2_000) seen.push(done);
  };
  const { nodes } = await observe({ ...by(api), concurrency: 20, onProgress });
  expect(nodes).toHaveLength(2_000);
  expect(new Set(nodes.map(({ node }) => node)).size).toBe(2_000);
  expect(nodes.filter(({ seen: { kind } }) => kind !== 'answer')).toEqual([]);
  expect(api.requests.filter((request) => request.includes('/api/v1/nodes?'))).toHaveLength(4);
  expect(api.requests.filter((request) => request.includes('/proxy/'))).toHaveLength(2_000);
  expect(api.connections()).toBeLessThanOrEqual(20);
  expect(seen).toEqual(Array.from({ length: 2_001 }, (_, done) => done));
}, 30_000);

test('a cluster without nodes is seen as that', async () => {
  expect((await observed({ nodes: [], pods: [] })).nodes).toEqual([]);
});

describe('a node that nobody speaks for', () => {
  test('Fargate, by its label and not by a name, and one without a pod', async () => {
    const { nodes } = await observed({
      nodes: [
        { name: 'ip-1', labels: { 'eks.amazonaws.com/compute-type': 'fargate' } },
        { name: 'fargate-ip-2' },
        { name: 'node-1' },
        { name: 'node-2' },
      ],
      pods: [{ name: 'exporter-1', node: 'node-1' }],
    });
    expect(nodes.map(({ node, seen }) => [node, seen.kind === 'none' ? seen.why : seen.kind])).toEqual([
      ['ip-1', 'fargate'],
      ['fargate-ip-2', 'no-exporter'],
      ['node-1', 'answer'],
      ['node-2', 'no-exporter'],
    ]);
  });

  test.each<[string, Partial<MadeCluster['pods'][number]>, string, RegExp]>([
    ['is being deleted', { deletedAt: '2026-11-20T12:00:00Z' }, 'no-exporter', /no pod of the exporter/],
    [
      'waits',
      { status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False' }] } },
      'not-answering',
      /exporter-a is Pending and not ready$/,
    ],
    [
      'cannot pull its image',
      {
        status: {
          phase: 'Pending',
          containerStatuses: [
            { state: { waiting: { reason: 'ImagePullBackOff', message: 'no such\nimage' } } },
          ],
        },
      },
      'not-answering',
      /is Pending and not ready \(ImagePullBackOff: no such image\)$/,
    ],
    [
      'was evicted',
      { status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } },
      'not-answering',
      /is Failed and not ready \(Evicted: low on memory\)$/,
    ],
    [
      'runs and is not ready',
      {
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }],
        },
      },
      'not-answering',
      /is Running and not ready \(ContainersNotReady\)$/,
    ],
    [
      'cannot be reached',
      {
        answer: (_, response) =>
          sendStatus(response, 503, 'error trying to reach service: dial tcp 10.0.3.17:10943: i/o timeout'),
      },
      'not-answering',
      /^the API server cannot reach its pod \(503: error trying to reach service: dial tcp .* i\/o timeout\)$/,
    ],
    [
      'may not be asked',
      {
        answer: (_, response) =>
          sendStatus(
            response,
            403,
            'pods "exporter-a" is forbidden: User "me" cannot get resource "pods/proxy"',
          ),
      },
      'not-answering',
      /403: pods "exporter-a" is forbidden/,
    ],
    [
      'went away',
      { answer: (_, response) => sendStatus(response, 404, 'pods "exporter-a" not found') },
      'not-answering',
      /went away/,
    ],
    [
      'has not looked yet',
      { answer: (_, response) => response.writeHead(503).end('{"error":"no look"}') },
      'not-answering',
      /has not looked at the node yet/,
    ],
    [
      'is another program',
      { answer: (_, response) => response.writeHead(404).end('404 page not found') },
      'not-answering',
      /404 "404 page not found"/,
    ],
    [
      'answers HTML',
      { answer: (_, response) => response.end('<html>') },
      'unreadable',
      /no JSON: it begins with "<html>"/,
    ],
    [
      'is of a later release',
      { answer: (_, response) => response.end('{"schemaVersion":2}') },
      'unreadable',
      /has schemaVersion 2, this program reads 1: use a newer/,
    ],
    [
      'hangs up',
      { answer: (_, response) => response.destroy() },
      'not-answering',
      /gave no answer of its pod: .*closed/,
    ],
    [
      'pours',
      { answer: (_, response) => response.end('x'.repeat(10_000_000)) },
      'not-answering',
      /larger than/,
    ],
    [
      'speaks for another node',
      { answer: (_, response) => response.end(statusText('b')) },
      'other-node',
      /exporter-a speaks for "b"/,
    ],
  ])('its pod %s', async (_, pod, why, detail) => {
    expect(await seenOf(pod)).toMatchObject({ kind: 'none', why, detail: expect.stringMatching(detail) });
  });
});

describe('of several pods of a node', () => {
  const old = { status: READY, createdAt: '2026-11-20T10:00:00Z' };
  test.each([
    [
      'the newest',
      [
        { ...old, name: 'old' },
        { ...old, name: 'new', createdAt: '2026-11-20T11:00:00Z' },
      ],
      'new',
    ],
    [
      'one that is ready',
      [
        { ...old, name: 'old' },
        { name: 'new', createdAt: '2026-11-20T11:00:00Z', status: { phase: 'Pending' } },
      ],
      'old',
    ],
    [
      'one that stays',
      [
        { ...old, name: 'old' },
        { ...old, name: 'new', createdAt: '2026-11-20T11:00:00Z', deletedAt: '2026-11-20T12:00:00Z' },
      ],
      'old',
    ],
  ])('%s is asked', async (_, made, name) => {
    const pods = made.map((pod) => ({ ...pod, node: 'a' }));
    for (const order of [pods, pods.toReversed()]) {
      const { nodes } = await observed({ nodes: [{ name: 'a' }], pods: order });
      expect(nodes).toMatchObject([{ origin: `pod "${name}"`, seen: { kind: 'answer' } }]);
    }
  });
});

describe('nothing can be told of any node', () => {
  const nodes = [{ name: 'a' }];

  test('no exporter in that namespace', async () => {
    expect(await problemOf(observed({ nodes, pods: [] }))).toMatch(
      /^There is no pod of the exporter \(app\.kubernetes\.io\/name=eks-endpoint-exporter\) in namespace "eks-endpoint-exporter" of https:.*; give --namespace, or install it first/,
    );
  });

  test.each([
    [
      '/api/v1/nodes',
      /^Cannot list nodes of https:.*: nodes is forbidden: User "me" .* \(403\); it needs a ClusterRole with the verb list on nodes$/,
    ],
    [
      '/api/v1/namespaces/eks-endpoint-exporter/pods',
      /^Cannot list pods in namespace "eks-endpoint-exporter" of .* it needs a Role in namespace "eks-endpoint-exporter" with the verb list on pods$/,
    ],
  ])('%s may not be listed', async (path, problem) => {
    const cluster = {
      ...clusterOf(1),
      instead: ({ url = '' }: { url?: string | undefined }, response: Parameters<typeof sendStatus>[0]) => {
        if (url.split('?')[0] !== path) return false;
        sendStatus(response, 403, 'nodes is forbidden: User "me" cannot list resource "nodes"');
        return true;
      },
    };
    expect(await problemOf(observed(cluster))).toMatch(problem);
  });

  test.each<[string, (response: Parameters<typeof sendStatus>[0]) => unknown, RegExp]>([
    ['HTML', (response) => response.end('<html>login'), /its answer is no JSON, "<html>login"/],
    [
      'another list',
      (response) => response.end('{"kind":"NodeList","metadata":{},"items":[{}]}'),
      /is no list of them, at "items.0.metadata"/,
    ],
    ['no list', (response) => response.end('{"kind":"Node"}'), /is no list of them/],
    ['an error', (response) => sendStatus(response, 500, 'etcd is gone'), /etcd is gone \(500\)/],
    [
      'half of it',
      (response) => {
        response.writeHead(200, { 'content-length': 99 }).write('{');
        setTimeout(() => response.destroy(), 20);
      },
      /closed before the whole answer/,
    ],
  ])('the API server answers %s', async (_, answer, problem) => {
    const cluster: MadeCluster = {
      ...clusterOf(1),
      instead: (_request, response) => {
        answer(response);
        return true;
      },
    };
    expect(await problemOf(observed(cluster))).toMatch(problem);
  });

  test('nobody listens there', async () => {
    const kubeconfig = { files: [writeKubeconfig({ server: 'https://127.0.0.1:1' })], given: true };
    expect(await problemOf(observe({ kubeconfig }))).toMatch(
      /^Cannot list pods .*, as context "prod" of .*: the connection was refused \(ECONNREFUSED\); see that 'kubectl get nodes' works here/,
    );
  });

  test.each([
    [
      'nobody answers for a minute: they are not asked for an hour',
      () => false,
      /^No agent has answered within 60 s; of the last .* reach its pod \(503: .*; let port 10943 in/,
    ],
    [
      'one has answered: the others are named one by one',
      (name: string) => name === 'exporter-1',
      /^it worked$/,
    ],
  ])('%s', async (_, answers, problem) => {
    const { clock, step } = steppedClock();
    const { nodes, pods } = clusterOf(40);
    const api = await startKubernetesApi({
      nodes,
      pods: pods.map((pod) => ({
        ...pod,
        answer: (_request, response) => {
          step(2_000);
          if (answers(pod.name)) response.end(statusText(pod.node));
          else sendStatus(response, 503, 'error trying to reach service: i/o timeout');
        },
      })),
    });
    expect(await problemOf(observe({ ...by(api), concurrency: 1, clock }))).toMatch(problem);
  });

  test('pods that answer late make the others old: that is said', async () => {
    const { clock, step } = steppedClock();
    const { nodes, pods } = clusterOf(2);
    const api = await startKubernetesApi({
      nodes,
      pods: pods.map((pod) => ({
        ...pod,
        answer: (_request, response) => {
          step(45_000);
          response.end(statusText(pod.node));
        },
      })),
    });
    expect((await observe({ ...by(api), concurrency: 1, clock })).notes).toEqual([
      'It took 90 s to ask all pods, and the first answers are as old by now: where one is TooOld for that alone, a larger --concurrency would do.',
    ]);
  });

  test('given up', async () => {
    const abort = new AbortController();
    const api = await startKubernetesApi({
      ...clusterOf(50),
      instead: ({ url = '' }) => {
        if (url.includes('exporter-7:')) abort.abort();
        return false;
      },
    });
    await expect(observe({ ...by(api), concurrency: 2, signal: abort.signal })).rejects.toThrow();
    expect(api.requests.length).toBeLessThan(20);
  });
});

describe('whose credentials', () => {
  test("in a pod its account's, which are read each time", async () => {
    const api = await startKubernetesApi({
      ...clusterOf(1),
      knows: (authorization) => authorization === 'Bearer of-the-account',
    });
    const service = { host: '127.0.0.1', port: api.port };
    const observation = await observe({ kubeconfig: NO_KUBECONFIG, service });
    expect(observation.source).toBe(`Kubernetes at ${api.url} (the account of this program's pod)`);
    expect(observation.nodes).toMatchObject([{ node: 'node-1', seen: { kind: 'answer' } }]);
  });

  test('a kubeconfig wins over it, as with kubectl', async () => {
    const api = await startKubernetesApi({ ...clusterOf(1), knows: (it) => it === 'Bearer the-token' });
    const service = { host: '127.0.0.1', port: 1 };
    const file = writeKubeconfig({ server: api.url });
    const given = await observe({ kubeconfig: { files: [file], given: true }, service });
    const atHome = await observe({
      kubeconfig: { files: [file], given: false },
      service,
      files: { [file]: 'there' },
    });
    expect([given.nodes.length, atHome.nodes.length]).toEqual([1, 1]);
  });

  test('one that is given and not there is an error, also in a pod', async () => {
    const kubeconfig = { files: ['/no/such/kubeconfig'], given: true };
    expect(await problemOf(observe({ kubeconfig, service: { host: '127.0.0.1', port: 1 } }))).toMatch(
      /^Cannot read the kubeconfig "\/no\/such\/kubeconfig"/,
    );
  });

  test('--context without a kubeconfig is an error, also in a pod', async () => {
    const service = { host: '127.0.0.1', port: 1 };
    expect(await problemOf(observe({ kubeconfig: NO_KUBECONFIG, service, context: 'prod' }))).toBe(
      'There is no kubeconfig that could have the context "prod"; give its path in $KUBECONFIG, or leave --context out in a pod',
    );
  });

  test('neither', async () => {
    expect(await problemOf(observe({ kubeconfig: NO_KUBECONFIG }))).toMatch(
      /^There is no kubeconfig, and this is no pod/,
    );
  });
});
