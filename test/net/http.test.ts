import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { Agent, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { messageOf } from '../../src/model/errors.ts';
import { type HttpReply, type HttpRequest, sendRequest } from '../../src/net/http.ts';
import { answering, portOf, pouring, startWebServer, tlsFixture, trickling } from '../support/web-server.ts';

/** For requests that end by themselves: nothing here waits for it. */
const LONG_MS = 5_000;
/** For requests that the deadline must end. */
const SHORT_MS = 100;
const CA = tlsFixture('ca.crt');

function get(url: string, more: Partial<HttpRequest> = {}): Promise<HttpReply> {
  return sendRequest({ method: 'GET', url, deadlineMs: LONG_MS, maxBytes: 1024, ...more });
}

async function problemOf(reply: Promise<HttpReply>): Promise<string> {
  const outcome = await reply.catch((error: unknown) => error);
  if (!(outcome instanceof Error)) throw new TypeError('the request did not fail');
  return outcome.message;
}

/** A server that does with a connection as it is told. */
async function startTcpServer(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
    onConnection(socket);
  });
  onTestFinished(() => {
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${portOf(server)}`;
}

describe('a request that is answered', () => {
  test('gives status, headers and body', async () => {
    const server = await startWebServer(answering(200, 'Seoul 서울', { 'Retry-After': '7' }));
    const reply = await get(`${server.url}/a/b?c=d`, { headers: { accept: 'application/json' } });
    expect(reply).toMatchObject({ status: 200, body: 'Seoul 서울', headers: { 'retry-after': '7' } });
    expect(server.requests).toMatchObject([
      { method: 'GET', path: '/a/b?c=d', headers: { accept: 'application/json' } },
    ]);
  });

  test('PUT says that it has no body', async () => {
    const server = await startWebServer(answering(200));
    await get(server.url, { method: 'PUT' });
    expect(server.requests).toMatchObject([{ method: 'PUT', headers: { 'content-length': '0' } }]);
  });

  test('POST has the body given', async () => {
    const bodies: string[] = [];
    const server = await startWebServer(async (request, response) => {
      bodies.push(await text(request));
      response.end();
    });
    await get(server.url, { method: 'POST', body: 'query=서울' });
    expect(server.requests).toMatchObject([{ method: 'POST', headers: { 'content-length': '12' } }]);
    expect(bodies).toEqual(['query=서울']);
  });

  test.each([204, 302, 401, 404, 429, 500, 503])('status %i is an answer', async (status) => {
    const { url } = await startWebServer(answering(status));
    expect(await get(url)).toMatchObject({ status, body: '' });
  });

  test('a redirect is not followed', async () => {
    const elsewhere = await startWebServer(answering(200, 'elsewhere'));
    const { url } = await startWebServer(answering(302, '', { location: elsewhere.url }));
    expect(await get(url)).toMatchObject({ status: 302, headers: { location: elsewhere.url } });
    expect(elsewhere.requests).toEqual([]);
  });

  test('each has a connection of its own, and closes it', async () => {
    const connections = new Set<unknown>();
    const server = await startWebServer((request, response) => {
      connections.add(request.socket);
      response.end();
    });
    await get(server.url);
    await get(server.url);
    expect(connections.size).toBe(2);
    await vi.waitFor(() => expect(server.open.size).toBe(0), LONG_MS);
  });

  test('where an agent keeps them they share one, which stays open', async () => {
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const connections = new Set<unknown>();
    const server = await startWebServer((request, response) => {
      connections.add(request.socket);
      response.end('kept');
    });
    for (let time = 0; time < 3; time++)
      expect(await get(server.url, { agent })).toMatchObject({ body: 'kept' });
    expect(connections.size).toBe(1);
    expect(server.open.size).toBe(1);
    agent.destroy();
    await vi.waitFor(() => expect(server.open.size).toBe(0), LONG_MS);
  });

  test('a body that is just as long as it may be', async () => {
    const { url } = await startWebServer(answering(200, 'x'.repeat(1024)));
    expect((await get(url)).body).toHaveLength(1024);
  });

  test.each([
    ['the end of the connection', 'HTTP/1.0 200 OK\r\n\r\n', ''],
    [
      'its length, and the connection is closed with it',
      'HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n',
      '',
    ],
    ['a last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n30d40\r\n', '\r\n0\r\n\r\n'],
  ])('a body that ends with %s', async (_, head, tail) => {
    const body = 'x'.repeat(200_000);
    const address = await startTcpServer((socket) =>
      socket.once('data', () => socket.end(head + body + tail)),
    );
    const reply = await get(`http://${address}`, { maxBytes: 200_000 });
    expect(reply.body === body).toBe(true);
  });

  test('over IPv6', async () => {
    const { url } = await startWebServer(answering(200, 'six'), { host: '::1' });
    expect(url).toContain('[::1]');
    expect(await get(url)).toMatchObject({ body: 'six' });
  });
});

describe('a request that is given up', () => {
  test('before it is sent', async () => {
    const server = await startWebServer(answering(200));
    const problem = await problemOf(get(server.url, { signal: AbortSignal.abort() }));
    expect(problem).toBe(`Cannot ask "${server.url}": it was given up`);
    await vi.waitFor(() => expect(server.open.size).toBe(0), LONG_MS);
    expect(server.requests).toEqual([]);
  });

  test.each(['nothing', 'a byte now and then'])(
    'while %s comes: the connection ends with it',
    async (what) => {
      const stop = new AbortController();
      const server = await startWebServer((_, response) => {
        if (what !== 'nothing') trickling(response);
        setTimeout(() => stop.abort(), 20);
      });
      const agent = new Agent({ keepAlive: true });
      onTestFinished(() => agent.destroy());
      expect(await problemOf(get(server.url, { agent, signal: stop.signal }))).toMatch(/: it was given up$/);
      await vi.waitFor(() => expect(server.open.size).toBe(0), LONG_MS);
    },
  );

  test('after its answer: the answer stays, and the signal is not held', async () => {
    const stop = new AbortController();
    const { url } = await startWebServer(answering(200, 'whole'));
    const reply = await get(url, { signal: stop.signal });
    await vi.waitFor(() => expect(getEventListeners(stop.signal, 'abort')).toEqual([]), LONG_MS);
    stop.abort();
    expect(reply).toMatchObject({ body: 'whole' });
  });
});

describe('https', () => {
  test('an agent knows whom to trust', async () => {
    const { url } = await startWebServer(answering(200, 'safe'), { certificate: 'server' });
    const trusting = new HttpsAgent({ ca: CA, rejectUnauthorized: true });
    expect(await get(url, { agent: trusting })).toMatchObject({ body: 'safe' });
    const other = new HttpsAgent({ ca: tlsFixture('other-ca.crt'), rejectUnauthorized: true });
    expect(await problemOf(get(url, { agent: other, ca: CA }))).toMatch(/: the certificate is not trusted: /);
  });

  test.each(['127.0.0.1', '::1'] as const)('at %s, with a certificate of the CA', async (host) => {
    const { url } = await startWebServer(answering(200, 'safe'), { host, certificate: 'server' });
    expect(await get(url, { ca: CA })).toMatchObject({ status: 200, body: 'safe' });
  });

  test('by name', async () => {
    const { port } = await startWebServer(answering(200, 'safe'), { certificate: 'server' });
    expect(await get(`https://localhost:${port}`, { ca: CA })).toMatchObject({ body: 'safe' });
  });

  test.each([
    ['of another authority', 'other', CA],
    ['of the CA, for another name', 'misnamed', CA],
    ['that the CA given did not sign', 'server', tlsFixture('other-ca.crt')],
    [
      'where the CA given is none',
      'server',
      '-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n',
    ],
  ] as const)('a certificate %s is not trusted, and nothing is said', async (_, certificate, ca) => {
    const server = await startWebServer(answering(200, 'trap'), { certificate });
    const problem = await problemOf(get(server.url, { ca, headers: { authorization: 'Bearer secret' } }));
    expect(problem).toMatch(/^Cannot ask "https:.*": the certificate is not trusted: .+ \([A-Z_]+\)$/);
    expect(server.requests).toEqual([]);
  });

  test.each([undefined, '', ' \n', 'no PEM'])('the CA %j: there is nobody to trust', async (ca) => {
    const server = await startWebServer(answering(200), { certificate: 'server' });
    const problem = await problemOf(get(server.url, ca === undefined ? {} : { ca }));
    expect(problem).toBe(`Cannot ask "${server.url}": there is no CA certificate to trust`);
    expect(server.open.size).toBe(0);
  });

  test('a server that speaks no TLS', async () => {
    const { port } = await startWebServer(answering(200));
    const problem = await problemOf(get(`https://127.0.0.1:${port}`, { ca: CA }));
    expect(problem).toMatch(/: TLS failed: [a-z ]+ \([A-Z_]+\)$/);
  });
});

describe('the deadline is over all of it', () => {
  const TOO_LATE = /: no whole answer within 0\.1 s$/;

  test('nothing is said after the connection', async () => {
    const address = await startTcpServer(() => undefined);
    expect(await problemOf(get(`http://${address}`, { deadlineMs: SHORT_MS }))).toMatch(TOO_LATE);
  });

  test('no TLS is spoken', async () => {
    const address = await startTcpServer(() => undefined);
    expect(await problemOf(get(`https://${address}`, { deadlineMs: SHORT_MS, ca: CA }))).toMatch(TOO_LATE);
  });

  test('headers come a byte at a time', async () => {
    const address = await startTcpServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await problemOf(get(`http://${address}`, { deadlineMs: SHORT_MS }))).toMatch(TOO_LATE);
  });

  test('"continue" comes again and again', async () => {
    const address = await startTcpServer((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await problemOf(get(`http://${address}`, { deadlineMs: SHORT_MS }))).toMatch(TOO_LATE);
  });

  test('the body comes a byte now and then', async () => {
    const { url } = await startWebServer((_, response) => trickling(response));
    expect(await problemOf(get(url, { deadlineMs: SHORT_MS }))).toMatch(TOO_LATE);
  });

  test('the answer comes after it: nobody hears it', async () => {
    let late: ServerResponse | undefined;
    const server = await startWebServer((_, response) => {
      late = response;
    });
    // Not the shortest: the request must come to the server before it.
    expect(await problemOf(get(server.url, { deadlineMs: 500 }))).toMatch(/ within 0\.5 s$/);
    late?.end('too late');
    await vi.waitFor(() => expect(server.open.size).toBe(0), LONG_MS);
    expect(server.requests).toHaveLength(1);
  });
});

describe('a request that fails says so in one sentence', () => {
  test.each([10_000_000, 100_000_000])('a body of %i bytes is not read to its end', async (bytes) => {
    let written = 0;
    const server = await startWebServer((request, response) => {
      request.socket.on('close', () => {
        written = request.socket.bytesWritten;
      });
      pouring(bytes)(request, response);
    });
    expect(await problemOf(get(server.url))).toMatch(/: the answer is larger than 1024 bytes$/);
    await vi.waitFor(() => expect(server.open.size).toBe(0), LONG_MS);
    expect(written).toBeGreaterThan(1024);
    expect(written).toBeLessThan(bytes);
  });

  test('nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${portOf(server)}/latest`;
    server.close();
    await once(server, 'close');
    expect(await problemOf(get(url))).toBe(`Cannot ask "${url}": the connection was refused (ECONNREFUSED)`);
  });

  test.each([
    ['before the answer', ''],
    ['within the headers', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of'],
    ['within a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nhalf of'],
  ])('the connection is closed %s', async (_, text) => {
    const closing = await startTcpServer((socket) => socket.once('data', () => socket.end(text)));
    expect(await problemOf(get(`http://${closing}`))).toMatch(
      /: the connection was closed before the whole answer was there( \(ECONNRESET\))?$/,
    );
  });

  test.each(['', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of'])(
    'the connection is reset after %j',
    async (text) => {
      const resetting = await startTcpServer((socket) =>
        socket.once('data', () => socket.write(text, () => socket.resetAndDestroy())),
      );
      expect(await problemOf(get(`http://${resetting}`))).toMatch(
        /: the connection was closed before the whole answer was there \(ECONNRESET\)$/,
      );
    },
  );

  test.each([
    ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', 'the answer is not HTTP (HPE_INVALID_CONSTANT)'],
    [
      '100 KB of headers',
      `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`,
      'the answer is not HTTP (HPE_HEADER_OVERFLOW)',
    ],
  ])('the answer is %s', async (_, text, sentence) => {
    const address = await startTcpServer((socket) => socket.write(text));
    expect(await problemOf(get(`http://${address}`))).toBe(`Cannot ask "http://${address}": ${sentence}`);
  });

  test('an upgrade that nobody asked for ends', async () => {
    const address = await startTcpServer((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    );
    const outcome = await get(`http://${address}`, { deadlineMs: SHORT_MS }).catch(messageOf);
    expect(outcome).toMatch(/^Cannot ask ".+": (the connection was closed|no whole answer)/);
  });

  test.each(['not a URL', 'http://', 'ftp://127.0.0.1/', 'http://127.0.0.1:99999/'])(
    '%j cannot be asked',
    async (url) => {
      expect(await problemOf(get(url))).toMatch(`Cannot ask ${JSON.stringify(url)}: `);
    },
  );

  test('what a header cannot hold is not sent, and not told', async () => {
    const server = await startWebServer(answering(200));
    const problem = await problemOf(get(server.url, { headers: { authorization: 'Bearer a\nsecret' } }));
    expect(problem).toContain('header');
    expect(problem).not.toContain('secret');
    expect(server.requests).toEqual([]);
  });
});

describe('the process around it', () => {
  /** What a process of its own prints that asks for these and then has nothing more to do. */
  async function printedBy(requests: readonly HttpRequest[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const module = pathToFileURL('src/net/http.ts').href;
    const code = `import { sendRequest } from ${JSON.stringify(module)};
      for (const request of ${JSON.stringify(requests)})
        console.log(await sendRequest(request).then(({ body }) => body, ({ message }) => message));`;
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', code], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill();
    });
    const printed: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => printed.push(text));
    const [status] = await once(child, 'close');
    return `${printed.join('')}${status}`;
  }

  test('is not kept alive when the answer is there, nor when there is none', async () => {
    const answered = await startWebServer((_, response) => {
      response.writeHead(200, { connection: 'keep-alive' }).end('answered');
    });
    const silent = await startTcpServer(() => undefined);
    const more = { method: 'GET', deadlineMs: SHORT_MS, maxBytes: 1024 } as const;
    expect(
      await printedBy([
        // A timer of an hour that is left behind would keep it here.
        { ...more, url: answered.url, deadlineMs: 3_600_000 },
        { ...more, url: `http://${silent}` },
        { ...more, url: `https://${silent}`, ca: CA },
      ]),
    ).toMatch(/^answered\n(Cannot ask .+: no whole answer within 0\.1 s\n){2}0$/);
  }, 30_000);

  test('has no say in whom is asked and whom is trusted', async () => {
    const plain = await startWebServer(answering(200, 'asked'));
    const other = await startWebServer(answering(200, 'trap'), { certificate: 'other' });
    const more = { method: 'GET', deadlineMs: LONG_MS, maxBytes: 1024 } as const;
    // Port 9 is nobody's: who goes through the proxy is refused.
    const proxy = 'http://127.0.0.1:9';
    const env = {
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: proxy,
      HTTPS_PROXY: proxy,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      NODE_EXTRA_CA_CERTS: 'test/fixtures/tls/other-ca.crt',
    };
    const printed = await printedBy(
      [
        { ...more, url: plain.url },
        { ...more, url: other.url, ca: CA },
      ],
      env,
    );
    expect(printed).toMatch(/^asked\nCannot ask .+: the certificate is not trusted: .+\n0$/);
    expect(other.requests).toEqual([]);
  }, 30_000);
});
