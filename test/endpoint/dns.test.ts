import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DnsSource, type Resolution, type Resolve, systemResolver } from '../../src/endpoint/dns.ts';
import type { Clock } from '../../src/model/observation.ts';
import { type DnsServerAnswer, startDnsServer } from '../support/dns-server.ts';

const NAME = 'ABC.gr7.eu-west-1.eks.amazonaws.com';
const SERVERS = ['192.168.0.2'];
const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: Date.now() - 1_000_000 });

function answer(ttl: number, ...addresses: readonly string[]): Resolution {
  return { servers: SERVERS, records: addresses.map((address) => ({ address, ttl })) };
}

const TIMEOUT: Resolution = {
  servers: SERVERS,
  failure: 'timeout',
  error: 'the resolver did not answer in time',
};

/** A resolver that ends each lookup as told, in turn; the last way again and again. */
class FakeResolver {
  readonly asked: string[] = [];
  readonly #results: Resolution[];

  constructor(...results: Resolution[]) {
    this.#results = results;
  }

  readonly resolve: Resolve = async (hostname) => {
    this.asked.push(hostname);
    const [result = TIMEOUT, ...later] = this.#results;
    if (later.length > 0) this.#results.shift();
    return result;
  };
}

/** A resolver whose lookups end when the test says so. */
class HeldResolver {
  readonly asked: string[] = [];
  readonly #ends: ((resolution: Resolution) => void)[] = [];

  readonly resolve: Resolve = (hostname) => {
    this.asked.push(hostname);
    return new Promise((resolve) => {
      this.#ends.push(resolve);
    });
  };

  async end(index: number, resolution: Resolution): Promise<void> {
    this.#ends[index]?.(resolution);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function addressesOf({ seen }: DnsSource): readonly string[] | undefined {
  return seen?.answer?.addresses.map(({ text }) => text);
}

describe('asking again and again', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A source that follows the name, with its first lookup ended. */
  async function following(
    ...results: Resolution[]
  ): Promise<{ source: DnsSource; asked: readonly string[] }> {
    const { resolve, asked } = new FakeResolver(...results);
    const source = new DnsSource({ resolve, clock });
    source.follow(NAME);
    await vi.advanceTimersByTimeAsync(0);
    return { source, asked };
  }

  test('nothing is asked before the name is known', async () => {
    const { resolve, asked } = new FakeResolver();
    const source = new DnsSource({ resolve, clock });
    await source.ask();
    expect([source.seen, source.stage, asked]).toEqual([null, null, []]);
  });

  test('the name is asked for at once, and what was answered is kept', async () => {
    const { source, asked } = await following(answer(60, '3.34.148.207', '43.201.141.73'));
    expect(asked).toEqual([NAME]);
    expect(addressesOf(source)).toEqual(['3.34.148.207', '43.201.141.73']);
    expect(source.seen).toMatchObject({
      success: true,
      lookups: 1,
      servers: SERVERS,
      answer: { ttlSeconds: 60 },
    });
    expect(source.stage).toMatchObject({ stage: 'dns', success: true, error: null });
  });

  test.each([
    ['60 s, as EKS gives it', 60, 60],
    ['none: a second', 0, 1],
    ['a second', 1, 1],
    ['five minutes', 300, 300],
    ['a day: five minutes', 86_400, 300],
  ])('the TTL is %s', async (_, ttl, seconds) => {
    const { asked } = await following(answer(ttl, '3.34.148.207'));
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    expect(asked).toHaveLength(3);
  });

  test('the shortest TTL of the records counts', async () => {
    const records = [
      { address: '3.34.148.207', ttl: 60 },
      { address: '43.201.141.73', ttl: 7 },
    ];
    const { source, asked } = await following({ servers: SERVERS, records });
    expect(source.seen?.answer?.ttlSeconds).toBe(7);
    await vi.advanceTimersByTimeAsync(7_000);
    expect(asked).toHaveLength(2);
  });

  test('an address that is given twice counts once', async () => {
    const { source } = await following(answer(60, '3.34.148.207', '::ffff:3.34.148.207'));
    expect(addressesOf(source)).toEqual(['3.34.148.207']);
  });

  test('after a failure it is asked again within 5 s, for as long as it takes', async () => {
    const { source, asked } = await following(TIMEOUT);
    expect(source.seen).toMatchObject({ success: false, answer: null, error: TIMEOUT.error });
    expect(source.stage).toMatchObject({ success: false, error: TIMEOUT.error });
    for (const lookups of [2, 3, 4]) {
      await vi.advanceTimersByTimeAsync(5_000);
      expect(asked.length).toBeGreaterThanOrEqual(lookups);
    }
    expect(asked.length).toBeLessThan(20);
  });

  test('a failure keeps the last answer, and the next answer ends it', async () => {
    const { source } = await following(answer(10, '3.34.148.207'), TIMEOUT, answer(10, '192.168.1.231'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.seen).toMatchObject({ success: false, failures: { timeout: 1 } });
    expect(addressesOf(source)).toEqual(['3.34.148.207']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(source.seen).toMatchObject({ success: true, error: null, changes: 1, failures: { timeout: 1 } });
    expect(addressesOf(source)).toEqual(['192.168.1.231']);
  });

  test('an answer without addresses is a failure', async () => {
    const { source } = await following(answer(10, '3.34.148.207'), answer(60));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.seen).toMatchObject({ success: false, failures: { 'no-addresses': 1 } });
    expect(addressesOf(source)).toEqual(['3.34.148.207']);
  });

  test('an answer that holds no address is a failure as a whole', async () => {
    const { source } = await following(answer(60, '3.34.148.207', 'localhost'));
    expect(source.seen).toMatchObject({ success: false, answer: null, failures: { other: 1 } });
    expect(source.seen?.error).toContain('"localhost"');
  });

  test('a resolver that rejects is a failure like any other', async () => {
    const source = new DnsSource({ resolve: () => Promise.reject(new Error('out of sockets')), clock });
    source.follow(NAME);
    await expect(source.ask()).resolves.toBeUndefined();
    expect(source.seen).toMatchObject({ success: false, error: 'out of sockets', failures: { other: 1 } });
  });

  test('who asks while a lookup is under way joins it', async () => {
    const held = new HeldResolver();
    const source = new DnsSource({ resolve: held.resolve, clock });
    source.follow(NAME);
    const asking = [source.ask(), source.ask()];
    expect(held.asked).toHaveLength(1);
    await held.end(0, answer(60, '3.34.148.207'));
    await Promise.all(asking);
    expect(source.seen?.lookups).toBe(1);
  });

  test('who asks in between starts one, and the next by itself counts from there', async () => {
    const { source, asked } = await following(answer(60, '3.34.148.207'));
    await vi.advanceTimersByTimeAsync(59_000);
    await source.ask();
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toHaveLength(3);
  });

  test('a lookup is timed', async () => {
    const held = new HeldResolver();
    const source = new DnsSource({ resolve: held.resolve, clock });
    source.follow(NAME);
    await vi.advanceTimersByTimeAsync(250);
    await held.end(0, answer(60, '3.34.148.207'));
    expect(source.seen).toMatchObject({ durationSeconds: 0.25, failingSince: null });
    expect(source.stage?.durationSeconds).toBe(0.25);
    expect(source.seen?.answer?.at).toEqual(clock());
  });

  test('the same name again, in whatever case, changes nothing', async () => {
    const { source, asked } = await following(answer(60, '3.34.148.207'));
    source.follow(NAME);
    source.follow(NAME.toLowerCase());
    expect(asked).toHaveLength(1);
    expect(addressesOf(source)).toEqual(['3.34.148.207']);
  });

  test('another name forgets the one before, and only it is asked for', async () => {
    const { source, asked } = await following(answer(60, '3.34.148.207'), answer(60, '192.168.1.231'));
    source.follow('other.example');
    expect(source.seen).toMatchObject({ hostname: 'other.example', answer: null, lookups: 0, earlier: [] });
    expect(source.stage).toBeNull();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual([NAME, 'other.example', 'other.example']);
    expect(source.seen).toMatchObject({ changes: 0, changedAt: null, earlier: [] });
  });

  test.each(['10.0.0.1', '2600:1f13::5', '::ffff:10.0.0.1'])(
    'the address %s is no name: it is not asked for, and the name before it no more',
    async (address) => {
      const { source, asked } = await following(answer(60, '3.34.148.207'));
      source.follow(address);
      expect([source.seen, source.stage]).toEqual([null, null]);
      await source.ask();
      await vi.advanceTimersByTimeAsync(600_000);
      expect([source.seen, source.stage]).toEqual([null, null]);
      expect(asked).toEqual([NAME]);
      expect(vi.getTimerCount()).toBe(0);
      source.follow(NAME);
      expect(asked).toEqual([NAME, NAME]);
      source.stop();
    },
  );

  test('an answer that comes when an address is followed belongs to nobody', async () => {
    const held = new HeldResolver();
    const source = new DnsSource({ resolve: held.resolve, clock });
    source.follow(NAME);
    source.follow('10.0.0.1');
    await held.end(0, answer(60, '3.34.148.207'));
    expect(source.seen).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('failures in a row are as old as the first of them, and an answer ends them', async () => {
    const { source } = await following(
      answer(1, '3.34.148.207'),
      TIMEOUT,
      TIMEOUT,
      answer(60, '3.34.148.207'),
    );
    expect(source.seen?.failingSince).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    const failedAt = clock();
    expect(source.seen).toMatchObject({ success: false, failingSince: failedAt });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(source.seen).toMatchObject({ lookups: 3, failingSince: failedAt });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(source.seen).toMatchObject({ success: true, failingSince: null });
  });

  test('an answer for the name before comes too late', async () => {
    const held = new HeldResolver();
    const source = new DnsSource({ resolve: held.resolve, clock });
    source.follow(NAME);
    source.follow('other.example');
    expect(held.asked).toEqual([NAME, 'other.example']);
    await held.end(0, answer(60, '3.34.148.207'));
    expect(source.seen).toMatchObject({ hostname: 'other.example', answer: null });
    await held.end(1, answer(60, '192.168.1.231'));
    expect(addressesOf(source)).toEqual(['192.168.1.231']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(held.asked).toEqual([NAME, 'other.example', 'other.example']);
  });

  test('stopped, it asks no more', async () => {
    const { source, asked } = await following(answer(1, '3.34.148.207'));
    source.stop();
    await source.ask();
    source.follow('other.example');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(1);
    expect(addressesOf(source)).toEqual(['3.34.148.207']);
  });

  test('stopped during a lookup, it does not ask again', async () => {
    const held = new HeldResolver();
    const source = new DnsSource({ resolve: held.resolve, clock });
    source.follow(NAME);
    source.stop();
    await held.end(0, TIMEOUT);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(held.asked).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the resolver of the system, against a real server', () => {
  const A = [
    { address: '3.34.148.207', ttl: 60 },
    { address: '43.201.141.73', ttl: 42 },
  ];
  const AAAA = [{ address: '2600:1f13::5', ttl: 30 }];

  async function resolving(a: DnsServerAnswer, aaaa: DnsServerAnswer): Promise<Resolution> {
    const { address } = await startDnsServer({ A: a, AAAA: aaaa });
    const resolution = await systemResolver([address])(NAME);
    expect(resolution.servers).toEqual([address]);
    return resolution;
  }

  test.each<[string, DnsServerAnswer, DnsServerAnswer, readonly { address: string; ttl: number }[]]>([
    ['both families', A, AAAA, [...A, ...AAAA]],
    ['IPv4, and no IPv6 records', A, [], A],
    ['IPv6, and no IPv4 records', [], AAAA, AAAA],
    ['IPv4, and "no such name" for IPv6', A, 'nxdomain', A],
    ['IPv6, and "no such name" for IPv4', 'nxdomain', AAAA, AAAA],
    ['a TTL of 0', [{ address: '3.34.148.207', ttl: 0 }], [], [{ address: '3.34.148.207', ttl: 0 }]],
    ['no records of either family', [], [], []],
  ])('an answer with %s is complete', async (_, a, aaaa, records) => {
    const resolution = await resolving(a, aaaa);
    expect(
      'records' in resolution && resolution.records.map(({ address, ttl }) => ({ address, ttl })),
    ).toEqual(records);
  });

  test.each<[string, DnsServerAnswer, DnsServerAnswer, string]>([
    ['no such name', 'nxdomain', 'nxdomain', 'nxdomain'],
    ['both families fail', 'servfail', 'servfail', 'servfail'],
    ['both families are refused', 'refused', 'refused', 'refused'],
    ['IPv6 fails: half an answer', A, 'servfail', 'servfail'],
    ['IPv4 fails: half an answer', 'servfail', AAAA, 'servfail'],
    ['IPv6 is refused: half an answer', A, 'refused', 'refused'],
    ['IPv4 is refused, and there are no IPv6 records', 'refused', [], 'refused'],
  ])('%s', async (_, a, aaaa, failure) => {
    expect(await resolving(a, aaaa)).toMatchObject({ failure, error: expect.stringMatching(/[^.]$/) });
  });

  test('one family is met with silence: half an answer, within the deadline', async () => {
    const server = await startDnsServer({ A, AAAA: 'silence' });
    expect(await systemResolver([server.address])(NAME)).toMatchObject({ failure: 'timeout' });
    const retries = server.questions.filter((question) => question === `AAAA ${NAME.toLowerCase()}`);
    expect(retries.length).toBeGreaterThan(1);
  }, 10_000);

  test('nobody is there', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const nobody = `127.0.0.1:${socket.address().port}`;
    socket.close();
    expect(await systemResolver([nobody])(NAME)).toMatchObject({ failure: 'refused' });
  });

  test('asks for the name as it stands, both families, once', async () => {
    const server = await startDnsServer({ A, AAAA });
    await systemResolver([server.address])(NAME);
    const name = NAME.toLowerCase();
    expect(server.questions.toSorted()).toEqual([`A ${name}`, `AAAA ${name}`]);
  });

  test('a flip shows in the next lookup', async () => {
    const server = await startDnsServer({ A, AAAA: [] });
    const resolve = systemResolver([server.address]);
    await resolve(NAME);
    server.answers = { A: [{ address: '192.168.1.231', ttl: 60 }], AAAA: [] };
    expect(await resolve(NAME)).toMatchObject({ records: [{ address: '192.168.1.231', ttl: 60 }] });
  });

  test('the hosts file is passed by', async () => {
    const server = await startDnsServer({ A, AAAA: [] });
    expect(await systemResolver([server.address])('localhost')).toMatchObject({ records: A });
    expect(server.questions).toContain('A localhost');
  });

  test('servers that are none are a failure of the lookup, not of the agent', async () => {
    const source = new DnsSource({ resolve: systemResolver(['not a server']), clock });
    source.follow(NAME);
    await source.ask();
    source.stop();
    expect(source.seen).toMatchObject({ success: false, failures: { other: 1 } });
  });

  test('end to end: what the server says is what the source has seen', async () => {
    const server = await startDnsServer({ A, AAAA });
    const source = new DnsSource({ resolve: systemResolver([server.address]), clock });
    source.follow(NAME);
    await source.ask();
    source.stop();
    expect(addressesOf(source)).toEqual(['3.34.148.207', '43.201.141.73', '2600:1f13::5']);
    expect(source.seen).toMatchObject({
      success: true,
      servers: [server.address],
      answer: { ttlSeconds: 30 },
    });
  });
});
