import { describe, expect, test } from 'vitest';
import { parseEndpointSlice } from '../../src/endpoint/slice.ts';

/** As an EKS cluster answers (`kubectl get endpointslice kubernetes -n default -o json`). */
const EKS = `{
  "kind": "EndpointSlice",
  "apiVersion": "discovery.k8s.io/v1",
  "metadata": {
    "name": "kubernetes",
    "namespace": "default",
    "uid": "2f1d7a0c-53f5-4a5c-9d9f-0a4d6c1a9f6e",
    "resourceVersion": "189",
    "generation": 4,
    "creationTimestamp": "2026-11-20T08:51:12Z",
    "labels": { "kubernetes.io/service-name": "kubernetes" }
  },
  "addressType": "IPv4",
  "endpoints": [
    { "addresses": ["192.168.1.231"], "conditions": { "ready": true } },
    { "addresses": ["192.168.3.17"], "conditions": { "ready": true } }
  ],
  "ports": [{ "name": "https", "protocol": "TCP", "port": 443 }]
}`;

/** A slice like that with other fields. */
function slice(fields: Readonly<Record<string, unknown>>): string {
  const https = { name: 'https', protocol: 'TCP', port: 443 };
  const base = { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [https] };
  return JSON.stringify({ ...base, ...fields });
}

function addressesOf(text: string): readonly string[] {
  return parseEndpointSlice(text).addresses.map((address) => address.text);
}

describe('what a slice says', () => {
  test('as EKS writes it', () => {
    expect(addressesOf(EKS)).toEqual(['192.168.1.231', '192.168.3.17']);
    expect(parseEndpointSlice(EKS).port).toBe(443);
  });

  test('of an IPv6 cluster', () => {
    const endpoints = [{ addresses: ['2600:1F13:0a0d:a700::0005'] }, { addresses: ['fd00::1'] }];
    expect(addressesOf(slice({ addressType: 'IPv6', endpoints }))).toEqual([
      '2600:1f13:a0d:a700::5',
      'fd00::1',
    ]);
  });

  test('several addresses in an endpoint, and one twice', () => {
    const endpoints = [{ addresses: ['10.0.0.1', '10.0.0.2'] }, { addresses: ['10.0.0.1'] }];
    expect(addressesOf(slice({ endpoints }))).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  test.each([
    [{ ready: true }, true],
    [{ ready: false }, false],
    [{ ready: null }, true],
    [{}, true],
    [null, true],
    [undefined, true],
    // What becomes of the others does not count.
    [{ ready: true, serving: false, terminating: true }, true],
  ])('an endpoint with the conditions %j is taken: %j', (conditions, taken) => {
    const endpoints = [{ addresses: ['10.0.0.1'], conditions }, { addresses: ['10.0.0.2'] }];
    expect(addressesOf(slice({ endpoints })).includes('10.0.0.1')).toBe(taken);
  });

  test.each([
    [
      'the one named https',
      [
        { name: 'metrics', port: 9 },
        { name: 'https', port: 6443 },
      ],
      6443,
    ],
    ['the only one, whatever its name', [{ name: 'api', port: 6443 }], 6443],
    ['the only one, without a name', [{ port: 1 }], 1],
    ['the highest', [{ name: 'https', port: 65_535 }], 65_535],
  ])('the port: %s', (_, ports, port) => {
    expect(parseEndpointSlice(slice({ ports })).port).toBe(port);
  });

  test('as many addresses as it may have', () => {
    const addresses = Array.from({ length: 64 }, (_, index) => `10.0.0.${index}`);
    expect(addressesOf(slice({ endpoints: [{ addresses }] }))).toEqual(addresses);
  });
});

describe('a slice that is refused as a whole', () => {
  const many = Array.from({ length: 65 }, (_, index) => ({ addresses: [`10.0.0.${index}`] }));

  const REFUSED: readonly (readonly [string, string])[] = [
    ['', 'not JSON'],
    ['<html><body>Sign in</body></html>', 'not JSON'],
    [EKS.slice(0, -1), 'not JSON'],
    ['['.repeat(200_000), 'not JSON'],
    ['null', 'not a JSON object'],
    ['[]', 'not a JSON object'],
    ['"IPv4"', 'not a JSON object'],
    ['{}', 'its addressType is left out, neither IPv4 nor IPv6'],
    ['{"kind":"Status","code":200}', 'its addressType is left out, neither IPv4 nor IPv6'],
    [slice({ addressType: 'FQDN' }), 'its addressType is "FQDN", neither IPv4 nor IPv6'],
    [slice({ addressType: 4 }), 'its addressType is 4, neither IPv4 nor IPv6'],
    [slice({ endpoints: null }), 'there is no ready address in it'],
    [slice({ endpoints: [] }), 'there is no ready address in it'],
    [slice({ endpoints: [{ addresses: null }] }), 'there is no ready address in it'],
    [
      slice({ endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }] }),
      'there is no ready address in it',
    ],
    [slice({ endpoints: {} }), 'endpoints is an object, not a list'],
    [slice({ endpoints: ['10.0.0.1'] }), 'an endpoint is "10.0.0.1", not an object'],
    [slice({ endpoints: [null] }), 'an endpoint is null, not an object'],
    [slice({ endpoints: [{ addresses: '10.0.0.1' }] }), 'addresses is "10.0.0.1", not a list'],
    [
      slice({ endpoints: [{ addresses: ['10.0.0.1'], conditions: 'ready' }] }),
      'conditions is "ready", not an object',
    ],
    [
      slice({ endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: 'false' } }] }),
      'the condition ready is "false", not a boolean',
    ],
    [slice({ endpoints: many }), 'there are 65 addresses in it, and a cluster has at most 64'],
    [slice({ ports: null }), 'it does not say which port is that of HTTPS'],
    [slice({ ports: [] }), 'it does not say which port is that of HTTPS'],
    [slice({ ports: [{ port: 443 }, { port: 444 }] }), 'it does not say which port is that of HTTPS'],
    [
      slice({
        ports: [
          { name: 'https', port: 443 },
          { name: 'https', port: 444 },
        ],
      }),
      'it does not say which port is that of HTTPS',
    ],
    [slice({ ports: 443 }), 'ports is 443, not a list'],
  ];

  test.each(REFUSED.map(([text, problem]) => ({ text, problem })))('$problem', ({ text, problem }) => {
    expect(() => parseEndpointSlice(text)).toThrow(
      new SyntaxError(`Cannot use EndpointSlice "default/kubernetes": ${problem}`),
    );
  });

  test.each([
    'abc.example',
    '10.0.0.1/32',
    '10.0.0.01',
    '10.0.0.1 ',
    '',
    'fd00::1',
    '10.0.0.1.1',
    0x0a000001,
    null,
    ['10.0.0.1'],
    { address: '10.0.0.1' },
  ])('the IPv4 address %j beside a good one', (address) => {
    const endpoints = [{ addresses: ['10.0.0.2'] }, { addresses: [address] }];
    expect(() => parseEndpointSlice(slice({ endpoints }))).toThrow(
      /: an address is .+, which is no IPv4 address$/,
    );
  });

  test.each(['10.0.0.1', '::ffff:10.0.0.1', '64:ff9b::a00:1', 'fe80::1%eth0'])(
    'the IPv6 address %s',
    (address) => {
      const endpoints = [{ addresses: [address] }];
      expect(() => parseEndpointSlice(slice({ addressType: 'IPv6', endpoints }))).toThrow(
        / no IPv6 address$/,
      );
    },
  );

  test.each([0, -1, 65_536, 443.5, '443', null, undefined, {}])('the port %j', (port) => {
    expect(() => parseEndpointSlice(slice({ ports: [{ name: 'https', port }] }))).toThrow(
      /: its port is .+, not one from 1 to 65535$/,
    );
  });

  test.each([443, null, 'https'])('a port that is %j instead of an object', (port) => {
    expect(() => parseEndpointSlice(slice({ ports: [port] }))).toThrow(/: a port is .+, not an object$/);
  });

  test.each([
    ['a text', JSON.stringify('x'.repeat(100_000))],
    ['a list in a list in a list', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ])('what it says of %s is short, however long that is', (_, address) => {
    const text = slice({ endpoints: [{ addresses: ['?'] }] }).replace('"?"', address);
    expect(() => parseEndpointSlice(text)).toThrow(/^Cannot use .{1,150}, which is no IPv4 address$/);
  });
});
