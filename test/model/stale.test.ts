import { describe, expect, test } from 'vitest';
import type { ClientView } from '../../src/model/clients.ts';
import { clientSockets, type EndpointConnection } from '../../src/model/connections.ts';
import type { TrackedSocket } from '../../src/model/history.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import {
  movingRemedy,
  type StaleFacts,
  type StaleGroup,
  staleGroups,
  staleSummary,
} from '../../src/model/stale.ts';
import { dnsSeen, moment, observation, settings } from '../support/observation.ts';

const NOW = 1000;

interface ConnectionText {
  readonly client?: string;
  readonly peer: string;
  readonly stale?: boolean | null;
  readonly firstSeen: number;
  /** Without it, first sight. */
  readonly since?: number;
}

/** These connections of kubelet and kube-proxy, at the second 1000, while DNS gives these addresses. */
function facts(
  given: readonly ConnectionText[],
  dns: readonly string[] | null = ['192.168.1.231'],
): StaleFacts {
  const look = observation(dns === null ? {} : { dns: dnsSeen(dns, NOW) }, NOW);
  const sockets = given.map(({ client = 'kubelet', peer }) => ({ process: client, peer: `${peer}:443` }));
  const seen = [...clientSockets(observation({ sockets })).values()];
  const tracked = new Map<string, TrackedSocket>();
  const connections = given.map(({ client = 'kubelet', peer, stale = true, firstSeen, since }) => {
    const own = seen.find(({ process, socket }) => process.client === client && socket.peer.text === peer);
    if (own === undefined) throw new RangeError(`Cannot find ${JSON.stringify(peer)}`);
    const { key, socket, process } = own;
    const firstSeenAt = moment(firstSeen);
    const kept = {
      baseline: true,
      counted: false,
      missed: false,
      stuckSince: null,
      retransmittingSince: null,
    };
    tracked.set(key, { ...own, ...kept, firstSeenAt, staleSince: stale ? moment(since ?? firstSeen) : null });
    const told = { route: 'public', evidence: 'dns-history' } as const;
    return {
      key,
      client,
      pid: process.pid,
      socket,
      ...told,
      stale,
      firstSeenAt,
    } satisfies EndpointConnection;
  });
  const clients = ['kubelet', 'kube-proxy'].map(
    (client): ClientView => ({
      client,
      required: false,
      found: true,
      readable: true,
      obstacle: null,
      processes: [],
      told: true,
      connections: connections.filter((one) => one.client === client),
      ignored: 0,
      strangers: [],
      viaServiceOnly: false,
    }),
  );
  return { clients, tracked, now: moment(NOW), known: knowledgeOf(settings(), look) };
}

function groups(given: StaleFacts, fits: (ageMs: number) => boolean = () => true) {
  return staleGroups(given, fits)?.map(({ client, oldest, count, ageMs, changeSeen }) => ({
    client,
    oldest: oldest.socket.peer.text,
    count,
    ageMs,
    changeSeen,
  }));
}

describe('stale connections', () => {
  const young = { peer: '43.201.141.73', firstSeen: 900, since: 940 };
  const old = { peer: '3.34.148.207', firstSeen: 100, since: 400 };

  test('are told by client, the oldest first, with the number of those that fit', () => {
    expect(groups(facts([young, old]))).toEqual([
      { client: 'kubelet', oldest: '3.34.148.207', count: 2, ageMs: 600_000, changeSeen: true },
    ]);
  });

  test('are of each client for itself', () => {
    const all = groups(facts([young, { ...old, client: 'kube-proxy' }]));
    expect(all?.map(({ client, oldest }) => [client, oldest])).toEqual([
      ['kubelet', '43.201.141.73'],
      ['kube-proxy', '3.34.148.207'],
    ]);
  });

  test('count by their age where it is asked for', () => {
    expect(groups(facts([young, old]), (ageMs) => ageMs < 600_000)).toMatchObject([
      { oldest: '43.201.141.73', count: 1 },
    ]);
    expect(groups(facts([young, old]), (ageMs) => ageMs >= 600_000)).toMatchObject([
      { oldest: '3.34.148.207', count: 1 },
    ]);
    expect(groups(facts([young, old]), (ageMs) => ageMs > 600_000)).toEqual([]);
  });

  test('do not hold those that are fresh, or of which it is not known', () => {
    expect(
      groups(
        facts([
          { ...young, stale: false },
          { ...old, stale: null },
        ]),
      ),
    ).toEqual([]);
  });

  test('whose change was not seen may be older than they look', () => {
    expect(groups(facts([{ ...old, since: 100 }]))).toMatchObject([{ ageMs: 900_000, changeSeen: false }]);
  });

  test('are not known while DNS has no current answer: none is not the same', () => {
    expect(staleGroups(facts([old], null), () => true)).toBeNull();
    expect(staleGroups(facts([]), () => true)).toEqual([]);
  });
});

describe('the words for them', () => {
  function firstOf(given: StaleFacts): StaleGroup {
    const [group] = staleGroups(given, () => true) ?? [];
    if (group === undefined) throw new RangeError('Cannot find a stale connection');
    return group;
  }
  const one = { peer: '3.34.148.207', firstSeen: 100, since: 400 };

  test('one, of which the change was seen', () => {
    const given = facts([one]);
    expect(staleSummary(firstOf(given), given)).toBe(
      'kubelet holds a connection to 3.34.148.207 (public) while DNS gives x-eni, for 10 min',
    );
  });

  test('several, of which it was not, and a mixed answer of private addresses', () => {
    const more = { peer: '43.201.141.73', firstSeen: 900 };
    const given = facts([{ ...one, since: 100 }, more], ['192.168.1.231', '10.9.0.1', '192.168.1.232']);
    expect(staleSummary(firstOf(given), given)).toBe(
      'kubelet holds 2 connections, one of them to 3.34.148.207 (public) while DNS gives x-eni and private; seen for 15 min, it may be older',
    );
  });

  test('what to do: wait, if the change was seen; else perhaps not', () => {
    const given = facts([one]);
    const now = { settings: settings(), known: given.known };
    const seen = movingRemedy(firstOf(given), now);
    expect(seen).toMatch(
      /^nothing yet: .*after 10 min this becomes StaleConnection.*systemctl restart kubelet/,
    );
    const unseen = movingRemedy(firstOf(facts([{ ...one, since: 100 }])), now);
    expect(unseen).toMatch(
      /^if DNS changed some minutes ago, nothing yet: .* Else .*systemctl restart kubelet/,
    );
  });

  test('what to do on the expected route: nothing', () => {
    const given = facts([one]);
    const now = { settings: settings({ expect: 'public' }), known: given.known };
    const remedy = movingRemedy(firstOf(given), now);
    expect(remedy).toMatch(/^nothing: /);
    expect(remedy).not.toContain('restart');
  });
});
