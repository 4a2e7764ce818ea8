import { describe, expect, test } from 'vitest';
import { clientObstacle, needsAddresses, tierOf } from '../../src/model/attribution.ts';
import type { LeftOutProcess, Observation } from '../../src/model/observation.ts';
import type { AttributionWish } from '../../src/model/settings.ts';
import { observation, type Seen, settings } from '../support/observation.ts';

const KUBELET = { client: 'kubelet', pid: 100 };
const PROXY = { client: 'kube-proxy', pid: 200 };
const REFUSED = { ...PROXY, readable: false };
const OTHER_UID: LeftOutProcess = { client: 'kube-proxy', pid: 300, reason: 'uid', uid: 1000 };
const OTHER_NETNS: LeftOutProcess = { ...OTHER_UID, reason: 'network-namespace', uid: 0 };
/** What makes owners unknown, with the words that say so. */
const BLIND: readonly [string, Seen, string][] = [
  ['the processes could not be listed', { failed: ['owners'] }, 'it took longer than 5 s'],
  ['some process could not be read', { unreadable: 2 }, '(2): one may be a client'],
  ['the descriptors of a client are refused', { processes: [KUBELET, REFUSED] }, 'EACCES'],
  [
    'all of a name in the network namespace have another uid',
    { processes: [KUBELET], leftOut: [OTHER_UID] },
    'uid 1000',
  ],
];
/** What leaves owners known. */
const SEEING: readonly [string, Seen][] = [
  ['every client was read', {}],
  ['an optional client is not there', { processes: [KUBELET] }],
  ['a process of the name has another uid, beside the client', { leftOut: [OTHER_UID] }],
  ['a process of the name is in another network namespace', { processes: [KUBELET], leftOut: [OTHER_NETNS] }],
];

function tier(seen: Seen, attribution: AttributionWish = 'process', change: Partial<Observation> = {}) {
  return tierOf(settings({ attribution }), { ...observation(seen), ...change });
}

describe('owners tell the sockets apart', () => {
  test.each(SEEING)('where %s', (_, seen) => {
    expect(tier(seen)).toEqual({ attribution: 'process', obstacle: null });
    expect(tier({ ...seen, listening: [] })).toEqual({ attribution: 'process', obstacle: null });
  });

  test('where no client is there and nothing shows that one is hidden', () => {
    expect(tier({ processes: [], listening: [], unattributed: [] }).attribution).toBe('process');
  });
});

describe("the host's table is told by known addresses", () => {
  test.each(BLIND)('where %s', (_, seen, words) => {
    const { attribution, obstacle } = tier({ ...seen, unattributed: [] });
    expect(attribution).toBe('address');
    expect(obstacle).toContain(words);
  });

  test('where root listens on 10250 and no client can be seen: the pod is without hostPID', () => {
    const { attribution, obstacle } = tier({ processes: [], unattributed: [] });
    expect(attribution).toBe('address');
    expect(obstacle).toContain('hostPID');
  });

  test('where that was asked for, whatever the owners: then nothing is in its way', () => {
    for (const [, seen] of [...SEEING, ...BLIND]) {
      const told = { attribution: 'address', obstacle: null };
      expect(tier({ ...seen, unattributed: [] }, 'address')).toEqual(told);
    }
    expect(tier({ ownersOff: true, unattributed: [] }, 'address').attribution).toBe('address');
  });
});

describe('nothing is told apart', () => {
  test.each(BLIND)('where %s, and the table shows no kubelet', (_, seen, words) => {
    const { attribution, obstacle } = tier({ ...seen, unattributed: [], listening: [{ port: 10_255 }] });
    expect(attribution).toBe('none');
    expect(obstacle).toContain(words);
  });

  test('where addresses were asked for, and the table shows no kubelet: it is not the host', () => {
    const { attribution, obstacle } = tier({ ownersOff: true, unattributed: [], listening: [] }, 'address');
    expect(attribution).toBe('none');
    expect(obstacle).toContain('10250');
  });

  test.each(['process', 'address'] as const)('where the tables could not be read (%s)', (wish) => {
    expect(tier({ failed: ['sockets'] }, wish).attribution).toBe('none');
  });

  test("where the table of a client's network namespace is missing, and none was read by address", () => {
    const { attribution, obstacle } = tier({}, 'process', { tables: [] });
    expect(attribution).toBe('none');
    expect(obstacle).toContain('TCP tables of kubelet (pid 100)');
  });

  test('where the sockets by address are those of a network namespace without a kubelet', () => {
    const host = observation({ failed: ['owners'] }).tables ?? [];
    const pod = observation({ failed: ['owners'], unattributed: [], listening: [] }).tables ?? [];
    const tables = [...host, ...pod.map((table) => ({ ...table, netns: 'net:[1]' }))];
    expect(tier({ failed: ['owners'] }, 'process', { tables }).attribution).toBe('none');
  });
});

describe('a look collects sockets by address', () => {
  test.each(BLIND)('where %s', (_, seen) => {
    expect(needsAddresses(settings(), observation(seen).owners)).toBe(true);
  });

  test('where no process of any client is seen: one may be hidden', () => {
    expect(needsAddresses(settings(), observation({ processes: [] }).owners)).toBe(true);
  });

  test('where addresses are asked for', () => {
    expect(needsAddresses(settings({ attribution: 'address' }), observation().owners)).toBe(true);
  });

  test.each(SEEING)('not where %s', (_, seen) => {
    expect(needsAddresses(settings(), observation(seen).owners)).toBe(false);
  });
});

describe('why a client cannot be read', () => {
  test.each<[string, Seen, string | null]>([
    ['it was read', {}, null],
    ['it is not there', { processes: [] }, null],
    ['it is in another network namespace', { processes: [], leftOut: [OTHER_NETNS] }, null],
    ['another client has another uid', { leftOut: [{ ...OTHER_UID, client: 'kubelet' }] }, null],
    ['its descriptors are refused', { processes: [REFUSED] }, 'Cannot read "/proc/200/fd": EACCES'],
    [
      'one of two could not be read',
      { processes: [PROXY, { ...REFUSED, pid: 201 }] },
      'Cannot read "/proc/201/fd": EACCES',
    ],
    [
      'only one of another uid is there',
      { processes: [], leftOut: [OTHER_NETNS, OTHER_UID] },
      'kube-proxy (pid 300) runs as uid 1000: only uid 0 is taken for the client',
    ],
  ])('%s', (_, seen, obstacle) => {
    const { owners } = observation(seen);
    expect(owners && clientObstacle('kube-proxy', owners)).toBe(obstacle);
  });
});
