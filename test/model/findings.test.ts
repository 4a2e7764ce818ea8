import { describe, expect, test } from 'vitest';
import { adviceOf, FINDING_CODES, severityOf } from '../../src/model/findings.ts';
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
      XEniUnreachable: 'critical',
      XEniIdentityMismatch: 'critical',
      DnsPublic: 'warning',
      DnsFailing: 'warning',
      CustomResolver: 'info',
      HostsFileOverride: 'warning',
      ConnectionMoving: 'info',
      StaleConnection: 'warning',
      StaleXEni: 'warning',
      UnexpectedRoute: 'warning',
      ConnectStuck: 'warning',
      Retransmitting: 'warning',
      ViaProxy: 'warning',
      SliceUnavailable: 'info',
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

describe('the advice of every finding', () => {
  test.each(FINDING_CODES)(
    '%s: one short sentence without a command, which templates and tables take as it is',
    (code) => {
      const advice = adviceOf(code);
      expect(advice).toMatch(/^[A-Z][^.!?]*\.$/);
      expect(advice.length).toBeLessThanOrEqual(170);
      expect(advice).not.toMatch(/[`"<>{}$|]|--|\b(?:kubectl|systemctl|aws|dig|ss -)\b/);
    },
  );

  test('is a sentence of its own for each', () => {
    expect(new Set(FINDING_CODES.map(adviceOf)).size).toBe(FINDING_CODES.length);
  });

  test.each(['XEniUnreachable', 'XEniIdentityMismatch', 'DnsFailing', 'ConnectStuck'] as const)(
    '%s: what reconnects does not come back, so first of all nothing is restarted',
    (code) => {
      expect(adviceOf(code)).toMatch(/restart no client and replace no node/i);
    },
  );

  test.each(['StaleConnection', 'StaleXEni', 'HostsFileOverride', 'ViaProxy', 'UnexpectedRoute'] as const)(
    '%s: a client is moved only where it can reach what DNS gives, be that public or not',
    (code) => {
      expect(adviceOf(code)).toContain("this node's probes of what DNS gives succeed");
    },
  );
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

  test('is raised where sockets are told by addresses though owners were asked for, and says so', () => {
    const seen: WatchSeen = { failed: ['owners'], unattributed: [], dns: X_ENI_DNS };
    expect(findingOf(new Watch().look(seen), 'Blind')?.summary).toMatch(
      /^the stage owners failed: it took longer than 5 s; .*known addresses/,
    );
  });

  test('is raised where root listens on 10250 and no client can be seen', () => {
    const finding = findingOf(new Watch().look({ processes: [], unattributed: [] }), 'Blind');
    expect(finding?.summary).toContain('hostPID');
    expect(finding?.remedy).toContain('hostPID');
  });

  test('is raised where addresses were asked for and the table shows no kubelet', () => {
    const watch = new Watch({ attribution: 'address' });
    const finding = findingOf(watch.look({ ownersOff: true, unattributed: [], listening: [] }), 'Blind');
    expect(finding?.summary).toContain('10250');
  });

  test('is clear where addresses were asked for and the table is the host', () => {
    const watch = new Watch({ attribution: 'address' });
    expect(stateOf(watch.look({ ownersOff: true, unattributed: [] }), 'Blind')).toBe('clear');
  });

  test('is clear when everything was read, also where there is nothing to see', () => {
    expect(stateOf(new Watch().look({ processes: [], listening: [] }), 'Blind')).toBe('clear');
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

  test('is not evaluated where sockets are told by addresses alone', () => {
    const byWish = new Watch({ attribution: 'address' });
    expect(stateOf(byWish.look({ ownersOff: true, unattributed: [] }), 'ClientMissing')).toBe(
      'not evaluated',
    );
    const refused: WatchSeen = { processes: [REFUSED], unattributed: [] };
    expect(stateOf(new Watch().look(refused), 'ClientMissing')).toBe('not evaluated');
    expect(stateOf(new Watch().look({ processes: [], unattributed: [] }), 'ClientMissing')).toBe(
      'not evaluated',
    );
  });

  test('speaks of every required client, and of no other', () => {
    const clients = ['kubelet', 'kube-proxy', 'aws-k8s-agent'].map((name) => ({
      name,
      required: name !== 'kube-proxy',
    }));
    const { findings } = new Watch({ clients }).look({ processes: [], listening: [] });
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
      expect(remedy).toMatch(/first see that this node can open a connection .*'systemctl restart kubelet'/);
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
    expect(stale[1]?.remedy).toContain('k8s-app=kube-proxy');
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

describe('XEniUnreachable', () => {
  const good = { address: '192.168.1.231' };
  const deaf = { ...good, failedStage: 'tcp', error: 'no answer within 3 s' } as const;
  const probing = { probeIntervalMs: 60_000 };

  function look(seen: WatchSeen): NodeStatus {
    return new Watch(probing).look({ slice: X_ENI_DNS, dns: X_ENI_DNS, ...seen });
  }

  test.each(['tcp', 'tls'] as const)(
    'is raised when a current X-ENI fails at %s, as critical',
    (failedStage) => {
      const finding = findingOf(look({ probes: [{ ...deaf, failedStage }] }), 'XEniUnreachable');
      expect(finding).toMatchObject({ severity: 'critical', client: null, address: '192.168.1.231' });
      expect(finding?.summary).toContain('192.168.1.231');
      expect(finding?.summary).toContain('no answer within 3 s');
    },
  );

  test('names the security group, and warns of restarts: what stands is all there is', () => {
    const { remedy } = findingOf(look({ probes: [deaf] }), 'XEniUnreachable') ?? {};
    expect(remedy).toContain('authorize-security-group-ingress');
    expect(remedy).toContain('--port 443');
    expect(remedy).toMatch(/^restart no/);
    expect(remedy).not.toContain('systemctl restart');
  });

  test('is raised while the stale connection still works', () => {
    const seen = { ...alone(ON_PUBLIC), dns: X_ENI_DNS, probes: [deaf] };
    const status = look(seen);
    expect(status.findings.map(({ code }) => code)).toEqual(['XEniUnreachable', 'ConnectionMoving']);
  });

  test('is raised for each X-ENI, and for no address that is none', () => {
    const { findings } = look({
      slice: ['192.168.1.231', '192.168.1.121'],
      dns: PUBLIC_DNS,
      probes: [deaf, { ...deaf, address: '192.168.1.121' }, { ...deaf, address: '3.34.148.207' }],
    });
    const own = findings.filter(({ code }) => code === 'XEniUnreachable');
    expect(own.map(({ address }) => address)).toEqual(['192.168.1.231', '192.168.1.121']);
  });

  test('is raised though another X-ENI has not been probed yet', () => {
    const seen = { slice: ['192.168.1.231', '192.168.1.121'], probes: [deaf] };
    expect(stateOf(look(seen), 'XEniUnreachable')).toBe('raised');
  });

  test('is cleared when it answers, or is an X-ENI no longer', () => {
    const watch = new Watch(probing);
    const seen = { slice: X_ENI_DNS, dns: X_ENI_DNS };
    expect(stateOf(watch.look({ ...seen, probes: [deaf] }), 'XEniUnreachable')).toBe('raised');
    expect(stateOf(watch.look({ ...seen, probes: [good] }), 'XEniUnreachable')).toBe('clear');
    const NEW = ['192.168.1.9'];
    const replaced = { slice: NEW, dns: NEW, probes: [deaf, { address: '192.168.1.9' }] };
    expect(stateOf(watch.look(replaced), 'XEniUnreachable')).toBe('clear');
  });

  test('is clear when an X-ENI answers with another certificate: that is another finding', () => {
    const status = look({ probes: [{ ...good, failedStage: 'identity' }] });
    expect(stateOf(status, 'XEniUnreachable')).toBe('clear');
    expect(stateOf(status, 'XEniIdentityMismatch')).toBe('raised');
  });

  test.each<[string, WatchSeen]>([
    ['nothing is probed', { probes: null }],
    ['no probe has ended', { probes: [] }],
    ['one of two has not been probed yet', { slice: ['192.168.1.231', '192.168.1.121'], probes: [good] }],
    [
      'one of two has not been probed yet, and the other shows another certificate',
      { slice: ['192.168.1.231', '192.168.1.121'], probes: [{ ...good, failedStage: 'identity' }] },
    ],
    ['no X-ENI is known', { slice: null, dns: PUBLIC_DNS, probes: [{ address: '3.34.148.207' }] }],
    ['the last probe is older than three intervals', { probes: [{ ...deaf, ageSeconds: 180.001 }] }],
  ])('is not evaluated when %s', (_, seen) => {
    expect(stateOf(look(seen), 'XEniUnreachable')).toBe('not evaluated');
  });

  test('is raised by a probe of three intervals ago, no older', () => {
    expect(stateOf(look({ probes: [{ ...deaf, ageSeconds: 180 }] }), 'XEniUnreachable')).toBe('raised');
  });

  test('is not evaluated with --no-probe', () => {
    const seen: WatchSeen = { slice: X_ENI_DNS, dns: X_ENI_DNS, probes: null };
    expect(stateOf(new Watch().look(seen), 'XEniUnreachable')).toBe('not evaluated');
    expect(stateOf(new Watch().look(seen), 'XEniIdentityMismatch')).toBe('not evaluated');
  });
});

describe('XEniIdentityMismatch', () => {
  const good = { address: '192.168.1.231' };
  const error = 'its certificate is not signed by the CA of the cluster';
  const other = { ...good, failedStage: 'identity', error } as const;

  function look(seen: WatchSeen): NodeStatus {
    return new Watch({ probeIntervalMs: 60_000 }).look({ slice: X_ENI_DNS, dns: X_ENI_DNS, ...seen });
  }

  test('is raised when a current X-ENI shows another certificate, as critical', () => {
    const finding = findingOf(look({ probes: [other] }), 'XEniIdentityMismatch');
    expect(finding).toMatchObject({ severity: 'critical', client: null, address: '192.168.1.231' });
    expect(finding?.summary).toContain(error);
    expect(finding?.summary).toContain(HOSTNAME);
    expect(finding?.remedy).toContain(`openssl s_client -connect 192.168.1.231:443 -servername ${HOSTNAME}`);
  });

  test('is raised when an address that DNS gives does, public or private', () => {
    for (const address of ['3.34.148.207', '10.9.0.1']) {
      const status = look({ dns: [address], probes: [good, { ...other, address }] });
      expect(findingOf(status, 'XEniIdentityMismatch')).toMatchObject({ address });
    }
  });

  test('names an IPv6 address as openssl reads it', () => {
    const seen = { slice: ['2600:1f13::5'], probes: [{ ...other, address: '2600:1f13::5' }] };
    const finding = findingOf(look(seen), 'XEniIdentityMismatch');
    expect(finding).toMatchObject({ address: '2600:1f13::5' });
    expect(finding?.remedy).toContain('-connect [2600:1f13::5]:443');
  });

  test('is cleared when the certificate is right, or the address is none of them any more', () => {
    const watch = new Watch({ probeIntervalMs: 60_000 });
    const seen = { slice: X_ENI_DNS, dns: X_ENI_DNS };
    expect(stateOf(watch.look({ ...seen, probes: [other] }), 'XEniIdentityMismatch')).toBe('raised');
    expect(stateOf(watch.look({ ...seen, probes: [good] }), 'XEniIdentityMismatch')).toBe('clear');
    const NEW = ['192.168.1.9'];
    const replaced = { slice: NEW, dns: NEW, probes: [other, { address: '192.168.1.9' }] };
    expect(stateOf(watch.look(replaced), 'XEniIdentityMismatch')).toBe('clear');
  });

  test('is clear when every address showed the right certificate, public ones too', () => {
    const seen = { dns: PUBLIC_DNS, probes: [good, { address: '3.34.148.207' }] };
    expect(stateOf(look(seen), 'XEniIdentityMismatch')).toBe('clear');
  });

  test.each(['tcp', 'tls'] as const)(
    'is not evaluated when an X-ENI fails at %s: it showed none',
    (failedStage) => {
      const status = look({ probes: [{ ...good, failedStage }] });
      expect(stateOf(status, 'XEniIdentityMismatch')).toBe('not evaluated');
      expect(stateOf(status, 'XEniUnreachable')).toBe('raised');
    },
  );

  test('is raised though another address does not answer', () => {
    const seen = {
      dns: PUBLIC_DNS,
      probes: [other, { address: '3.34.148.207', failedStage: 'tcp' }],
    } as const;
    expect(findingOf(look(seen), 'XEniIdentityMismatch')).toMatchObject({ address: '192.168.1.231' });
  });

  test.each<[string, WatchSeen]>([
    ['nothing is probed', { probes: null }],
    ['no probe has ended', { probes: [] }],
    ['an address of DNS has not been probed yet', { dns: PUBLIC_DNS, probes: [good] }],
    [
      'an address of DNS has not been probed yet, and the X-ENI does not answer',
      { dns: PUBLIC_DNS, probes: [{ ...good, failedStage: 'tcp' }] },
    ],
    [
      'a public address of DNS does not answer',
      { dns: PUBLIC_DNS, probes: [good, { address: '3.34.148.207', failedStage: 'tcp' }] },
    ],
    ['no address is known', { slice: null, dns: 'nxdomain', probes: [good] }],
    ['the last probe is too old', { probes: [{ ...other, ageSeconds: 180.001 }] }],
  ])('is not evaluated when %s', (_, seen) => {
    expect(stateOf(look(seen), 'XEniIdentityMismatch')).toBe('not evaluated');
  });
});

describe('CustomResolver', () => {
  const ec2 = { onEc2: true };

  test('is raised on EC2 when the node asks another resolver than the one of the VPC', () => {
    const finding = findingOf(new Watch(ec2).look({ resolvers: ['10.0.0.2'] }), 'CustomResolver');
    expect(finding).toMatchObject({ severity: 'info', client: null, address: '10.0.0.2' });
    expect(finding?.summary).toContain('10.0.0.2');
  });

  test('is raised when it asks another one too, and names that', () => {
    const resolvers = ['192.168.0.2', '8.8.8.8', '1.1.1.1'];
    const finding = findingOf(new Watch(ec2).look({ resolvers }), 'CustomResolver');
    expect(finding?.address).toBe('8.8.8.8');
    expect(finding?.summary).toContain('8.8.8.8 and 1.1.1.1');
    expect(finding?.summary).not.toContain('192.168.0.2');
  });

  test("is raised for the machine's own cache when its servers are not known", () => {
    expect(stateOf(new Watch(ec2).look({ resolvers: ['127.0.0.53'] }), 'CustomResolver')).toBe('raised');
  });

  test.each(['192.168.0.2', '169.254.169.253', 'fd00:ec2::253'])('is clear with %s', (resolver) => {
    expect(stateOf(new Watch(ec2).look({ resolvers: [resolver] }), 'CustomResolver')).toBe('clear');
  });

  test('is cleared when the resolver is mended', () => {
    const watch = new Watch(ec2);
    expect(stateOf(watch.look({ resolvers: ['8.8.8.8'] }), 'CustomResolver')).toBe('raised');
    expect(stateOf(watch.look({ resolvers: ['192.168.0.2'] }), 'CustomResolver')).toBe('clear');
  });

  test('knows the base of the VPC from IMDS too', () => {
    const watch = new Watch({ ...ec2, vpcCidrs: [] });
    const seen = { resolvers: ['10.7.0.2'] };
    expect(stateOf(watch.look({ ...seen, imds: ['10.7.0.0/16'] }), 'CustomResolver')).toBe('clear');
    expect(stateOf(watch.look({ ...seen, imds: ['10.8.0.0/16'] }), 'CustomResolver')).toBe('raised');
  });

  test.each<[string, WatchSeen, ConstructorParameters<typeof Watch>[0]]>([
    ['elsewhere than on EC2', { resolvers: ['8.8.8.8'] }, {}],
    ['when the resolvers could not be read', { resolvers: null }, ec2],
    ["when the node's files were not looked at", { nodeConfig: null }, ec2],
    ['when it may be base + 2 and no CIDR is known', { resolvers: ['10.0.0.2'] }, { ...ec2, vpcCidrs: [] }],
  ])('is not evaluated %s', (_, seen, overrides) => {
    expect(stateOf(new Watch(overrides).look(seen), 'CustomResolver')).toBe('not evaluated');
  });
});

describe('HostsFileOverride', () => {
  test('is raised when the hosts file gives the endpoint an address that DNS does not', () => {
    const finding = findingOf(
      new Watch().look({ hosts: ['3.34.148.207'], dns: X_ENI_DNS }),
      'HostsFileOverride',
    );
    expect(finding).toMatchObject({ severity: 'warning', client: null, address: '3.34.148.207' });
    expect(finding?.summary).toContain(HOSTNAME);
    expect(finding?.remedy).toContain('/etc/hosts');
    expect(finding?.remedy).toContain('Outposts');
  });

  test('names the ones that differ', () => {
    const status = new Watch().look({ hosts: [...X_ENI_DNS, '10.9.0.1', '10.9.0.2'], dns: X_ENI_DNS });
    const finding = findingOf(status, 'HostsFileOverride');
    expect(finding?.address).toBe('10.9.0.1');
    expect(finding?.summary).toContain('10.9.0.1 and 10.9.0.2');
    expect(finding?.summary).not.toContain('192.168.1.231');
  });

  test('is clear when it says nothing of the endpoint, or what DNS says', () => {
    expect(stateOf(new Watch().look({ hosts: [], dns: X_ENI_DNS }), 'HostsFileOverride')).toBe('clear');
    expect(stateOf(new Watch().look({ hosts: X_ENI_DNS, dns: X_ENI_DNS }), 'HostsFileOverride')).toBe(
      'clear',
    );
    const mapped = { hosts: ['::ffff:192.168.1.231'], dns: X_ENI_DNS };
    expect(stateOf(new Watch().look(mapped), 'HostsFileOverride')).toBe('clear');
  });

  test('is cleared when the line is gone', () => {
    const watch = new Watch();
    expect(stateOf(watch.look({ hosts: PUBLIC_DNS, dns: X_ENI_DNS }), 'HostsFileOverride')).toBe('raised');
    expect(stateOf(watch.look({ hosts: [] }), 'HostsFileOverride')).toBe('clear');
  });

  test.each<[string, WatchSeen]>([
    ['could not be read', { hosts: null, dns: X_ENI_DNS }],
    ['was not looked at', { nodeConfig: null, dns: X_ENI_DNS }],
    ['has nothing to be compared with', { hosts: PUBLIC_DNS }],
  ])('is not evaluated when the file %s', (_, seen) => {
    expect(stateOf(new Watch().look(seen), 'HostsFileOverride')).toBe('not evaluated');
  });
});

describe('StaleXEni', () => {
  const NEW = ['192.168.1.9'];

  function replaced(
    last: WatchSeen = {},
    overrides: ConstructorParameters<typeof Watch>[0] = {},
  ): NodeStatus {
    const watch = new Watch(overrides);
    watch.look({ ...alone(ON_X_ENI), slice: X_ENI_DNS, dns: X_ENI_DNS });
    return watch.look({ ...alone(ON_X_ENI), slice: NEW, dns: NEW, ...last });
  }

  test('is raised for a connection to an address that was an X-ENI and no longer is', () => {
    const finding = findingOf(replaced(), 'StaleXEni');
    expect(finding).toMatchObject({ severity: 'warning', client: 'kubelet', address: '192.168.1.231' });
    expect(finding?.summary).toContain('kubelet');
    expect(finding?.summary).toContain('192.168.1.231');
  });

  test('keeps the connection the endpoint, and the node from x-eni', () => {
    expect(onlyConnection(replaced(), 'kubelet')).toMatchObject({ route: 'vpc', stale: true });
  });

  test('is raised once for a client with several, and for each client', () => {
    const sockets = [
      ON_X_ENI,
      { ...ON_X_ENI, local: '192.168.1.204:40001' },
      { ...ON_X_ENI, process: 'kube-proxy' },
    ];
    const { findings } = replaced({ processes: [KUBELET, PROXY], sockets });
    const own = findings.filter(({ code }) => code === 'StaleXEni');
    expect(own.map(({ client }) => client)).toEqual(['kubelet', 'kube-proxy']);
    expect(own[0]?.summary).toContain('1 more');
  });

  test('is raised by DNS alone, where there is no slice', () => {
    const watch = new Watch();
    watch.look({ ...alone(ON_X_ENI), dns: X_ENI_DNS });
    expect(stateOf(watch.look({ ...alone(ON_X_ENI), dns: NEW }), 'StaleXEni')).toBe('raised');
  });

  test('is raised where sockets are told by addresses: the address is known', () => {
    const unattributed = [{ process: 'anyone', peer: '192.168.1.231:443' }];
    const finding = findingOf(replaced({ failed: ['owners'], unattributed }), 'StaleXEni');
    expect(finding).toMatchObject({ client: 'unattributed', address: '192.168.1.231' });
  });

  test('is clear while the address is an X-ENI, and when the connection is gone', () => {
    expect(stateOf(replaced({ slice: X_ENI_DNS, dns: X_ENI_DNS }), 'StaleXEni')).toBe('clear');
    expect(stateOf(replaced({ slice: [...NEW, ...X_ENI_DNS] }), 'StaleXEni')).toBe('clear');
    const moved = alone({ ...ON_X_ENI, peer: '192.168.1.9:443' });
    expect(stateOf(replaced(moved), 'StaleXEni')).toBe('clear');
  });

  test('is clear for other stale connections', () => {
    const watch = new Watch();
    watch.look({ ...alone(ON_PUBLIC), dns: PUBLIC_DNS });
    expect(stateOf(watch.look({ ...alone(ON_PUBLIC), dns: X_ENI_DNS }), 'StaleXEni')).toBe('clear');
  });

  test.each(BLIND_LOOKS)('is not evaluated when %s', (_, seen) => {
    expect(stateOf(replaced(seen), 'StaleXEni')).toBe('not evaluated');
  });

  test('is not evaluated where no source ever named an X-ENI', () => {
    expect(stateOf(new Watch().look(alone(ON_X_ENI)), 'StaleXEni')).toBe('not evaluated');
  });
});

describe('what X-ENIs there are is not known', () => {
  const CODES = ['XEniUnreachable', 'XEniIdentityMismatch', 'StaleXEni'] as const;
  const good = { address: '192.168.1.231' };
  const elsewhere = { address: '192.168.7.7' };
  const SEEN: WatchSeen = { ...alone(ON_X_ENI), slice: X_ENI_DNS, dns: X_ENI_DNS, probes: [good, elsewhere] };
  const deaf = { ...good, failedStage: 'tcp' } as const;
  const masked = { ...good, failedStage: 'identity' } as const;

  function states(seen: WatchSeen): readonly string[] {
    const status = new Watch({ probeIntervalMs: 60_000 }).look({ ...SEEN, ...seen });
    return CODES.map((code) => stateOf(status, code));
  }

  const UNKNOWN: readonly [string, WatchSeen][] = [
    ['the slice is too old', { sliceAgeSeconds: 900.001 }],
    ['the slice names an address that is not taken for one', { slice: [...X_ENI_DNS, '3.34.148.207'] }],
    ['DNS has never answered', { dns: 'timeout' }],
    ['DNS gives an address of the VPC that is not in the slice', { dns: [...X_ENI_DNS, '192.168.7.7'] }],
    [
      'DNS needs one by IPv6 too',
      { dns: [...X_ENI_DNS, '2600:1f13::5'], probes: [good, { address: '2600:1f13::5' }] },
    ],
  ];

  test('all three are clear where it is known, and every address answers', () => {
    expect(states({})).toEqual(['clear', 'clear', 'clear']);
    expect(states({ sliceAgeSeconds: 900 })).toEqual(['clear', 'clear', 'clear']);
  });

  test.each(UNKNOWN)('none is clear when %s', (_, seen) => {
    expect(states(seen)).toEqual(['not evaluated', 'not evaluated', 'not evaluated']);
  });

  test.each(UNKNOWN)('each is raised all the same when %s', (_, seen) => {
    expect(states({ ...seen, probes: [deaf] })[0]).toBe('raised');
    expect(states({ ...seen, probes: [masked] })[1]).toBe('raised');
  });

  test.each<[string, WatchSeen]>([
    ['the slice is too old', { sliceAgeSeconds: 3600 }],
    ['the slice names an address that is not taken for one', { slice: ['192.168.1.9', '3.34.148.207'] }],
    ['DNS gives an address of the VPC that is not in the slice', { dns: ['192.168.1.9', '192.168.7.7'] }],
  ])('StaleXEni is raised all the same when %s', (_, seen) => {
    const watch = new Watch();
    watch.look({ ...alone(ON_X_ENI), slice: X_ENI_DNS, dns: X_ENI_DNS });
    const NEW = ['192.168.1.9'];
    const status = watch.look({ ...alone(ON_X_ENI), slice: NEW, dns: NEW, ...seen });
    expect(stateOf(status, 'StaleXEni')).toBe('raised');
  });

  test('StaleXEni needs no probes', () => {
    const watch = new Watch();
    const seen = { ...alone(ON_X_ENI), slice: X_ENI_DNS, dns: X_ENI_DNS };
    expect(stateOf(watch.look(seen), 'StaleXEni')).toBe('clear');
    expect(stateOf(watch.look({ ...seen, sliceAgeSeconds: 901 }), 'StaleXEni')).toBe('not evaluated');
  });
});

describe('ConnectStuck', () => {
  const OPENING = { ...ON_X_ENI, state: 'syn-sent', local: '192.168.1.204:40000', inode: 7 } as const;
  const moved = { dns: X_ENI_DNS };

  test('is raised when the same socket was opening for ten seconds, no sooner', () => {
    const watch = new Watch();
    watch.look({ ...alone(OPENING), ...moved });
    expect(stateOf(watch.look(alone(OPENING), 9.999), 'ConnectStuck')).toBe('clear');
    const finding = findingOf(watch.look(alone(OPENING), 0.001), 'ConnectStuck');
    expect(finding).toMatchObject({ severity: 'warning', client: 'kubelet', address: '192.168.1.231' });
    expect(finding?.summary).toContain('kubelet');
    expect(finding?.summary).toContain('192.168.1.231');
    expect(finding?.remedy).toMatch(/restart no/);
  });

  test('is raised for a public address, with another remedy than for an X-ENI', () => {
    const socket = { ...OPENING, peer: '3.34.148.207:443' };
    const watch = new Watch();
    watch.look({ ...alone(socket), dns: PUBLIC_DNS });
    const finding = findingOf(watch.look(alone(socket)), 'ConnectStuck');
    expect(finding?.remedy).toContain('publicAccessCidrs');
    expect(finding?.remedy).not.toContain('SG_OF_THE_X_ENIS');
  });

  test.each([
    ['another inode', { ...OPENING, inode: 8 }],
    ['another local port', { ...OPENING, local: '192.168.1.204:40001' }],
    ['another address', { ...OPENING, peer: '192.168.1.9:443' }],
  ])('is another socket with %s: two looks that happen to meet one are not enough', (_, other) => {
    const watch = new Watch();
    const seen = { slice: ['192.168.1.231', '192.168.1.9'] };
    watch.look({ ...alone(OPENING), ...seen });
    expect(stateOf(watch.look({ ...alone(other), ...seen }), 'ConnectStuck')).toBe('clear');
    expect(stateOf(watch.look({ ...alone(other), ...seen }), 'ConnectStuck')).toBe('raised');
  });

  test('counts from when it was opening, and goes on through a row that was missed', () => {
    const watch = new Watch();
    watch.look({ ...alone(OPENING), ...moved });
    watch.look(alone({ ...OPENING, missed: true }), 5);
    expect(stateOf(watch.look(alone(OPENING), 5), 'ConnectStuck')).toBe('raised');
  });

  test('is cleared when the socket is established, or gone', () => {
    for (const after of [alone({ ...OPENING, state: 'established' }), alone()]) {
      const watch = new Watch();
      watch.look({ ...alone(OPENING), ...moved });
      expect(stateOf(watch.look(alone(OPENING)), 'ConnectStuck')).toBe('raised');
      expect(stateOf(watch.look(after), 'ConnectStuck')).toBe('clear');
    }
  });

  test('is raised once for a client with several', () => {
    const seen = alone(OPENING, { ...OPENING, local: '192.168.1.204:40001', inode: 8 });
    const watch = new Watch();
    watch.look({ ...seen, ...moved });
    expect(findingOf(watch.look(seen), 'ConnectStuck')?.summary).toContain('1 more');
  });

  test('is clear for sockets that do not go to the endpoint', () => {
    const elsewhere = { ...OPENING, peer: '10.1.1.1:8443' };
    const watch = new Watch();
    watch.look({ ...alone(elsewhere), ...moved });
    expect(stateOf(watch.look(alone(elsewhere)), 'ConnectStuck')).toBe('clear');
  });

  test('is not evaluated before there were ten seconds to see it', () => {
    const watch = new Watch();
    expect(stateOf(watch.look({ ...alone(OPENING), ...moved }, 1), 'ConnectStuck')).toBe('not evaluated');
    const status = watch.look(alone(OPENING), 8.999);
    expect(stateOf(status, 'ConnectStuck')).toBe('not evaluated');
    expect(stateOf(status, 'Retransmitting')).toBe('not evaluated');
  });

  test.each<[string, WatchSeen]>([...BLIND_LOOKS, ['the endpoint is not known', { endpoint: null }]])(
    'is not evaluated when %s',
    (_, seen) => {
      const watch = new Watch();
      watch.look({ ...alone(OPENING), ...moved });
      expect(stateOf(watch.look(seen), 'ConnectStuck')).toBe('not evaluated');
      expect(stateOf(watch.look(seen), 'Retransmitting')).toBe('not evaluated');
    },
  );
});

describe('Retransmitting', () => {
  const SILENT = {
    ...ON_X_ENI,
    local: '192.168.1.204:40000',
    inode: 7,
    retransmits: 1,
    sendQueueBytes: 517,
  } as const;
  const moved = { dns: X_ENI_DNS };

  test('is raised when the same socket was not answered for ten seconds, no sooner', () => {
    const watch = new Watch();
    watch.look({ ...alone(SILENT), ...moved });
    expect(stateOf(watch.look(alone({ ...SILENT, retransmits: 4 }), 9.999), 'Retransmitting')).toBe('clear');
    const status = watch.look(alone({ ...SILENT, retransmits: 5 }), 0.001);
    const finding = findingOf(status, 'Retransmitting');
    expect(finding).toMatchObject({ severity: 'warning', client: 'kubelet', address: '192.168.1.231' });
    expect(finding?.summary).toMatch(/kubelet.*192\.168\.1\.231.*5 time-outs.*517 bytes/);
  });

  test('is raised when the count stays: the pauses between time-outs double', () => {
    const watch = new Watch();
    watch.look({ ...alone(SILENT), ...moved });
    expect(stateOf(watch.look(alone(SILENT)), 'Retransmitting')).toBe('raised');
  });

  test('begins anew when the count went down in between: something got through', () => {
    const watch = new Watch();
    watch.look({ ...alone({ ...SILENT, retransmits: 3 }), ...moved });
    expect(stateOf(watch.look(alone({ ...SILENT, retransmits: 2 })), 'Retransmitting')).toBe('clear');
    expect(stateOf(watch.look(alone({ ...SILENT, retransmits: 2 }), 9.999), 'Retransmitting')).toBe('clear');
    expect(stateOf(watch.look(alone({ ...SILENT, retransmits: 2 }), 0.001), 'Retransmitting')).toBe('raised');
  });

  test.each<[string, Partial<typeof SILENT> | { retransmits: number } | { sendQueueBytes: number }]>([
    ['no time-out', { retransmits: 0 }],
    ['nothing to send', { sendQueueBytes: 0 }],
  ])('is not said of one with %s, and begins anew after it', (_, change) => {
    const watch = new Watch();
    const fine = alone({ ...SILENT, ...change });
    watch.look({ ...fine, ...moved });
    expect(stateOf(watch.look(fine), 'Retransmitting')).toBe('clear');
    watch.look(alone(SILENT));
    watch.look(fine, 5);
    expect(stateOf(watch.look(alone(SILENT), 5), 'Retransmitting')).toBe('clear');
    expect(stateOf(watch.look(alone(SILENT)), 'Retransmitting')).toBe('raised');
  });

  test('is another socket with another inode: two looks that happen to meet one are not enough', () => {
    const watch = new Watch();
    watch.look({ ...alone(SILENT), ...moved });
    expect(stateOf(watch.look(alone({ ...SILENT, inode: 8 })), 'Retransmitting')).toBe('clear');
  });

  test('is not said of a socket that opens: that is ConnectStuck', () => {
    const opening = { ...SILENT, state: 'syn-sent' } as const;
    const watch = new Watch();
    watch.look({ ...alone(opening), ...moved });
    const status = watch.look(alone(opening));
    expect([stateOf(status, 'Retransmitting'), stateOf(status, 'ConnectStuck')]).toEqual(['clear', 'raised']);
  });

  test('is cleared when it is answered, or closed', () => {
    for (const after of [alone({ ...SILENT, retransmits: 0, sendQueueBytes: 0 }), alone()]) {
      const watch = new Watch();
      watch.look({ ...alone(SILENT), ...moved });
      expect(stateOf(watch.look(alone(SILENT)), 'Retransmitting')).toBe('raised');
      expect(stateOf(watch.look(after), 'Retransmitting')).toBe('clear');
    }
  });

  test('is raised once for a client with several', () => {
    const seen = alone(SILENT, { ...SILENT, local: '192.168.1.204:40001', inode: 8 });
    const watch = new Watch();
    watch.look({ ...seen, ...moved });
    expect(findingOf(watch.look(seen), 'Retransmitting')?.summary).toContain('1 more');
  });
});

describe('ViaProxy', () => {
  const KUBELET_PROXY = { client: 'kubelet', port: 3128, addresses: ['10.1.1.1'] };
  const TO_PROXY = { process: 'kubelet', peer: '10.1.1.1:3128' };

  test('is raised when a client goes by the proxy that it is told to use', () => {
    const status = new Watch().look({ ...alone(TO_PROXY), dns: X_ENI_DNS, proxies: [KUBELET_PROXY] });
    const finding = findingOf(status, 'ViaProxy');
    expect(finding).toMatchObject({ severity: 'warning', client: 'kubelet', address: '10.1.1.1' });
    expect(finding?.summary).toContain('10.1.1.1 port 3128');
    expect(finding?.remedy).toContain('NO_PROXY');
    expect(onlyConnection(status, 'kubelet')).toMatchObject({ route: 'proxy', evidence: 'proxy' });
  });

  test('is raised for a proxy on loopback, and before DNS has answered', () => {
    const proxies = [{ ...KUBELET_PROXY, addresses: ['127.0.0.1'] }];
    const seen = { ...alone({ process: 'kubelet', peer: '127.0.0.1:3128' }), proxies };
    expect(stateOf(new Watch().look(seen), 'ViaProxy')).toBe('raised');
  });

  test('is raised though it is not known whether another client goes by one', () => {
    const proxies = [KUBELET_PROXY, { client: 'kube-proxy', error: 'nxdomain' }];
    const seen = { sockets: [TO_PROXY], dns: X_ENI_DNS, proxies };
    expect(stateOf(new Watch().look(seen), 'ViaProxy')).toBe('raised');
  });

  test('is raised once for a client with several', () => {
    const sockets = alone(TO_PROXY, { ...TO_PROXY, local: '192.168.1.204:40001' });
    const status = new Watch().look({ ...sockets, dns: X_ENI_DNS, proxies: [KUBELET_PROXY] });
    expect(findingOf(status, 'ViaProxy')?.summary).toContain('1 more');
  });

  test('is clear without a proxy, with one that is not used, and with that of another client', () => {
    expect(stateOf(new Watch().look({ ...alone(ON_X_ENI), dns: X_ENI_DNS }), 'ViaProxy')).toBe('clear');
    const unused = { ...alone(ON_X_ENI), dns: X_ENI_DNS, proxies: [KUBELET_PROXY] };
    expect(stateOf(new Watch().look(unused), 'ViaProxy')).toBe('clear');
    const others = { ...alone(TO_PROXY), proxies: [{ ...KUBELET_PROXY, client: 'kube-proxy' }] };
    expect(stateOf(new Watch().look(others), 'ViaProxy')).toBe('clear');
  });

  test('is cleared when the client has moved', () => {
    const watch = new Watch();
    const proxies = [KUBELET_PROXY];
    expect(stateOf(watch.look({ ...alone(TO_PROXY), dns: X_ENI_DNS, proxies }), 'ViaProxy')).toBe('raised');
    expect(stateOf(watch.look({ ...alone(ON_X_ENI), proxies: [] }), 'ViaProxy')).toBe('clear');
  });

  test.each<[string, WatchSeen]>([
    ...BLIND_LOOKS,
    ["the node's files were not looked at", { nodeConfig: null }],
    ["the proxy's name could not be resolved", { proxies: [{ client: 'kubelet', error: 'nxdomain' }] }],
    [
      'sockets are told by known addresses alone: a proxy is none of them',
      { failed: ['owners'], unattributed: [], proxies: [KUBELET_PROXY] },
    ],
  ])('is not evaluated when %s', (_, seen) => {
    const { processes = [KUBELET], ...others } = seen;
    const status = new Watch().look({ dns: X_ENI_DNS, processes, ...others });
    expect(stateOf(status, 'ViaProxy')).toBe('not evaluated');
  });
});

describe('SliceUnavailable', () => {
  test.each<[string, WatchSeen, ReturnType<typeof stateOf>]>([
    ['outside a cluster', { slice: null }, 'not evaluated'],
    ['it was read', { slice: X_ENI_DNS }, 'clear'],
    [
      'it was read, and has failed for less than 5 min',
      { slice: X_ENI_DNS, sliceFailingSeconds: 299.999 },
      'clear',
    ],
    ['it was read, and has failed for 5 min', { slice: X_ENI_DNS, sliceFailingSeconds: 300 }, 'raised'],
    ['it was never read, and nothing has failed yet', { sliceUnread: true }, 'not evaluated'],
    [
      'never read, and failing for less than 5 min',
      { sliceUnread: true, sliceFailingSeconds: 299.999 },
      'not evaluated',
    ],
    ['never read, and failing for 5 min', { sliceUnread: true, sliceFailingSeconds: 300 }, 'raised'],
  ])('%s: %s', (_, seen, state) => {
    expect(stateOf(new Watch().look(seen), 'SliceUnavailable')).toBe(state);
  });

  test('says for how long, why, and what still counts', () => {
    const sliceError = 'Cannot read the EndpointSlice: 403';
    const seen = { slice: X_ENI_DNS, sliceFailingSeconds: 600, sliceError };
    const finding = findingOf(new Watch().look(seen), 'SliceUnavailable');
    expect(finding).toMatchObject({ severity: 'info', client: null, address: null });
    expect(finding?.summary).toMatch(/10 min: .*403; .*last read/);
  });

  test('is cleared when it is read again', () => {
    const watch = new Watch();
    const failing = { slice: X_ENI_DNS, sliceFailingSeconds: 400 };
    expect(stateOf(watch.look(failing), 'SliceUnavailable')).toBe('raised');
    expect(stateOf(watch.look({ slice: X_ENI_DNS }), 'SliceUnavailable')).toBe('clear');
  });
});

describe('UnexpectedRoute, beside findings that do not say why', () => {
  // A tunnel, known by the hosts file: DNS gives the same, so nothing is stale.
  const TUNNEL = { process: 'kubelet', peer: '10.9.0.1:443', local: '192.168.1.204:40000', inode: 7 };
  const dns = ['10.9.0.1'];
  const expecting = { expect: 'x-eni', unexpectedAfterMs: 0 } as const;

  test.each<[string, WatchSeen, ConstructorParameters<typeof Watch>[0]]>([
    ['CustomResolver', { ...alone(TUNNEL), resolvers: ['8.8.8.8'] }, { onEc2: true }],
    ['SliceUnavailable', { ...alone(TUNNEL), sliceUnread: true, sliceFailingSeconds: 300 }, {}],
    ['Retransmitting', alone({ ...TUNNEL, retransmits: 2, sendQueueBytes: 9 }), {}],
    ['ConnectStuck', alone(TUNNEL, { ...TUNNEL, state: 'syn-sent', local: '192.168.1.204:40001' }), {}],
  ])('%s', (code, seen, overrides) => {
    const watch = new Watch({ ...expecting, ...overrides });
    watch.look({ ...seen, dns });
    const { route, findings } = watch.look({ ...seen, dns });
    expect(route).toBe('other');
    expect(findings.map((finding) => finding.code).toSorted()).toEqual([code, 'UnexpectedRoute'].toSorted());
  });
});

describe('the words of every finding', () => {
  const deaf = { address: '192.168.1.231', failedStage: 'tcp' } as const;
  const masked = { address: '192.168.1.121', failedStage: 'identity' } as const;
  const silent = { retransmits: 3, sendQueueBytes: 517 };
  /** Looks that together raise all of them. */
  const RAISING: readonly (readonly WatchSeen[])[] = [
    [{ processes: [REFUSED], dns: PUBLIC_DNS }],
    [{ dns: 'timeout' }, { dns: 'timeout', hosts: PUBLIC_DNS, resolvers: ['8.8.8.8'] }],
    [
      {
        slice: ['192.168.1.231', '192.168.1.121'],
        probes: [deaf, masked],
        dns: X_ENI_DNS,
        hosts: PUBLIC_DNS,
      },
    ],
    [
      { ...alone(ON_X_ENI, ON_PUBLIC), dns: X_ENI_DNS },
      { ...alone(ON_X_ENI, { ...ON_PUBLIC, ...silent }), dns: ['192.168.1.9'], resolvers: ['8.8.8.8'] },
      {
        ...alone(ON_X_ENI, { ...ON_PUBLIC, ...silent }),
        sliceUnread: true,
        sliceFailingSeconds: 300,
        sliceError: 'Cannot ask: no answer',
      },
    ],
    [
      { ...alone({ ...ON_X_ENI, state: 'syn-sent' }), dns: X_ENI_DNS },
      alone({ ...ON_X_ENI, state: 'syn-sent' }),
    ],
    [
      {
        ...alone({ process: 'kubelet', peer: '10.1.1.1:3128' }),
        proxies: [{ client: 'kubelet', addresses: ['10.1.1.1'] }],
      },
    ],
    [{ ...alone(ON_X_ENI), dns: ['10.9.0.1', '192.168.1.231'], imds: [] }],
  ];

  const raised = RAISING.flatMap((looks, index) => {
    const overrides = { expect: 'x-eni', onEc2: true, probeIntervalMs: 60_000 } as const;
    const watch = new Watch({ ...overrides, unexpectedAfterMs: 0, ...(index === 6 ? { vpcCidrs: [] } : {}) });
    return looks.flatMap((seen, look) => watch.look(seen, look === 0 ? 10 : 700).findings);
  });

  test('all of them are raised by these looks', () => {
    const codes = new Set(raised.map(({ code }) => code));
    expect(FINDING_CODES.filter((code) => !codes.has(code))).toEqual([]);
  });

  test.each(raised)(
    '$code of $client at $address',
    ({ code, severity, client, address, summary, remedy, runbook }) => {
      expect(severity).toBe(severityOf(code));
      expect(runbook).toBe(`docs/runbooks/${code}.md`);
      for (const text of [summary, remedy]) {
        expect(text).toMatch(/^\S.*\S$/);
        expect(text).not.toMatch(/undefined|(?<!\/dev\/)null|NaN|\[object|\.$/);
      }
      for (const named of [client, address]) if (named !== null) expect(summary).toContain(named);
    },
  );
});
