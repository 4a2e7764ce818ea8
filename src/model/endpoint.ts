/** The endpoint as people and kubeconfigs write it. */
import { parseAddress } from './address.ts';

/** The API server endpoint; an IPv6 address is without its brackets. */
export interface EndpointAddress {
  readonly hostname: string;
  readonly port: number;
}

export const HTTPS_PORT = 443;
/** A host name has at most 253 characters; what is longer is not looked at any further. */
const MAX_CHARACTERS = 300;

/**
 * `https://host[:port]` or `host[:port]`, IPv6 in brackets. The name keeps its case and is not held against a list
 * of domains: EKS adds new ones. For anything else, what is wrong and what would do.
 */
export function parseEndpoint(text: string): EndpointAddress | { readonly problem: string } {
  const fix = 'give https://host[:port] or host[:port]';
  if (text === '') return { problem: `empty; ${fix}` };
  if (text.length > MAX_CHARACTERS) return { problem: `longer than a host name can be; ${fix}` };
  const [, scheme, afterScheme] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme !== undefined && scheme.toLowerCase() !== 'https') {
    return { problem: `the scheme is not https; ${fix}` };
  }
  const authority = (afterScheme ?? text).replace(/\/$/, '');
  if (authority.includes('@')) return { problem: `user information does not belong here; ${fix}` };
  if (/[/?#]/.test(authority)) return { problem: `a path or query does not belong here; ${fix}` };
  const { host: written, port } = splitPort(authority);
  // DNS' way to say that a name is whole; nothing searches for it here.
  const host = written.replace(/(?<=[a-z])\.$/i, '');
  const hostname = readHost(host);
  if (hostname === null) return { problem: `not a host name or address; ${fix}, IPv6 as [address]:port` };
  const portNumber = port === null ? HTTPS_PORT : parsePort(port);
  if (portNumber === null || portNumber === 0) return { problem: 'not a port; give one from 1 to 65535' };
  return { hostname, port: portNumber };
}

/** `host:port` apart, where the colons of an IPv6 address are in brackets. A port of null: there is none. */
export function splitPort(text: string): { readonly host: string; readonly port: string | null } {
  const [, host = text, port = null] = /^(\[.*\]|[^:]*)(?::([^:]*))?$/s.exec(text) ?? [];
  return { host, port };
}

/**
 * A host name (RFC 1123 labels, case kept), an IPv4 address, or an IPv6 address in brackets, which are taken off.
 * Null otherwise. Names end in no number, else `10.0.0.300` would be one.
 */
export function readHost(host: string): string | null {
  const [, bracketed] = /^\[(.*:.*)\]$/s.exec(host) ?? [];
  if (bracketed !== undefined) return parseAddress(bracketed) === null ? null : bracketed;
  const labels = host.split('.');
  const goodLabels = labels.every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label));
  if (!goodLabels || host.length > 253) return null;
  const isNumeric = /^\d+$/.test(labels.at(-1) ?? '');
  return isNumeric && parseAddress(host) === null ? null : host;
}

/** 0 to 65535; null for anything else. */
export function parsePort(text: string): number | null {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : null;
}
