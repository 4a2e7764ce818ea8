import { describe, expect, test } from 'vitest';
import { AUDIT_LOG_QUERY, notCoveredBy, whoSaysWhichNodes } from '../../../src/model/fleet/not-covered.ts';

const PASSED = { nodesFrom: 'kubernetes', gates: ['public-free'], ignored: [] } as const;

test('a pass names the other users of the public endpoint, and how to find them', () => {
  const text = notCoveredBy(PASSED).join('\n');
  for (const word of [
    'CI',
    'bastions',
    'peered VPCs',
    'kubectl',
    '/aws/eks/CLUSTER/cluster',
    AUDIT_LOG_QUERY,
  ])
    expect(text).toContain(word);
  expect(text).not.toMatch(/ignored|private-ready/);
});

test('nodes that are ignored are named again: nothing is known of them', () => {
  expect(notCoveredBy({ ...PASSED, ignored: ['f1', 'f2'] })).toContain(
    'Nothing is known of the nodes that are ignored: f1, f2.',
  );
});

test.each([
  ['kubernetes', /^Kubernetes says/],
  ['kube-state-metrics', /^kube-state-metrics says/],
  ['targets', /not asked and is not missed\..*--min-nodes/],
  ['agents', /nobody else was asked.*--min-nodes/],
] as const)('%s: who says which nodes there are', (nodesFrom, sentence) => {
  expect(whoSaysWhichNodes(nodesFrom)).toMatch(sentence);
  expect(notCoveredBy({ ...PASSED, nodesFrom }).at(-1)).toBe(whoSaysWhichNodes(nodesFrom));
});

describe('the query', () => {
  const source = /"sourceIPs":\[(?:"[^"]*",)*"(?<source>[^"]*)"\]/;

  test('takes the last of sourceIPs: a client can write what it likes before it', () => {
    expect(AUDIT_LOG_QUERY).toContain(source.source);
    const line = (ips: readonly string[]) =>
      JSON.stringify({ verb: 'get', sourceIPs: ips, userAgent: 'kubectl' });
    expect(source.exec(line(['203.0.113.7']))?.groups?.['source']).toBe('203.0.113.7');
    expect(source.exec(line(['10.0.0.1', '203.0.113.7']))?.groups?.['source']).toBe('203.0.113.7');
    expect(source.exec(line([]))).toBeNull();
  });
});
