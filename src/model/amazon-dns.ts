/** AmazonProvidedDNS, the resolver of a VPC: the only one that sees the private hosted zone of the endpoint. */
import { type Address, type AddressRange, addressFromOctets, parseAddress } from './address.ts';

/** Its addresses in every VPC (https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html). */
const EVERYWHERE = ['169.254.169.253', 'fd00:ec2::253'].map((text) => parseAddress(text)?.key);

/** Whether the resolver is AmazonProvidedDNS; null where that depends on the VPC's CIDRs, which are not known. */
export function isAmazonDns(resolver: Address, vpcCidrs: readonly AddressRange[]): boolean | null {
  if (EVERYWHERE.includes(resolver.key)) return true;
  if (resolver.family === 6) return false;
  const ipv4 = vpcCidrs.filter(({ family }) => family === 4);
  if (ipv4.length === 0) return null;
  return ipv4.some((cidr) => basePlusTwo(cidr).key === resolver.key);
}

/** The third address of a VPC's CIDR. */
function basePlusTwo({ octets }: AddressRange): Address {
  return addressFromOctets(octets.map((octet, index) => (index === octets.length - 1 ? octet + 2 : octet)));
}
