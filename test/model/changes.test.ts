import { describe, expect, test } from 'vitest';
import { judgeAge } from '../../src/model/age.ts';
import { type Change, changesBetween, routesOf } from '../../src/model/changes.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { clientOf, iso, Watch } from '../support/observation.ts';

const PUBLIC = '3.34.148.207';
const X_ENI = '192.168.1.231';
const ON_PUBLIC = [{ process: 'kubelet', peer: `${PUBLIC}:443` }];
const ON_X_ENI = [{ process: 'kubelet', peer: `${X_ENI}:443` }];

function told(changes: readonly Change[]): readonly string[] {
  return changes.map(({ kind, detail }) => `${kind} ${detail}`);
}

const KUBELET_ALONE = { processes: [{ client: 'kubelet', pid: 100 }] };

/** A node on the public endpoint, two looks long; its kubelet is its only client. */
function onPublic(): { readonly watch: Watch; readonly status: NodeStatus } {
  const watch = new Watch({ expect: 'x-eni' });
  watch.look({ ...KUBELET_ALONE, dns: [PUBLIC], sockets: ON_PUBLIC });
  return { watch, status: watch.look({ ...KUBELET_ALONE, sockets: ON_PUBLIC }) };
}

test('nothing changes from a look to one that sees the same', () => {
  const { watch, status } = onPublic();
  expect(changesBetween(status, watch.look({ ...KUBELET_ALONE, sockets: ON_PUBLIC }))).toEqual([]);
});

test('of the first status its own events, findings and failed stages are told', () => {
  const first = new Watch().look({ dns: [PUBLIC], sockets: ON_PUBLIC, failed: ['owners'] });
  expect(told(changesBetween(null, first))).toEqual(['finding-raised Blind', 'stage-failed owners']);
  const seeing = new Watch().look({ dns: [PUBLIC], sockets: ON_PUBLIC });
  expect(changesBetween(null, seeing)).toContainEqual(
    expect.objectContaining({
      kind: 'route',
      at: iso(10),
      detail: 'unknown -> public',
      reason: seeing.routeReason,
    }),
  );
});

test('a client that moves: its connections, its route, the gate, and the findings that are raised and cleared', () => {
  const { watch, status } = onPublic();
  const flipped = watch.look({ ...KUBELET_ALONE, dns: [X_ENI], sockets: ON_PUBLIC });
  expect(told(changesBetween(status, flipped))).toEqual([
    `dns ${PUBLIC} -> ${X_ENI}`,
    `x-eni unknown -> ${X_ENI}`,
    'finding-raised ConnectionMoving kubelet',
    'finding-cleared DnsPublic',
  ]);
  const moved = watch.look({ ...KUBELET_ALONE, sockets: ON_X_ENI });
  expect(told(changesBetween(flipped, moved))).toEqual([
    expect.stringMatching(/^connection-closed kubelet \S+ -> 3\.34\.148\.207:443 \(public\)$/),
    expect.stringMatching(/^connection-opened kubelet \S+ -> 192\.168\.1\.231:443 \(x-eni\)$/),
    'route public -> unknown',
    'client-route kubelet public -> x-eni',
    'gate public-free false -> unknown',
    'finding-cleared ConnectionMoving kubelet',
  ]);
  const agreed = watch.look({ ...KUBELET_ALONE, sockets: ON_X_ENI });
  expect(changesBetween(moved, agreed)).toContainEqual({
    ...{ kind: 'route', at: agreed.observedAt, detail: 'unknown -> x-eni', reason: agreed.routeReason },
    ...{ subject: null, client: null, severity: null },
  });
});

test('looks that were not seen in between are told by their events, each at its time; only the last route has a reason', () => {
  const { watch, status } = onPublic();
  const missed = watch.look({ ...KUBELET_ALONE, dns: [X_ENI], sockets: ON_X_ENI });
  const after = watch.look({ ...KUBELET_ALONE, sockets: ON_X_ENI });
  const routes = changesBetween(status, after).filter(({ kind }) => kind === 'route');
  expect(routes.map(({ at, detail, reason }) => [at, detail, reason])).toEqual([
    [missed.observedAt, 'public -> unknown', null],
    [after.observedAt, 'unknown -> x-eni', after.routeReason],
  ]);
  const dns = changesBetween(status, after).filter(({ kind }) => kind === 'dns');
  expect(dns.map(({ at }) => at)).toEqual([missed.observedAt]);
});

test('an agent that began anew says so, and what its events say is told', () => {
  const { status } = onPublic();
  const events = [{ at: iso(60), event: 'route', detail: 'unknown -> public' }] as const;
  const anew = { ...status, observedSince: iso(60), observedAt: iso(70), events };
  expect(told(changesBetween(status, anew))).toEqual([
    'restart the agent began anew',
    'route unknown -> public',
  ]);
});

describe('a finding that is not raised any more', () => {
  test('is cleared where it was evaluated', () => {
    const { watch, status } = onPublic();
    const changes = changesBetween(
      status,
      watch.look({ ...KUBELET_ALONE, dns: [X_ENI], sockets: ON_PUBLIC }),
    );
    expect(told(changes)).toContain('finding-cleared DnsPublic');
  });

  test('is not, where it could not be evaluated: that has a word of its own', () => {
    const { status } = onPublic();
    const outdated = judgeAge(status, 60_000, 10_000);
    const changes = changesBetween(status, outdated, iso(80));
    expect(told(changes)).toContain('finding-not-evaluated DnsPublic');
    expect(told(changes)).not.toContain('finding-cleared DnsPublic');
  });
});

test('a status judged by its age has another route without an event, at the time that is given', () => {
  const { status } = onPublic();
  const outdated = judgeAge(status, 60_000, 10_000);
  const [route] = changesBetween(status, outdated, iso(80));
  expect(route).toMatchObject({ kind: 'route', at: iso(80), detail: 'public -> unknown' });
  expect(route?.reason).toContain('60 s');
  // And back, by a look that saw the same as the last one.
  expect(told(changesBetween(outdated, status))).toContain('route unknown -> public');
});

test('a stage that fails is told once, and again when it succeeds', () => {
  const { watch, status } = onPublic();
  const blind = watch.look({ ...KUBELET_ALONE, sockets: ON_PUBLIC, failed: ['owners'] });
  expect(changesBetween(status, blind)).toContainEqual(
    expect.objectContaining({ kind: 'stage-failed', subject: 'owners', reason: 'it took longer than 5 s' }),
  );
  const still = watch.look({ ...KUBELET_ALONE, sockets: ON_PUBLIC, failed: ['owners'] });
  expect(told(changesBetween(blind, still))).toEqual([]);
  const seeing = watch.look({ ...KUBELET_ALONE, sockets: ON_PUBLIC });
  expect(told(changesBetween(still, seeing))).toContain('stage-succeeds owners');
});

test('a probe that fails is told with its error, and when it answers again; one that always answered is no news', () => {
  const watch = new Watch({ probeIntervalMs: 60_000 });
  const look = (success: boolean) =>
    watch.look({
      slice: [X_ENI],
      dns: [X_ENI],
      sockets: ON_X_ENI,
      probes: [
        { address: X_ENI, success, ...(success ? {} : { failedStage: 'tcp', error: 'no answer in 3 s' }) },
      ],
    });
  const [good, bad, mended] = [look(true), look(false), look(true)];
  const probes = (changes: readonly Change[]) => changes.filter(({ kind }) => kind.startsWith('probe'));
  expect(probes(changesBetween(good, bad))).toMatchObject([
    { kind: 'probe-failed', subject: X_ENI, detail: `${X_ENI} at tcp`, reason: 'no answer in 3 s' },
  ]);
  expect(probes(changesBetween(bad, mended))).toMatchObject([{ kind: 'probe-answers', subject: X_ENI }]);
  expect(probes(changesBetween({ ...good, probes: [] }, good))).toEqual([]);
});

test("a client's routes are those of its established connections", () => {
  const status = new Watch().look({
    dns: [PUBLIC, X_ENI],
    sockets: [...ON_PUBLIC, ...ON_X_ENI, { process: 'kube-proxy', peer: `${PUBLIC}:443`, state: 'syn-sent' }],
  });
  expect(routesOf(clientOf(status, 'kubelet'))).toBe('x-eni and public');
  expect(routesOf(clientOf(status, 'kube-proxy'))).toBe('none');
  expect(routesOf({ ...clientOf(status, 'kubelet'), connections: null })).toBe('unknown');
});
