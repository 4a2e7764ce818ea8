import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeAgent } from '../../../src/fleet/prometheus/access.ts';
import { PrometheusClient } from '../../../src/fleet/prometheus/client.ts';
import type { PrometheusTarget } from '../../../src/fleet/source.ts';
import { messageOf } from '../../../src/model/errors.ts';
import { type HttpRequest, sendRequest } from '../../../src/net/http.ts';
import { prometheusTarget } from '../../support/prometheus-target.ts';
import { answering, portOf, startWebServer, tlsFixture, trickling } from '../../support/web-server.ts';

const VECTOR = JSON.stringify({
  status: 'success',
  data: { resultType: 'vector', result: [{ metric: { job: 'a' }, value: [1, '1'] }] },
});
const FILES: Readonly<Record<string, string>> = {
  '/ca': tlsFixture('ca.crt'),
  '/other-ca': tlsFixture('other-ca.crt'),
  '/cert': tlsFixture('server.crt'),
  '/key': tlsFixture('server.key'),
};

interface Way {
  readonly more?: Partial<PrometheusTarget>;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** For whom the deadline of 30 s is too long, and the limit of 64 MiB too large. */
  readonly limits?: Partial<HttpRequest>;
}

async function clientOf(
  url: string,
  { more = {}, signal = new AbortController().signal, headers = {}, limits = {} }: Way = {},
) {
  const target = prometheusTarget(url, more);
  const agent = await makeAgent(target, async (path) => FILES[path] ?? '');
  onTestFinished(() => agent.destroy());
  const request = (wanted: HttpRequest) => sendRequest({ ...wanted, ...limits });
  return new PrometheusClient(target, { request, agent, headers, signal });
}

/** What a query fails with, less who was asked. */
async function problemOf(url: string, way: Way = {}): Promise<string> {
  const outcome = await (await clientOf(url, way)).query('up', null).catch((error: unknown) => error);
  if (!(outcome instanceof Error)) throw new TypeError('the query did not fail');
  const start = `Cannot ask Prometheus at "${url}": `;
  expect(outcome.message.startsWith(start), outcome.message).toBe(true);
  return outcome.message.slice(start.length);
}

describe('a query', () => {
  test('is a form, below the path of the URL, with who asks', async () => {
    const bodies: string[] = [];
    const server = await startWebServer(async (request, response) => {
      bodies.push(await text(request));
      response.end(VECTOR);
    });
    const client = await clientOf(`${server.url}/prefix`, { headers: { authorization: 'Bearer t' } });
    expect(await client.query('up == 0', 1_795_000_000.071)).toEqual([{ labels: { job: 'a' }, value: 1 }]);
    await client.query('time()', null);
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/prefix/api/v1/query',
        headers: { authorization: 'Bearer t', 'content-type': 'application/x-www-form-urlencoded' },
      },
      { method: 'POST' },
    ]);
    expect(bodies).toEqual([
      'query=up+%3D%3D+0&timeout=30s&time=1795000000.071',
      'query=time%28%29&timeout=30s',
    ]);
  });

  test('has the connection of the one before', async () => {
    const connections = new Set<unknown>();
    const server = await startWebServer((request, response) => {
      connections.add(request.socket);
      response.end(VECTOR);
    });
    const client = await clientOf(server.url);
    for (let time = 0; time < 3; time++) await client.query('up', null);
    expect(connections.size).toBe(1);
  });

  test('over TLS, of the authority given', async () => {
    const { url } = await startWebServer(answering(200, VECTOR), { certificate: 'server' });
    const client = await clientOf(url, { more: { caFile: '/ca' } });
    expect(await client.query('up', null)).toHaveLength(1);
  });

  test('that is given up', async () => {
    const stop = new AbortController();
    const server = await startWebServer(() => stop.abort());
    expect(await problemOf(server.url, { signal: stop.signal })).toMatch(/^it was given up; /);
    await vi.waitFor(() => expect(server.open.size).toBe(0));
  });
});

describe('a client certificate', () => {
  /** `strict`: it ends the handshake of who shows none that it trusts. */
  async function startAsking(strict: boolean) {
    const shown: string[] = [];
    const server = createHttpsServer(
      {
        ...{ cert: tlsFixture('server.crt'), key: tlsFixture('server.key'), ca: tlsFixture('ca.crt') },
        ...{ requestCert: true, rejectUnauthorized: strict },
      },
      (request, response) => {
        if (request.socket instanceof TLSSocket)
          shown.push(String(request.socket.getPeerCertificate().subject.CN));
        response.end(VECTOR);
      },
    );
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { url: `https://127.0.0.1:${portOf(server)}`, shown };
  }

  test('is shown', async () => {
    const { url, shown } = await startAsking(false);
    const client = await clientOf(url, { more: { caFile: '/ca', certFile: '/cert', keyFile: '/key' } });
    expect(await client.query('up', null)).toHaveLength(1);
    expect(shown).toEqual([new X509Certificate(tlsFixture('server.crt')).subject.replace(/^CN=/, '')]);
  });

  test('is missing', async () => {
    const { url } = await startAsking(true);
    expect(await problemOf(url, { more: { caFile: '/ca' } })).toMatch(
      /^(TLS failed|the connection was closed before).+wants a client certificate/,
    );
  });
});

describe('what goes wrong is one sentence, with what would do', () => {
  test('nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${portOf(server)}`;
    server.close();
    await once(server, 'close');
    expect(await problemOf(url)).toMatch(
      /^the connection was refused \(ECONNREFUSED\); see that it runs there/,
    );
  });

  test('there is no such name', async () => {
    expect(await problemOf('http://prometheus.invalid:9090')).toMatch(
      /\((ENOTFOUND|EAI_AGAIN)\); see that the name is right/,
    );
  });

  const broken: readonly (readonly [string, RequestListener, RegExp])[] = [
    [
      'is too late',
      (_, response) => trickling(response),
      /^no whole answer within 0\.2 s; see how busy it is/,
    ],
    [
      'is too large',
      answering(200, ' '.repeat(5_000)),
      /^the answer is larger than 4096 bytes; ask for fewer/,
    ],
    [
      'is cut',
      (_, response) => {
        response.writeHead(200, { 'content-length': VECTOR.length }).write(VECTOR.slice(0, 20));
        setTimeout(() => response.destroy(), 20);
      },
      /^the connection was closed before the whole answer was there.*; ask again/,
    ],
    ['is half a document', answering(200, VECTOR.slice(0, -5)), /^it answers what is not an answer of its/],
    ['is a redirect', answering(302, '', { location: 'http://127.0.0.1:1/' }), /^it sends us to "http:/],
    ['is a refusal', answering(401), /^it does not let us in \(401\); give/],
    ['is a login page', answering(200, '<html>', { 'content-type': 'text/html' }), /^it answers a web page/],
    ['comes too often', answering(429), /^it has too much to do/],
    [
      'is a part',
      answering(200, VECTOR.replace('{', '{"warnings":["one store is gone"],')),
      /^its answer is not all: "one store is gone"; /,
    ],
    ['is that of a 500, however good it looks', answering(500, VECTOR), /^it answers 500/],
  ];

  test.each(broken)('the answer %s', async (_, answer, sentence) => {
    const { url } = await startWebServer(answer);
    expect(await problemOf(url, { limits: { deadlineMs: 200, maxBytes: 4096 } })).toMatch(sentence);
  });

  test.each([
    ['of another authority', { caFile: '/other-ca' }, /see that the authority in --prometheus-ca-file/],
    ['that Node does not know', {}, /give --prometheus-ca-file/],
  ])('a certificate %s: nothing is said, no token is sent', async (_, more, remedy) => {
    const server = await startWebServer(answering(200, VECTOR), { certificate: 'server' });
    const problem = await problemOf(server.url, { more, headers: { authorization: 'Bearer secret' } });
    expect(problem).toMatch(/^the certificate is not trusted: /);
    expect(problem).toMatch(remedy);
    expect(problem).not.toContain('secret');
    expect(server.requests).toEqual([]);
  });

  test('TLS where none is spoken, and none where it is', async () => {
    const plain = await startWebServer(answering(200, VECTOR));
    expect(await problemOf(plain.url.replace('http:', 'https:'))).toMatch(
      /^TLS failed: .+; see whether it speaks TLS/,
    );
    const safe = await startWebServer(answering(200, VECTOR), { certificate: 'server' });
    expect(await problemOf(safe.url.replace('https:', 'http:'))).toMatch(/; (ask again|see what listens)/);
  });
});

test('by default an answer may be 64 MiB, and take 30 s', async () => {
  const asked: HttpRequest[] = [];
  const target = prometheusTarget('http://127.0.0.1:9');
  const request = async (wanted: HttpRequest) => {
    asked.push(wanted);
    return { status: 200, headers: {}, body: VECTOR };
  };
  const agent = await makeAgent(target, async () => '');
  const client = new PrometheusClient(target, {
    request,
    agent,
    headers: {},
    signal: new AbortController().signal,
  });
  await client.query('up', null).catch(messageOf);
  expect(asked).toMatchObject([{ maxBytes: 67_108_864, deadlineMs: 30_000 }]);
});
