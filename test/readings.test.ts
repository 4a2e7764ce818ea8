import { Resolver } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { FLAGS, type Flag } from '../src/flags.ts';

/** The value, or `!` and the problem. */
function read<T>(flag: Flag<T>, text: string): T | string {
  const reading = flag.read(text);
  return 'value' in reading ? reading.value : `!${reading.problem}`;
}

describe('durations', () => {
  test.each([
    ['1s', 1000],
    ['1000ms', 1000],
    ['010s', 10_000],
    ['60s', 60_000],
    ['1m', 60_000],
  ])('%s is %d ms', (text, ms) => {
    expect(read(FLAGS.scanInterval, text)).toBe(ms);
  });

  test('hours', () => {
    expect(read(FLAGS.staleAfter, '24h')).toBe(86_400_000);
  });

  test.each([
    '',
    '5',
    '5x',
    '5 s',
    ' 5s',
    '5s\n',
    '-5s',
    '+5s',
    '1.5s',
    '1m30s',
    '5S',
    '٥s',
    'Infinitys',
    '1e1s',
  ])('%j is not a duration', (text) => {
    expect(read(FLAGS.scanInterval, text)).toBe(
      '!not a duration; give a whole number with ms, s, m or h, such as 10s',
    );
  });

  test.each(['0s', '999ms', '60001ms', '2m', `${'9'.repeat(400)}s`])('%s is out of range', (text) => {
    expect(read(FLAGS.scanInterval, text)).toBe('!out of range; give 1s to 60s');
  });

  test('each duration has a range of its own', () => {
    expect(read(FLAGS.staleAfter, '25h')).toBe('!out of range; give 1s to 24h');
    expect(read(FLAGS.phase, '11m')).toBe('!out of range; give 3s to 10m');
    expect(read(FLAGS.phase, '10m')).toBe(600_000);
    expect(read(FLAGS.probeInterval, '1s')).toBe(1000);
    expect(read(FLAGS.probeInterval, '1h')).toBe(3_600_000);
    expect(read(FLAGS.probeInterval, '999ms')).toBe('!out of range; give 1s to 1h');
    expect(read(FLAGS.probeInterval, '61m')).toBe('!out of range; give 1s to 1h');
  });
});

describe('endpoints', () => {
  const name = 'ABC.gr7.ap-northeast-2.eks.amazonaws.com';
  test.each([
    [name, name, 443],
    [`https://${name}`, name, 443],
    [`https://${name}/`, name, 443],
    [`HTTPS://${name}:6443`, name, 6443],
    [`${name}:1`, name, 1],
    ['localhost:65535', 'localhost', 65_535],
    ['10.0.0.1', '10.0.0.1', 443],
    ['https://10.0.0.1:6443', '10.0.0.1', 6443],
    ['[2001:db8::1]', '2001:db8::1', 443],
    ['https://[2001:db8::1]:6443/', '2001:db8::1', 6443],
  ])('%s is %s, port %d', (text, hostname, port) => {
    expect(read(FLAGS.endpoint, text)).toEqual({ hostname, port });
  });

  test.each([
    ['', 'empty; give https://host[:port] or host[:port]'],
    ['http://api', 'the scheme is not https'],
    ['tcp://172.20.0.1:443', 'the scheme is not https'],
    ['https://user:secret@api', 'user information does not belong here'],
    ['https://api/version', 'a path or query does not belong here'],
    ['https://api//', 'a path or query does not belong here'],
    ['api?x=1', 'a path or query does not belong here'],
    ['api#x', 'a path or query does not belong here'],
    ['https://', 'not a host name or address'],
    [':443', 'not a host name or address'],
    ['a b', 'not a host name or address'],
    ['api\n', 'not a host name or address'],
    ['-api', 'not a host name or address'],
    ['api_server', 'not a host name or address'],
    ['api..com', 'not a host name or address'],
    ['10.0.0.300', 'not a host name or address'],
    ['010.0.0.1', 'not a host name or address'],
    ['2001:db8::1', 'not a host name or address'],
    ['[2001:db8::1', 'not a host name or address'],
    ['[2001:db8::1]443', 'not a host name or address'],
    ['[fe80::1%eth0]:443', 'not a host name or address'],
    ['[10.0.0.1]:443', 'not a host name or address'],
    ['[api]:443', 'not a host name or address'],
    [`${'a'.repeat(64)}.com`, 'not a host name or address'],
    [`a${'a.'.repeat(126)}a`, 'not a host name or address'],
    ['api:', 'not a port; give one from 1 to 65535'],
    ['api:0', 'not a port'],
    ['api:65536', 'not a port'],
    ['api:0443', 'not a port'],
    ['api:https', 'not a port'],
  ])('%j is refused: %s', (text, problem) => {
    expect(read(FLAGS.endpoint, text)).toContain(`!${problem}`);
  });

  test('a name of 253 characters is one', () => {
    const longest = `${'a.'.repeat(126)}a`;
    expect(read(FLAGS.endpoint, longest)).toEqual({ hostname: longest, port: 443 });
  });
});

describe('X-ENI ranges', () => {
  test.each([
    ['192.168.1.231', '192.168.1.231'],
    ['10.0.3.0/24', '10.0.3.0/24'],
    ['10.0.0.0/16', '10.0.0.0/16'],
    ['10.0.3.17/32', '10.0.3.17'],
    ['2600:1f14:abc::/48', '2600:1f14:abc::/48'],
    ['64:ff9b::10.0.3.17', '10.0.3.17'],
    ['3.34.148.207', '3.34.148.207'],
  ])('%s is taken as %s', (text, range) => {
    expect(read(FLAGS.xEni, text)).toMatchObject({ text: range });
  });

  test.each([
    ['', 'not an address or CIDR; give one such as 10.0.3.17 or 10.0.3.0/24'],
    ['10.0.3', 'not an address or CIDR'],
    ['10.0.3.0/33', 'not an address or CIDR'],
    ['10.0.3.0/24/1', 'not an address or CIDR'],
    ['10.0.3.0-10.0.3.9', 'not an address or CIDR'],
    ['eth0', 'not an address or CIDR'],
    ['10.0.3.17/24', 'not a network, there are bits set behind the prefix; give 10.0.3.0/24'],
    ['2600:1f14:abc::1/64', 'not a network, there are bits set behind the prefix; give 2600:1f14:abc::/64'],
    ['10.0.0.0/15', "wider than /16; give the CIDRs of the cluster's subnets"],
    ['0.0.0.0/0', 'wider than /16'],
    ['2600:1f14:ab0::/47', 'wider than /48'],
    ['::/0', 'wider than /48'],
    ['64:ff9b::/96', 'wider than /16'],
    ['0.0.0.0', 'an X-ENI is never'],
    ['127.0.0.1', 'an X-ENI is never'],
    ['::ffff:127.0.0.1', 'an X-ENI is never'],
    ['169.254.169.254', 'an X-ENI is never'],
    ['169.254.0.0/16', 'an X-ENI is never'],
    ['224.0.0.0/24', 'an X-ENI is never'],
    ['::', 'an X-ENI is never'],
    ['::/64', 'an X-ENI is never'],
    ['::1', 'an X-ENI is never'],
    ['fe80::/64', 'an X-ENI is never'],
    ['ff02::1', 'an X-ENI is never'],
  ])('%j is refused: %s', (text, problem) => {
    expect(read(FLAGS.xEni, text)).toContain(`!${problem}`);
  });
});

describe('VPC CIDRs', () => {
  test.each([
    '192.168.0.0/16',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '198.19.0.0/16',
    '3.34.0.0/16',
    '2600:1f14::/44',
    'fd00::/8',
  ])('%s is taken', (text) => {
    expect(read(FLAGS.vpcCidr, text)).toMatchObject({ text });
  });

  test.each([
    ['', "not a CIDR; give the VPC's, such as 192.168.0.0/16"],
    ['192.168.0.0', 'not a CIDR'],
    ['192.168.0.0/', 'not a CIDR'],
    ['192.168.0.0/016', 'not a CIDR'],
    ['192.168.1.0/16', 'not a network, there are bits set behind the prefix; give 192.168.0.0/16'],
    ['3.34.0.0/15', 'globally routable and wider than /16'],
    ['0.0.0.0/0', 'globally routable and wider than /16'],
    ['0.0.0.0/1', 'globally routable and wider than /16'],
    // 10/8 and what lies beside it.
    ['10.0.0.0/7', 'globally routable and wider than /16'],
    ['2600:1f00::/43', 'globally routable and wider than /44'],
    ['::/0', 'globally routable and wider than /44'],
    ['64:ff9b::/96', 'globally routable and wider than /16'],
  ])('%j is refused: %s', (text, problem) => {
    expect(read(FLAGS.vpcCidr, text)).toContain(`!${problem}`);
  });
});

describe('client names', () => {
  test.each(['kubelet', 'aws-k8s-agent', 'a', '123456789012345', 'ééééééé'])('%s is one', (text) => {
    expect(read(FLAGS.client, text)).toBe(text);
  });

  test.each([
    ['', 'empty'],
    ['/usr/bin/kubelet', "not a process's name"],
    ['kube proxy', "not a process's name"],
    ['kubelet\n', "not a process's name"],
    ['a\u202eb', "not a process's name"],
    ['kubelet,kube-proxy', 'not one name; give the flag once for each'],
  ])('%j is refused: %s', (text, problem) => {
    expect(read(FLAGS.client, text)).toContain(`!${problem}`);
  });

  test.each([
    ['amazon-ssm-agent-worker', 'amazon-ssm-agen'],
    // The eighth é would be cut in two.
    ['éééééééé', 'ééééééé'],
  ])('of %s the kernel keeps %s', (text, kept) => {
    expect(read(FLAGS.client, text)).toBe(`!longer than the 15 bytes that the kernel keeps; give ${kept}`);
  });
});

describe('listen addresses', () => {
  test.each([
    [':10943', null, 10943],
    [':0', null, 0],
    ['127.0.0.1:10943', '127.0.0.1', 10943],
    ['[::1]:10943', '::1', 10943],
    ['[::]:65535', '::', 65535],
    ['localhost:80', 'localhost', 80],
  ])('%s', (text, host, port) => {
    expect(read(FLAGS.listenAddress, text)).toEqual({ host, port });
  });

  test.each([
    ['', 'empty; give :port, host:port or [address]:port, such as :10943'],
    ['10943', 'without a port'],
    ['localhost', 'without a port'],
    ['[::1]', 'without a port'],
    ['::1:10943', 'without a port'],
    [':', 'not a port; give one from 0 (any free one) to 65535'],
    [':65536', 'not a port'],
    [':http', 'not a port'],
    [':-1', 'not a port'],
    ['*:80', 'not a host name or address'],
    ['[]:80', 'not a host name or address'],
    ['http://localhost:80', 'without a port'],
  ])('%j is refused: %s', (text, problem) => {
    expect(read(FLAGS.listenAddress, text)).toContain(`!${problem}`);
  });
});

describe('the endpoint of IMDS', () => {
  test.each([
    ['http://169.254.169.254', 'http://169.254.169.254'],
    ['http://[fd00:ec2::254]', 'http://[fd00:ec2::254]'],
    ['http://[fd00:ec2::254]:80/', 'http://[fd00:ec2::254]:80'],
    ['HTTPS://imds.example:8443/', 'https://imds.example:8443'],
    ['http://127.0.0.1:1338', 'http://127.0.0.1:1338'],
  ])('%s is taken as %s', (text, url) => {
    expect(read(FLAGS.imdsEndpoint, text)).toBe(url);
    expect(URL.canParse(url)).toBe(true);
  });

  test.each([
    ['', 'not an http or https URL; give one such as http://169.254.169.254 or http://[fd00:ec2::254]'],
    ['169.254.169.254', 'not an http or https URL'],
    ['ftp://169.254.169.254', 'not an http or https URL'],
    ['http:/169.254.169.254', 'not an http or https URL'],
    ['http://user:secret@imds', 'user information does not belong here'],
    ['http://169.254.169.254/latest', 'a path or query does not belong here'],
    ['http://169.254.169.254//', 'a path or query does not belong here'],
    ['http://imds?x=1', 'a path or query does not belong here'],
    ['http://imds#x', 'a path or query does not belong here'],
    ['http://', 'not a host name or address'],
    ['http://fd00:ec2::254', 'not a host name or address'],
    ['http://[fd00:ec2::254', 'not a host name or address'],
    ['http://[fe80::1%eth0]', 'not a host name or address'],
    ['http://010.0.0.1', 'not a host name or address'],
    ['http://imds.0x1', 'not a host name or address'],
    ['http://a b', 'not a host name or address'],
    ['http://imds\n', 'not a host name or address'],
    ['http://imds:', 'not a port; give one from 1 to 65535'],
    ['http://imds:0', 'not a port'],
    ['http://imds:65536', 'not a port'],
    ['http://imds:http', 'not a port'],
  ])('%j is refused: %s', (text, problem) => {
    expect(read(FLAGS.imdsEndpoint, text)).toContain(`!${problem}`);
  });
});

describe('the outside resolver', () => {
  test.each([
    ['8.8.8.8', '8.8.8.8'],
    ['8.8.8.8:5353', '8.8.8.8:5353'],
    ['8.8.8.8:53', '8.8.8.8:53'],
    ['127.0.0.1:65535', '127.0.0.1:65535'],
    ['2001:4860:4860::8888', '2001:4860:4860::8888'],
    ['[2001:4860:4860:0::8888]', '2001:4860:4860::8888'],
    ['[2001:4860:4860::8888]:53', '[2001:4860:4860::8888]:53'],
    ['[::ffff:8.8.8.8]:53', '8.8.8.8:53'],
  ])('%s is taken as %s, and so does the resolver', (text, server) => {
    expect(read(FLAGS.outsideResolver, text)).toBe(server);
    const resolver = new Resolver();
    expect(() => resolver.setServers([server])).not.toThrow();
    // It leaves out the usual port.
    expect(resolver.getServers()).toEqual([server.replace(/^\[(.*)\]:53$|^([\d.]+):53$/, '$1$2')]);
  });

  test.each([
    ['', 'not an IP address; give one such as 8.8.8.8, 8.8.8.8:53 or [2001:4860:4860::8888]:53'],
    ['dns.google', 'not an IP address'],
    ['dns.google:53', 'not an IP address'],
    ['8.8.8', 'not an IP address'],
    ['08.8.8.8', 'not an IP address'],
    ['8.8.8.0/24', 'not an IP address'],
    ['udp://8.8.8.8', 'not an IP address'],
    ['8.8.8.8,1.1.1.1', 'not an IP address'],
    ['8.8.8.8:53:53', 'not an IP address'],
    ['[8.8.8.8]:53', 'not an IP address'],
    ['[2001:db8::1', 'not an IP address'],
    ['[2001:db8::1]53', 'not an IP address'],
    ['fe80::1%eth0', 'not an IP address'],
    [':53', 'not an IP address'],
    ['8.8.8.8:', 'not a port; give one from 1 to 65535'],
    ['8.8.8.8:0', 'not a port'],
    ['8.8.8.8:053', 'not a port'],
    ['[2001:db8::1]:65536', 'not a port'],
  ])('%j is refused: %s', (text, problem) => {
    expect(read(FLAGS.outsideResolver, text)).toContain(`!${problem}`);
  });
});

describe('the other values', () => {
  test('choices are taken as written', () => {
    expect(read(FLAGS.expect, 'x-eni')).toBe('x-eni');
    expect(read(FLAGS.expect, 'private')).toBe('!unknown; give x-eni, public or any');
    expect(read(FLAGS.logLevel, 'INFO')).toBe('!unknown; give debug, info, warn or error');
    expect(read(FLAGS.logFormat, '')).toBe('!unknown; give logfmt or json');
    expect(read(FLAGS.output, 'json')).toBe('json');
    expect(read(FLAGS.attribution, 'address')).toBe('address');
    expect(read(FLAGS.attribution, 'none')).toBe('!unknown; give process or address');
    expect(read(FLAGS.imds, 'off')).toBe('off');
    expect(read(FLAGS.imds, 'true')).toBe('!unknown; give auto, on or off');
  });

  test.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
    ['yes', '!neither true nor false; give true or false'],
    ['', '!neither true nor false; give true or false'],
  ])('the switch value %j', (text, value) => {
    expect(read(FLAGS.once, text)).toBe(value);
  });

  test('a path is anything but empty: a wrong one is for the look to find', () => {
    expect(read(FLAGS.procfsPath, '/no/such folder')).toBe('/no/such folder');
    expect(read(FLAGS.procfsPath, '')).toBe('!empty; give a path such as /host/proc');
    expect(read(FLAGS.caFile, '/no/such file')).toBe('/no/such file');
    expect(read(FLAGS.caFile, '')).toBe('!empty; give a path such as /etc/kubernetes/pki/ca.crt');
  });

  test('a node name is a word of up to 253 characters', () => {
    expect(read(FLAGS.nodeName, 'ip-192-168-1-204.ec2.internal')).toBe('ip-192-168-1-204.ec2.internal');
    for (const bad of ['', 'a b', 'a\n', 'a'.repeat(254)]) {
      expect(read(FLAGS.nodeName, bad)).toMatch(/^!not a name/);
    }
  });
});
