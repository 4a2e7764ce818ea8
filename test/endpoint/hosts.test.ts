import { describe, expect, test } from 'vitest';
import { addressesOfHosts } from '../../src/endpoint/hosts.ts';

const NAME = 'ABC.gr7.eu-west-1.eks.amazonaws.com';

function textsOf(text: string, name = NAME): readonly string[] {
  return addressesOfHosts(text, name).map((address) => address.text);
}

describe('the addresses of a name in the hosts file', () => {
  test('as in an Outposts local cluster', () => {
    const text = `127.0.0.1   localhost localhost.localdomain localhost4 localhost4.localdomain4
::1         localhost6 localhost6.localdomain6
10.0.0.12 ${NAME.toLowerCase()}
10.0.0.13 ${NAME.toLowerCase()}
`;
    expect(textsOf(text)).toEqual(['10.0.0.12', '10.0.0.13']);
    expect(textsOf(text, 'localhost')).toEqual(['127.0.0.1']);
    expect(textsOf(text, 'other.example')).toEqual([]);
  });

  test.each<[string, string, readonly string[]]>([
    ['an empty file', '', []],
    ['another case', `10.0.0.1 ${NAME.toUpperCase()}`, ['10.0.0.1']],
    ['an alias', `10.0.0.1 other.example\t ${NAME} third.example`, ['10.0.0.1']],
    ['a final dot', `10.0.0.1 ${NAME}.`, ['10.0.0.1']],
    ['a comment behind it', `10.0.0.1 ${NAME} # by hand`, ['10.0.0.1']],
    ['a comment that touches it', `10.0.0.1 ${NAME}#by hand`, ['10.0.0.1']],
    ['it is in a comment', `10.0.0.1 other.example # ${NAME}`, []],
    ['the line is a comment', `#10.0.0.1 ${NAME}\n # 10.0.0.2 ${NAME}`, []],
    ['tabs, many blanks and blanks before', ` \t10.0.0.1\t\t${NAME}  `, ['10.0.0.1']],
    ['the line ends of another system', `10.0.0.1 ${NAME}\r\n10.0.0.2 ${NAME}\r\n`, ['10.0.0.1', '10.0.0.2']],
    ['IPv6', `2001:DB8::1 ${NAME}`, ['2001:db8::1']],
    ['a zone', `fe80::1%eth0 ${NAME}`, ['fe80::1']],
    ['a mapped address', `::ffff:10.0.0.1 ${NAME}`, ['10.0.0.1']],
    ['an address that comes twice', `10.0.0.1 ${NAME}\n10.0.0.1 a ${NAME}`, ['10.0.0.1']],
    ['an address without a name', '10.0.0.1', []],
    ['no address', `${NAME} ${NAME}`, []],
    ['a zone of an IPv4 address', `10.0.0.1%eth0 ${NAME}`, []],
    ['an empty zone', `fe80::1% ${NAME}`, []],
    ['leading zeros', `010.0.0.1 ${NAME}`, []],
    ['a bad line between good ones', `x ${NAME}\n\n10.0.0 ${NAME}\n10.0.0.1 ${NAME}`, ['10.0.0.1']],
    ['a longer name', `10.0.0.1 x${NAME} ${NAME}.example`, []],
    ['NUL bytes', '\0'.repeat(4096), []],
  ])('%s', (_, text, addresses) => {
    expect(textsOf(text)).toEqual(addresses);
  });

  test('a name is found that is written with its final dot', () => {
    expect(textsOf(`10.0.0.1 ${NAME}`, `${NAME}.`)).toEqual(['10.0.0.1']);
  });

  test('a file of a mebibyte, the most that is read, is no burden', () => {
    const mebibyte = 1024 * 1024;
    const line = `10.0.0.1 ${NAME}\n`;
    expect(textsOf(line.repeat(mebibyte / line.length))).toEqual(['10.0.0.1']);
    for (const piece of ['#', ' ', ':', '%', 'a ', '1.', 'x\n', `a ${NAME} `]) {
      expect(textsOf(piece.repeat(mebibyte / piece.length))).toEqual([]);
      expect(textsOf(`${piece.repeat(mebibyte / piece.length)} ${NAME}`)).toEqual([]);
    }
  });
});
