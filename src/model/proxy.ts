/**
 * Which proxy a Go program uses, by the rules of golang.org/x/net/http/httpproxy, which net/http's
 * ProxyFromEnvironment follows.
 */
import { type Address, parseAddress, parseRange, rangeContains } from './address.ts';
import type { EndpointAddress } from './endpoint.ts';
import { type GoUrl, parseGoUrl } from './go-url.ts';

export interface ProxyAddress {
  /** `scheme://host[:port]` as it was given, without user information and path. */
  readonly url: string;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Ports of net/http where the URL has none. */
const DEFAULT_PORTS = new Map([
  ['http', 80],
  ['https', 443],
  ['socks5', 1080],
  ['socks5h', 1080],
]);
/** What client-go lets pass (clientcmd, parseProxyURL). */
const KUBECONFIG_SCHEMES = ['http', 'https', 'socks5'];
const FIX = 'give http://host:port';

/**
 * The proxy that a Go program of this environment uses for https://hostname:port; null for none. Where all its requests
 * fail, what is wrong. A value that is not even a URL Go passes over in silence: then there is no proxy.
 */
export function proxyOf(
  environment: Readonly<Record<string, string>>,
  endpoint: EndpointAddress,
): ProxyAddress | { readonly problem: string } | null {
  const name = environment['HTTPS_PROXY'] ? 'HTTPS_PROXY' : 'https_proxy';
  const text = environment[name] ?? '';
  const url = text === '' ? null : parseVariable(text);
  const noProxy = environment['NO_PROXY'] || environment['no_proxy'] || '';
  if (url === null || !isProxied(endpoint, noProxy)) return null;
  const proxy = addressOf(url);
  return 'problem' in proxy ? { problem: `Cannot use ${name} ${quote(text)}: ${proxy.problem}` } : proxy;
}

/** A kubeconfig's `proxy-url`: client-go refuses the whole kubeconfig where it is none with a scheme. */
export function parseProxyUrl(text: string): ProxyAddress | { readonly problem: string } {
  const url = parseGoUrl(text);
  const proxy =
    url === null || !KUBECONFIG_SCHEMES.includes(url.scheme)
      ? { problem: `not a URL of http, https or socks5; ${FIX}` }
      : addressOf(url);
  return 'problem' in proxy ? { problem: `Cannot use proxy-url ${quote(text)}: ${proxy.problem}` } : proxy;
}

/** A variable may leave out `http://`. */
function parseVariable(text: string): GoUrl | null {
  const url = parseGoUrl(text);
  return url === null || url.scheme === '' || url.host + url.port === ''
    ? (parseGoUrl(`http://${text}`) ?? url)
    : url;
}

function addressOf({ scheme, host: written, port }: GoUrl): ProxyAddress | { readonly problem: string } {
  const host = toAscii(written);
  // Of `http://`, for example, Go makes http://http://: a host of this name.
  if (host === '' || DEFAULT_PORTS.has(host.toLowerCase())) return { problem: `it names no host; ${FIX}` };
  if (!isHost(host)) return { problem: `its host is no host name or address; ${FIX}` };
  const number = port === '' ? (DEFAULT_PORTS.get(scheme) ?? 0) : Number(port);
  if (number < 1 || number > 65_535) return { problem: `it has no port from 1 to 65535; ${FIX}` };
  const authority = host.includes(':') ? `[${host}]` : host;
  return { url: `${scheme}://${authority}${port && `:${port}`}`, host, port: number };
}

/** An address, or a name that can be looked up; names of proxies have underscores at times. */
function isHost(host: string): boolean {
  if (parseAddress(host) !== null) return true;
  const isName = host.length <= 254 && /^[a-z\d_-]+(?:\.[a-z\d_-]+)*\.?$/i.test(host);
  return isName && !/(?:^|\.)\d+\.?$/.test(host);
}

interface Target {
  readonly host: string;
  readonly address: Address | null;
  readonly port: string;
}

function isProxied({ hostname, port }: EndpointAddress, noProxy: string): boolean {
  const address = parseAddress(hostname);
  const isLoopback = address !== null && (address.text.startsWith('127.') || address.text === '::1');
  if (hostname === 'localhost' || isLoopback) return false;
  const target = { host: toAscii(hostname).toLowerCase(), address, port: String(port) };
  return !noProxy.split(',').some((entry) => isExcepted(target, entry.trim().toLowerCase()));
}

/** Whether one entry of NO_PROXY means the target: `*`, CIDR, `address[:port]`, `name[:port]`, `.name`, `*.name`. */
function isExcepted(target: Target, entry: string): boolean {
  if (entry === '*') return true;
  const range = entry.includes('/') ? parseRange(entry.replace(/\/0+(?=\d)/, '/')) : null;
  if (range !== null) {
    const isNat64 = wraps(parseAddress(entry.replace(/\/.*/, '')));
    return (
      target.address !== null && wraps(target.address) === isNat64 && rangeContains(range, target.address)
    );
  }
  const [, bracketed, plain, port = ''] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(entry) ?? [];
  const host = bracketed ?? plain ?? entry;
  if (host === '' || (port !== '' && port !== target.port)) return false;
  const address = parseAddress(host);
  if (address !== null || target.address !== null) return address?.text === target.address?.text;
  const domain = host.startsWith('*.') ? host.slice(1) : host;
  const isSuffix = domain.startsWith('.');
  const suffix = isSuffix ? domain : `.${domain}`;
  return (isSuffix ? target.host : `.${target.host}`).endsWith(toAscii(`x${suffix}`).slice(1));
}

/** Whether the address is written otherwise than it is judged: to Go it is what is written. */
function wraps(address: Address | null): boolean {
  return address?.text !== address?.key;
}

/** An international name as DNS has it; as it is where there is none. */
function toAscii(host: string): string {
  if (/^[\0-\x7f]*$/.test(host)) return host;
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return host;
  }
}

/** Without user information: everything before the last `@` might be a password. */
function quote(text: string): string {
  return JSON.stringify(text.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1').slice(0, 80));
}
