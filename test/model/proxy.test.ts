/** Go's tables (golang.org/x/net/http/httpproxy) are (c) The Go Authors, BSD-3-Clause: https://go.dev/LICENSE. */
import { describe, expect, test } from 'vitest';
import { parseProxyUrl, proxyOf } from '../../src/model/proxy.ts';

const ENDPOINT = { hostname: 'ABC.gr7.eu-west-1.eks.amazonaws.com', port: 443 };
const PROXY = { url: 'http://proxy:3128', host: 'proxy', port: 3128 };

function proxyFor(HTTPS_PROXY: string, NO_PROXY = '', endpoint = ENDPOINT) {
  return proxyOf({ HTTPS_PROXY, NO_PROXY }, endpoint);
}

describe('the variable that names the proxy', () => {
  test.each<[string, Record<string, string>, string | null]>([
    ['HTTPS_PROXY', { HTTPS_PROXY: 'http://a' }, 'a'],
    ['https_proxy', { https_proxy: 'http://b' }, 'b'],
    ['HTTPS_PROXY before https_proxy', { https_proxy: 'http://b', HTTPS_PROXY: 'http://a' }, 'a'],
    ['https_proxy where HTTPS_PROXY is empty', { HTTPS_PROXY: '', https_proxy: 'http://b' }, 'b'],
    ['none', {}, null],
    ['an empty one', { HTTPS_PROXY: '' }, null],
    ['HTTP_PROXY and ALL_PROXY are for others', { HTTP_PROXY: 'http://a', ALL_PROXY: 'http://a' }, null],
    ['NO_PROXY', { HTTPS_PROXY: 'http://a', NO_PROXY: '*' }, null],
    ['no_proxy', { HTTPS_PROXY: 'http://a', no_proxy: '*' }, null],
    ['NO_PROXY before no_proxy', { HTTPS_PROXY: 'http://a', NO_PROXY: 'x.example', no_proxy: '*' }, 'a'],
    ['no_proxy where NO_PROXY is empty', { HTTPS_PROXY: 'http://a', NO_PROXY: '', no_proxy: '*' }, null],
    ['in a CGI environment too', { HTTPS_PROXY: 'http://a', REQUEST_METHOD: 'GET' }, 'a'],
  ])('%s', (_, environment, host) => {
    expect(proxyOf(environment, ENDPOINT)).toEqual(host && { url: `http://${host}`, host, port: 80 });
  });
});

describe('the value', () => {
  // From proxyForURLTests and proxyFromEnvTests of Go, and what Go 1.26.8 says of the others.
  test.each<[string, string, string, number]>([
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', '127.0.0.1', 8080],
    ['cache.corp.example.com:1234', 'http://cache.corp.example.com:1234', 'cache.corp.example.com', 1234],
    ['cache.corp.example.com', 'http://cache.corp.example.com', 'cache.corp.example.com', 80],
    ['localhost', 'http://localhost', 'localhost', 80],
    ['https://cache.corp.example.com', 'https://cache.corp.example.com', 'cache.corp.example.com', 443],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080', '127.0.0.1', 8080],
    ['https://127.0.0.1:8080', 'https://127.0.0.1:8080', '127.0.0.1', 8080],
    ['socks5://127.0.0.1', 'socks5://127.0.0.1', '127.0.0.1', 1080],
    ['socks5h://127.0.0.1', 'socks5h://127.0.0.1', '127.0.0.1', 1080],
    ['foo://host:1', 'foo://host:1', 'host', 1],
    ['HTTP://Proxy/', 'http://Proxy', 'Proxy', 80],
    ['http://[2001:db8::1]:3128', 'http://[2001:db8::1]:3128', '2001:db8::1', 3128],
    ['[::1]:8080', 'http://[::1]:8080', '::1', 8080],
    ['http://[fe80::1%25eth0]:1', 'http://[fe80::1]:1', 'fe80::1', 1],
    ['http://squid_proxy:3128', 'http://squid_proxy:3128', 'squid_proxy', 3128],
    ['http://proxy.corp.:3128', 'http://proxy.corp.:3128', 'proxy.corp.', 3128],
    ['http://例え.example', 'http://xn--r8jz45g.example', 'xn--r8jz45g.example', 80],
    ['http://proxy:0080', 'http://proxy:0080', 'proxy', 80],
    ['user:secret@proxy:3128', 'http://proxy:3128', 'proxy', 3128],
    ['http://user:s%40c@ret@proxy:3128/path?q#f', 'http://proxy:3128', 'proxy', 3128],
  ])('%s', (value, url, host, port) => {
    expect(proxyFor(value)).toEqual({ url, host, port });
  });

  test.each([
    ['a blank before it', ' http://proxy'],
    ['an open bracket', '[::1'],
    ['an IPv6 address without brackets', '2001:db8::1'],
    ['a bad escape', '%zz'],
    ['a line end', 'http://proxy\n'],
  ])('with %s is passed over in silence: Go then uses no proxy', (_, value) => {
    expect(proxyFor(value)).toBeNull();
  });

  test.each([
    ['no host', 'http://', 'it names no host'],
    ['no host and a port', ':3128', 'it names no host'],
    ['a blank behind it: Go takes "http" for the host', 'http://proxy:3128 ', 'it names no host'],
    ['a port that is none', 'http://proxy:port', 'it names no host'],
    ['a slash too few', 'http:/proxy', 'it names no host'],
    ['quotes', '"http://proxy"', 'its host is no host name'],
    ['two hosts', 'http://one,two', 'its host is no host name'],
    ['half an address', 'http://10.0.1', 'its host is no host name'],
    ['a port that is too great', 'http://proxy:65536', 'it has no port from 1 to 65535'],
    ['the port 0', 'http://proxy:0', 'it has no port from 1 to 65535'],
    ['a scheme of no known port', 'foo://proxy', 'it has no port from 1 to 65535'],
  ])('with %s fails every request', (_, value, problem) => {
    expect(proxyFor(value)).toEqual({
      problem: `Cannot use HTTPS_PROXY ${JSON.stringify(value)}: ${problem}${
        problem.includes('host name') ? ' or address' : ''
      }; give http://host:port`,
    });
    expect(proxyOf({ https_proxy: value }, ENDPOINT)).toEqual({
      problem: expect.stringContaining('Cannot use https_proxy '),
    });
    expect(proxyFor(value, '*')).toBeNull();
  });

  test.each([
    'http://user:secret@proxy:65536',
    'http://user:sec@ret@proxy:0',
    'user:secret@proxy:99999',
    'http://user:secret@pro xy/secret@b',
    'foo:user:secret@proxy:0',
  ])('%s is quoted without its user information', (value) => {
    const found = proxyFor(value);
    expect(found).toHaveProperty('problem');
    expect(JSON.stringify(found)).not.toMatch(/sec|ret/);
  });

  test('is quoted in short', () => {
    expect(JSON.stringify(proxyFor(`http://${'x'.repeat(100_000)}`)).length).toBeLessThan(300);
  });
});

describe('NO_PROXY', () => {
  test.each([
    ['example.com', 'example.com', false],
    ['.example.com', 'example.com', true],
    ['ample.com', 'example.com', true],
    ['example.com', 'foo.example.com', false],
    ['.foo.com', 'example.com', true],
    ['.示例.com', 'www.示例.com', false],
    ['xn--fsq092h.com', 'www.示例.com', false],
    ['示例.com', 'www.xn--fsq092h.com', false],
    // Beyond Go's own table; each asked of Go 1.26.8.
    ['EXAMPLE.com', 'Example.COM', false],
    [' , example.com , ', 'example.com', false],
    ['a.example b.example', 'a.example', true],
    ['example.com:443', 'example.com', false],
    ['example.com:80', 'example.com', true],
    ['example.com:0443', 'example.com', true],
    ['.example.com:443', 'www.example.com', false],
    ['http://example.com', 'example.com', true],
    ['example.com/', 'example.com', true],
    ['*.', 'example.com', true],
    ['.', 'example.com', true],
    ['com', 'example.com', false],
    ['*example.com', 'www.example.com', true],
    ['x, *', 'example.com', false],
    ['10.0.0.0/08', '10.0.0.1', false],
    ['10.0.0.0/33', '10.0.0.1', true],
    ['0.0.0.0/0', '2001:db8::1', true],
    ['::ffff:10.0.0.1', '10.0.0.1', false],
    ['::ffff:10.0.0.0/104', '10.0.0.1', false],
    ['64:ff9b::/96', '10.0.0.1', true],
    ['64:ff9b::/96', '64:ff9b::a00:1', false],
    ['64:ff9b::a00:1', '10.0.0.1', true],
    ['.0.0.1', '10.0.0.1', true],
    ['2001:DB8::1', '2001:db8::1', false],
    ['[2001:db8::1]', '2001:db8::1', true],
    ['[2001:db8::1]:443', '2001:db8::1', false],
    ['[2001:db8::1]:80', '2001:db8::1', true],
    ['[]:443', 'example.com', true],
    [':1', 'example.com', true],
  ])('%j, for %s', (noProxy, hostname, isProxied) => {
    const endpoint = { hostname, port: 443 };
    expect(proxyFor('http://proxy:3128', noProxy, endpoint)).toEqual(isProxied ? PROXY : null);
  });

  // UseProxyTests of Go.
  const hosts = [
    ['localhost', false],
    ['127.0.0.1', false],
    ['127.0.0.2', false],
    ['::1', false],
    ['::2', true],
    ['192.168.1.1', false],
    ['192.168.1.2', true],
    ['192.168.1.3', false],
    ['192.168.1.4', true],
    ['10.0.0.2', false],
    ['2001:db8::52:0:1', false],
    ['2001:db8::52:0:2', true],
    ['2001:db8::52:0:3', false],
    ['2002:db8:a::123', false],
    ['fe80::424b:c8be:1643:a1b6', true],
    ['barbaz.net', true],
    ['www.barbaz.net', false],
    ['foobar.com', false],
    ['www.foobar.com', false],
    ['foofoobar.com', true],
    ['baz.com', true],
    ['localhost.net', true],
    ['local.localhost', true],
    ['barbarbaz.net', true],
    ['wildcard.io', true],
    ['nested.wildcard.io', false],
    ['awildcard.io', true],
  ] as const;
  const NO_PROXY =
    'foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64';

  test.each(hosts)("Go's own table: %s", (hostname, isProxied) => {
    expect(proxyFor('http://proxy:3128', NO_PROXY, { hostname, port: 80 })).toEqual(isProxied ? PROXY : null);
  });

  test.each(hosts)('* means %s too', (hostname) => {
    expect(proxyFor('http://proxy:3128', '*', { hostname, port: 80 })).toBeNull();
  });

  test('only this machine needs no entry: LOCALHOST is another name to Go', () => {
    expect(proxyFor('http://proxy:3128', '', { hostname: 'LOCALHOST', port: 443 })).toEqual(PROXY);
    expect(proxyFor('http://proxy:3128', '', { hostname: '::ffff:127.0.0.1', port: 443 })).toBeNull();
    expect(proxyFor('http://proxy:3128', '', { hostname: '64:ff9b::127.0.0.1', port: 443 })).toEqual(PROXY);
  });
});

describe("a kubeconfig's proxy-url", () => {
  test.each([
    ['http://proxy:3128', PROXY],
    ['https://proxy', { url: 'https://proxy', host: 'proxy', port: 443 }],
    ['socks5://10.0.0.1', { url: 'socks5://10.0.0.1', host: '10.0.0.1', port: 1080 }],
    ['http://user:secret@proxy:3128/', PROXY],
  ])('%s', (text, proxy) => {
    expect(parseProxyUrl(text)).toEqual(proxy);
  });

  test.each([
    ['without a scheme', 'proxy:3128', 'not a URL of http, https or socks5'],
    ['of a scheme that client-go refuses', 'socks5h://proxy', 'not a URL of http, https or socks5'],
    ['that is no URL', 'http://a b', 'not a URL of http, https or socks5'],
    ['without a host', 'http://', 'it names no host'],
    ['of a port that is none', 'http://proxy:99999', 'it has no port from 1 to 65535'],
  ])('%s is refused, with the reason', (_, text, problem) => {
    expect(parseProxyUrl(text)).toEqual({
      problem: `Cannot use proxy-url ${JSON.stringify(text)}: ${problem}; give http://host:port`,
    });
  });
});
