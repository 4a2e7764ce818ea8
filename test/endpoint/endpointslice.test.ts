import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EndpointSliceSource, type ReadFile } from '../../src/endpoint/endpointslice.ts';
import type { Clock } from '../../src/model/observation.ts';
import { type HttpReply, type HttpRequest, type SendRequest, sendRequest } from '../../src/net/http.ts';
import {
  answering,
  pouring,
  startWebServer,
  tlsFixture,
  trickling,
  type WebServer,
} from '../support/web-server.ts';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const PATH = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';
const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: Date.now() - 1_000_000 });
/** No jitter. */
const middle = () => 0.5;

function slice(...addresses: readonly string[]): string {
  return sliceAt(443, ...addresses);
}

function sliceAt(port: number, ...addresses: readonly string[]): string {
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  return JSON.stringify({ addressType: 'IPv4', endpoints, ports: [{ name: 'https', port }] });
}

const files: Readonly<Record<string, string>> = {
  [`${ACCOUNT}/token`]: 'first-token\n',
  [`${ACCOUNT}/ca.crt`]: tlsFixture('ca.crt'),
};

const readFile: ReadFile = async (path) => {
  const text = files[path];
  if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  return text;
};

function addressesOf({ seen }: EndpointSliceSource): readonly string[] | undefined {
  return seen.answer?.addresses.map(({ text }) => text);
}

describe('against a real server', () => {
  /** A source that asks this server; of the deadline it takes the share that a test has the patience for. */
  function asking({ port, url }: WebServer, parts: { readFile?: ReadFile; random?: () => number } = {}) {
    const sent: HttpRequest[] = [];
    const onChange = vi.fn();
    const patience = { share: 1 };
    const request: SendRequest = (what) => {
      sent.push(what);
      return sendRequest({ ...what, deadlineMs: what.deadlineMs * patience.share });
    };
    const host = url.includes('[::1]') ? '::1' : '127.0.0.1';
    const service = { host, port };
    const source = new EndpointSliceSource({
      request,
      readFile,
      clock,
      random: middle,
      service,
      onChange,
      ...parts,
    });
    return { source, sent, onChange, patience };
  }

  function startApiServer(
    answer: RequestListener,
    host: '127.0.0.1' | '::1' = '127.0.0.1',
  ): Promise<WebServer> {
    return startWebServer(answer, { host, certificate: 'server' });
  }

  test.each(['127.0.0.1', '::1'] as const)('at %s it says what the slice says', async (host) => {
    const server = await startApiServer(answering(200, slice('192.168.1.231', '192.168.3.17')), host);
    const { source, sent, onChange } = asking(server);
    expect([source.seen, source.stage]).toEqual([{ answer: null, failingSince: null }, null]);
    await source.ask();
    source.stop();
    expect(source.seen).toMatchObject({ answer: { port: 443 }, failingSince: null });
    expect(addressesOf(source)).toEqual(['192.168.1.231', '192.168.3.17']);
    expect(source.stage).toMatchObject({ stage: 'endpointslice', success: true, error: null });
    expect(server.requests).toMatchObject([
      {
        method: 'GET',
        path: PATH,
        headers: { accept: 'application/json', authorization: 'Bearer first-token' },
      },
    ]);
    expect(sent).toMatchObject([{ deadlineMs: 5_000 }]);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  test('the token is read again each time: it rotates', async () => {
    const server = await startApiServer(answering(200, slice('192.168.1.231')));
    let token = 'first-token';
    const { source } = asking(server, {
      readFile: async (path) => (path.endsWith('/token') ? token : readFile(path)),
    });
    await source.ask();
    token = 'second-token';
    await source.ask();
    source.stop();
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first-token',
      'Bearer second-token',
    ]);
  });

  test('a server with a certificate of another authority is told no token', async () => {
    const server = await startWebServer(answering(200, slice('192.168.1.231')), { certificate: 'other' });
    const { source } = asking(server);
    await source.ask();
    source.stop();
    expect(source.seen.answer).toBeNull();
    expect(source.stage?.error).toMatch(/: the certificate is not trusted: /);
    expect(server.requests).toEqual([]);
  });

  const FAILURES: readonly [string, RequestListener, RegExp][] = [
    ['401', answering(401), /^the API server does not know the service account's token \(401\); see that /],
    [
      '403',
      answering(403),
      /\(403\); give it a Role in namespace default with the verb get on endpointslices .* resourceName kubernetes, and a RoleBinding$/,
    ],
    [
      '404',
      answering(404),
      /^the API server has no EndpointSlice default\/kubernetes \(404\).*; use --no-kubernetes/,
    ],
    ['429', answering(429), /^the API server has too much to do \(429\); it is asked again /],
    ['500', answering(500), /^the API server failed \(500\); it is asked again in about a minute$/],
    ['503', answering(503, '', { 'retry-after': '30' }), /^the API server failed \(503\)/],
    [
      'a redirect',
      answering(302, '', { location: 'https://127.0.0.1/' }),
      /status 302, .*KUBERNETES_SERVICE_HOST/,
    ],
    ['no content', answering(204), /status 204/],
    ['a body of 10 MB', pouring(10_000_000), /: the answer is larger than 262144 bytes$/],
    [
      'broken JSON',
      answering(200, slice('10.0.0.9').slice(0, -1)),
      /^Cannot use EndpointSlice .*: not JSON$/,
    ],
    ['HTML', answering(200, '<html>Sign in</html>'), /: not JSON$/],
    [
      'an address that is none',
      answering(200, slice('10.0.0.9', 'evil.example')),
      /: an address is "evil\.example", /,
    ],
    ['no address', answering(200, slice()), /: there is no ready address in it$/],
    ['a port that is none', answering(200, sliceAt(0, '10.0.0.9')), /: its port is 0, /],
    ['nothing', () => undefined, /: no whole answer within 0\.1 s$/],
    ['a byte now and then', (_, response) => trickling(response), /: no whole answer within 0\.1 s$/],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{');
        response.socket?.end();
      },
      /: the connection was closed /,
    ],
    ['an end of the connection', (request) => request.socket.destroy(), /: the connection was closed /],
  ];

  /** Only who is to fail by the deadline has a short one. */
  function shareFor(error: RegExp): number {
    return error.source.includes('no whole answer') ? 0.02 : 1;
  }

  test.each(FAILURES)('answered with %s, it keeps what it knew', async (_, answer, error) => {
    const server = await startApiServer(answering(200, slice('192.168.1.231')));
    const { source, onChange, patience } = asking(server);
    await source.ask();
    const { answer: before } = source.seen;
    server.answer = answer;
    patience.share = shareFor(error);
    await source.ask();
    source.stop();
    expect(source.seen.answer).toBe(before);
    expect(source.seen.failingSince).toEqual(source.stage?.at);
    expect(source.stage).toMatchObject({ success: false, error: expect.stringMatching(error) });
    expect(source.stage?.error).not.toMatch(/\n|\.$/);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  test.each(FAILURES)('answered with %s from the start, it knows nothing', async (_, answer, error) => {
    const { source, onChange, patience } = asking(await startApiServer(answer));
    patience.share = shareFor(error);
    await source.ask();
    source.stop();
    expect(source.seen).toEqual({ answer: null, failingSince: source.stage?.at });
    expect(onChange).not.toHaveBeenCalled();
  });

  test('an answer after the deadline is not heard', async () => {
    let late: Parameters<RequestListener>[1] | undefined;
    const server = await startApiServer((_, response) => {
      late = response;
    });
    const { source, onChange, patience } = asking(server);
    patience.share = 0.1;
    await source.ask();
    late?.end(slice('192.168.1.231'));
    await vi.waitFor(() => expect(server.open.size).toBe(0), 5_000);
    source.stop();
    expect(source.seen.answer).toBeNull();
    expect(onChange).not.toHaveBeenCalled();
  });

  test('flapping every time, it says each time how it is', async () => {
    const server = await startApiServer(answering(200, slice('192.168.1.231')));
    const { source, onChange } = asking(server);
    const said: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      server.answer = round % 2 === 0 ? answering(200, slice(`10.0.0.${round}`)) : answering(500);
      await source.ask();
      said.push([source.stage?.success, source.seen.failingSince === null, addressesOf(source)?.[0]]);
    }
    source.stop();
    expect(said).toEqual([
      [true, true, '10.0.0.0'],
      [false, false, '10.0.0.0'],
      [true, true, '10.0.0.2'],
      [false, false, '10.0.0.2'],
      [true, true, '10.0.0.4'],
      [false, false, '10.0.0.4'],
    ]);
    expect(onChange).toHaveBeenCalledTimes(3);
    await vi.waitFor(() => expect(server.open.size).toBe(0), 5_000);
  });
});

describe('before there is anything to ask', () => {
  test('outside a cluster it says so', async () => {
    const request = vi.fn<SendRequest>();
    const source = new EndpointSliceSource({
      request,
      readFile,
      clock,
      random: middle,
      service: null,
      onChange: vi.fn(),
    });
    await source.ask();
    source.stop();
    expect(source.stage).toMatchObject({
      success: false,
      error: 'KUBERNETES_SERVICE_HOST is not set: the agent does not run in a cluster; use --no-kubernetes',
    });
    expect(source.seen.failingSince).not.toBeNull();
    expect(request).not.toHaveBeenCalled();
  });

  test.each([
    ['token', undefined, 'ENOENT'],
    ['ca.crt', undefined, 'ENOENT'],
    ['token', ' \n', 'it is empty'],
    ['ca.crt', '', 'it is empty'],
  ])('the service account has the %s %j', async (name, text, detail) => {
    const request = vi.fn<SendRequest>();
    const source = new EndpointSliceSource({
      request,
      readFile: async (path) =>
        path.endsWith(name) && text !== undefined
          ? text
          : path.endsWith(name)
            ? readFile('none')
            : readFile(path),
      clock,
      random: middle,
      service: { host: '10.100.0.1', port: 443 },
      onChange: vi.fn(),
    });
    await source.ask();
    source.stop();
    expect(source.stage?.error).toMatch(`Cannot read "${ACCOUNT}/${name}": ${detail}`);
    expect(source.stage?.error).toMatch(/; mount the service account's token .*--no-kubernetes$/);
    expect(request).not.toHaveBeenCalled();
  });
});

describe('again and again', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A source that is answered so, in turn, the last way again and again; `asked`: when, in seconds from now. */
  function answered(replies: readonly HttpReply[], { random = middle, takesMs = 0 } = {}) {
    const beganAtMs = Date.now();
    const asked: number[] = [];
    const onChange = vi.fn();
    const request: SendRequest = async () => {
      const reply = replies[Math.min(asked.length, replies.length - 1)];
      asked.push((Date.now() - beganAtMs) / 1000);
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
      return reply ?? Promise.reject(new Error('no reply'));
    };
    const service = { host: '10.100.0.1', port: 443 };
    const source = new EndpointSliceSource({ request, readFile, clock, random, service, onChange });
    return { source, asked, onChange };
  }

  function reply(status: number, headers: Readonly<Record<string, string>> = {}): HttpReply {
    return { status, headers, body: '' };
  }

  function good(...addresses: readonly string[]): HttpReply {
    return { ...reply(200), body: slice(...addresses) };
  }

  test('every 5 minutes', async () => {
    const { source, asked } = answered([good('192.168.1.231')]);
    await source.ask();
    await vi.advanceTimersByTimeAsync(900_000);
    expect(asked).toEqual([0, 300, 600, 900]);
  });

  test.each([
    [0, 240],
    [0.25, 270],
    [1, 360],
  ])('with jitter %d after %d s', async (random, seconds) => {
    const { source, asked } = answered([good('192.168.1.231')], { random: () => random });
    await source.ask();
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(asked).toHaveLength(2);
  });

  test.each([401, 403, 404, 429, 500, 503])('after status %i about a minute later', async (status) => {
    const { source, asked } = answered([reply(status), good('192.168.1.231')]);
    await source.ask();
    await vi.advanceTimersByTimeAsync(400_000);
    expect(asked).toEqual([0, 60, 360]);
  });

  test('failures in a row are as old as the first of them, and a good answer ends them', async () => {
    const { source } = answered([good('192.168.1.231'), reply(500), reply(403), good('192.168.1.231')]);
    await source.ask();
    const { answer } = source.seen;
    await vi.advanceTimersByTimeAsync(300_000);
    const failedAt = clock();
    expect(source.seen).toEqual({ answer, failingSince: failedAt });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(source.seen).toEqual({ answer, failingSince: failedAt });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(source.seen).toMatchObject({ answer: { at: clock() }, failingSince: null });
  });

  test('a change is told: other addresses, another port, but no other order', async () => {
    const ported = { ...reply(200), body: sliceAt(6443, '10.0.0.2') };
    const { source, onChange } = answered([
      good('10.0.0.1', '10.0.0.2'),
      good('10.0.0.2', '10.0.0.1'),
      good('10.0.0.2'),
      ported,
      ported,
    ]);
    const told: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await source.ask();
      told.push(onChange.mock.calls.length);
    }
    source.stop();
    expect(told).toEqual([1, 1, 2, 3, 3]);
  });

  test('when it is told, what is new can be seen', async () => {
    const { source, onChange } = answered([good('10.0.0.1')]);
    onChange.mockImplementation(() => expect(addressesOf(source)).toEqual(['10.0.0.1']));
    await source.ask();
    source.stop();
    expect(onChange).toHaveReturned();
  });

  test('it is timed', async () => {
    const { source } = answered([good('10.0.0.1')], { takesMs: 250 });
    const asking = source.ask();
    await vi.advanceTimersByTimeAsync(250);
    await asking;
    expect(source.stage).toMatchObject({ durationSeconds: 0.25, at: clock() });
    expect(source.seen.answer?.at).toEqual(clock());
  });

  describe('asked soon', () => {
    test('is at once, and at most every 10 s', async () => {
      const { source, asked } = answered([good('10.0.0.1')]);
      await source.ask();
      await vi.advanceTimersByTimeAsync(100_000);
      for (let second = 0; second < 25; second += 1) {
        source.askSoon();
        await vi.advanceTimersByTimeAsync(1_000);
      }
      expect(asked).toEqual([0, 100, 110, 120]);
    });

    test('is every 10 s too while it fails', async () => {
      const { source, asked } = answered([reply(500)]);
      await source.ask();
      await vi.advanceTimersByTimeAsync(2_000);
      source.askSoon();
      source.askSoon();
      await vi.advanceTimersByTimeAsync(30_000);
      expect(asked).toEqual([0, 10]);
    });
  });

  describe('told when to come again', () => {
    const dateIn = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();

    test.each<[string, number, () => string, number]>([
      ['in seconds', 429, () => '120', 120],
      ['as a date', 429, () => dateIn(120), 120],
      ['by a server that cannot', 503, () => '120', 120],
      ['at once: not before 10 s', 429, () => '0', 10],
      ['in the past', 429, () => dateIn(-3600), 10],
      ['in a day: within 10 minutes', 429, () => '86400', 600],
      ['in a million years', 429, () => '9'.repeat(400), 600],
      ['in a year', 429, () => dateIn(31_536_000), 600],
      ['in no way that is one', 429, () => 'soon', 60],
      ['with nothing', 429, () => '', 60],
    ])('%s', async (_, status, retryAfter, seconds) => {
      // A date has no milliseconds.
      vi.setSystemTime(Math.ceil(Date.now() / 1000) * 1000);
      // 0.5 for the minute, which has jitter; none on what the server says.
      const { source, asked } = answered([reply(status, { 'retry-after': retryAfter() }), good('10.0.0.1')], {
        random: seconds === 60 ? middle : () => 0,
      });
      await source.ask();
      await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
      expect(asked).toEqual([0]);
      await vi.advanceTimersByTimeAsync(2);
      expect(asked).toHaveLength(2);
    });

    test('it comes up to a fifth later, never before', async () => {
      const { source, asked } = answered([reply(429, { 'retry-after': '100' })], { random: () => 1 });
      await source.ask();
      await vi.advanceTimersByTimeAsync(119_999);
      expect(asked).toEqual([0]);
      await vi.advanceTimersByTimeAsync(2);
      expect(asked).toHaveLength(2);
    });

    test('whoever asks in the meantime is not heard: before, in between, at once', async () => {
      const { source, asked } = answered([reply(429, { 'retry-after': '120' }), good('10.0.0.1')], {
        takesMs: 1_000,
        random: () => 0,
      });
      void source.ask();
      source.askSoon();
      for (let second = 0; second < 120; second += 1) {
        await vi.advanceTimersByTimeAsync(1_000);
        source.askSoon();
        if (second > 0) await source.ask();
      }
      expect(asked).toEqual([0]);
      expect(source.stage).toMatchObject({ success: false, error: expect.stringContaining('429') });
      await vi.advanceTimersByTimeAsync(2_002);
      expect(asked).toHaveLength(2);
      expect(addressesOf(source)).toEqual(['10.0.0.1']);
    });

    test('a good answer that says so is none to keep to', async () => {
      const { source, asked } = answered([{ ...good('10.0.0.1'), headers: { 'retry-after': '600' } }]);
      await source.ask();
      await source.ask();
      expect(asked).toEqual([0, 0]);
    });
  });

  test('stopped, it asks no more', async () => {
    const { source, asked } = answered([good('10.0.0.1')]);
    await source.ask();
    source.stop();
    source.askSoon();
    await source.ask();
    await vi.advanceTimersByTimeAsync(900_000);
    expect(asked).toEqual([0]);
    expect(addressesOf(source)).toEqual(['10.0.0.1']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stopped while it asks, it hears no more', async () => {
    const { source, onChange } = answered([good('10.0.0.1')], { takesMs: 1_000 });
    const asking = source.ask();
    source.stop();
    await vi.advanceTimersByTimeAsync(1_000);
    await asking;
    expect([source.seen.answer, source.stage]).toEqual([null, null]);
    expect(onChange).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
