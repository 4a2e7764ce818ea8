/** What an EndpointSlice says: the addresses of its ready endpoints and the port of HTTPS. */
import { type Address, parseAddress } from '../model/address.ts';

export interface EndpointSlice {
  readonly addresses: readonly Address[];
  readonly port: number;
}

/** EKS has 2 to 4. */
const MAX_ADDRESSES = 64;
const FAMILIES = new Map<unknown, Address['family']>([
  ['IPv4', 4],
  ['IPv6', 6],
]);

/**
 * The addresses that are ready, each once, and the port
 * (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/).
 *
 * @param text an EndpointSlice as JSON
 * @throws SyntaxError that says what is wrong with it: a slice that is wrong in one thing is refused as a whole
 */
export function parseEndpointSlice(text: string): EndpointSlice {
  const slice = parseJson(text);
  if (!isRecord(slice)) throw refused('not a JSON object');
  const type = slice['addressType'];
  const family = FAMILIES.get(type);
  if (family === undefined) throw refused(`its addressType is ${shown(type)}, neither IPv4 nor IPv6`);
  const addresses = new Map<string, Address>();
  for (const text of listOf(slice, 'endpoints').flatMap(readyAddresses)) {
    const address = typeof text === 'string' ? parseAddress(text) : null;
    if (address?.family !== family)
      throw refused(`an address is ${shown(text)}, which is no ${type} address`);
    addresses.set(address.key, address);
  }
  if (addresses.size === 0) throw refused('there is no ready address in it');
  if (addresses.size > MAX_ADDRESSES) {
    throw refused(`there are ${addresses.size} addresses in it, and a cluster has at most ${MAX_ADDRESSES}`);
  }
  return { addresses: [...addresses.values()], port: portOf(listOf(slice, 'ports')) };
}

/** `ready` is optional: not known counts as ready. */
function readyAddresses(endpoint: unknown): readonly unknown[] {
  if (!isRecord(endpoint)) throw refused(`an endpoint is ${shown(endpoint)}, not an object`);
  const conditions = endpoint['conditions'] ?? {};
  if (!isRecord(conditions)) throw refused(`conditions is ${shown(conditions)}, not an object`);
  const ready = conditions['ready'] ?? true;
  if (typeof ready !== 'boolean') throw refused(`the condition ready is ${shown(ready)}, not a boolean`);
  return ready ? listOf(endpoint, 'addresses') : [];
}

/** The one named https, else the only one. */
function portOf(ports: readonly unknown[]): number {
  const https = ports.filter((port) => isRecord(port) && port['name'] === 'https');
  const [chosen, ...others] = https.length > 0 ? https : ports;
  if (chosen === undefined || others.length > 0) throw refused('it does not say which port is that of HTTPS');
  if (!isRecord(chosen)) throw refused(`a port is ${shown(chosen)}, not an object`);
  const { port } = chosen;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw refused(`its port is ${shown(port)}, not one from 1 to 65535`);
  }
  return port;
}

/** What is left out, or null, as Go writes a list that was never made, is an empty list. */
function listOf(record: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const list = record[name] ?? [];
  if (!Array.isArray(list)) throw refused(`${name} is ${shown(list)}, not a list`);
  return list;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('not JSON');
  }
}

/** Whether what was parsed is an object, neither null nor a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(problem: string): SyntaxError {
  return new SyntaxError(`Cannot use EndpointSlice "default/kubernetes": ${problem}`);
}

/** A value as JSON, but no longer than it takes to tell what it is. */
function shown(value: unknown): string {
  if (value === undefined) return 'left out';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
