import { describe, expect, test } from 'vitest';
import { type ClientView, viewClients } from '../../src/model/clients.ts';
import type { EndpointFacts } from '../../src/model/connections.ts';
import { emptyHistory, trackSockets } from '../../src/model/history.ts';
import type { LeftOutProcess, Observation } from '../../src/model/observation.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import { dnsSeen, ENDPOINT, moment, observation, type Seen, settings } from '../support/observation.ts';

const KUBELET = { name: 'kubelet', required: true };
const OTHER_UID: LeftOutProcess = { client: 'kubelet', pid: 300, reason: 'uid', uid: 1000 };
const OTHER_NETNS: LeftOutProcess = { client: 'kubelet', pid: 300, reason: 'network-namespace', uid: 0 };
const PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443' };

function view(seen: Seen | Observation, endpointKnown = true): ClientView {
  const look = 'at' in seen ? seen : observation(seen);
  const facts: EndpointFacts = {
    endpoint: ENDPOINT,
    known: knowledgeOf(settings(), look),
    service: null,
    identities: { byPeer: new Map(), caVerified: false },
    proxies: [],
    now: look.at,
  };
  const { sockets } = trackSockets(emptyHistory(moment(0)), look);
  const own = [...sockets.values()].filter(({ process }) => process.client === KUBELET.name);
  const [only, ...more] = viewClients([KUBELET], look, {
    attribution: 'process',
    sockets: new Map([[KUBELET.name, own]]),
    facts: endpointKnown ? facts : null,
  });
  if (only === undefined || more.length > 0) throw new RangeError('Cannot take one of several views');
  return only;
}

describe('whether a client is there, and whether its sockets could be read', () => {
  const none = { processes: [] };
  test.each<[string, Seen, boolean | null, boolean | null]>([
    ['it runs', {}, true, true],
    ['it does not run', none, false, null],
    ['the processes could not be listed', { failed: ['owners'] }, null, null],
    ['some process could not be read: it may be this one', { ...none, unreadable: 1 }, null, null],
    ['it runs, and some other process could not be read', { unreadable: 1 }, true, true],
    [
      'its descriptors could not be read',
      { processes: [{ client: 'kubelet', pid: 1, readable: false }] },
      true,
      false,
    ],
    [
      'one of two processes could not be read',
      {
        processes: [
          { client: 'kubelet', pid: 1 },
          { client: 'kubelet', pid: 2, readable: false },
        ],
      },
      true,
      false,
    ],
    ['the tables could not be read', { failed: ['sockets'] }, true, false],
    ['it is in another network namespace', { ...none, leftOut: [OTHER_NETNS] }, false, null],
    ['it runs, and someone else uses its name', { leftOut: [OTHER_UID] }, true, true],
  ])('%s', (_, seen, found, readable) => {
    expect(view(seen)).toMatchObject({ found, readable });
  });

  test('all of its name are left out for their uid: it cannot be read, and why is said', () => {
    const { readable, obstacle } = view({ ...none, leftOut: [OTHER_NETNS, OTHER_UID] });
    expect(readable).toBe(false);
    expect(obstacle).toBe('kubelet (pid 300) runs as uid 1000: only uid 0 is taken for the client');
  });

  test("someone of another client's name left out for the uid does not matter", () => {
    expect(view({ ...none, leftOut: [{ ...OTHER_UID, client: 'kube-proxy' }] }).readable).toBeNull();
  });

  test('the reason of a refused read is kept', () => {
    const processes = [{ client: 'kubelet', pid: 100, readable: false }];
    expect(view({ processes }).obstacle).toBe('Cannot read "/proc/100/fd": EACCES');
  });

  test('the table of its network namespace is missing among the tables', () => {
    const { readable, obstacle } = view({ ...observation({ sockets: [PUBLIC] }), tables: [] });
    expect(readable).toBe(false);
    expect(obstacle).toContain('TCP tables of kubelet (pid 100)');
  });
});

describe('where owners are not told apart', () => {
  function views(seen: Seen, endpointKnown = true): readonly ClientView[] {
    const look = observation(seen);
    const { sockets } = trackSockets(emptyHistory(moment(0)), look);
    return viewClients([KUBELET], look, {
      attribution: 'address',
      sockets: new Map([['unattributed', [...sockets.values()]]]),
      facts: endpointKnown
        ? {
            endpoint: ENDPOINT,
            known: knowledgeOf(settings(), look),
            service: null,
            identities: { byPeer: new Map(), caVerified: false },
            proxies: [],
            now: look.at,
          }
        : null,
    });
  }
  const unattributed = [PUBLIC, { process: 'anyone', peer: '8.8.8.8:443' }];
  const dns = dnsSeen(['3.34.148.207']);

  test('no client has connections, though its descriptors could be read, and whether it is there is said', () => {
    const [kubelet] = views({ sockets: [PUBLIC], unattributed, dns });
    expect(kubelet).toMatchObject({
      client: 'kubelet',
      found: true,
      readable: true,
      told: false,
      connections: [],
      strangers: [],
    });
    const [refused] = views({
      processes: [{ client: 'kubelet', pid: 100, readable: false }],
      unattributed,
      dns,
    });
    expect(refused).toMatchObject({ found: true, readable: false, told: false });
  });

  test('one more has those to known addresses, and asks no stranger', () => {
    const nobody = views({ unattributed, dns }).at(-1);
    expect(nobody).toMatchObject({
      client: 'unattributed',
      found: null,
      readable: null,
      told: true,
      ignored: 1,
      strangers: [],
    });
    expect(nobody?.connections.map(({ socket }) => socket.peer.text)).toEqual(['3.34.148.207']);
  });

  test('they are not told while the endpoint is not known', () => {
    expect(views({ unattributed, dns }, false).at(-1)).toMatchObject({ told: false, connections: [] });
  });
});

describe('the connections of a client', () => {
  test('are those of its own sockets that go to the endpoint', () => {
    const sockets = [
      PUBLIC,
      { process: 'kube-proxy', peer: '43.201.141.73:443' },
      { ...PUBLIC, peer: '8.8.8.8:53' },
    ];
    const { connections, ignored } = view({ sockets });
    expect(connections.map(({ socket }) => socket.peer.text)).toEqual(['3.34.148.207']);
    expect(ignored).toBe(1);
  });

  test("of both of its processes, each with its pid, are the client's", () => {
    const processes = [
      { client: 'kubelet', pid: 1 },
      { client: 'kubelet', pid: 2 },
    ];
    const { connections, processes: seen } = view({
      processes,
      sockets: [
        { ...PUBLIC, pid: 1 },
        { ...PUBLIC, pid: 2 },
      ],
    });
    expect(connections).toHaveLength(2);
    expect(seen.map(({ pid }) => pid)).toEqual([1, 2]);
  });

  test('are not told while the endpoint is not known, or one of its processes could not be read', () => {
    expect(view({ sockets: [PUBLIC] }, false).connections).toEqual([]);
    const processes = [
      { client: 'kubelet', pid: 1 },
      { client: 'kubelet', pid: 2, readable: false },
    ];
    expect(view({ processes, sockets: [{ ...PUBLIC, pid: 1 }] }).connections).toEqual([]);
  });
});

describe('whether the connections of a client are told', () => {
  const none = { processes: [] };
  const refused = { processes: [{ client: 'kubelet', pid: 100, readable: false }] };
  test.each<[string, Seen, boolean, boolean]>([
    ['it runs and has some', { sockets: [PUBLIC] }, true, true],
    ['it runs and has none', {}, true, true],
    ['it does not run: there are none', none, true, true],
    ['it does not run, and the endpoint is not known: there are none', none, false, true],
    ['it runs, and the endpoint is not known', { sockets: [PUBLIC] }, false, false],
    ['it could not be read', refused, true, false],
    ['the tables could not be read', { failed: ['sockets'] }, true, false],
    ['the processes could not be listed', { failed: ['owners'] }, true, false],
    ['it may have been overlooked', { ...none, unreadable: 1 }, true, false],
    ['someone of another uid has its name', { ...none, leftOut: [OTHER_UID] }, true, false],
    ['it is in another network namespace', { ...none, leftOut: [OTHER_NETNS] }, true, true],
  ])('%s', (_, seen, endpointKnown, told) => {
    expect(view(seen, endpointKnown).told).toBe(told);
    if (!told) expect(view(seen, endpointKnown)).toMatchObject({ connections: [], viaServiceOnly: false });
  });
});
