/** As much of an API server as `verify --kubernetes` asks for: real TLS, who asks, pages, and the proxy's paths and errors. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { NodeStatus } from '../../src/model/status.ts';
import { portOf, tlsFixture } from './web-server.ts';

interface MadeNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface MadePod {
  readonly name: string;
  readonly node: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly createdAt?: string;
  readonly deletedAt?: string;
  readonly port?: number;
  readonly status?: Readonly<Record<string, unknown>>;
  /** What the agent in it answers; without it as one of a node that has moved. */
  readonly answer?: RequestListener;
}

export interface MadeCluster {
  readonly nodes: readonly MadeNode[];
  readonly pods: readonly MadePod[];
  /** Who is known, by `Authorization`; without it everybody. */
  readonly knows?: (authorization: string | undefined, certificate: string | null) => boolean;
  /** Answers instead of the API server, and says whether it did. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface KubernetesApi {
  readonly url: string;
  readonly port: number;
  /** What was asked: method and path with its query. */
  readonly requests: readonly string[];
  readonly headers: readonly IncomingMessage['headers'][];
  /** How many connections were made. */
  readonly connections: () => number;
  cluster: MadeCluster;
}

export const READY = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
};
const NAMESPACE = 'eks-endpoint-exporter';
const SELECTOR = 'app.kubernetes.io/name=eks-endpoint-exporter';
const MOVED: NodeStatus = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'golden', 'moved-node-1.status.json'), 'utf8'),
);

/** Nodes with a pod each. */
export function clusterOf(count: number): MadeCluster {
  const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  return {
    nodes: names.map((name) => ({ name, labels: { 'kubernetes.io/hostname': name } })),
    pods: names.map((node, index) => ({ name: `exporter-${index + 1}`, node })),
  };
}

/** What the agent of a node says that has moved, as of now. */
export function statusText(node: string, change: Partial<NodeStatus> = {}): string {
  return JSON.stringify({ ...MOVED, node, observedAt: new Date().toISOString(), ...change });
}

/** Starts the API server on loopback; it ends with the test. */
export async function startKubernetesApi(cluster: MadeCluster): Promise<KubernetesApi> {
  const requests: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer(
    {
      cert: tlsFixture('server.crt'),
      key: tlsFixture('server.key'),
      ca: tlsFixture('ca.crt'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      headers.push(request.headers);
      answer(api.cluster, request, response);
    },
  );
  server.on('connection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  const api: KubernetesApi = {
    url: `https://127.0.0.1:${port}`,
    port,
    requests,
    headers,
    connections: () => connections,
    cluster,
  };
  return api;
}

/** As the API server says what is wrong. */
export function sendStatus(response: ServerResponse, code: number, message: string): void {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code };
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function answer(cluster: MadeCluster, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://api');
  const { socket } = request;
  const certificate = socket instanceof TLSSocket ? (socket.getPeerCertificate().subject?.CN ?? null) : null;
  const commonName = Array.isArray(certificate) ? certificate.join() : certificate;
  if (cluster.knows?.(request.headers.authorization, commonName) === false) {
    sendStatus(response, 401, 'Unauthorized');
    return;
  }
  if (cluster.instead?.(request, response)) return;
  if (pathname === '/api/v1/nodes') {
    sendPage(response, searchParams, { kind: kindOf(request), items: cluster.nodes.map(nodeObject) });
    return;
  }
  if (pathname === `/api/v1/namespaces/${NAMESPACE}/pods`) {
    const selected = searchParams.get('labelSelector') === SELECTOR ? cluster.pods : [];
    sendPage(response, searchParams, { kind: 'PodList', items: selected.map(podObject) });
    return;
  }
  const [, name, port] =
    /^\/api\/v1\/namespaces\/eks-endpoint-exporter\/pods\/([^/:]+):(\d+)\/proxy\/api\/v1\/status$/.exec(
      pathname,
    ) ?? [];
  const pod = cluster.pods.find((one) => one.name === name);
  if (pod === undefined) {
    sendStatus(
      response,
      404,
      name === undefined ? 'the server could not find it' : `pods "${name}" not found`,
    );
  } else if (port !== `${pod.port ?? 10943}`) {
    sendStatus(response, 503, `error trying to reach service: dial tcp 10.0.3.17:${port}: connect: refused`);
  } else if (pod.answer !== undefined) {
    pod.answer(request, response);
  } else {
    response.end(statusText(pod.node));
  }
}

function kindOf({ headers: { accept } }: IncomingMessage): string {
  return accept?.startsWith('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1')
    ? 'PartialObjectMetadataList'
    : 'NodeList';
}

/** The token of the next page is where it begins. */
function sendPage(
  response: ServerResponse,
  query: URLSearchParams,
  { kind, items }: { readonly kind: string; readonly items: readonly unknown[] },
): void {
  const limit = Number(query.get('limit') ?? 0) || items.length;
  const from = Number(query.get('continue') ?? 0);
  const rest = items.length - from - limit;
  const metadata = rest > 0 ? { continue: `${from + limit}`, remainingItemCount: rest } : {};
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind, metadata, items: items.slice(from, from + limit) }));
}

function nodeObject({ name, labels }: MadeNode): unknown {
  return { metadata: { name, ...(labels === undefined ? {} : { labels }) } };
}

function podObject({ name, node, createdAt, deletedAt, port, status }: MadePod): unknown {
  return {
    metadata: {
      name,
      creationTimestamp: createdAt ?? '2026-11-20T12:00:00Z',
      ...(deletedAt === undefined ? {} : { deletionTimestamp: deletedAt }),
    },
    spec: {
      nodeName: node,
      containers: [{ name: 'exporter', ports: [{ name: 'metrics', containerPort: port ?? 10943 }] }],
    },
    status: status ?? READY,
  };
}
