import { describe, expect, test } from 'vitest';
import { identitiesOf, identityOf } from '../../src/model/identities.ts';
import { knowledgeOf } from '../../src/model/route.ts';
import { address, dnsSeen, observation, range, type Seen, settings } from '../support/observation.ts';

const INTERVAL_MS = 60_000;
const X_ENI = '192.168.1.231';
const PUBLIC = '3.34.148.207';

function identities(seen: Seen, intervalMs: number | null = INTERVAL_MS, xEnis: readonly string[] = []) {
  const look = observation(seen, 1000);
  return identitiesOf(look, knowledgeOf(settings({ xEnis: xEnis.map(range) }), look), intervalMs);
}

describe('what certificates told of a stranger', () => {
  const told = identities({
    identities: [
      { address: '10.1.1.1', identity: 'cluster' },
      { address: '10.1.1.1', port: 8443, identity: 'other' },
      { address: '10.1.1.2', identity: 'no-answer' },
    ],
  });
  test.each<[string, string, number, string | null]>([
    ['by its address and port', '10.1.1.1', 443, 'cluster'],
    ['which may differ on another port', '10.1.1.1', 8443, 'other'],
    ['v4-mapped as IPv4', '::ffff:10.1.1.1', 443, 'cluster'],
    ['no answer is an answer', '10.1.1.2', 443, 'no-answer'],
    ['nothing where it was not asked', '10.1.1.3', 443, null],
    ['nor on a port where it was not', '10.1.1.2', 8443, null],
  ])('%s', (_, text, port, identity) => {
    expect(identityOf(told, address(text), port)).toBe(identity);
  });

  test('nothing where nothing is probed', () => {
    expect(identityOf(identities({}), address('10.1.1.1'), 443)).toBeNull();
  });
});

describe('the CA is known to be the right one', () => {
  const dns = dnsSeen([PUBLIC], 1000);
  test.each<[string, Seen, boolean]>([
    ['while it verifies an address that DNS gives', { dns, probes: [{ address: PUBLIC }] }, true],
    ['while it verifies an X-ENI', { slice: [X_ENI], probes: [{ address: X_ENI }] }, true],
    [
      'while it verifies one of several',
      {
        dns,
        slice: [X_ENI],
        probes: [{ address: X_ENI, failedStage: 'identity' }, { address: PUBLIC }],
      },
      true,
    ],
    ['not by an address that no source gives', { dns, probes: [{ address: '43.201.141.73' }] }, false],
    ['not by a public address in the slice', { slice: [PUBLIC], probes: [{ address: PUBLIC }] }, false],
    [
      'not by an address of an answer of more than an hour ago',
      { dns: dnsSeen([PUBLIC], -2601), probes: [{ address: PUBLIC }] },
      false,
    ],
    ['not by a probe that failed', { dns, probes: [{ address: PUBLIC, failedStage: 'identity' }] }, false],
    ['by a probe of three intervals ago', { dns, probes: [{ address: PUBLIC, ageSeconds: 180 }] }, true],
    ['not by an older one', { dns, probes: [{ address: PUBLIC, ageSeconds: 180.001 }] }, false],
    ['not while there is no result', { dns, probes: [] }, false],
    ['not where nothing is probed', { dns, probes: null }, false],
    [
      'not because a stranger showed it',
      { dns, identities: [{ address: '10.1.1.1', identity: 'cluster' }] },
      false,
    ],
  ])('%s', (_, seen, verified) => {
    expect(identities(seen).caVerified).toBe(verified);
  });

  test('by an address that the operator gives for an X-ENI', () => {
    const probes = [{ address: '10.9.0.1' }];
    expect(identities({ probes }, INTERVAL_MS, ['10.9.0.1']).caVerified).toBe(true);
    expect(identities({ probes }).caVerified).toBe(false);
  });
});
