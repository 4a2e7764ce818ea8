/** A made fleet over HTTP: what Prometheus discovers and scrapes. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { JOB } from '../../scripts/monitoring/rules.ts';
import { type Fleet, METRICS_TYPE } from './fleet.ts';

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly now?: () => number;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Serves `/targets` (for http_sd_configs), `/nodes/<index>/metrics` and `/kube-state-metrics`, on loopback and a free
 * port unless said otherwise.
 */
export async function serveFleet(
  fleet: Fleet,
  { host = '127.0.0.1', port = 0, now = Date.now }: ServeOptions = {},
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    replyTo(request.url ?? '/', { fleet, authority: request.headers.host ?? '', nowMs: now() })
      .catch((error: unknown) => plain(500, String(error)))
      .then((reply) => send(request, response, reply));
  });
  server.listen({ host, port });
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('Cannot tell the port of the fleet');
  return {
    url: `http://${host}:${bound.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function replyTo(
  path: string,
  { fleet, authority, nowMs }: { readonly fleet: Fleet; readonly authority: string; readonly nowMs: number },
): Promise<Reply> {
  if (path === '/targets')
    return { status: 200, type: 'application/json', body: targetsOf(fleet, authority) };
  if (path === '/kube-state-metrics')
    return { status: 200, type: METRICS_TYPE, body: fleet.kubeStateMetrics() };
  const index = Number(/^\/nodes\/(?<index>\d+)\/metrics$/.exec(path)?.groups?.['index'] ?? Number.NaN);
  if (fleet.nodes[index] === undefined) return plain(404, 'no such node');
  const body = await fleet.metricsOf(index, nowMs);
  return body === null
    ? plain(503, 'this exporter does not answer')
    : { status: 200, type: METRICS_TYPE, body };
}

function plain(status: number, sentence: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body: `${sentence}\n` };
}

/** Compressed for those who ask for it, as Prometheus does. */
function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Reply): void {
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const bytes = zipped ? gzipSync(body) : Buffer.from(body);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(bytes);
}

/** One target for each node, at the address under which this server was asked. */
function targetsOf({ nodes }: Fleet, authority: string): string {
  return JSON.stringify(
    nodes.map(({ name, instance }, index) => ({
      targets: [authority],
      labels: { __metrics_path__: `/nodes/${index}/metrics`, instance, node: name, job: JOB },
    })),
  );
}
