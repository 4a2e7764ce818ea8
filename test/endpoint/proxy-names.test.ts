import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Resolution, Resolve } from '../../src/endpoint/dns.ts';
import { ProxyNames } from '../../src/endpoint/proxy-names.ts';
import { moment } from '../support/observation.ts';

/** Answers as told by now; without an answer the lookup fails. */
class FakeDns {
  readonly asked: string[] = [];
  readonly answers = new Map<string, readonly string[]>();

  readonly resolve: Resolve = async (hostname): Promise<Resolution> => {
    this.asked.push(hostname);
    const addresses = this.answers.get(hostname);
    return addresses === undefined
      ? { servers: [], failure: 'servfail', error: 'the resolver failed (ESERVFAIL)' }
      : { servers: [], records: addresses.map((address) => ({ address, ttl: 60 })) };
  };
}

let dns: FakeDns;
let names: ProxyNames;

beforeEach(() => {
  vi.useFakeTimers();
  dns = new FakeDns();
  names = new ProxyNames({
    resolve: dns.resolve,
    clock: () => moment(0),
  });
});
afterEach(() => {
  names.stop();
  vi.useRealTimers();
});

function textsOf(host: string): readonly string[] {
  return names.addressesOf(host).addresses.map(({ text }) => text);
}

describe('the addresses of a proxy', () => {
  test('that is an address need no DNS', async () => {
    names.follow(['10.0.0.1', '2001:db8::1']);
    await names.asked();
    expect(dns.asked).toEqual([]);
    expect(textsOf('10.0.0.1')).toEqual(['10.0.0.1']);
    expect(names.addressesOf('2001:DB8::1')).toMatchObject({
      addresses: [{ text: '2001:db8::1' }],
      error: null,
    });
  });

  test('are those of DNS, in whatever case it is written', async () => {
    dns.answers.set('proxy', ['10.0.0.1', '10.0.0.2']);
    names.follow(['Proxy', 'PROXY']);
    expect(names.addressesOf('proxy')).toEqual({
      addresses: [],
      error: 'Cannot resolve the proxy "proxy": DNS has not answered yet',
    });
    await names.asked();
    expect(dns.asked).toEqual(['proxy']);
    expect(textsOf('proxY')).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(names.addressesOf('proxy').error).toBeNull();
  });

  test('are the earlier ones too: a connection outlives an answer', async () => {
    dns.answers.set('proxy', ['10.0.0.1']);
    names.follow(['proxy']);
    await names.asked();
    dns.answers.set('proxy', ['10.0.0.2']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(textsOf('proxy')).toEqual(['10.0.0.2', '10.0.0.1']);
  });

  test('stay while DNS fails', async () => {
    dns.answers.set('proxy', ['10.0.0.1']);
    names.follow(['proxy']);
    await names.asked();
    dns.answers.clear();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dns.asked).toHaveLength(2);
    expect(names.addressesOf('proxy')).toMatchObject({ addresses: [{ text: '10.0.0.1' }], error: null });
  });

  test('are not known while DNS has always failed: the reason says so', async () => {
    names.follow(['proxy']);
    await names.asked();
    expect(names.addressesOf('proxy')).toEqual({
      addresses: [],
      error: 'Cannot resolve the proxy "proxy": the resolver failed (ESERVFAIL)',
    });
  });

  test('are asked for of four names, and the others say so', async () => {
    const hosts = ['a', 'b', 'c', 'd', 'e'];
    for (const host of hosts) dns.answers.set(host, ['10.0.0.1']);
    names.follow(hosts);
    await names.asked();
    expect(dns.asked).toEqual(['a', 'b', 'c', 'd']);
    expect(names.addressesOf('e')).toEqual({
      addresses: [],
      error: 'Cannot resolve the proxy "e": more than 4 proxies have names',
    });
    names.follow(['e', 'd']);
    await names.asked();
    expect(dns.asked).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(textsOf('e')).toEqual(['10.0.0.1']);
  });
});

describe('names that are not followed any more', () => {
  test('are not asked for, and forgotten', async () => {
    dns.answers.set('a', ['10.0.0.1']).set('b', ['10.0.0.2']);
    names.follow(['a', 'b']);
    await names.asked();
    names.follow(['b']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dns.asked).toEqual(['a', 'b', 'b']);
    expect(textsOf('a')).toEqual([]);
    names.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(dns.asked).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});
