import { describe, expect, test } from 'vitest';
import { nameserversOf } from '../../src/endpoint/resolv-conf.ts';

function textsOf(text: string): readonly string[] {
  return nameserversOf(text).map((address) => address.text);
}

describe('the servers in resolv.conf', () => {
  test('as systemd-resolved writes it on AL2023', () => {
    const text = `# This is /run/systemd/resolve/resolv.conf managed by man:systemd-resolved(8).
# Do not edit.

nameserver 192.168.0.2
search ap-northeast-2.compute.internal
`;
    expect(textsOf(text)).toEqual(['192.168.0.2']);
  });

  test.each<[string, string, readonly string[]]>([
    ['several, in order', 'nameserver 10.0.0.2\nnameserver 10.0.0.1', ['10.0.0.2', '10.0.0.1']],
    ['IPv6', 'nameserver fd00:ec2::253', ['fd00:ec2::253']],
    ['a zone', 'nameserver fe80::1%eth0', ['fe80::1']],
    ['tabs and blanks', ' nameserver\t 10.0.0.2  ', ['10.0.0.2']],
    ['something behind it', 'nameserver 10.0.0.2 # the VPC', ['10.0.0.2']],
    ['the line ends of another system', 'nameserver 10.0.0.2\r\n', ['10.0.0.2']],
    ['comments', '#nameserver 10.0.0.1\n;nameserver 10.0.0.1\nnameserver 10.0.0.2', ['10.0.0.2']],
    [
      'bad lines',
      'nameserver\nnameserver dns.example\nnameserver 10.0.0\nNAMESERVER 10.0.0.1\nnameserver 10.0.0.2',
      ['10.0.0.2'],
    ],
    [
      'more than three: nobody asks a fourth',
      'nameserver x\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4',
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ],
    ['none: the machine itself', 'search example\noptions ndots:5\n', ['127.0.0.1']],
    ['an empty file', '', ['127.0.0.1']],
    ['only bad ones', 'nameserver dns.example\n', ['127.0.0.1']],
  ])('%s', (_, text, servers) => {
    expect(textsOf(text)).toEqual(servers);
  });
});
