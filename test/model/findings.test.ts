import { describe, expect, test } from 'vitest';
import { FINDING_CODES, severityOf } from '../../src/model/findings.ts';
import { emptyHistory } from '../../src/model/history.ts';
import { judge } from '../../src/model/judge.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import {
  ENDPOINT,
  findingOf,
  HOSTNAME,
  iso,
  observation,
  onlyConnection,
  range,
  settings,
  stateOf,
  Watch,
  type WatchSeen,
} from '../support/observation.ts';

const PUBLIC_DNS = ['3.34.148.207'];
const X_ENI_DNS = ['192.168.1.231'];
const ON_PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443' };
const ON_X_ENI = { process: 'kubelet', peer: '192.168.1.231:443' };
const KUBELET = { client: 'kubelet', pid: 100 };
const PROXY = { client: 'kube-proxy', pid: 200 };
const REFUSED = { ...PROXY, readable: false };
/** Looks that could not see whether, or what, a client holds. */
const BLIND_LOOKS: readonly [string, WatchSeen][] = [
  ['the processes could not be listed', { failed: ['owners'] }],
  ['the tables could not be read', { failed: ['sockets'] }],
  ['a client could not be read', { processes: [KUBELET, REFUSED] }],
];

/** kubelet alone runs: what kube-proxy does is of no interest. */
function alone(...sockets: NonNullable<WatchSeen['sockets']>): WatchSeen {
  return { processes: [KUBELET], sockets };
}

describe('the table of findings', () => {
  test('each code is there once, with its severity', () => {
    const severities = Object.fromEntries(FINDING_CODES.map((code) => [code, severityOf(code)]));
    expect(FINDING_CODES).toHaveLength(Object.keys(severities).length);
    expect(severities).toEqual({
      Blind: 'warning',
      ClientMissing: 'warning',
      DnsPublic: 'warning',
      DnsFailing: 'warning',
      ConnectionMoving: 'info',
      StaleConnection: 'warning',
      UnexpectedRoute: 'warning',
    });
  });

  test('a raised one is evaluated, has its runbook, and says what is wrong and what to do', () => {
    const watch = new Watch({ expect: 'x-eni' });
    watch.look({ processes: [REFUSED], dns: PUBLIC_DNS });
    const { findings, evaluated } = watch.look({ processes: [REFUSED] });
    expect(findings.map(({ code }) => code)).toEqual(['Blind', 'ClientMissing', 'DnsPublic']);
    for (const { code, runbook, severity, summary, remedy } of findings) {
      expect(evaluated).toContain(code);
      expect(runbook).toBe(`docs/runbooks/${code}.md`);
      expect(severity).toBe(severityOf(code));
      expect(summary).not.toMatch(/undefined|null|NaN|\.$/);
      expect(remedy).not.toMatch(/undefined|null|NaN|\.$/);
    }
  });
});

describe('Blind', () => {
  test.each<[string, WatchSeen, string | null, string]>([
    [
      'the processes could not be listed',
      { failed: ['owners'] },
      null,
      'the stage owners failed: it took longer than 5 s',
    ],
    [
      'the tables could not be read',
      { failed: ['sockets'] },
      null,
      'the stage sockets failed: it took longer than 5 s',
    ],
    [
      'some process could not be read',
      { unreadable: 3 },
      null,
      'some processes could not be read (3): one may be a client',
    ],
    [
      'a client could not be read',
      { processes: [KUBELET, REFUSED] },
      'kube-proxy',
      'kube-proxy could not be read: Cannot read "/proc/200/fd": EACCES',
    ],
    [
      'a client runs under another uid',
      { processes: [KUBELET], leftOut: [{ client: 'kube-proxy', pid: 300, reason: 'uid', uid: 1000 }] },
      'kube-proxy',
      'kube-proxy could not be read: kube-proxy (pid 300) runs as uid 1000: only uid 0 is taken for the client',
    ],
  ])('is raised when %s', (_, seen, client, summary) => {
    expect(findingOf(new Watch().look(seen), 'Blind')).toMatchObject({ client, summary });
  });

  test('a look that failed for an unforeseen reason is our bug, and says so once', () => {
    const seen = observation({ failed: ['owners', 'sockets'] });
    const stages = seen.stages.map((stage) => ({ ...stage, error: 'unforeseen: x is not a function' }));
    const { status } = judge({ ...seen, stages }, emptyHistory(seen.at), settings());
    expect(findingOf(status, 'Blind')).toMatchObject({
      summary: 'a look failed: unforeseen: x is not a function',
      remedy: expect.stringContaining('this is a bug'),
    });
  });

  test('has another remedy where a foreign uid runs under the name: that is no lack of rights', () => {
    const leftOut = [{ client: 'kube-proxy', pid: 300, reason: 'uid', uid: 1000 }] as const;
    const foreign = findingOf(new Watch().look({ processes: [KUBELET], leftOut }), 'Blind')?.remedy;
    expect(foreign).toContain("'ps -o pid,user,args -C kube-proxy'");
    expect(foreign).not.toContain('SYS_PTRACE');
    const others: readonly WatchSeen[] = [...BLIND_LOOKS.map(([, seen]) => seen), { unreadable: 3 }];
    for (const seen of others) {
      expect(findingOf(new Watch().look(seen), 'Blind')?.remedy).toContain('SYS_PTRACE');
    }
  });

  test('is raised for each client that could not be read', () => {
    const { findings } = new Watch().look({ processes: [{ ...KUBELET, readable: false }, REFUSED] });
    expect(findings.map(({ code, client }) => [code, client])).toEqual([
      ['Blind', 'kubelet'],
      ['Blind', 'kube-proxy'],
    ]);
  });

  test('is clear when everything was read, also where there is nothing to see', () => {
    expect(stateOf(new Watch().look({ processes: [] }), 'Blind')).toBe('clear');
    expect(stateOf(new Watch().look({ endpoint: null }), 'Blind')).toBe('clear');
    expect(stateOf(new Watch().look(alone(ON_PUBLIC)), 'Blind')).toBe('clear');
  });
});

describe('ClientMissing', () => {
  test('is raised when a required client is not there', () => {
    const finding = findingOf(new Watch().look({ processes: [PROXY] }), 'ClientMissing');
    expect(finding).toMatchObject({ client: 'kubelet' });
    expect(finding?.remedy).toContain("'pgrep -ax kubelet'");
  });

  test('is clear when it is there, also when it could not be read', () => {
    expect(stateOf(new Watch().look({ processes: [KUBELET] }), 'ClientMissing')).toBe('clear');
    expect(stateOf(new Watch().look({ processes: [{ ...KUBELET, readable: false }] }), 'ClientMissing')).toBe(
      'clear',
    );
    expect(stateOf(new Watch().look({ processes: [KUBELET], unreadable: 1 }), 'ClientMissing')).toBe('clear');
    expect(stateOf(new Watch().look({ failed: ['sockets'] }), 'ClientMissing')).toBe('clear');
  });

  test('is not evaluated when it may have been overlooked', () => {
    expect(stateOf(new Watch().look({ failed: ['owners'] }), 'ClientMissing')).toBe('not evaluated');
    expect(stateOf(new Watch().look({ processes: [], unreadable: 1 }), 'ClientMissing')).toBe(
      'not evaluated',
    );
  });

  test('speaks of every required client, and of no other', () => {
    const clients = ['kubelet', 'kube-proxy', 'aws-k8s-agent'].map((name) => ({
      name,
      required: name !== 'kube-proxy',
    }));
    const { findings } = new Watch({ clients }).look({ processes: [] });
    expect(findings.map(({ client }) => client)).toEqual(['kubelet', 'aws-k8s-agent']);
  });
});

describe('DnsPublic', () => {
  const expecting = { expect: 'x-eni' } as const;

  test('is raised when X-ENIs are expected and DNS gives a public address', () => {
    const finding = findingOf(new Watch(expecting).look({ dns: PUBLIC_DNS }), 'DnsPublic');
    expect(finding).toMatchObject({ client: null, address: '3.34.148.207' });
    expect(finding?.summary).toBe(
      `DNS gives 3.34.148.207 for ${HOSTNAME}: a new connection takes the public route`,
    );
  });

  test('is raised once for a mixed answer, and names the public addresses', () => {
    const dns = ['192.168.1.231', '3.34.148.207', '43.201.141.73'];
    const finding = findingOf(new Watch(expecting).look({ dns }), 'DnsPublic');
    expect(finding?.summary).toContain('DNS gives 3.34.148.207 and 43.201.141.73 for');
  });

  test("is raised for global IPv6 addresses of which nothing says that they are the VPC's", () => {
    const status = new Watch(expecting).look({ dns: ['2600:1f13::5'] });
    expect(stateOf(status, 'DnsPublic')).toBe('raised');
    const inVpc = new Watch({ ...expecting, vpcCidrs: [range('2600:1f13::/56')] });
    expect(stateOf(inVpc.look({ dns: ['2600:1f13::5'] }), 'DnsPublic')).toBe('clear');
  });

  test('is raised by the last complete answer while DNS fails', () => {
    const watch = new Watch(expecting);
    watch.look({ dns: PUBLIC_DNS });
    expect(stateOf(watch.look({ dns: 'timeout' }), 'DnsPublic')).toBe('raised');
  });

  test('is not evaluated by an answer of more than an hour ago', () => {
    const watch = new Watch(expecting);
    watch.look({ dns: PUBLIC_DNS });
    expect(stateOf(watch.look({ dns: 'timeout' }, 3600), 'DnsPublic')).toBe('raised');
    expect(stateOf(watch.look({ dns: 'timeout' }, 0.001), 'DnsPublic')).toBe('not evaluated');
    expect(stateOf(watch.look({ dns: PUBLIC_DNS }), 'DnsPublic')).toBe('raised');
  });

  test('is clear when DNS gives X-ENIs, or other private addresses', () => {
    expect(stateOf(new Watch(expecting).look({ dns: X_ENI_DNS }), 'DnsPublic')).toBe('clear');
    expect(stateOf(new Watch(expecting).look({ dns: ['10.9.0.1'] }), 'DnsPublic')).toBe('clear');
  });

  test('is not evaluated without an answer, or where X-ENIs are not expected', () => {
    expect(stateOf(new Watch(expecting).look(), 'DnsPublic')).toBe('not evaluated');
    expect(stateOf(new Watch(expecting).look({ dns: 'nxdomain' }), 'DnsPublic')).toBe('not evaluated');
    expect(stateOf(new Watch().look({ dns: PUBLIC_DNS }), 'DnsPublic')).toBe('not evaluated');
    expect(stateOf(new Watch({ expect: 'public' }).look({ dns: PUBLIC_DNS }), 'DnsPublic')).toBe(
      'not evaluated',
    );
  });
});

describe('DnsFailing', () => {
  test('is raised when lookups have failed for two minutes, however old the answer', () => {
    const watch = new Watch();
    watch.look({ dns: PUBLIC_DNS });
    expect(stateOf(watch.look({ dns: 'timeout' }, 300), 'DnsFailing')).toBe('clear');
    expect(stateOf(watch.look({ dns: 'timeout' }, 119.999), 'DnsFailing')).toBe('clear');
    const finding = findingOf(watch.look({ dns: 'timeout' }, 0.001), 'DnsFailing');
    expect(finding?.summary).toBe(
      `no complete DNS answer for ${HOSTNAME} for 2 min: the resolver said timeout`,
    );
    expect(finding?.remedy).toContain(`'dig ${HOSTNAME} @192.168.0.2'`);
  });

  test('is cleared by the next answer', () => {
    const watch = new Watch();
    watch.look({ dns: PUBLIC_DNS });
    watch.look({ dns: 'servfail' }, 200);
    expect(stateOf(watch.look({ dns: PUBLIC_DNS }), 'DnsFailing')).toBe('clear');
  });

  test('is not raised by an old answer alone: a long TTL is no failure', () => {
    const watch = new Watch();
    watch.look({ dns: PUBLIC_DNS });
    expect(stateOf(watch.look({}, 300), 'DnsFailing')).toBe('clear');
  });

  test('is raised two minutes after the first failure where there never was an answer', () => {
    const watch = new Watch();
    expect(stateOf(watch.look({ dns: 'refused' }, 300), 'DnsFailing')).toBe('not evaluated');
    expect(stateOf(watch.look({ dns: 'timeout' }, 119.999), 'DnsFailing')).toBe('not evaluated');
    expect(stateOf(watch.look({ dns: 'refused' }, 0.001), 'DnsFailing')).toBe('raised');
  });

  test('begins anew after an answer in between', () => {
    const watch = new Watch();
    watch.look({ dns: 'timeout' });
    watch.look({ dns: PUBLIC_DNS }, 100);
    watch.look({ dns: 'timeout' }, 60);
    expect(stateOf(watch.look({ dns: 'timeout' }, 100), 'DnsFailing')).toBe('clear');
    expect(stateOf(watch.look({ dns: 'timeout' }, 20), 'DnsFailing')).toBe('raised');
  });

  test('is not evaluated where the endpoint is an address: there is nothing to ask', () => {
    const seen = { endpoint: { ...ENDPOINT, hostname: '10.0.0.1' } };
    expect(stateOf(new Watch().look(seen), 'DnsFailing')).toBe('not evaluated');
  });

  test('is not evaluated while nothing has been asked', () => {
    expect(stateOf(new Watch().look({ endpoint: null }), 'DnsFailing')).toBe('not evaluated');
  });
});

describe('ConnectionMoving and StaleConnection', () => {
  /** DNS flips in the second look, at 12:00:20; then one more look. */
  function flipped(overrides: ConstructorParameters<typeof Watch>[0], secondsLater: number): NodeStatus {
    const watch = new Watch(overrides);
    watch.look({ ...alone(ON_PUBLIC), dns: PUBLIC_DNS });
    watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS });
    return watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS }, secondsLater);
  }

  test.each([
    ['just after the flip', 0.001, 'raised', 'clear'],
    ['a moment before --stale-after', 599.999, 'raised', 'clear'],
    ['at --stale-after', 600, 'clear', 'raised'],
    ['an hour later', 3600, 'clear', 'raised'],
  ])('%s', (_, seconds, moving, stale) => {
    const status = flipped({}, seconds);
    expect([stateOf(status, 'ConnectionMoving'), stateOf(status, 'StaleConnection')]).toEqual([
      moving,
      stale,
    ]);
  });

  test('say who, to where, since when and what to do', () => {
    const moving = findingOf(flipped({}, 30), 'ConnectionMoving');
    expect(moving).toMatchObject({ client: 'kubelet', address: '3.34.148.207' });
    expect(moving?.summary).toContain('a connection to 3.34.148.207 (public)');
    expect(moving?.summary).toContain('for 30 s');
    const stale = findingOf(flipped({}, 7200), 'StaleConnection');
    expect(stale).toMatchObject({ client: 'kubelet', address: '3.34.148.207' });
    expect(stale?.summary).toContain('for 2 h');
    expect(stale?.remedy).toContain("'systemctl restart kubelet'");
  });

  describe('the change of DNS was seen while the connection stood', () => {
    test('then the age is said, and what it will become', () => {
      const moving = findingOf(flipped({}, 30), 'ConnectionMoving');
      expect(moving?.summary).toMatch(/ 3\.34\.148\.207 \(public\) while DNS gives x-eni, for 30 s$/);
      expect(moving?.remedy).toMatch(/^nothing yet: .* after 10 min this becomes StaleConnection/);
      expect(findingOf(flipped({}, 600), 'StaleConnection')?.summary).toMatch(/, for 10 min$/);
    });

    test('or not: then it is said that it may be older, and that one may have to act now', () => {
      const watch = new Watch();
      const moving = findingOf(watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS }), 'ConnectionMoving');
      expect(moving?.summary).toMatch(/ for 0 s, it may be older$/);
      expect(moving?.remedy).toMatch(
        /^if DNS changed some minutes ago, nothing yet: .* Else .*restart kubelet/,
      );
      const stale = findingOf(watch.look(alone(ON_PUBLIC), 600), 'StaleConnection');
      expect(stale?.summary).toMatch(/ for 10 min, it may be older$/);
    });
  });

  test('on the expected route there is nothing to do: it is DNS that differs', () => {
    const status = flipped({ expect: 'public' }, 30);
    const remedy = findingOf(status, 'ConnectionMoving')?.remedy;
    expect(remedy).toBe('nothing: its route is the expected one; it is DNS that differs');
    const later = flipped({ expect: 'public' }, 600);
    expect(stateOf(later, 'ConnectionMoving')).toBe('clear');
  });

  test('a remedy that moves a client says first what it needs', () => {
    const remedies = [
      findingOf(flipped({}, 30), 'ConnectionMoving')?.remedy,
      findingOf(flipped({}, 600), 'StaleConnection')?.remedy,
    ];
    for (const remedy of remedies) {
      expect(remedy).toMatch(/first see that the node can open a connection .*'systemctl restart kubelet'/);
    }
  });

  test('the age counts from the flip, though the connection is older', () => {
    const watch = new Watch();
    watch.look({ ...alone(ON_PUBLIC), dns: PUBLIC_DNS });
    const status = watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS }, 7200);
    expect(stateOf(status, 'ConnectionMoving')).toBe('raised');
    expect(onlyConnection(status, 'kubelet')).toMatchObject({ firstSeenAt: iso(10), staleSince: iso(7210) });
  });

  test('one of each: an old one and a young one of the same client', () => {
    const watch = new Watch();
    watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS });
    const young = { ...ON_PUBLIC, peer: '43.201.141.73:443' };
    const status = watch.look(alone(ON_PUBLIC, young), 700);
    expect(findingOf(status, 'ConnectionMoving')).toMatchObject({ address: '43.201.141.73' });
    expect(findingOf(status, 'StaleConnection')).toMatchObject({ address: '3.34.148.207' });
  });

  test('one for each client, whatever the number of its connections', () => {
    const seen = {
      sockets: [
        ON_PUBLIC,
        { ...ON_PUBLIC, local: '192.168.1.204:40001' },
        { ...ON_PUBLIC, process: 'kube-proxy' },
      ],
    };
    const watch = new Watch();
    watch.look({ ...seen, dns: X_ENI_DNS });
    const stale = watch.look(seen, 600).findings.filter(({ code }) => code === 'StaleConnection');
    expect(stale.map(({ client }) => client)).toEqual(['kubelet', 'kube-proxy']);
    expect(stale[0]?.summary).toContain('2 connections');
    expect(stale[1]?.remedy).toContain('daemonset/kube-proxy');
  });

  test('StaleConnection is not raised for a connection on the expected route', () => {
    expect(stateOf(flipped({ expect: 'public' }, 600), 'StaleConnection')).toBe('clear');
    expect(stateOf(flipped({ expect: 'x-eni' }, 600), 'StaleConnection')).toBe('raised');
    expect(stateOf(flipped({ expect: 'any' }, 600), 'StaleConnection')).toBe('raised');
  });

  test('are cleared when the connection is gone', () => {
    const watch = new Watch();
    watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS });
    expect(stateOf(watch.look(alone(ON_PUBLIC), 600), 'StaleConnection')).toBe('raised');
    const status = watch.look(alone(ON_X_ENI));
    expect([stateOf(status, 'ConnectionMoving'), stateOf(status, 'StaleConnection')]).toEqual([
      'clear',
      'clear',
    ]);
  });

  test('are cleared when DNS flips back, and begin anew with the next flip', () => {
    const watch = new Watch();
    watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS });
    watch.look(alone(ON_PUBLIC), 600);
    expect(stateOf(watch.look({ ...alone(ON_PUBLIC), dns: PUBLIC_DNS }), 'StaleConnection')).toBe('clear');
    const again = watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS });
    expect([stateOf(again, 'ConnectionMoving'), stateOf(again, 'StaleConnection')]).toEqual([
      'raised',
      'clear',
    ]);
  });

  test('an opening connection is not moving: it has not arrived', () => {
    const status = new Watch().look({ ...alone({ ...ON_PUBLIC, state: 'syn-sent' }), dns: X_ENI_DNS });
    expect(stateOf(status, 'ConnectionMoving')).toBe('clear');
  });

  test.each<[string, WatchSeen]>([
    ...BLIND_LOOKS,
    ['the endpoint is not known', { endpoint: null }],
    ['a client may have been overlooked', { processes: [KUBELET], unreadable: 1 }],
    [
      'a client has another uid',
      { processes: [KUBELET], leftOut: [{ client: 'kube-proxy', pid: 300, reason: 'uid', uid: 1000 }] },
    ],
    ['an optional client could not be read', { processes: [KUBELET, REFUSED], sockets: [ON_PUBLIC] }],
  ])('are not evaluated when %s', (_, seen) => {
    const watch = new Watch();
    watch.look({ sockets: [ON_PUBLIC], dns: X_ENI_DNS });
    const status = watch.look(seen, 600);
    expect(stateOf(status, 'ConnectionMoving')).toBe('not evaluated');
    expect(stateOf(status, 'StaleConnection')).toBe('not evaluated');
  });

  test('are evaluated where a client is not there at all', () => {
    const status = new Watch().look({ processes: [PROXY], dns: X_ENI_DNS });
    expect(stateOf(status, 'ConnectionMoving')).toBe('clear');
    expect(stateOf(status, 'StaleConnection')).toBe('clear');
  });

  test('are not evaluated by an answer of more than an hour ago', () => {
    const watch = new Watch();
    watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS });
    expect(stateOf(watch.look({ ...alone(ON_PUBLIC), dns: 'timeout' }, 3600), 'StaleConnection')).toBe(
      'raised',
    );
    const status = watch.look({ ...alone(ON_PUBLIC), dns: 'timeout' });
    expect(stateOf(status, 'ConnectionMoving')).toBe('not evaluated');
    expect(stateOf(status, 'StaleConnection')).toBe('not evaluated');
  });

  test('are not evaluated while DNS has never answered', () => {
    const status = new Watch().look(alone(ON_PUBLIC));
    expect(stateOf(status, 'ConnectionMoving')).toBe('not evaluated');
    expect(stateOf(status, 'StaleConnection')).toBe('not evaluated');
  });
});

describe('UnexpectedRoute', () => {
  // DNS gives X-ENIs and public addresses: then nothing is stale, and with another expectation nothing else is wrong.
  const BOTH_DNS = [...X_ENI_DNS, ...PUBLIC_DNS];
  const AFTER = 600;

  test('is raised when the route was another than the expected one for --stale-after', () => {
    const watch = new Watch({ expect: 'public' });
    watch.look({ ...alone(ON_X_ENI), dns: BOTH_DNS });
    expect(stateOf(watch.look(alone(ON_X_ENI), 29), 'UnexpectedRoute')).toBe('clear');
    let status = watch.look(alone(ON_X_ENI), 1);
    for (let seconds = 30; seconds < AFTER; seconds += 30) {
      expect(stateOf(status, 'UnexpectedRoute')).toBe('clear');
      status = watch.look(alone(ON_X_ENI), 30);
    }
    expect(findingOf(status, 'UnexpectedRoute')).toMatchObject({ client: null, address: null });
    expect(findingOf(status, 'UnexpectedRoute')?.summary).toContain(
      'the node route is x-eni where public is expected',
    );
  });

  test('is raised for a route of which nothing else says why', () => {
    const watch = new Watch({ expect: 'x-eni', vpcCidrs: [] });
    watch.look({ ...alone(ON_X_ENI), dns: X_ENI_DNS });
    const status = watch.look(alone(ON_X_ENI), 600);
    expect(status.route).toBe('other');
    expect(findingOf(status, 'UnexpectedRoute')?.remedy).toContain('--vpc-cidr');
  });

  test('is raised at once where no delay is asked for, as check does', () => {
    const watch = new Watch({ expect: 'x-eni', vpcCidrs: [], unexpectedAfterMs: 0 });
    expect(stateOf(watch.look({ ...alone(ON_X_ENI), dns: X_ENI_DNS }), 'UnexpectedRoute')).toBe('raised');
  });

  test('begins anew after the route was the expected one', () => {
    const watch = new Watch({ expect: 'public' });
    const half = alone(ON_PUBLIC, ON_X_ENI);
    watch.look({ ...half, dns: BOTH_DNS });
    expect(stateOf(watch.look(half, 500), 'UnexpectedRoute')).toBe('clear');
    expect(stateOf(watch.look(alone(ON_PUBLIC)), 'UnexpectedRoute')).toBe('clear');
    expect(stateOf(watch.look(half, 500), 'UnexpectedRoute')).toBe('clear');
    expect(stateOf(watch.look(half, 599), 'UnexpectedRoute')).toBe('clear');
    expect(stateOf(watch.look(half, 1), 'UnexpectedRoute')).toBe('raised');
  });

  test.each<[string, WatchSeen]>([
    ['DNS is public', { ...alone(ON_PUBLIC), dns: PUBLIC_DNS }],
    ['the connection is moving or stale', { ...alone(ON_PUBLIC), dns: X_ENI_DNS }],
  ])('is clear while another finding says why: %s', (_, seen) => {
    const watch = new Watch({ expect: 'x-eni' });
    watch.look(seen);
    for (const seconds of [300, 299, 1, 300]) {
      expect(stateOf(watch.look(seen, seconds), 'UnexpectedRoute')).toBe('clear');
    }
  });

  test('is clear when the route is the expected one', () => {
    const watch = new Watch({ expect: 'public', unexpectedAfterMs: 0 });
    expect(stateOf(watch.look({ ...alone(ON_PUBLIC), dns: PUBLIC_DNS }), 'UnexpectedRoute')).toBe('clear');
  });

  test('is not evaluated without an expectation, or while the route is unknown', () => {
    const any = new Watch({ unexpectedAfterMs: 0 });
    expect(stateOf(any.look({ ...alone(ON_PUBLIC), dns: PUBLIC_DNS }), 'UnexpectedRoute')).toBe(
      'not evaluated',
    );
    for (const [, seen] of BLIND_LOOKS) {
      const watch = new Watch({ expect: 'x-eni', unexpectedAfterMs: 0 });
      expect(stateOf(watch.look(seen), 'UnexpectedRoute')).toBe('not evaluated');
    }
  });
});
