import { type IncomingHttpHeaders, request, Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../src/log.ts';
import { CONTENT_POLICY } from '../../src/output/page/policy.ts';
import {
  type Content,
  type ListenAddress,
  type RunningServer,
  startServer,
} from '../../src/output/server.ts';

const METRICS = `# TYPE eks_endpoint_node_route gauge\n${'eks_endpoint_node_route{route="x-eni"} 1\n'.repeat(50)}`;
const LOOPBACK: ListenAddress = { host: '127.0.0.1', port: 0 };

const CONTENT: Content = {
  metrics: async () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', body: METRICS }),
  status: async () => '{"schemaVersion":1}',
  page: async () => '<!doctype html><title>Übersicht</title>',
  healthy: () => true,
  ready: () => true,
};

const running: RunningServer[] = [];
const sockets: Socket[] = [];
const logged: string[] = [];

async function start(content: Partial<Content> = {}, listen: readonly ListenAddress[] = [LOOPBACK]) {
  const write = (line: string) => logged.push(line);
  const log = createLog({ level: 'debug', format: 'logfmt', write, now: () => new Date(0) });
  const server = await startServer({ listen, content: { ...CONTENT, ...content }, log });
  running.push(server);
  return server;
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((server) => server.close()));
  logged.length = 0;
});

function portOf(server: RunningServer): number {
  return server.addresses[0]?.port ?? 0;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** node:http and not fetch: it adds no header and unpacks nothing. */
function ask(
  server: RunningServer,
  path: string,
  options: { method?: string; headers?: Record<string, string>; host?: string; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, host = '127.0.0.1', body } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port: portOf(server), path, method, headers, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
        answer.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A connection of its own, for what no HTTP client would send. */
function open(server: RunningServer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(portOf(server), '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
    sockets.push(socket);
  });
}

async function askRaw(server: RunningServer, bytes: string): Promise<string> {
  const socket = await open(server);
  socket.write(bytes, 'latin1');
  return text(socket);
}

describe('the paths', () => {
  test('/metrics', async () => {
    const { status, headers, body } = await ask(await start(), '/metrics');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'content-length': String(METRICS.length),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    });
    expect(headers['content-encoding']).toBeUndefined();
    expect(body.toString()).toBe(METRICS);
  });

  test('/ is the page', async () => {
    const { status, headers, body } = await ask(await start(), '/');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': CONTENT_POLICY,
    });
    expect(body.toString()).toContain('Übersicht');
  });

  test('/api/v1/status is the node status', async () => {
    const { status, headers, body } = await ask(await start(), '/api/v1/status');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body.toString())).toEqual({ schemaVersion: 1 });
  });

  test('a query is ignored, and so is the authority of an absolute target', async () => {
    const server = await start();
    const status = async (path: string) => (await ask(server, path)).status;
    expect(await status('/metrics?name[]=x&a=/b?c')).toBe(200);
    expect(await status('/?')).toBe(200);
    expect(await status('http://node:10943/readyz?verbose')).toBe(200);
    expect(await status('http://node:10943')).toBe(200);
  });

  test.each([
    '/metrics/',
    '/Metrics',
    '//metrics',
    '/../metrics',
    '/%6detrics',
    '/healthz/ping',
    '/constructor',
    '/a',
  ])('%s is not there', async (path) => {
    const { status, headers, body } = await ask(await start(), path);
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(body.toString()).toContain('/metrics');
    expect(body.toString()).not.toContain(`${path} `.repeat(2));
  });

  test.each(['/', '/metrics', '/api/v1/status', '/-/healthy', '/healthz', '/-/ready', '/readyz', '/nothing'])(
    'HEAD %s is GET without its body',
    async (path) => {
      const server = await start();
      const [get, head] = await Promise.all([ask(server, path), ask(server, path, { method: 'HEAD' })]);
      expect(head.status).toBe(get.status);
      expect(head.headers).toEqual({ ...get.headers, date: head.headers.date });
      expect(Number(head.headers['content-length'])).toBe(get.body.length);
      expect(head.body).toHaveLength(0);
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])('%s is not allowed', async (method) => {
    const server = await start();
    for (const path of ['/', '/metrics', '/healthz']) {
      const { status, headers } = await ask(server, path, { method });
      expect(status).toBe(405);
      expect(headers.allow).toBe('GET, HEAD');
    }
  });

  test('the body of a refused request is not read as the next request', async () => {
    const smuggled = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await askRaw(
      await start(),
      `POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    );
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 405']);
  });
});

describe('before the first look', () => {
  test('/metrics is 503 in words', async () => {
    const { status, headers, body } = await ask(await start({ metrics: async () => null }), '/metrics', {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(status).toBe(503);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(headers['content-encoding']).toBeUndefined();
    expect(body.toString()).toBe('no look at the node has ended yet\n');
  });

  test('/api/v1/status is 503 in JSON', async () => {
    const { status, headers, body } = await ask(await start({ status: async () => null }), '/api/v1/status');
    expect(status).toBe(503);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body.toString())).toEqual({ error: 'no look at the node has ended yet' });
  });

  test.each(['/-/ready', '/readyz'])('%s is 503 with the reason', async (path) => {
    const { status, body } = await ask(await start({ ready: () => false }), path);
    expect(status).toBe(503);
    expect(body.toString()).toBe('no look at the node has ended yet\n');
  });
});

describe('health', () => {
  test.each(['/-/healthy', '/healthz', '/-/ready', '/readyz'])('%s is ok', async (path) => {
    const { status, body } = await ask(await start(), path);
    expect(status).toBe(200);
    expect(body.toString()).toBe('ok\n');
  });

  test.each(['/-/healthy', '/healthz'])('%s is 503 with the reason', async (path) => {
    const { status, body } = await ask(await start({ healthy: () => false }), path);
    expect(status).toBe(503);
    expect(body.toString()).toBe('no look at the node has ended for 3 minutes\n');
  });

  test('health never starts a look', async () => {
    const content = { metrics: vi.fn(), status: vi.fn(), page: vi.fn() };
    const server = await start(content);
    for (const path of ['/-/healthy', '/healthz', '/-/ready', '/readyz']) await ask(server, path);
    for (const look of Object.values(content)) expect(look).not.toHaveBeenCalled();
  });
});

describe('gzip', () => {
  test.each([
    'gzip',
    'GZIP',
    'deflate, gzip;q=0.5',
    'gzip; q=1.0',
    '*',
    'br;q=1.0, *;q=0.1',
    'identity;q=0, gzip',
  ])('asked for by %j', async (encoding) => {
    const headers = { 'accept-encoding': encoding };
    const answer = await ask(await start(), '/metrics', { headers });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.headers.vary).toBe('accept-encoding');
    expect(Number(answer.headers['content-length'])).toBe(answer.body.length);
    expect(gunzipSync(answer.body).toString()).toBe(METRICS);
  });

  test.each([
    '',
    'identity',
    'deflate, br',
    'gzip;q=0',
    'gzip; q=0.000',
    '*;q=0',
    'gzip;q=0, *',
    'gzipped',
    'gzip;q=x',
  ])('not asked for by %j', async (encoding) => {
    const headers = { 'accept-encoding': encoding };
    const answer = await ask(await start(), '/metrics', { headers });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers.vary).toBe('accept-encoding');
    expect(answer.body.toString()).toBe(METRICS);
  });

  test.each([
    ['/', 'gzip'],
    ['/api/v1/status', undefined],
    ['/healthz', undefined],
  ])('%s: %s', async (path, coding) => {
    const answer = await ask(await start(), path, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBe(coding);
  });
});

describe('how long an answer may wait', () => {
  test.each([
    ['10', 8000],
    ['0.5', 400],
    ['15.000000', 12_000],
    ['300', 240_000],
    ['', 8000],
    ['0', 8000],
    ['-5', 8000],
    ['1e9', 8000],
    ['99999999999', 8000],
    ['NaN', 8000],
    ['0x10', 8000],
    ['5 minutes', 8000],
  ])('a scrape timeout of %j s allows %d ms', async (seconds, waitMs) => {
    const waits: number[] = [];
    const metrics = async (maxWaitMs: number) => {
      waits.push(maxWaitMs);
      return null;
    };
    const headers = { 'X-Prometheus-Scrape-Timeout-Seconds': seconds };
    await ask(await start({ metrics }), '/metrics', { headers });
    expect(waits).toEqual([waitMs]);
  });

  test('without a scrape timeout it is 8 s, for every output', async () => {
    const waits: number[] = [];
    const note = async (maxWaitMs: number) => {
      waits.push(maxWaitMs);
      return '{}';
    };
    const server = await start({ status: note, page: note });
    await ask(server, '/api/v1/status');
    await ask(server, '/');
    expect(waits).toEqual([8000, 8000]);
  });
});

describe('what must not end the server', () => {
  function boom(): never {
    throw new Error('boom\nts=forged');
  }

  test.each(['/metrics', '/', '/api/v1/status', '/healthz', '/readyz'])('%s throws', async (path) => {
    const content = {
      metrics: async () => boom(),
      page: async () => boom(),
      status: boom,
      healthy: boom,
      ready: boom,
    };
    const server = await start(content);
    const { status, body, headers } = await ask(server, path);
    expect(status).toBe(500);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(body.toString()).toBe('this cannot be answered: the log says why\n');
    expect(logged).toEqual([
      `ts=1970-01-01T00:00:00.000Z level=error msg="Cannot answer a request" path=${path} error="Error: boom\\nts=forged"`,
    ]);
    expect((await ask(server, '/nothing')).status).toBe(404);
  });

  test('a content type that HTTP cannot carry', async () => {
    const metrics = async () => ({ type: 'text/plain\r\nx: y', body: METRICS });
    const server = await start({ metrics });
    expect((await ask(server, '/metrics')).status).toBe(500);
    expect((await ask(server, '/')).status).toBe(200);
  });

  test.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
    ['another version', 'GET /metrics HTTP/9.9\r\nHost: x\r\n\r\n', 400],
    ['no host', 'GET /metrics HTTP/1.1\r\n\r\n', 400],
    [
      'both lengths',
      'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s', async (_, bytes, status) => {
    const server = await start();
    const answer = await askRaw(server, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((await ask(server, '/healthz')).status).toBe(200);
  });

  test('pipelined requests are answered in their order', async () => {
    const answer = await askRaw(
      await start(),
      'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  });

  test('a client that goes away while its answer is made', async () => {
    const waiting = Promise.withResolvers<void>();
    const made = Promise.withResolvers<null>();
    const metrics = () => {
      waiting.resolve();
      return made.promise;
    };
    const server = await start({ metrics });
    const socket = await open(server);
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await waiting.promise;
    socket.resetAndDestroy();
    expect((await ask(server, '/')).status).toBe(200);
    made.resolve(null);
    expect((await ask(server, '/healthz')).status).toBe(200);
    expect(logged).toEqual([]);
  });
});

describe('listening', () => {
  test('without a host IPv4 and IPv6 are both answered', async () => {
    const server = await start({}, [{ host: null, port: 0 }]);
    expect(server.addresses).toMatchObject([{ host: '::' }]);
    expect((await ask(server, '/healthz', { host: '127.0.0.1' })).status).toBe(200);
    expect((await ask(server, '/healthz', { host: '::1' })).status).toBe(200);
  });

  test.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('without IPv6 (%s) it is IPv4 alone', async (code) => {
    // The only way to be without IPv6 on a kernel that has it.
    const { listen } = Server.prototype;
    vi.spyOn(Server.prototype, 'listen').mockImplementation(function (
      this: Server,
      options: unknown,
      ...rest
    ) {
      const { host } = Object(options);
      if (host !== '::') return listen.call(this, options, ...rest);
      setImmediate(() => this.emit('error', Object.assign(new Error(`listen ${code}`), { code })));
      return this;
    });
    const server = await start({}, [{ host: null, port: 0 }]);
    expect(server.addresses).toMatchObject([{ host: '0.0.0.0' }]);
    expect((await ask(server, '/healthz')).status).toBe(200);
  });

  test('several addresses are served, in their order', async () => {
    const server = await start({}, [{ host: '::1', port: 0 }, LOOPBACK]);
    expect(server.addresses.map((address) => address.host)).toEqual(['::1', '127.0.0.1']);
    expect((await ask(server, '/healthz', { host: '::1' })).status).toBe(200);
  });

  test('a port in use is named, and what was opened before it is closed again', async () => {
    const first = await start();
    const taken = { host: '127.0.0.1', port: portOf(first) };
    const spare = await start();
    const free = { host: '127.0.0.1', port: portOf(spare) };
    await spare.close();
    await expect(start({}, [free, taken])).rejects.toThrow(
      `Cannot listen on "127.0.0.1:${taken.port}": another process listens there`,
    );
    expect((await start({}, [free])).addresses).toEqual([free]);
  });

  test('a port in use on all addresses is no reason to be content with IPv4', async () => {
    const first = await start({}, [{ host: '::', port: 0 }]);
    await expect(start({}, [{ host: null, port: portOf(first) }])).rejects.toThrow(
      `Cannot listen on ":${portOf(first)}": another process listens there`,
    );
  });

  test('an address that is not of this machine is named', async () => {
    await expect(start({}, [{ host: '2001:db8::1', port: 10943 }])).rejects.toThrow(
      /^Cannot listen on "\[2001:db8::1\]:10943": listen EADDRNOTAVAIL/,
    );
  });
});

describe('closing', () => {
  test('ends idle, silent, half-asked and waiting connections', async () => {
    const waiting = Promise.withResolvers<void>();
    const metrics = () => {
      waiting.resolve();
      return new Promise<never>(() => {});
    };
    const server = await start({ metrics });
    const keptAlive = await open(server);
    keptAlive.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => keptAlive.once('data', resolve));
    const silent = await open(server);
    const halfAsked = await open(server);
    halfAsked.write('GET /metrics HTTP/1.1\r\nHo');
    const waits = await open(server);
    waits.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await waiting.promise;

    const ended = [keptAlive, silent, halfAsked, waits].map(
      (socket) =>
        new Promise((resolve) =>
          socket
            .on('error', () => {})
            .once('close', resolve)
            .resume(),
        ),
    );
    await server.close();
    await Promise.all(ended);
    await expect(ask(server, '/healthz')).rejects.toThrow('ECONNREFUSED');
  });

  test('closing twice is closing once', async () => {
    const server = await start();
    await server.close();
    await server.close();
  });
});
