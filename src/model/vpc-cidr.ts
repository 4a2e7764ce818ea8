/** What a CIDR of a VPC may be: the rule for the flag and for what the instance metadata service says. */
import type { AddressRange } from './address.ts';
import { specialPurposeCovers } from './route.ts';

/** AWS's own limits: a VPC's IPv4 CIDR is at widest /16, its IPv6 CIDR /44. */
const WIDEST = { 4: 16, 6: 44 };

/**
 * Why this cannot be a CIDR of a VPC, or null. A private one is never refused: its addresses are private anyway. A
 * globally routable one that is too wide would make X-ENIs or addresses of the VPC of public ones.
 */
export function vpcCidrProblem(range: AddressRange): string | null {
  const widest = WIDEST[range.family];
  if (range.prefixLength >= widest || specialPurposeCovers(range)) return null;
  return `globally routable and wider than /${widest}, the widest of a VPC`;
}
