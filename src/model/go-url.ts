/** URLs as Go reads them: what a Go program takes from its environment is not always what another would. */
import { parseAddress } from './address.ts';

export interface GoUrl {
  /** In lower case; empty where the text has none. */
  readonly scheme: string;
  /** Without brackets and zone; empty where the text has none. Not every host that Go lets pass can be looked up. */
  readonly host: string;
  /** Digits, or empty. */
  readonly port: string;
}

/**
 * What net/url.Parse (Go 1.26) makes of the text, as far as a connection is concerned; null where it is an error.
 * A part that has no say in that (path, query, fragment) is only checked as Go checks it.
 */
export function parseGoUrl(text: string): GoUrl | null {
  const [, url = '', fragment = ''] = /^([^#]*)#?(.*)$/s.exec(text) ?? [];
  // Control characters, and a scheme of no letters.
  if (/[^ -~\u0080-\uffff]/.test(url) || url.startsWith(':') || !hasGoodEscapes(fragment)) return null;
  const [, written = '', hierarchy = ''] = /^(?:([a-z][a-z\d+.-]*):)?([^?]*)/i.exec(url) ?? [];
  const scheme = written.toLowerCase();
  const nowhere: GoUrl = { scheme, host: '', port: '' };
  if (!hierarchy.startsWith('/')) {
    const isPath = scheme !== '' || !/^[^/]*:/.test(hierarchy);
    return isPath && (scheme !== '' || hasGoodEscapes(hierarchy)) ? nowhere : null;
  }
  const [, authority, path = ''] =
    (scheme !== '' || !hierarchy.startsWith('///') ? /^\/\/([^/]*)(.*)$/s.exec(hierarchy) : null) ?? [];
  if (authority === undefined) return hasGoodEscapes(hierarchy) ? nowhere : null;
  const at = authority.lastIndexOf('@');
  if (!isUserInformation(authority.slice(0, Math.max(at, 0))) || !hasGoodEscapes(path)) return null;
  const where = parseHost(authority.slice(at + 1), scheme);
  return where && { scheme, ...where };
}

function parseHost(text: string, scheme: string): Pick<GoUrl, 'host' | 'port'> | null {
  if (text.lastIndexOf('[') > 0) return null;
  const bracketed = /^\[(.*)\](?::(\d*))?$/s.exec(text);
  if (bracketed !== null) {
    const [, inside = '', port = ''] = bracketed;
    const host = inside.replace(/%25.+$/s, '');
    return host.includes(':') && parseAddress(host) !== null ? { host, port } : null;
  }
  if (!/^(?:[\w.~!$&'()*+,;=:\]<>"\u0080-\uffff-]|%25|%[89a-f][\da-f])*$/i.test(text)) {
    return null;
  }
  // Only the colons of other schemes may be many.
  const [, host = text, port] = /^(.*):([^:]*)$/s.exec(text) ?? [];
  const isStrict = scheme === 'http' || scheme === 'https';
  const isGood = port === undefined || (/^\d*$/.test(port) && !(isStrict && host.includes(':')));
  return isGood ? { host, port: port ?? '' } : null;
}

function isUserInformation(text: string): boolean {
  return /^[\w.:~!$&'()*+,;=%@-]*$/.test(text) && hasGoodEscapes(text);
}

function hasGoodEscapes(text: string): boolean {
  return !/%(?![\da-f]{2})/i.test(text);
}
