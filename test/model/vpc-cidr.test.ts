import { describe, expect, test } from 'vitest';
import { parseRange } from '../../src/model/address.ts';
import { vpcCidrProblem } from '../../src/model/vpc-cidr.ts';

function problemOf(text: string): string | null {
  const range = parseRange(text);
  if (range === null) throw new RangeError(`not a range: ${text}`);
  return vpcCidrProblem(range);
}

describe('a CIDR of a VPC', () => {
  test.each([
    ['192.168.0.0/16', 'as EKS makes it'],
    ['10.0.0.0/8', 'private, and wider than a VPC'],
    ['100.64.0.0/10', 'shared address space'],
    ['52.95.0.0/16', "one's own public addresses, as wide as a VPC may be"],
    ['52.95.110.0/24', "one's own public addresses"],
    ['2600:1f13:a0d:a700::/56', 'as AWS gives it'],
    ['2600:1f13:a0d::/44', 'as wide as a VPC may be'],
    ['fd00::/8', 'private, and wider than a VPC'],
  ])('%s: %s', (text) => {
    expect(problemOf(text)).toBeNull();
  });

  test.each([
    ['52.94.0.0/15', 16],
    ['0.0.0.0/0', 16],
    ['128.0.0.0/1', 16],
    // Private and public addresses: half of it is routable.
    ['172.0.0.0/8', 16],
    ['2600:1f13:a0::/43', 44],
    ['2000::/3', 44],
    ['::/0', 44],
    // Wraps IPv4 addresses, and is judged by them.
    ['::ffff:0:0/96', 16],
    ['64:ff9b::/96', 16],
  ])('%s is wider than /%i and globally routable', (text, widest) => {
    expect(problemOf(text)).toBe(`globally routable and wider than /${widest}, the widest of a VPC`);
  });
});
