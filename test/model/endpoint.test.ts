import { describe, expect, test } from 'vitest';
import { parseEndpoint, parsePort, readHost, splitPort } from '../../src/model/endpoint.ts';

describe('an endpoint as people and kubeconfigs write it', () => {
  const name = 'ABC.gr7.ap-northeast-2.eks.amazonaws.com';
  test.each([
    [`https://${name}`, name, 443],
    [`https://${name}/`, name, 443],
    [`HTTPS://${name}`, name, 443],
    [`https://${name}:443`, name, 443],
    [`https://${name}:6443/`, name, 6443],
    [name, name, 443],
    [`${name}:8443`, name, 8443],
    ['https://abc.eks-cluster.eu-west-1.api.aws', 'abc.eks-cluster.eu-west-1.api.aws', 443],
    ['https://ABC.sk1.cn-north-1.eks.amazonaws.com.cn', 'ABC.sk1.cn-north-1.eks.amazonaws.com.cn', 443],
    ['localhost:6443', 'localhost', 6443],
    ['https://10.0.0.1:65535', '10.0.0.1', 65_535],
    ['https://[2600:1f13::5]', '2600:1f13::5', 443],
    ['[2600:1f13::5]:6443', '2600:1f13::5', 6443],
    ['https://[64:ff9b::3.34.148.207]', '64:ff9b::3.34.148.207', 443],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`, 443],
    ['https://abc.example.', 'abc.example', 443],
    ['https://abc.example.:6443/', 'abc.example', 6443],
  ])('%s', (text, hostname, port) => {
    expect(parseEndpoint(text)).toEqual({ hostname, port });
  });

  test.each([
    ['', 'empty'],
    ['http://abc.example', 'the scheme is not https'],
    ['ftp://abc.example', 'the scheme is not https'],
    ['https://', 'not a host name'],
    ['https://abc.example/k8s/clusters/c-1', 'a path or query'],
    ['https://abc.example?x=1', 'a path or query'],
    ['https://abc.example#x', 'a path or query'],
    ['https://user:password@abc.example', 'user information'],
    ['abc.example:', 'not a port'],
    ['abc.example:https', 'not a port'],
    ['abc.example:0', 'not a port'],
    ['abc.example:0443', 'not a port'],
    ['abc.example:-1', 'not a port'],
    ['abc.example:65536', 'not a port'],
    ['abc.example:443:443', 'not a host name'],
    ['2600:1f13::5', 'not a host name'],
    ['[10.0.0.1]', 'not a host name'],
    ['[2600:1f13::5%eth0]', 'not a host name'],
    ['[]:443', 'not a host name'],
    ['[2600:1f13::5', 'not a host name'],
    ['10.0.0.300', 'not a host name'],
    ['abc..example', 'not a host name'],
    ['abc.example..', 'not a host name'],
    ['abc.example..:443', 'not a host name'],
    ['.', 'not a host name'],
    ['-abc.example', 'not a host name'],
    ['abc-.example', 'not a host name'],
    ['abc.example\n', 'not a host name'],
    ['a b', 'not a host name'],
    ['äbc.example', 'not a host name'],
    [`${'a'.repeat(64)}.example`, 'not a host name'],
    [`${'abcdefghi.'.repeat(26)}example`, 'not a host name'],
  ])('%j is refused, with the reason', (text, reason) => {
    expect(parseEndpoint(text)).toEqual({ problem: expect.stringContaining(reason) });
  });

  test('what is said of a secret in the wrong place does not repeat it', () => {
    expect(JSON.stringify(parseEndpoint('https://user:hunter2@abc.example'))).not.toContain('hunter2');
  });
});

test.each([
  ['abc.example:443', 'abc.example', '443'],
  ['abc.example', 'abc.example', null],
  [':10943', '', '10943'],
  ['[::1]:80', '[::1]', '80'],
  ['[::1]', '[::1]', null],
  ['::1', '::1', null],
])('%j is host %j and port %j', (text, host, port) => {
  expect(splitPort(text)).toEqual({ host, port });
});

test.each([
  ['0', 0],
  ['1', 1],
  ['65535', 65_535],
  ['65536', null],
  ['99999999', null],
  ['', null],
  ['00', null],
  ['1e3', null],
  [' 1', null],
])('%j as a port is %j', (text, port) => {
  expect(parsePort(text)).toBe(port);
});

test.each([
  ['Abc.Example', 'Abc.Example'],
  ['10.0.0.1', '10.0.0.1'],
  ['[::1]', '::1'],
  ['1.2.3', null],
  ['', null],
])('%j as a host is %j', (text, host) => {
  expect(readHost(text)).toBe(host);
});
