import { describe, expect, test } from 'vitest';
import { knowledgeOf } from '../../src/model/route.ts';
import { NO_X_ENIS, recordXEnis, type XEniHistory } from '../../src/model/x-eni-history.ts';
import { dnsSeen, observation, range, type Seen, settings } from '../support/observation.ts';

const A = '192.168.1.231';
const B = '192.168.1.121';
const V6 = '2600:1f13::a';
const PUBLIC = '3.34.148.207';

function texts({ current, former }: XEniHistory) {
  return { current: current.map(({ address }) => address.text), former: former.map(({ text }) => text) };
}

/** What is remembered after these looks, a minute apart. */
function record(...looks: readonly (Seen & { vpc?: readonly string[] })[]) {
  const history = looks.reduce((before, { vpc = ['192.168.0.0/16', '2600:1f13::/56'], ...seen }, index) => {
    const look = observation(seen, index * 60);
    return recordXEnis(before, knowledgeOf(settings({ vpcCidrs: vpc.map(range) }), look));
  }, NO_X_ENIS);
  return texts(history);
}

function dns(index: number, ...addresses: readonly string[]): Seen {
  return { dns: dnsSeen(addresses, index * 60) };
}

describe('an X-ENI is a former one', () => {
  test('when the slice holds another instead', () => {
    expect(record({ slice: [A] }, { slice: [B] })).toEqual({ current: [B], former: [A] });
  });

  test('when the slice holds fewer', () => {
    expect(record({ slice: [A, B] }, { slice: [B] })).toEqual({ current: [B], former: [A] });
  });

  test('when the slice that held it holds none any more', () => {
    expect(record({ slice: [A] }, { slice: [] })).toEqual({ current: [], former: [A] });
  });

  test('when it was known from DNS and DNS gives another', () => {
    expect(record(dns(0, A), dns(1, B))).toEqual({ current: [B], former: [A] });
  });

  test('for good, through looks that know nothing, the last first', () => {
    const looks = [{ slice: [A] }, { slice: [B] }, { slice: ['192.168.1.9'] }, {}, {}];
    expect(record(...looks).former).toEqual([B, A]);
  });

  test('until it is one again', () => {
    expect(record({ slice: [A] }, { slice: [B] }, { slice: [A, B] })).toEqual({
      current: [A, B],
      former: [],
    });
    expect(record({ slice: [A] }, { slice: [B] }, { slice: [A] })).toEqual({ current: [A], former: [B] });
  });
});

describe('an X-ENI stays one', () => {
  test('while no source says anything: silence takes nothing back', () => {
    expect(record({ slice: [A] }, {}, {})).toEqual({ current: [A], former: [] });
  });

  test('while the slice holds only the other family, and DNS does not answer', () => {
    const first = { ...dns(0, A), slice: [V6] };
    expect(record(first, { slice: [V6] })).toEqual({ current: [V6, A], former: [] });
  });

  test('but it can still become a former one when a source speaks again', () => {
    expect(record({ slice: [A] }, {}, { slice: [B] })).toEqual({ current: [B], former: [A] });
  });
});

describe('an address that never was an X-ENI is never a former one', () => {
  test.each<[string, Seen]>([
    ['a public address of the slice', { slice: [PUBLIC] }],
    ['a public address of DNS', dns(0, PUBLIC)],
    ['a private address of DNS outside the VPC', dns(0, '10.9.0.1')],
    ['loopback in the slice', { slice: ['127.0.0.1'] }],
  ])('%s', (_, seen) => {
    expect(record(seen, { slice: [B] })).toEqual({ current: [B], former: [] });
  });

  test('an address of DNS that the slice of its family never held', () => {
    expect(record({ ...dns(0, A), slice: [B] }, { slice: [B] }).former).toEqual([]);
  });
});

test('a liar who names others at every look is remembered to a bound', () => {
  const looks = Array.from({ length: 60 }, (_, look) => ({
    slice: Array.from({ length: 10 }, (_, index) => `192.168.${look}.${index + 1}`),
  }));
  const { current, former } = record(...looks);
  expect(current).toHaveLength(10);
  expect(former).toHaveLength(256);
  expect(former[0]).toBe('192.168.58.1');
});

test('neither what was remembered nor what is known is changed', () => {
  const look = observation({ slice: [B] });
  const before = recordXEnis(NO_X_ENIS, knowledgeOf(settings(), observation({ slice: [A] })));
  const copy = structuredClone(before);
  recordXEnis(before, knowledgeOf(settings(), look));
  expect(before).toEqual(copy);
  expect(texts(NO_X_ENIS)).toEqual({ current: [], former: [] });
});
