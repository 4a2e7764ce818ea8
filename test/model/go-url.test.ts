import { describe, expect, test } from 'vitest';
import { parseGoUrl } from '../../src/model/go-url.ts';

/** What Go 1.26.8 says of each: scheme, Hostname() and Port(). */
describe('a URL as Go reads it', () => {
  test.each<[string, string, string, string]>([
    ['http://proxy', 'http', 'proxy', ''],
    ['HTTP://Proxy:3128/path?query#fragment', 'http', 'Proxy', '3128'],
    ['http://proxy:', 'http', 'proxy', ''],
    ['http://user:p@ss%20word@proxy:1', 'http', 'proxy', '1'],
    ['http://[::1]:8080', 'http', '::1', '8080'],
    ['http://[fe80::1%25eth0]', 'http', 'fe80::1', ''],
    ['http://[::ffff:192.0.2.1]', 'http', '::ffff:192.0.2.1', ''],
    ['http://例え.example', 'http', '例え.example', ''],
    ['http://"a"<b>', 'http', '"a"<b>', ''],
    ['socks5://a:b:1', 'socks5', 'a:b', '1'],
    ['http://:3128', 'http', '', '3128'],
    ['http://', 'http', '', ''],
    ['http:/proxy', 'http', '', ''],
    ['http:proxy', 'http', '', ''],
    ['proxy:3128', 'proxy', '', ''],
    ['//proxy:3128', '', 'proxy', '3128'],
    ['///proxy', '', '', ''],
    ['/proxy', '', '', ''],
    ['proxy', '', '', ''],
    ['a b', '', '', ''],
    ['', '', '', ''],
    ['*', '', '', ''],
  ])('%s', (text, scheme, host, port) => {
    expect(parseGoUrl(text)).toEqual({ scheme, host, port });
  });

  test.each([
    ['a control character', 'http://proxy\n'],
    ['DEL', 'http://proxy\x7f'],
    ['a colon first', '://proxy'],
    ['a colon in what has no scheme', '127.0.0.1:3128'],
    ['a blank in the host', 'http://a b'],
    ['a blank in the user information', 'http://u s:p@proxy'],
    ['a port that is no number', 'http://proxy:port'],
    ['two ports', 'http://proxy:1:2'],
    ['an IPv6 address without brackets', 'http://::1'],
    ['an IPv4 address in brackets', 'http://[127.0.0.1]'],
    ['an open bracket', 'http://[::1'],
    ['a bracket in the middle', 'http://a[::1]'],
    ['two brackets', 'http://[fe80::1%25[]]'],
    ['a zone without its percent sign escaped', 'http://[fe80::1%eth0]'],
    ['a bad escape in the host', 'http://%zz'],
    ['an escape of what needs none in the host', 'http://%41'],
    ['a bad escape in the path', 'http://proxy/%'],
    ['a bad escape in the fragment', 'http://proxy#%1'],
    ['a bad escape in the password', 'http://u:%@proxy'],
    ['a bad escape alone', '%zz'],
  ])('with %s is none', (_, text) => {
    expect(parseGoUrl(text)).toBeNull();
  });

  test('of a mebibyte is read at once', () => {
    const mebibyte = 1024 * 1024;
    for (const piece of ['a', ':', '@', '[', '%25', '.', '//', 'http://']) {
      const text = piece.repeat(mebibyte / piece.length);
      expect(() => parseGoUrl(text)).not.toThrow();
      expect(() => parseGoUrl(`http://${text}`)).not.toThrow();
      expect(() => parseGoUrl(`http://[${text}]`)).not.toThrow();
    }
  });
});
