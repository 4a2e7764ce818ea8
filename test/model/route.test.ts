import { describe, expect, test } from 'vitest';
import { unasked } from '../../src/model/dns.ts';
import {
  currentXEnis,
  isGloballyReachable,
  isLoopback,
  type Knowledge,
  knowledgeOf,
  knownXEnis,
  routeOf,
  specialPurposeCovers,
  untrustedXEnis,
  xEniSources,
} from '../../src/model/route.ts';
import {
  address,
  dnsSeen,
  ENDPOINT,
  HOSTNAME,
  observation,
  range,
  settings,
} from '../support/observation.ts';

interface Facts {
  readonly xEnis?: readonly string[];
  readonly vpc?: readonly string[];
  readonly dns?: readonly string[] | null;
  readonly earlier?: readonly string[];
  readonly slice?: readonly string[] | null;
  readonly pinned?: readonly string[];
  readonly former?: readonly string[];
}

function known(facts: Facts): Knowledge {
  const { xEnis = [], vpc = [], slice = null, dns = null, earlier = [], pinned = [], former = [] } = facts;
  return {
    xEnis: xEnis.map(range),
    vpcCidrs: vpc.map(range),
    vpcFrom: 'config',
    slice: slice && { addresses: slice.map(address), port: 443 },
    dns: dns?.map(address) ?? null,
    earlier: earlier.map(address),
    pinned: pinned.map(address),
    former: former.map(address),
  };
}

describe('the route of a peer', () => {
  const vpc = ['192.168.0.0/16'];
  test.each<[string, string, Facts, string]>([
    ['a public address', '3.34.148.207', { vpc }, 'public'],
    ['a public address in the DNS answer', '3.34.148.207', { vpc, dns: ['3.34.148.207'] }, 'public'],
    ['an address of the VPC', '192.168.1.231', { vpc }, 'vpc'],
    ['an address of the VPC in the DNS answer', '192.168.1.231', { vpc, dns: ['192.168.1.231'] }, 'x-eni'],
    ['another address of the VPC than the answer', '192.168.1.232', { vpc, dns: ['192.168.1.231'] }, 'vpc'],
    ['a private answer while the VPC is not known', '192.168.1.231', { dns: ['192.168.1.231'] }, 'private'],
    ['a private answer outside the VPC (a tunnel)', '10.9.0.1', { vpc, dns: ['10.9.0.1'] }, 'private'],
    ['an address given as an X-ENI', '10.9.0.1', { xEnis: ['10.9.0.1'] }, 'x-eni'],
    ['an address in a subnet of X-ENIs', '192.168.5.9', { vpc, xEnis: ['192.168.5.0/28'] }, 'x-eni'],
    ['the address behind that subnet', '192.168.5.16', { vpc, xEnis: ['192.168.5.0/28'] }, 'vpc'],
    ['a VPC in 100.64/10', '100.64.3.4', { vpc: ['100.64.0.0/16'], dns: ['100.64.3.4'] }, 'x-eni'],
    ['100.64/10 that is not the VPC', '100.65.3.4', { vpc: ['100.64.0.0/16'] }, 'private'],
    ['the last address of 100.64/10', '100.127.255.255', {}, 'private'],
    ['the first address behind 100.64/10', '100.128.0.0', {}, 'public'],
    ['a VPC in 198.19/16', '198.19.0.7', { vpc: ['198.19.0.0/16'] }, 'vpc'],
    ['a VPC with a publicly routable range', '54.10.0.5', { vpc: ['54.10.0.0/16'] }, 'vpc'],
    ['its X-ENI by DNS', '54.10.0.5', { vpc: ['54.10.0.0/16'], dns: ['54.10.0.5'] }, 'x-eni'],
    ['its X-ENI as given', '54.10.0.5', { vpc: ['54.10.0.0/16'], xEnis: ['54.10.0.5'] }, 'x-eni'],
    ['a public "X-ENI" outside the VPC', '3.34.148.207', { vpc, xEnis: ['3.34.148.207'] }, 'public'],
    ['a public "X-ENI", VPC not known', '3.34.148.207', { xEnis: ['3.34.148.207'] }, 'public'],
    [
      'a public IPv4 "X-ENI", IPv6 CIDR known',
      '3.34.148.207',
      { vpc: ['2600:1f13::/56'], xEnis: ['3.34.148.207'] },
      'public',
    ],
    ['a v4-mapped public peer', '::ffff:3.34.148.207', { vpc }, 'public'],
    ['a v4-mapped X-ENI', '::ffff:192.168.1.231', { vpc, dns: ['192.168.1.231'] }, 'x-eni'],
    ['a public address behind NAT64', '64:ff9b::3.34.148.207', { vpc }, 'public'],
    ['a private address behind NAT64', '64:ff9b::10.0.0.1', { vpc }, 'private'],
    ['an X-ENI behind NAT64', '64:ff9b::192.168.1.231', { vpc, dns: ['192.168.1.231'] }, 'x-eni'],
    ['an X-ENI that DNS64 gives', '192.168.1.231', { vpc, dns: ['64:ff9b::c0a8:1e7'] }, 'x-eni'],
    ['a NAT64 prefix of the operator', '64:ff9b:1::3.34.148.207', { vpc }, 'private'],
    ['a global IPv6 address', '2600:1f13::5', {}, 'public'],
    ['a global IPv6 address of the VPC', '2600:1f13::5', { vpc: ['2600:1f13::/56'] }, 'vpc'],
    [
      'a global IPv6 X-ENI by DNS and VPC',
      '2600:1f13::5',
      { vpc: ['2600:1f13::/56'], dns: ['2600:1f13::5'] },
      'x-eni',
    ],
    ['a global IPv6 answer, VPC not known', '2600:1f13::5', { dns: ['2600:1f13::5'] }, 'public'],
    ['a global IPv6 answer, IPv4 CIDRs only', '2600:1f13::5', { vpc, dns: ['2600:1f13::5'] }, 'public'],
    ['a global IPv6 X-ENI as given, VPC not known', '2600:1f13::5', { xEnis: ['2600:1f13::5'] }, 'x-eni'],
    [
      'a global IPv6 X-ENI as given, IPv4 CIDRs only',
      '2600:1f13::5',
      { vpc, xEnis: ['2600:1f13::5'] },
      'x-eni',
    ],
    [
      'a global IPv6 "X-ENI" outside the VPC',
      '2600:1f14::5',
      { vpc: ['2600:1f13::/56'], xEnis: ['2600:1f14::5'] },
      'public',
    ],
    ['a unique local address', 'fd00::5', {}, 'private'],
    ['a unique local X-ENI as given', 'fd00::5', { xEnis: ['fd00::/64'] }, 'x-eni'],
    [
      'an address of the VPC in an earlier answer',
      '192.168.1.231',
      { vpc, earlier: ['192.168.1.231'] },
      'vpc',
    ],
    ['the endpoint itself, in the VPC', '192.168.1.231', { vpc, pinned: ['192.168.1.231'] }, 'vpc'],
    ['the endpoint itself, elsewhere', '10.9.0.1', { vpc, pinned: ['10.9.0.1'] }, 'private'],
    ['the endpoint itself, public', '3.34.148.207', { vpc, pinned: ['3.34.148.207'] }, 'public'],
    [
      'the endpoint itself, given as an X-ENI',
      '192.168.1.231',
      { xEnis: ['192.168.1.231'], pinned: ['192.168.1.231'] },
      'x-eni',
    ],
    // The slice: every address of it but those that lie.
    ['an address of the slice, VPC not known', '192.168.1.231', { slice: ['192.168.1.231'] }, 'x-eni'],
    ['an address of the slice outside the VPC', '10.9.0.1', { vpc, slice: ['10.9.0.1'] }, 'x-eni'],
    ['one in 100.64/10', '100.64.3.4', { vpc, slice: ['100.64.3.4'] }, 'x-eni'],
    ['a v4-mapped peer of it', '::ffff:192.168.1.231', { slice: ['192.168.1.231'] }, 'x-eni'],
    ['one that it holds behind NAT64', '192.168.1.231', { slice: ['64:ff9b::c0a8:1e7'] }, 'x-eni'],
    ['a public address in it, VPC not known', '3.34.148.207', { slice: ['3.34.148.207'] }, 'public'],
    [
      'a public address in it, behind NAT64',
      '64:ff9b::3.34.148.207',
      { slice: ['64:ff9b::3.34.148.207'] },
      'public',
    ],
    ['a public address in it outside the VPC', '3.34.148.207', { vpc, slice: ['3.34.148.207'] }, 'public'],
    [
      'a public IPv4 address in it, IPv6 CIDR known',
      '3.34.148.207',
      { vpc: ['2600:1f13::/56'], slice: ['3.34.148.207'] },
      'public',
    ],
    [
      'a publicly routable range of the VPC',
      '54.10.0.5',
      { vpc: ['54.10.0.0/16'], slice: ['54.10.0.5'] },
      'x-eni',
    ],
    ['a global IPv6 address in it, VPC not known', '2600:1f13::5', { slice: ['2600:1f13::5'] }, 'x-eni'],
    ['the same, IPv4 CIDRs known', '2600:1f13::5', { vpc, slice: ['2600:1f13::5'] }, 'x-eni'],
    ['the same, in the VPC', '2600:1f13::5', { vpc: ['2600:1f13::/56'], slice: ['2600:1f13::5'] }, 'x-eni'],
    [
      'the same, outside the VPC',
      '2600:1f14::5',
      { vpc: ['2600:1f13::/56'], slice: ['2600:1f14::5'] },
      'public',
    ],
    // DNS counts while the slice says nothing of the family.
    [
      'an answer that the slice does not hold',
      '192.168.1.231',
      { vpc, slice: ['192.168.1.9'], dns: ['192.168.1.231'] },
      'vpc',
    ],
    [
      'an answer while the slice holds a lie of its family',
      '192.168.1.231',
      { vpc, slice: ['3.34.148.207'], dns: ['192.168.1.231'] },
      'vpc',
    ],
    [
      'an answer while the slice is empty',
      '192.168.1.231',
      { vpc, slice: [], dns: ['192.168.1.231'] },
      'x-eni',
    ],
    [
      'an IPv4 answer while the slice holds IPv6',
      '192.168.1.231',
      { vpc, slice: ['2600:1f13::5'], dns: ['192.168.1.231'] },
      'x-eni',
    ],
    [
      'an IPv6 answer while the slice holds IPv4',
      '2600:1f13::5',
      { vpc: ['2600:1f13::/56'], slice: ['192.168.1.231'], dns: ['2600:1f13::5'] },
      'x-eni',
    ],
    [
      'an IPv6 answer while the slice holds others',
      '2600:1f13::5',
      { vpc: ['2600:1f13::/56'], slice: ['2600:1f13::6'], dns: ['2600:1f13::5'] },
      'vpc',
    ],
    [
      'an IPv4 answer behind NAT64 while the slice holds IPv4',
      '64:ff9b::192.168.1.231',
      { vpc, slice: ['192.168.1.9'], dns: ['64:ff9b::192.168.1.231'] },
      'vpc',
    ],
    [
      'an address given as an X-ENI, whatever the slice holds',
      '10.9.0.1',
      { vpc, slice: ['192.168.1.9'], xEnis: ['10.9.0.1'] },
      'x-eni',
    ],
    // What was an X-ENI is none.
    ['what was an X-ENI', '192.168.1.231', { vpc, former: ['192.168.1.231'] }, 'vpc'],
    ['what was an X-ENI, VPC not known', '192.168.1.231', { former: ['192.168.1.231'] }, 'private'],
    ['what was an IPv6 X-ENI', '2600:1f13::5', { former: ['2600:1f13::5'] }, 'public'],
    ['the second of several CIDRs', '100.64.1.1', { vpc: ['192.168.0.0/16', '100.64.0.0/16'] }, 'vpc'],
  ])('%s (%s)', (_, text, facts, route) => {
    expect(routeOf(address(text), known(facts))).toBe(route);
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '239.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '64:ff9b::169.254.1.1',
  ])('%s is no X-ENI, whatever source gives it', (text) => {
    const all = { xEnis: ['0.0.0.0/0', '::/0'], vpc: ['0.0.0.0/0', '::/0'], dns: [text] };
    for (const facts of [all, { ...all, slice: [text] }, { slice: [text] }]) {
      expect(xEniSources(address(text), known(facts))).toEqual([]);
      expect(routeOf(address(text), known(facts))).not.toBe('x-eni');
      expect(currentXEnis(known(facts))).toEqual([]);
    }
  });

  test('both sources of an X-ENI are named', () => {
    const both = known({ xEnis: ['192.168.1.0/24'], vpc: ['192.168.0.0/16'], dns: ['192.168.1.231'] });
    expect(xEniSources(address('192.168.1.231'), both)).toEqual(['config', 'dns']);
    expect(xEniSources(address('192.168.1.5'), both)).toEqual(['config']);
    expect(xEniSources(address('192.168.2.5'), both)).toEqual([]);
  });
});

describe('the X-ENIs that are known', () => {
  const vpc = ['192.168.0.0/16', '2600:1f13::/56'];
  test('with every source that names each', () => {
    const facts = known({
      vpc,
      slice: ['192.168.1.231', '3.34.148.207'],
      dns: ['192.168.1.231', '2600:1f13::5', '43.201.141.73'],
      xEnis: ['192.168.1.231', '10.9.0.1', '10.8.0.0/24'],
    });
    expect(knownXEnis(facts).map(({ address: { text }, sources }) => [text, sources])).toEqual([
      ['192.168.1.231', ['endpointslice', 'config']],
      ['2600:1f13::5', ['dns']],
      ['10.9.0.1', ['config']],
    ]);
  });

  test.each<[string, Facts, readonly string[]]>([
    ['the slice', { slice: ['192.168.1.231'], dns: ['192.168.1.9'], xEnis: ['10.9.0.1'] }, ['192.168.1.231']],
    ['else DNS', { dns: ['192.168.1.9'], xEnis: ['10.9.0.1'] }, ['192.168.1.9']],
    ['else single addresses that are given', { dns: ['3.34.148.207'], xEnis: ['10.9.0.1'] }, ['10.9.0.1']],
    ['and no subnets', { dns: ['3.34.148.207'], xEnis: ['10.9.0.0/24'] }, []],
    [
      'DNS: also what it gives in a subnet that is given',
      { dns: ['192.168.1.9', '10.9.0.1'], xEnis: ['10.9.0.0/24'] },
      ['192.168.1.9', '10.9.0.1'],
    ],
    [
      'of the slice only those that are X-ENIs',
      { slice: ['192.168.1.231', '3.34.148.207'] },
      ['192.168.1.231'],
    ],
    ['none, where all of the slice lies', { slice: ['3.34.148.207'], dns: ['192.168.1.9'] }, []],
    [
      'of each family for itself',
      { slice: ['2600:1f13::5'], dns: ['192.168.1.9', '2600:1f13::6'] },
      ['192.168.1.9', '2600:1f13::5'],
    ],
    ['not those of before', { former: ['192.168.1.231'], earlier: ['192.168.1.9'] }, []],
    ['not what the files of the node give', { pinned: ['192.168.1.231'] }, []],
  ])('that must be reached now: %s', (_, facts, expected) => {
    expect(currentXEnis(known({ vpc, ...facts })).map(({ text }) => text)).toEqual(expected);
  });
});

describe('what is known of addresses', () => {
  test('only the current DNS answer counts, not an earlier one', () => {
    const dns = { ...dnsSeen(['192.168.1.231']), earlier: [address('192.168.1.9')] };
    const facts = knowledgeOf(settings(), observation({ dns }));
    expect(facts.dns?.map(({ text }) => text)).toEqual(['192.168.1.231']);
    expect(routeOf(address('192.168.1.9'), facts)).toBe('vpc');
  });

  test('the slice counts however old it is, and an unread one is not an empty one', () => {
    const old = knowledgeOf(settings(), observation({ slice: ['192.168.1.231'], sliceAgeSeconds: 86_400 }));
    expect(old.slice?.addresses.map(({ text }) => text)).toEqual(['192.168.1.231']);
    expect(knowledgeOf(settings(), observation({ sliceUnread: true })).slice).toBeNull();
    expect(knowledgeOf(settings(), observation()).slice).toBeNull();
    expect(knowledgeOf(settings(), observation({ slice: [] })).slice?.addresses).toEqual([]);
  });

  test('VPC CIDRs are those that are given, else those of IMDS', () => {
    const look = observation({ imds: ['10.0.0.0/16'] });
    const texts = (vpcCidrs: readonly string[]) =>
      knowledgeOf(settings({ vpcCidrs: vpcCidrs.map(range) }), look).vpcCidrs.map(({ text }) => text);
    expect(texts([])).toEqual(['10.0.0.0/16']);
    expect(texts(['192.168.0.0/16'])).toEqual(['192.168.0.0/16']);
    expect(knowledgeOf(settings({ vpcCidrs: [] }), observation()).vpcCidrs).toEqual([]);
  });

  test('and it is known whose word they are: that of IMDS can grow old', () => {
    const look = observation({ imds: ['192.168.0.0/16'] });
    expect(knowledgeOf(settings(), look).vpcFrom).toBe('config');
    expect(knowledgeOf(settings({ vpcCidrs: [] }), look).vpcFrom).toBe('imds');
  });

  test('what the hosts file gives proves the endpoint, and no X-ENI', () => {
    const facts = knowledgeOf(settings(), observation({ hosts: ['192.168.1.231'] }));
    expect(facts.pinned.map(({ text }) => text)).toEqual(['192.168.1.231']);
    expect(routeOf(address('192.168.1.231'), facts)).toBe('vpc');
    expect(knowledgeOf(settings(), observation({ hosts: null })).pinned).toEqual([]);
  });

  test('no answer is not an empty answer', () => {
    expect(knowledgeOf(settings(), observation()).dns).toBeNull();
    expect(knowledgeOf(settings(), observation({ dns: unasked(HOSTNAME) })).dns).toBeNull();
  });

  test.each([
    ['an hour', 3600, ['192.168.1.231'], ['192.168.1.9']],
    ['more than an hour', 3600.001, null, ['192.168.1.231', '192.168.1.9']],
  ])('an answer is current for an hour: after %s', (_, seconds, current, earlier) => {
    const dns = { ...dnsSeen(['192.168.1.231']), earlier: [address('192.168.1.9')] };
    const facts = knowledgeOf(settings(), observation({ dns }, seconds));
    expect(facts.dns?.map(({ text }) => text) ?? null).toEqual(current);
    expect(facts.earlier.map(({ text }) => text)).toEqual(earlier);
    expect(routeOf(address('192.168.1.231'), facts)).toBe(current === null ? 'vpc' : 'x-eni');
  });

  test.each([
    [HOSTNAME, []],
    ['10.0.0.1', ['10.0.0.1']],
    ['2600:1f13::5', ['2600:1f13::5']],
    ['::ffff:10.0.0.1', ['10.0.0.1']],
  ])('the endpoint %s is these addresses: %j', (hostname, pinned) => {
    const facts = knowledgeOf(settings(), observation({ endpoint: { ...ENDPOINT, hostname } }));
    expect(facts.pinned.map(({ text }) => text)).toEqual(pinned);
    expect(facts.dns).toBeNull();
  });

  test('without an endpoint there is no address of it', () => {
    expect(knowledgeOf(settings(), observation({ endpoint: null })).pinned).toEqual([]);
  });
});

describe('what is given for X-ENIs and not taken for one', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['10.9.0.1', [], []],
    ['100.64.0.0/24', [], []],
    ['3.34.148.207', [], ['3.34.148.207']],
    ['54.10.0.0/24', ['54.10.0.0/16'], []],
    ['54.10.0.0/24', ['54.11.0.0/16'], ['54.10.0.0/24']],
    ['54.10.0.0/24', ['2600:1f13::/56'], ['54.10.0.0/24']],
    ['54.10.0.0/16', ['54.10.0.0/24'], ['54.10.0.0/16']],
    ['2600:1f13::5', [], []],
    ['2600:1f13::5', ['192.168.0.0/16'], []],
    ['2600:1f13::5', ['2600:1f13::/56'], []],
    ['2600:1f14::5', ['2600:1f13::/56'], ['2600:1f14::5']],
  ])('%s while the CIDRs of the VPC are %j: %j', (given, vpcCidrs, untrusted) => {
    const facts = { xEnis: [range(given)], vpcCidrs: vpcCidrs.map(range) };
    expect(untrustedXEnis(facts).map(({ text }) => text)).toEqual(untrusted);
  });
});

describe('IANA special-purpose registries', () => {
  test.each([
    ['8.8.8.8', true],
    ['9.255.255.255', true],
    ['10.0.0.0', false],
    ['10.255.255.255', false],
    ['11.0.0.0', true],
    ['172.15.255.255', true],
    ['172.16.0.0', false],
    ['172.31.255.255', false],
    ['172.32.0.0', true],
    ['192.0.0.8', false],
    ['192.0.0.9', true],
    ['192.0.0.10', true],
    ['192.0.0.170', false],
    ['192.0.1.0', true],
    ['192.0.2.1', false],
    ['192.31.196.1', true],
    ['192.52.193.1', true],
    ['192.88.99.1', true],
    ['192.169.0.0', true],
    ['192.175.48.1', true],
    ['198.17.255.255', true],
    ['198.18.0.0', false],
    ['198.19.255.255', false],
    ['198.20.0.0', true],
    ['198.51.100.1', false],
    ['203.0.113.1', false],
    ['224.0.0.1', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['2001:db8::1', false],
    ['2001::1', true],
    ['2001:2::1', false],
    ['2001:4:112::1', true],
    ['2001:1ff:ffff::', false],
    ['2001:200::', true],
    ['2002::1', true],
    ['2620:4f:8000::1', true],
    ['3fff::1', false],
    ['3fff:1000::', true],
    ['5f00::1', false],
    ['100::1', false],
    ['fbff::1', true],
    ['fc00::1', false],
    ['fdff::1', false],
    ['fe80::1', false],
    ['ff0e::1', false],
    ['64:ff9b::8.8.8.8', true],
    ['64:ff9b::10.1.1.1', false],
    ['::ffff:10.1.1.1', false],
    ['::ffff:8.8.8.8', true],
  ])('%s is globally reachable: %s', (text, reachable) => {
    expect(isGloballyReachable(address(text))).toBe(reachable);
  });

  test.each([
    ['10.0.0.0/8', true],
    ['10.1.0.0/16', true],
    ['8.0.0.0/6', false],
    ['100.64.0.0/10', true],
    ['100.0.0.0/8', false],
    ['192.0.0.0/24', false],
    ['192.0.0.0/29', true],
    ['54.10.0.0/16', false],
    ['0.0.0.0/0', false],
    ['fd00::/8', true],
    ['2001::/23', false],
    ['2600:1f13::/44', false],
    ['::/0', false],
  ])('%s lies wholly in a special-purpose block: %s', (text, covered) => {
    expect(specialPurposeCovers(range(text))).toBe(covered);
  });

  test.each([
    ['127.0.0.1', true],
    ['127.255.255.255', true],
    ['128.0.0.1', false],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['::2', false],
    ['::', false],
  ])('%s is loopback: %s', (text, loopback) => {
    expect(isLoopback(address(text))).toBe(loopback);
  });
});
