import { expect, test } from 'vitest';
import { isAmazonDns } from '../../src/model/amazon-dns.ts';
import { address, range } from '../support/observation.ts';

const VPC = ['192.168.0.0/16'];
test.each<[string, string, readonly string[], boolean | null]>([
  ['the one of every VPC', '169.254.169.253', VPC, true],
  ['the same while no CIDR is known', '169.254.169.253', [], true],
  ['its IPv6 address', 'fd00:ec2::253', VPC, true],
  ['the same while no CIDR is known', 'fd00:ec2::253', [], true],
  ['v4-mapped', '::ffff:169.254.169.253', [], true],
  ['base + 2', '192.168.0.2', VPC, true],
  ["base + 2 of a VPC that does not begin at an octet's border", '10.1.16.2', ['10.1.16.0/20'], true],
  ['base + 2 of the widest base', '10.1.0.242', ['10.1.0.240/28'], true],
  ['base + 2 of the second CIDR', '100.64.0.2', [...VPC, '100.64.0.0/16'], true],
  ['base + 2 of another network', '10.0.0.2', VPC, false],
  ['base + 1', '192.168.0.1', VPC, false],
  ['base + 3', '192.168.0.3', VPC, false],
  ['the third address of a subnet', '192.168.1.2', VPC, false],
  ['the instance metadata service', '169.254.169.254', VPC, false],
  ['a public resolver', '8.8.8.8', VPC, false],
  ['a public IPv6 resolver', '2001:4860:4860::8888', VPC, false],
  ['the same while no CIDR is known', '2001:4860:4860::8888', [], false],
  ['base + 2 of an IPv6 CIDR is nobody', '2600:1f13::2', [...VPC, '2600:1f13::/56'], false],
  ['what may be base + 2, while no CIDR is known', '192.168.0.2', [], null],
  ['the same while only IPv6 CIDRs are known', '192.168.0.2', ['2600:1f13::/56'], null],
])('%s: %s in %j', (_, resolver, vpcCidrs, isAmazon) => {
  expect(isAmazonDns(address(resolver), vpcCidrs.map(range))).toBe(isAmazon);
});
