import { describe, expect, test } from 'vitest';
import { judgeAge } from '../../src/model/age.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { Watch } from '../support/observation.ts';

const INTERVAL_MS = 10_000;

function moved(): NodeStatus {
  const watch = new Watch({ expect: 'x-eni' });
  const sockets = [
    { process: 'kubelet', peer: '192.168.1.231:443' },
    { process: 'kube-proxy', peer: '3.34.148.207:443' },
  ];
  const seen = {
    sockets,
    inbound: [{ peer: '192.168.1.231', connections: 1 }],
    probes: [{ address: '192.168.1.231' }],
    outside: ['3.34.148.207'],
  };
  watch.look({ ...seen, dns: ['192.168.1.231'] });
  return watch.look(seen);
}

describe('a status', () => {
  test.each([0, 9_999, 10_000, 29_999, 30_000])('%d ms old is the very same object', (ageMs) => {
    const status = moved();
    expect(judgeAge(status, ageMs, INTERVAL_MS)).toBe(status);
  });

  test('is outdated after three of its own scan intervals', () => {
    const status = moved();
    expect(judgeAge(status, 30_001, 60_000)).toBe(status);
    expect(judgeAge(status, 3_001, 1_000)).not.toBe(status);
  });
});

describe('an outdated status', () => {
  const status = moved();
  const aged = judgeAge(status, 150_000, INTERVAL_MS);

  test('says nothing of the route, and why', () => {
    expect(status.route).toBe('mixed');
    expect(aged).toMatchObject({
      route: 'unknown',
      routeReason: 'no look has ended for 2 min',
      attribution: 'none',
    });
  });

  test('raises Blind, and evaluates nothing else', () => {
    expect(status.findings.map(({ code }) => code)).toEqual(['ConnectionMoving']);
    expect(aged.findings.map(({ code, client }) => [code, client])).toEqual([['Blind', null]]);
    expect(aged.evaluated).toEqual(['Blind']);
  });

  test('has no gate but unknown ones', () => {
    const open = { ...status, gates: status.gates.map((gate) => ({ ...gate, state: 'true' as const })) };
    expect(judgeAge(open, 150_000, INTERVAL_MS).gates.map(({ gate, state }) => [gate, state])).toEqual([
      ['private-ready', 'unknown'],
      ['public-free', 'unknown'],
    ]);
  });

  test('counts the two stages of a look as failed, and no other', () => {
    const [first] = status.stages;
    if (first === undefined) throw new RangeError('no stages');
    const withDns = { ...status, stages: [...status.stages, { ...first, stage: 'dns' as const }] };
    const { stages } = judgeAge(withDns, 150_000, INTERVAL_MS);
    expect(stages.map(({ stage, success, error }) => [stage, success, error])).toEqual([
      ['sockets', false, 'no look has ended for 2 min'],
      ['owners', false, 'no look has ended for 2 min'],
      ['dns', true, null],
    ]);
  });

  test('keeps what was seen, and when', () => {
    expect(aged.observedAt).toBe(status.observedAt);
    expect(aged.clients).toBe(status.clients);
    // What is counted in series is not known any more: no 0 of the past.
    expect(aged.xEni).toBeNull();
    expect(aged.dns).toEqual({ ...status.dns, success: null, addresses: null });
    expect(aged.events).toBe(status.events);
  });

  test('says nothing that reads as of now: no access mode, no success, nobody inbound, no probes', () => {
    expect(status).toMatchObject({
      accessMode: 'public-and-private',
      dns: { success: true },
      inbound: [{ peer: '192.168.1.231' }],
      probes: [{ success: true }],
    });
    expect(aged).toMatchObject({
      accessMode: 'unknown',
      dns: { success: null },
      inbound: null,
      probes: null,
    });
  });

  test('has no DNS where DNS was not asked', () => {
    expect(judgeAge({ ...status, dns: null }, 150_000, INTERVAL_MS).dns).toBeNull();
  });
});
