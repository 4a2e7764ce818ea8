import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ImdsSource } from '../../src/endpoint/imds.ts';
import type { Clock, Moment } from '../../src/model/observation.ts';
import { type HttpReply, type HttpRequest, type SendRequest, sendRequest } from '../../src/net/http.ts';
import { answering, pouring, startWebServer, trickling, type WebServer } from '../support/web-server.ts';

const MACS = '/latest/meta-data/network/interfaces/macs/';
const ONE = '0e:49:61:0f:c3:11';
const OTHER = '0e:49:61:0f:c3:12';
const TOKEN = 'AQAEAHKRPzZ-example-token==';
const middle = () => 0.5;
/** Time stands still where a slow machine must not be a slow IMDS. */
const NOON: Moment = { wallMs: 1_795_176_000_000, monotonicMs: 1_000 };
const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: Date.now() - 1_000_000 });

/** What IMDS has below its paths. */
type Tree = Readonly<Record<string, string>>;

/** As on a node of an EKS cluster with two network cards, the second one without IPv6. */
const NODE: Tree = {
  [MACS]: `${ONE}/\n${OTHER}/`,
  [`${MACS}${ONE}/vpc-ipv4-cidr-blocks`]: '192.168.0.0/16\n100.64.0.0/16',
  [`${MACS}${ONE}/vpc-ipv6-cidr-blocks`]: '2600:1f13:a0d:a700::/56',
  [`${MACS}${OTHER}/vpc-ipv4-cidr-blocks`]: '192.168.0.0/16\n100.64.0.0/16\n',
};
const CIDRS = ['192.168.0.0/16', '100.64.0.0/16', '2600:1f13:a0d:a700::/56'];

/** IMDSv2: a token for who says how long, and the rest for who has the token. */
function serving(tree: Tree): RequestListener {
  return (request, response) => {
    const { method, headers, url = '' } = request;
    if (method === 'PUT' && url === '/latest/api/token') {
      const good = headers['x-aws-ec2-metadata-token-ttl-seconds'] === '60';
      response.writeHead(good ? 200 : 400).end(good ? TOKEN : '');
      return;
    }
    const text = tree[url];
    const status = headers['x-aws-ec2-metadata-token'] === TOKEN ? (text === undefined ? 404 : 200) : 401;
    response.writeHead(status, { 'content-type': 'text/plain' }).end(status === 200 ? text : '');
  };
}

/** As on NODE, but this path is answered so. */
function servingBut(path: string, answer: RequestListener): RequestListener {
  const rest = serving(NODE);
  return (request, response) => (request.url === path ? answer : rest)(request, response);
}

/** A node with one network card that has these CIDRs. */
function withCidrs(ipv4: string, ipv6?: string): Tree {
  const tree = { [MACS]: ONE, [`${MACS}${ONE}/vpc-ipv4-cidr-blocks`]: ipv4 };
  return ipv6 === undefined ? tree : { ...tree, [`${MACS}${ONE}/vpc-ipv6-cidr-blocks`]: ipv6 };
}

function cidrsOf({ seen }: ImdsSource): readonly string[] | undefined {
  return seen.answer?.vpcCidrs.map(({ text }) => text);
}

describe('against a real server', () => {
  /** A source that asks this server; of the deadlines it takes the share that a test has the patience for. */
  function asking({ url }: WebServer) {
    const sent: HttpRequest[] = [];
    const onChange = vi.fn();
    const patience = { share: 1 };
    const request: SendRequest = (what) => {
      sent.push(what);
      return sendRequest({ ...what, deadlineMs: what.deadlineMs * patience.share });
    };
    const source = new ImdsSource({ request, endpoint: url, clock: () => NOON, random: middle, onChange });
    return { source, sent, onChange, patience };
  }

  test.each(['127.0.0.1', '::1'] as const)(
    'at %s it says what IMDS says, of all network cards',
    async (host) => {
      const server = await startWebServer(serving(NODE), { host });
      const { source, sent, onChange } = asking(server);
      expect([source.seen, source.stage]).toEqual([{ answer: null }, null]);
      await source.ask();
      source.stop();
      expect(cidrsOf(source)).toEqual(CIDRS);
      expect(source.stage).toMatchObject({ stage: 'imds', success: true, error: null });
      expect(source.seen.answer?.at).toEqual(source.stage?.at);
      expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'PUT /latest/api/token',
        `GET ${MACS}`,
        `GET ${MACS}${ONE}/vpc-ipv4-cidr-blocks`,
        `GET ${MACS}${ONE}/vpc-ipv6-cidr-blocks`,
        `GET ${MACS}${OTHER}/vpc-ipv4-cidr-blocks`,
        `GET ${MACS}${OTHER}/vpc-ipv6-cidr-blocks`,
      ]);
      for (const { deadlineMs, maxBytes } of sent) {
        expect(deadlineMs).toBeLessThanOrEqual(2_000);
        expect(maxBytes).toBe(16_384);
      }
      expect(onChange).toHaveBeenCalledTimes(1);
      await vi.waitFor(() => expect(server.open.size).toBe(0), 5_000);
    },
  );

  test.each<[string, Tree, readonly string[]]>([
    ['of IPv4 only', withCidrs('10.0.0.0/16'), ['10.0.0.0/16']],
    ['of IPv6 only', withCidrs('', '2600:1f13:a0d:a700::/56'), ['2600:1f13:a0d:a700::/56']],
    [
      'with lines that end as on Windows',
      withCidrs('10.0.0.0/16\r\n10.1.0.0/16\r\n'),
      ['10.0.0.0/16', '10.1.0.0/16'],
    ],
    ['private and wide', withCidrs('10.0.0.0/8'), ['10.0.0.0/8']],
    [
      'public, as wide as a VPC may be',
      withCidrs('52.94.0.0/16', '2600:1f13::/44'),
      ['52.94.0.0/16', '2600:1f13::/44'],
    ],
  ])('CIDRs %s', async (_, tree, cidrs) => {
    const { source } = asking(await startWebServer(serving(tree)));
    await source.ask();
    source.stop();
    expect(cidrsOf(source)).toEqual(cidrs);
  });

  test('a card that is gone when it is asked for has none, the others count', async () => {
    const { source } = asking(
      await startWebServer(serving({ ...withCidrs('10.0.0.0/16'), [MACS]: `${OTHER}/\n${ONE}/` })),
    );
    await source.ask();
    source.stop();
    expect(cidrsOf(source)).toEqual(['10.0.0.0/16']);
  });

  test('32 network cards are as many as there may be', async () => {
    const macs = Array.from({ length: 32 }, (_, index) => `0e:49:61:0f:c3:${String(index + 10)}/`);
    const server = await startWebServer(
      serving({ ...withCidrs('10.0.0.0/16'), [MACS]: [...macs.slice(1), ONE].join('\n') }),
    );
    const { source } = asking(server);
    await source.ask();
    source.stop();
    expect(source.stage?.error).toBeNull();
    expect(server.requests).toHaveLength(2 + 32 * 2);
  });

  const IPV4 = `${MACS}${ONE}/vpc-ipv4-cidr-blocks`;
  const IPV6 = `${MACS}${ONE}/vpc-ipv6-cidr-blocks`;
  const HTML = answering(200, '<html>\n<body>Sign in</body>\n</html>');
  const manyCards = Array.from({ length: 33 }, (_, index) => `0e:49:61:0f:c3:${index + 10}/`).join('\n');
  const manyCidrs = Array.from({ length: 300 }, (_, index) => `10.${index >> 7}.${index & 127}.0/24`).join(
    '\n',
  );

  const FAILURES: readonly [string, RequestListener, RegExp][] = [
    [
      'IMDSv2 is turned off',
      answering(403),
      /^IMDS is turned off \(403\); turn it on, or give --vpc-cidr and --imds=off$/,
    ],
    [
      'everything is HTML',
      HTML,
      /^Cannot use "\/latest\/api\/token" of IMDS: status 200 and no token, so it is no IMDSv2; give /,
    ],
    ['there is no token', servingBut('/latest/api/token', answering(200)), /status 200 and no token/],
    ['another service answers', answering(404), /status 404 and no token/],
    ['a redirect', answering(301, '', { location: 'http://127.0.0.1/' }), /status 301 and no token/],
    ['the token is not taken', servingBut(MACS, answering(401)), /macs\/" of IMDS: status 401; give/],
    [
      'too many requests',
      servingBut(IPV4, answering(429)),
      /vpc-ipv4-cidr-blocks" of IMDS: status 429; give/,
    ],
    ['IMDS fails', servingBut(IPV6, answering(500)), /vpc-ipv6-cidr-blocks" of IMDS: status 500; give/],
    [
      'HTML instead of the cards',
      servingBut(MACS, HTML),
      /macs\/" of IMDS: "<html>" is no MAC address; give/,
    ],
    [
      'a card that is a path',
      servingBut(MACS, answering(200, '../../../user-data')),
      /"\.\.\/\.\.\/\.\.\/user-data" is no MAC address/,
    ],
    ['no card', servingBut(MACS, answering(200, '\n')), /there is no network card in it/],
    ['no list of cards', servingBut(MACS, answering(404)), /there is no network card in it/],
    ['33 cards', servingBut(MACS, answering(200, manyCards)), /it names more than 32 network cards/],
    [
      'HTML instead of CIDRs',
      servingBut(IPV4, HTML),
      /^Cannot use "vpc-ipv4-cidr-blocks" of IMDS: "<html>" is no IPv4 CIDR; give/,
    ],
    [
      'an address instead of a CIDR',
      servingBut(IPV4, answering(200, '10.0.0.1')),
      /"10\.0\.0\.1" is no IPv4 CIDR/,
    ],
    ['IPv6 for IPv4', servingBut(IPV4, answering(200, 'fd00::/56')), /"fd00::\/56" is no IPv4 CIDR/],
    ['IPv4 for IPv6', servingBut(IPV6, answering(200, '10.0.0.0/16')), /"10\.0\.0\.0\/16" is no IPv6 CIDR/],
    [
      'IPv4 within IPv6',
      servingBut(IPV6, answering(200, '::ffff:0:0/96')),
      /"::ffff:0:0\/96" is no IPv6 CIDR/,
    ],
    [
      'a public CIDR of half the world',
      servingBut(IPV4, answering(200, '10.0.0.0/16\n0.0.0.0/1')),
      /"0\.0\.0\.0\/1" is globally routable and wider than \/16, the widest of a VPC; give/,
    ],
    [
      'a public CIDR wider than a VPC',
      servingBut(IPV6, answering(200, '2600:1f00::/43')),
      /"2600:1f00::\/43" is globally routable and wider than \/44/,
    ],
    ['no CIDR', serving(withCidrs('', '')), /^IMDS names no CIDR of the VPC; give/],
    ['neither family', serving({ [MACS]: ONE }), /^IMDS names no CIDR of the VPC; give/],
    ['300 CIDRs', serving(withCidrs(manyCidrs)), /^IMDS names more than 256 CIDRs; give/],
    [
      '100 MB of token',
      pouring(100_000_000),
      /: the answer is larger than 16384 bytes; run in the host's network/,
    ],
    ['100 MB of cards', servingBut(MACS, pouring(100_000_000)), /: the answer is larger than 16384 bytes$/],
    ['100 MB of CIDRs', servingBut(IPV4, pouring(100_000_000)), /: the answer is larger than 16384 bytes$/],
    [
      'silence',
      () => undefined,
      /: no whole answer within 0\.5 s; run in the host's network \(hop limit\), or give --vpc-cidr and --imds=off$/,
    ],
    ['silence after the token', servingBut(IPV6, () => undefined), /: no whole answer within 0\.5 s$/],
    [
      'a byte now and then',
      servingBut(IPV4, (_, response) => trickling(response)),
      /: no whole answer within 0\.5 s$/,
    ],
    [
      'an end of the connection',
      servingBut(IPV4, (request) => request.socket.destroy()),
      /: the connection was closed /,
    ],
  ];

  /** Only who is to fail by the deadline has a short one. */
  function shareFor(error: RegExp): number {
    return error.source.includes('no whole answer') ? 0.25 : 1;
  }

  test.each(FAILURES)('%s: it keeps what it knew', async (_, answer, error) => {
    const server = await startWebServer(serving(NODE));
    const { source, onChange, patience } = asking(server);
    await source.ask();
    const { answer: before } = source.seen;
    server.answer = answer;
    patience.share = shareFor(error);
    await source.ask();
    source.stop();
    expect(source.seen.answer).toBe(before);
    expect(source.stage).toMatchObject({ success: false, error: expect.stringMatching(error) });
    expect(source.stage?.error).not.toMatch(/\n|\.$/);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  test.each(FAILURES)('%s from the start: it knows nothing', async (_, answer, error) => {
    const { source, onChange, patience } = asking(await startWebServer(answer));
    patience.share = shareFor(error);
    await source.ask();
    source.stop();
    expect(source.seen).toEqual({ answer: null });
    expect(onChange).not.toHaveBeenCalled();
  });

  test('an answer after the deadline is not heard', async () => {
    let late: Parameters<RequestListener>[1] | undefined;
    const server = await startWebServer(
      servingBut(IPV4, (_, response) => {
        late = response;
      }),
    );
    const { source, patience } = asking(server);
    patience.share = 0.25;
    await source.ask();
    late?.end('10.0.0.0/16');
    await vi.waitFor(() => expect(server.open.size).toBe(0), 5_000);
    source.stop();
    expect(source.seen.answer).toBeNull();
  });

  test('flapping every time, it says each time how it is', async () => {
    const server = await startWebServer(serving(NODE));
    const { source, onChange } = asking(server);
    const said: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      server.answer = round % 2 === 0 ? serving(withCidrs(`10.${round}.0.0/16`)) : answering(503);
      await source.ask();
      said.push([source.stage?.success, cidrsOf(source)?.[0]]);
    }
    source.stop();
    expect(said).toEqual([
      [true, '10.0.0.0/16'],
      [false, '10.0.0.0/16'],
      [true, '10.2.0.0/16'],
      [false, '10.2.0.0/16'],
      [true, '10.4.0.0/16'],
      [false, '10.4.0.0/16'],
    ]);
    expect(onChange).toHaveBeenCalledTimes(3);
  });
});

describe('again and again', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A source whose every request takes `takesMs`; `asked`: when its rounds began, in seconds from now. */
  function answered(trees: readonly (Tree | 'fails')[], { random = middle, takesMs = 0 } = {}) {
    const beganAtMs = Date.now();
    const asked: number[] = [];
    const deadlines: number[] = [];
    const onChange = vi.fn();
    const request: SendRequest = async ({ method, url, deadlineMs }): Promise<HttpReply> => {
      if (method === 'PUT') asked.push((Date.now() - beganAtMs) / 1000);
      deadlines.push(deadlineMs);
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(takesMs, deadlineMs)));
      if (takesMs > deadlineMs) throw new Error('no whole answer');
      const tree = trees[Math.min(asked.length, trees.length) - 1] ?? 'fails';
      if (tree === 'fails') throw new Error('the connection was refused');
      const text = method === 'PUT' ? TOKEN : tree[url.replace('http://imds.example', '')];
      return { status: text === undefined ? 404 : 200, headers: {}, body: text ?? '' };
    };
    const source = new ImdsSource({ request, endpoint: 'http://imds.example', clock, random, onChange });
    return { source, asked, deadlines, onChange };
  }

  test('every 10 minutes', async () => {
    const { source, asked } = answered([NODE]);
    await source.ask();
    await vi.advanceTimersByTimeAsync(1_800_000);
    expect(asked).toEqual([0, 600, 1200, 1800]);
  });

  test.each([
    [0, 480],
    [1, 720],
  ])('with jitter %d after %d s', async (random, seconds) => {
    const { source, asked } = answered([NODE], { random: () => random });
    await source.ask();
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(asked).toHaveLength(2);
  });

  test.each([0, 0.5, 1])('after a failure within a minute, with jitter %d', async (random) => {
    const { source, asked } = answered(['fails', NODE], { random: () => random });
    await source.ask();
    expect(source.seen.answer).toBeNull();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
    expect(cidrsOf(source)).toEqual(CIDRS);
  });

  test('a change is told, another order is none', async () => {
    const { source, onChange } = answered([
      withCidrs('10.0.0.0/16\n10.1.0.0/16'),
      withCidrs('10.1.0.0/16\n10.0.0.0/16\n10.0.0.0/16'),
      withCidrs('10.0.0.0/16'),
    ]);
    const told: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await source.ask();
      told.push(onChange.mock.calls.length);
    }
    source.stop();
    expect(told).toEqual([1, 1, 2]);
  });

  test('no request may take longer than 2 s, and all together no longer than 5 s', async () => {
    const { source, deadlines } = answered([NODE], { takesMs: 1_500 });
    const asking = source.ask();
    await vi.advanceTimersByTimeAsync(5_000);
    await asking;
    expect(deadlines).toEqual([2_000, 2_000, 2_000, 500]);
    expect(source.stage).toMatchObject({ success: false, durationSeconds: 5 });
    expect(source.seen.answer).toBeNull();
  });

  test('when the time is over nothing more is asked', async () => {
    const { source, deadlines } = answered([NODE], { takesMs: 1_000 });
    const asking = source.ask();
    await vi.advanceTimersByTimeAsync(5_000);
    await asking;
    expect(deadlines).toHaveLength(5);
    expect(source.stage?.error).toBe('IMDS is too slow: not everything was read in 5 s');
  });

  test('stopped, it asks no more', async () => {
    const { source, asked } = answered([NODE]);
    await source.ask();
    source.stop();
    await source.ask();
    await vi.advanceTimersByTimeAsync(1_800_000);
    expect(asked).toEqual([0]);
    expect(cidrsOf(source)).toEqual(CIDRS);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stopped while it asks, it hears no more', async () => {
    const { source, onChange } = answered([NODE], { takesMs: 100 });
    const asking = source.ask();
    source.stop();
    await vi.advanceTimersByTimeAsync(1_000);
    await asking;
    expect([source.seen.answer, source.stage]).toEqual([null, null]);
    expect(onChange).not.toHaveBeenCalled();
  });
});
