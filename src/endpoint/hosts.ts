/** The hosts file, hosts(5), as Go's resolver reads it (net/hosts.go): what stands in it is not asked of DNS. */
import { type Address, parseAddress } from '../model/address.ts';

/**
 * The addresses that the file gives this name, each once, in its order. Lines that are none are skipped; a zone is
 * left out.
 */
export function addressesOfHosts(text: string, hostname: string): readonly Address[] {
  const name = plain(hostname);
  const addresses = new Map<string, Address>();
  for (const line of text.split('\n')) {
    const [first = '', ...names] = fieldsOf(line.replace(/#.*/s, ''));
    if (!names.some((one) => plain(one) === name)) continue;
    const address = parseAddress(withoutZone(first));
    if (address !== null) addresses.set(address.text, address);
  }
  return [...addresses.values()];
}

/** What stands between blanks on a line of /etc/hosts or /etc/resolv.conf. */
export function fieldsOf(line: string): readonly string[] {
  return line.split(/[ \t\r]+/).filter((field) => field !== '');
}

/** `fe80::1` of `fe80::1%eth0`; an IPv4 address has no zone. */
export function withoutZone(text: string): string {
  const at = text.indexOf('%');
  const address = text.slice(0, at);
  return at > 0 && at < text.length - 1 && address.includes(':') ? address : text;
}

/** In lower case, without the final dot. */
function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
