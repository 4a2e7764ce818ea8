import { describe, expect, test } from 'vitest';
import { resolversObstacle, serversOf } from '../../src/model/resolvers.ts';
import { dnsSeen, observation } from '../support/observation.ts';

/** A look whose agent asked these, on a node whose resolv.conf has those; null: it was not read. */
function obstacle(asked: readonly string[], ofNode: readonly string[] | null): string | null {
  const dns = { ...dnsSeen(['192.168.1.231']), servers: asked };
  return resolversObstacle(
    observation({ dns, ...(ofNode === null ? { nodeConfig: null } : { resolvers: ofNode }) }),
  );
}

describe('the agent is told what the node is told', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['the same resolver', ['192.168.0.2'], ['192.168.0.2']],
    ['the same on a port', ['192.168.0.2:53'], ['192.168.0.2']],
    ['by IPv6', ['[fd00:ec2::253]:53'], ['fd00:ec2::253']],
    ['the first of two', ['192.168.0.2'], ['192.168.0.2', '10.0.0.2']],
    ["the machine's own", ['127.0.0.53'], ['192.168.0.2']],
    [
      'a fourth that nobody asks',
      ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'],
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ],
  ])('%s', (_, asked, ofNode) => {
    expect(obstacle(asked, ofNode)).toBeNull();
  });
});

describe('the agent may be told otherwise', () => {
  test.each<[string, readonly string[], readonly string[] | null, string]>([
    [
      'another resolver',
      ['10.100.0.10'],
      ['192.168.0.2'],
      'the agent asks 10.100.0.10 for names, the node 192.168.0.2',
    ],
    [
      "the node's second alone",
      ['192.168.0.2'],
      ['10.9.9.9', '192.168.0.2'],
      'the node 10.9.9.9 and 192.168.0.2',
    ],
    [
      'another one too',
      ['192.168.0.2', '8.8.8.8'],
      ['192.168.0.2'],
      'the agent asks 192.168.0.2 and 8.8.8.8',
    ],
    ['nobody is known to be asked', [], ['192.168.0.2'], 'not known'],
    ['what is asked is no address', ['resolver'], ['192.168.0.2'], 'not known'],
    ["the node's resolv.conf was not read", ['192.168.0.2'], null, 'was not read'],
  ])('%s', (_, asked, ofNode, reason) => {
    expect(obstacle(asked, ofNode)).toContain(reason);
  });
});

test('who was asked is an address, with or without a port', () => {
  const dns = { ...dnsSeen([]), servers: ['10.0.0.2', '10.0.0.2:5353', 'fd00::2', '[fd00::2]:53', 'name'] };
  expect(serversOf(dns).map((server) => server?.text ?? null)).toEqual([
    '10.0.0.2',
    '10.0.0.2',
    'fd00::2',
    'fd00::2',
    null,
  ]);
  expect(serversOf(null)).toEqual([]);
});
