/** The resolver's configuration, resolv.conf(5), as Go and glibc read it. */
import { type Address, addressFromOctets, parseAddress } from '../model/address.ts';
import { fieldsOf, withoutZone } from './hosts.ts';

/** Neither Go nor glibc (MAXNS) asks a fourth. */
const MAX_SERVERS = 3;
/** Whom both ask where the file names nobody; Go asks `::1` too, which is the same machine. */
const DEFAULT_SERVER = addressFromOctets([127, 0, 0, 1]);

/** Who is asked for names, in order, without zones. Lines that are none are skipped. */
export function nameserversOf(text: string): readonly Address[] {
  const servers: Address[] = [];
  for (const line of text.split('\n')) {
    if (/^[#;]/.test(line)) continue;
    const [keyword, server = ''] = fieldsOf(line);
    const address = keyword === 'nameserver' ? parseAddress(withoutZone(server)) : null;
    if (address !== null && servers.length < MAX_SERVERS) servers.push(address);
  }
  return servers.length > 0 ? servers : [DEFAULT_SERVER];
}
