import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAgents } from '../../src/fleet/agents.ts';
import { sendRequest } from '../../src/net/http.ts';
import { realClock } from '../support/runtime.ts';
import { answering, startWebServer } from '../support/web-server.ts';

const STATUS = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'golden', 'moved-node-1.status.json'), 'utf8'),
);
/** Nobody listens there: the port is not one that a system gives out. */
const NOBODY = 'http://127.0.0.1:1';

function statusOf(node: string): string {
  return JSON.stringify({ ...STATUS, node, observedAt: new Date().toISOString() });
}

async function observe(urls: readonly string[], signal = new AbortController().signal) {
  const source = await openAgents(
    { kind: 'agents', urls, concurrency: 2 },
    { request: sendRequest, clock: realClock },
  );
  onTestFinished(() => source.close());
  return source.observe({ signal, onProgress: () => {} });
}

test('each agent speaks for the node that it names', async () => {
  const one = await startWebServer((_, response) => response.end(statusOf('node-1')));
  const other = await startWebServer((_, response) => response.end(statusOf('node-2')));
  const { source, nodesFrom, nodes, notes } = await observe([one.url, other.url]);
  expect({ source, nodesFrom, notes }).toEqual({
    source: 'the agents at 2 addresses',
    nodesFrom: 'agents',
    notes: [],
  });
  expect(nodes).toMatchObject([
    { node: 'node-1', origin: one.url, labels: {}, seen: { kind: 'answer', route: 'x-eni' } },
    { node: 'node-2', origin: other.url, labels: {}, seen: { kind: 'answer', route: 'x-eni' } },
  ]);
  expect(one.requests.map(({ method, path }) => [method, path])).toEqual([['GET', '/api/v1/status']]);
  for (const { seen } of nodes) expect(seen.kind === 'answer' && seen.ageSeconds < 5).toBe(true);
});

test('who does not answer is named by its address, and the others are heard', async () => {
  const one = await startWebServer((_, response) => response.end(statusOf('node-1')));
  const early = await startWebServer(answering(503, '{"error":"no look at the node has ended yet"}'));
  const { nodes } = await observe([NOBODY, one.url, early.url]);
  expect(nodes.map(({ node, seen }) => [node, seen.kind])).toEqual([
    [NOBODY, 'none'],
    ['node-1', 'answer'],
    [early.url, 'none'],
  ]);
  expect(nodes[0]?.seen).toMatchObject({
    why: 'not-answering',
    detail: expect.stringContaining('the connection was refused'),
    remedy: expect.stringContaining('10943'),
  });
});

test('a certificate of an authority that Node does not know is not trusted', async () => {
  const server = await startWebServer((_, response) => response.end(statusOf('node-1')), {
    certificate: 'server',
  });
  const { nodes } = await observe([server.url]);
  expect(nodes[0]?.seen).toMatchObject({
    why: 'not-answering',
    detail: expect.stringContaining('the certificate is not trusted'),
  });
});

test('https to an agent that speaks http, and a path that it does not know: what would do is to write the address otherwise', async () => {
  const server = await startWebServer((request, response) => {
    response.statusCode = request.url === '/metrics/api/v1/status' ? 404 : 200;
    response.end(request.url === '/page/api/v1/status' ? '<!doctype html>' : statusOf('node-1'));
  });
  const https = server.url.replace('http:', 'https:');
  const { nodes } = await observe([https, `${server.url}/metrics`, `${server.url}/page`]);
  const withoutPath = `give the address without a path, ${server.url}, unless something in front of the agent has one`;
  expect(nodes.map(({ seen }) => seen)).toMatchObject([
    {
      detail: expect.stringContaining('TLS failed'),
      remedy: expect.stringMatching(/^give it with http:\/\//),
    },
    { why: 'not-answering', remedy: withoutPath },
    { why: 'unreadable', remedy: withoutPath },
  ]);
});

test('an answer of 10 MB is none', async () => {
  const server = await startWebServer((_, response) => response.end('x'.repeat(10_000_000)));
  const { nodes } = await observe([server.url]);
  expect(nodes[0]?.seen).toMatchObject({ detail: expect.stringContaining('larger than 4194304 bytes') });
});

test('given up, it gives nothing', async () => {
  const abort = new AbortController();
  const server = await startWebServer(() => abort.abort());
  await expect(observe([server.url, server.url, server.url], abort.signal)).rejects.toThrow(/abort/i);
  expect(server.requests.length).toBeLessThan(3);
});
