import { describe, expect, test } from 'vitest';
import { accessModeOf } from '../../src/model/access-mode.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import { ACCESS_MODES } from '../../src/model/status.ts';
import { dnsSeen, observation, range, type Seen, settings, Watch } from '../support/observation.ts';

const X_ENI = '192.168.1.231';
const PUBLIC = '3.34.148.207';
const OTHER_PUBLIC = '43.201.141.73';
const VPC = ['192.168.0.0/16'];

interface Case extends Omit<Seen, 'dns'> {
  readonly inside?: readonly string[];
  readonly insideAgeSeconds?: number;
  readonly outsideAgeSeconds?: number;
  readonly outsideServer?: string | readonly string[];
  readonly servers?: readonly string[];
  readonly vpc?: readonly string[];
}

function mode(given: Case): string {
  const {
    inside,
    insideAgeSeconds = 0,
    outside,
    outsideAgeSeconds = 0,
    outsideServer = '8.8.8.8',
    servers,
    vpc = VPC,
    ...seen
  } = given;
  const seconds = 10_000;
  const dns = inside === undefined ? null : dnsSeen(inside, seconds - insideAgeSeconds);
  const asked = dns && { ...dns, servers: servers ?? dns.servers };
  const look = {
    ...observation({ ...seen, dns: asked }, seconds),
    outsideDns:
      outside === undefined
        ? null
        : { ...dnsSeen(outside, seconds - outsideAgeSeconds), servers: [outsideServer].flat() },
  };
  return accessModeOf(look, knowledgeOf(settings({ vpcCidrs: vpc.map(range) }), look));
}

describe('the access mode', () => {
  test.each<[string, Case, string]>([
    ['X-ENIs inside, public outside', { inside: [X_ENI], outside: [PUBLIC] }, 'public-and-private'],
    ['X-ENIs inside and outside', { inside: [X_ENI], outside: [X_ENI] }, 'private'],
    ['public inside and outside', { inside: [PUBLIC], outside: [PUBLIC] }, 'public'],
    ['two public addresses each, others', { inside: [PUBLIC], outside: [OTHER_PUBLIC] }, 'public'],
    [
      'X-ENIs known from the slice alone',
      { inside: [X_ENI], outside: [PUBLIC], slice: [X_ENI], vpc: [] },
      'public-and-private',
    ],
    ['the same, private', { inside: [X_ENI], outside: [X_ENI], slice: [X_ENI], vpc: [] }, 'private'],
    [
      'an outside answer an hour old',
      { inside: [X_ENI], outside: [PUBLIC], outsideAgeSeconds: 3600 },
      'public-and-private',
    ],
  ])('%s', (_, given, expected) => {
    expect(mode(given)).toBe(expected);
  });
});

describe('the access mode is unknown', () => {
  test.each<[string, Case]>([
    ['without an outside resolver, X-ENIs inside', { inside: [X_ENI] }],
    ['without an outside resolver, public inside', { inside: [PUBLIC] }],
    ['without an answer inside', { outside: [PUBLIC] }],
    [
      'while the answer inside is older than an hour',
      { inside: [X_ENI], outside: [PUBLIC], insideAgeSeconds: 3601 },
    ],
    ['while the answer outside is', { inside: [X_ENI], outside: [PUBLIC], outsideAgeSeconds: 3601 }],
    ['where inside is mixed', { inside: [X_ENI, PUBLIC], outside: [PUBLIC] }],
    ['where outside is mixed', { inside: [X_ENI], outside: [X_ENI, PUBLIC] }],
    ['where inside is private and not known as an X-ENI', { inside: ['10.9.0.1'], outside: [PUBLIC] }],
    ['where outside is', { inside: [X_ENI], outside: ['10.9.0.1'] }],
    [
      'where inside is in the VPC and not in the slice',
      { inside: ['192.168.7.7'], outside: [PUBLIC], slice: [X_ENI] },
    ],
    [
      'where inside is public and outside is not: split the other way',
      { inside: [PUBLIC], outside: [X_ENI], slice: [X_ENI] },
    ],
    [
      'where the outside resolver is the VPC: it is not outside',
      { inside: [X_ENI], outside: [X_ENI], outsideServer: '192.168.0.2' },
    ],
    [
      'the same by its other address',
      { inside: [PUBLIC], outside: [PUBLIC], outsideServer: '169.254.169.253' },
    ],
    [
      'where the outside resolver may be the VPC: its CIDRs are not known',
      { inside: [X_ENI], outside: [X_ENI], slice: [X_ENI], vpc: [], outsideServer: '10.0.0.2' },
    ],
    // Not globally reachable, and not in the VPC either: a peered network's, a company's, the machine's own.
    ...[
      '10.0.0.2',
      '172.16.0.2',
      '100.64.0.2',
      '127.0.0.53',
      '169.254.20.10',
      '::1',
      'fd00:10::a',
      'fe80::1',
    ].map((outsideServer): [string, Case] => [
      `where the outside resolver is ${outsideServer}`,
      { inside: [X_ENI], outside: [X_ENI], outsideServer },
    ]),
    [
      'where the outside resolver has a public address of the VPC',
      { inside: [X_ENI], outside: [X_ENI], outsideServer: '8.8.8.8', vpc: [...VPC, '8.8.8.0/24'] },
    ],
    [
      'the same by IPv6',
      {
        inside: [X_ENI],
        outside: [X_ENI],
        outsideServer: '[2600:1f13::53]:53',
        vpc: [...VPC, '2600:1f13::/56'],
      },
    ],
    [
      'where the outside resolver is no address',
      { inside: [X_ENI], outside: [PUBLIC], outsideServer: 'dns.example' },
    ],
    [
      'public both, systemd-resolved is asked, and asks another than the VPC',
      { inside: [PUBLIC], outside: [PUBLIC], servers: ['127.0.0.53'], resolvers: ['10.0.0.2'] },
    ],
    [
      'public both, systemd-resolved is asked, and whom it asks is not known',
      { inside: [PUBLIC], outside: [PUBLIC], servers: ['127.0.0.53'], nodeConfig: null },
    ],
    ['public both, VPC CIDRs not known', { inside: [PUBLIC], outside: [PUBLIC], vpc: [] }],
    [
      'the same, and the resolver of every VPC is asked',
      { inside: [PUBLIC], outside: [PUBLIC], vpc: [], servers: ['169.254.169.253'] },
    ],
    ['public both, no resolver is known', { inside: [PUBLIC], outside: [PUBLIC], servers: [] }],
    ['public both, another resolver is asked', { inside: [PUBLIC], outside: [PUBLIC], servers: ['8.8.8.8'] }],
    [
      'public both, another resolver is asked too',
      { inside: [PUBLIC], outside: [PUBLIC], servers: ['192.168.0.2', '10.0.0.2'] },
    ],
    [
      'public both, what is asked is no address',
      { inside: [PUBLIC], outside: [PUBLIC], servers: ['resolver'] },
    ],
  ])('%s', (_, given) => {
    expect(mode(given)).toBe('unknown');
  });
});

test.each(['192.168.0.2', '192.168.0.2:53', '169.254.169.253', 'fd00:ec2::253', '[fd00:ec2::253]:53'])(
  'public takes the word of the resolver of the VPC: %s',
  (server) => {
    expect(mode({ inside: [PUBLIC], outside: [PUBLIC], servers: [server] })).toBe('public');
  },
);

test('behind systemd-resolved the resolvers count that it asks', () => {
  const servers = ['127.0.0.53'];
  expect(mode({ inside: [PUBLIC], outside: [PUBLIC], servers, resolvers: ['192.168.0.2'] })).toBe('public');
});

test.each(['8.8.8.8', '8.8.8.8:53', '2001:4860:4860::8888', '[2001:4860:4860::8888]:53'])(
  'outside is whoever is globally reachable and not in the VPC: %s',
  (outsideServer) => {
    const vpc = [...VPC, '8.8.4.0/24', '2600:1f13::/56'];
    expect(mode({ inside: [X_ENI], outside: [PUBLIC], outsideServer, vpc })).toBe('public-and-private');
  },
);

test('one resolver of several that is not outside is one too many', () => {
  const outsideServer = ['8.8.8.8', '10.0.0.2'];
  expect(mode({ inside: [X_ENI], outside: [X_ENI], outsideServer })).toBe('unknown');
});

test('X-ENIs inside need no resolver of the VPC: they prove it', () => {
  const servers = ['8.8.8.8'];
  expect(mode({ inside: [X_ENI], outside: [PUBLIC], servers })).toBe('public-and-private');
  expect(mode({ inside: [X_ENI], outside: [X_ENI], servers })).toBe('private');
});

test('a node status says it', () => {
  const watch = new Watch();
  expect(watch.look({ dns: [X_ENI], outside: [PUBLIC] }).accessMode).toBe('public-and-private');
  expect(watch.look({ outside: [X_ENI] }).accessMode).toBe('private');
  expect(watch.look({}).accessMode).toBe('unknown');
  expect(ACCESS_MODES).toContain('unknown');
});
