import { describe, expect, test } from 'vitest';
import { knowledgeOf } from '../../src/model/route.ts';
import type { Settings } from '../../src/model/settings.ts';
import { agentObstacle, MAX_PROBED, xEnisObstacle } from '../../src/model/x-enis-known.ts';
import { dnsSeen, moment, observation, range, type Seen, settings } from '../support/observation.ts';

const X_ENI = '192.168.1.231';
const SECOND = '192.168.1.121';
const PUBLIC = '3.34.148.207';
const V6 = '2600:1f13::a';
const V6_ELSEWHERE = '2600:1f99::1';
const VPC = ['192.168.0.0/16', '2600:1f13::/56'];
const NOW = 10_000;

/** What differs from a node of which slice and DNS say the same X-ENI. */
interface Case extends Omit<Seen, 'dns'> {
  /** Null: never answered. */
  readonly dns?: readonly string[] | null;
  readonly dnsAgeSeconds?: number;
  readonly imdsAgeSeconds?: number;
  /** Given by the operator; without them those of IMDS count. */
  readonly vpc?: readonly string[];
  readonly xEnis?: readonly string[];
}

function obstacle(given: Case): string | null {
  const { dns = [X_ENI], dnsAgeSeconds = 0, imdsAgeSeconds = 0, vpc = VPC, xEnis = [], ...seen } = given;
  const overrides: Partial<Settings> = { vpcCidrs: vpc.map(range), xEnis: xEnis.map(range) };
  const seenDns = dnsSeen(dns ?? [], NOW - dnsAgeSeconds);
  const answer = dns === null ? null : seenDns.answer;
  const look = observation({ slice: [X_ENI], ...seen, dns: { ...seenDns, answer } }, NOW);
  const { imds } = look;
  const aged = {
    ...look,
    imds: imds?.answer ? { answer: { ...imds.answer, at: moment(NOW - imdsAgeSeconds) } } : imds,
  };
  return xEnisObstacle(aged, knowledgeOf(settings(overrides), aged));
}

function many(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `192.168.4.${index + 1}`);
}

describe('it is known which X-ENIs there are', () => {
  test.each<[string, Case]>([
    ['where slice and DNS say the same', {}],
    ['where DNS is public and the slice names them', { dns: [PUBLIC] }],
    ['where DNS names some of those of the slice', { slice: [X_ENI, SECOND] }],
    ['by DNS alone within the VPC', { slice: null }],
    [
      'by DNS alone while the slice cannot be read',
      { slice: null, sliceUnread: true, sliceFailingSeconds: 600 },
    ],
    ['by DNS alone where the slice is empty', { slice: [] }],
    [
      'by single addresses of --x-eni, while DNS is public',
      { slice: null, dns: [PUBLIC], xEnis: ['10.9.0.1'] },
    ],
    ['by a subnet of --x-eni to which DNS leads', { slice: null, dns: ['10.9.0.5'], xEnis: ['10.9.0.0/24'] }],
    ['where --x-eni holds what DNS gives beside the slice', { dns: [X_ENI, SECOND], xEnis: [SECOND] }],
    ['of both families', { slice: [X_ENI, V6], dns: [X_ENI, V6] }],
    ['of IPv6 by DNS, of IPv4 by the slice', { dns: [X_ENI, V6] }],
    ['of a family that DNS does not give', { slice: [X_ENI, V6] }],
    ['by a slice of 15 minutes ago', { sliceAgeSeconds: 900 }],
    ['by an answer of three TTLs ago', { dnsAgeSeconds: 180 }],
    ['where there are as many as are probed', { slice: many(MAX_PROBED), dns: many(2) }],
    ['by CIDRs of IMDS of 30 minutes ago', { slice: null, vpc: [], imds: VPC, imdsAgeSeconds: 1800 }],
    ['by older ones, where the slice names it too', { vpc: [], imds: VPC, imdsAgeSeconds: 86_400 }],
    [
      'by older ones, where --x-eni names it too',
      { slice: null, vpc: [], imds: VPC, imdsAgeSeconds: 86_400, xEnis: [X_ENI] },
    ],
    ['by CIDRs that were given, however old IMDS is', { slice: null, imds: VPC, imdsAgeSeconds: 86_400 }],
  ])('%s', (_, given) => {
    expect(obstacle(given)).toBeNull();
  });
});

describe('it is not known', () => {
  test.each<[string, Case, string]>([
    // The slice
    [
      'by an older slice',
      { sliceAgeSeconds: 900.001 },
      'the EndpointSlice was last read 15 min ago: its X-ENIs may have been replaced',
    ],
    [
      'while the slice names a public address outside the VPC',
      { slice: [X_ENI, PUBLIC] },
      `the EndpointSlice names ${PUBLIC}, a public address that is not taken for an X-ENI`,
    ],
    [
      'though the VPC is not known at all',
      { slice: [X_ENI, PUBLIC], vpc: [] },
      `the EndpointSlice names ${PUBLIC}, a public address that is not taken for an X-ENI`,
    ],
    [
      'while it names a global IPv6 address outside the VPC',
      { slice: [X_ENI, V6_ELSEWHERE] },
      `the EndpointSlice names ${V6_ELSEWHERE}, a public address that is not taken for an X-ENI`,
    ],
    [
      'while it names a link-local address: that is private',
      { slice: ['169.254.1.1'] },
      'the EndpointSlice names 169.254.1.1, a private address that is not taken for an X-ENI',
    ],
    [
      'while it names a loopback address within what is given for the VPC',
      { slice: [X_ENI, '127.0.0.1'], vpc: [...VPC, '127.0.0.0/16'] },
      'the EndpointSlice names 127.0.0.1, a vpc address that is not taken for an X-ENI',
    ],
    // DNS
    [
      'while DNS has never answered',
      { dns: null },
      'DNS does not say of which address families X-ENIs are needed: it gives no current answer',
    ],
    [
      'while its answer is too old',
      { dnsAgeSeconds: 180.001 },
      'DNS does not say of which address families X-ENIs are needed: it gives no current answer',
    ],
    [
      'while its answer is more than an hour old',
      { dnsAgeSeconds: 3601 },
      'DNS does not say of which address families X-ENIs are needed: it gives no current answer',
    ],
    ['where DNS needs IPv6 and none is known', { dns: [X_ENI, V6_ELSEWHERE] }, 'no X-ENI is known (IPv6)'],
    [
      'where DNS is public and nothing else is known',
      { slice: null, dns: [PUBLIC] },
      'no X-ENI is known (IPv4)',
    ],
    ['where DNS leads out of the VPC', { slice: null, dns: ['10.9.0.1'] }, 'no X-ENI is known (IPv4)'],
    ['where the VPC is not known', { slice: null, vpc: [] }, 'no X-ENI is known (IPv4)'],
    [
      'by a subnet of --x-eni that DNS does not lead to',
      { slice: null, dns: [PUBLIC], xEnis: ['10.9.0.0/24'] },
      'no X-ENI is known (IPv4)',
    ],
    [
      'where there are more than are probed',
      { slice: many(MAX_PROBED + 1), dns: many(2) },
      'more than 16 X-ENIs: not all are probed',
    ],
    [
      'where DNS gives an address of the VPC beside the slice',
      { dns: [X_ENI, SECOND] },
      `DNS gives ${SECOND}, not known as an X-ENI`,
    ],
    [
      'where DNS gives a private address beside the X-ENIs',
      { dns: ['10.9.0.1', X_ENI, PUBLIC, SECOND] },
      `DNS gives 10.9.0.1 and ${SECOND}, not known as X-ENIs`,
    ],
    [
      'by CIDRs of IMDS of more than 30 minutes ago',
      { slice: null, vpc: [], imds: VPC, imdsAgeSeconds: 1800.001 },
      "the VPC's CIDRs were last read from IMDS too long ago",
    ],
    [
      'by such for one of two',
      { dns: [X_ENI, V6], vpc: [], imds: VPC, imdsAgeSeconds: 1801 },
      "the VPC's CIDRs were last read from IMDS too long ago",
    ],
  ])('%s', (_, given, reason) => {
    expect(obstacle(given)).toBe(reason);
  });

  test('where DNS is not asked, because the endpoint is an address', () => {
    const look = observation({ slice: [X_ENI] }, NOW);
    expect(xEnisObstacle(look, knowledgeOf(settings(), look))).toContain('no current answer');
  });

  test('and a long list is cut', () => {
    const dns = [X_ENI, '10.9.0.1', '10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5'];
    expect(obstacle({ dns })).toMatch(
      /^DNS gives 10\.9\.0\.1, 10\.9\.0\.2, 10\.9\.0\.3 and 10\.9\.0\.4, not/,
    );
  });
});

describe("the agent's own connections are the node's", () => {
  /** A look, the clients' network namespaces being these. */
  function obstacleWith(clients: string, seen: Seen = {}): string | null {
    const look = observation(seen);
    const { owners } = look;
    const processes = owners?.processes.map((process) => ({ ...process, netns: clients })) ?? [];
    return agentObstacle({ ...look, owners: owners && { ...owners, processes } });
  }

  test("where clients and the host's table are in its network namespace", () => {
    expect(agentObstacle(observation())).toBeNull();
  });

  test("where the clients' may not be read and the host's table is in its own", () => {
    expect(obstacleWith('')).toBeNull();
  });

  test("not where the clients' may not be read and no table is the host's", () => {
    expect(obstacleWith('', { listening: [] })).toContain('it is not known');
  });

  test('not where a client is in another', () => {
    expect(obstacleWith('net:[7]')).toContain('hostNetwork');
  });
});
