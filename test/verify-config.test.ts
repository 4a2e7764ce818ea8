import { describe, expect, test } from 'vitest';
import { problemsOf, verifyConfigOf } from './support/command-line.ts';

const SEE = "See 'eks-endpoint-exporter verify --help'";

describe('the source', () => {
  test('Prometheus, with all that it may want', () => {
    const line = [
      'verify',
      '--prometheus=https://prometheus.example:9090/prefix/',
      '--prometheus-matcher=cluster="a"',
      "--prometheus-matcher=job=~'eks|other'",
      '--prometheus-username=me',
      '--prometheus-password-file=/run/password',
      '--prometheus-ca-file=/run/ca.pem',
      '--prometheus-cert-file=/run/cert.pem',
      '--prometheus-key-file=/run/key.pem',
    ];
    expect(verifyConfigOf(line).target).toEqual({
      kind: 'prometheus',
      url: 'https://prometheus.example:9090/prefix',
      matchers: [
        { name: 'cluster', op: '=', value: 'a' },
        { name: 'job', op: '=~', value: 'eks|other' },
      ],
      bearerTokenFile: null,
      username: 'me',
      passwordFile: '/run/password',
      caFile: '/run/ca.pem',
      certFile: '/run/cert.pem',
      keyFile: '/run/key.pem',
    });
  });

  test('Kubernetes, by a context', () => {
    expect(verifyConfigOf('verify --kubernetes --context prod --namespace monitoring').target).toEqual({
      ...{ kind: 'kubernetes', context: 'prod', namespace: 'monitoring', concurrency: 20 },
      ...{ kubeconfig: { files: [], given: false }, service: null },
    });
    expect(verifyConfigOf('verify --kubernetes').target).toMatchObject({
      ...{ context: null, namespace: 'eks-endpoint-exporter' },
    });
  });

  test('where the credentials are, as kubectl finds them, and where a pod reaches the API server', () => {
    const target = (env: Readonly<Record<string, string>>) =>
      verifyConfigOf('verify --kubernetes', env).target;
    expect(target({ KUBECONFIG: '/a:/b:', HOME: '/home/me' })).toMatchObject({
      kubeconfig: { files: ['/a', '/b'], given: true },
    });
    expect(target({ KUBECONFIG: '', HOME: '/home/me' })).toMatchObject({
      kubeconfig: { files: ['/home/me/.kube/config'], given: false },
    });
    expect(target({ KUBERNETES_SERVICE_HOST: 'fd00:10::1', KUBERNETES_SERVICE_PORT: '443' })).toMatchObject({
      service: { host: 'fd00:10::1', port: 443 },
    });
  });

  test('agents by their addresses', () => {
    const line = 'verify --agent http://10.0.3.17:10943 --agent http://[fd00::17]:10943/ --concurrency 5';
    expect(verifyConfigOf(line).target).toEqual({
      ...{ kind: 'agents', urls: ['http://10.0.3.17:10943', 'http://[fd00::17]:10943'], concurrency: 5 },
    });
  });

  test('one, and only one', () => {
    const fix = 'give one of --prometheus=URL, --kubernetes or --agent=URL';
    expect(problemsOf('verify')).toEqual([`nothing says where the answers come from; ${fix}`, SEE]);
    expect(problemsOf('verify --kubernetes --prometheus http://a')).toEqual([
      `--prometheus and --kubernetes: each says where the answers come from; ${fix}`,
      SEE,
    ]);
  });

  test('by the environment too; the command line wins, and the namesake of --kubernetes may be false', () => {
    const env = { EKS_ENDPOINT_PROMETHEUS: 'http://a', EKS_ENDPOINT_KUBERNETES: 'false' };
    expect(verifyConfigOf('verify', env).target).toMatchObject({ kind: 'prometheus', url: 'http://a' });
    expect(verifyConfigOf('verify --agent http://b', env).target).toMatchObject({ urls: ['http://b'] });
    expect(verifyConfigOf('verify --kubernetes', env).target).toMatchObject({ kind: 'kubernetes' });
    expect(verifyConfigOf('verify', { EKS_ENDPOINT_KUBERNETES: 'true' }).target.kind).toBe('kubernetes');
  });

  test.each([
    [
      '--kubernetes --prometheus-matcher a="b"',
      '--prometheus-matcher: of use with --prometheus only; leave it out',
    ],
    ['--agent http://a --agent http://b --agent http://a/', '--agent "http://a": given twice; give it once'],
    ['--agent http://a --context b', '--context: of use with --kubernetes only; leave it out'],
    [
      '--prometheus http://a --prometheus-username me',
      '--prometheus-username and --prometheus-password-file: one without the other; give both',
    ],
    [
      '--prometheus http://a --prometheus-key-file k',
      '--prometheus-cert-file and --prometheus-key-file: one without the other; give both',
    ],
    [
      '--prometheus http://a --prometheus-username me --prometheus-password-file p --prometheus-bearer-token-file t',
      '--prometheus-bearer-token-file and --prometheus-username: each says who asks; give one',
    ],
    [
      '--prometheus http://me:secret@a',
      '--prometheus "http://me:secret@a": a user or password does not belong here; give one such as http://127.0.0.1:9090',
    ],
    ['--agent a', '--agent "a": not an http or https URL; give one such as http://127.0.0.1:10943'],
    [
      '--kubernetes --namespace A_b',
      '--namespace "A_b": not a namespace; give its name, such as eks-endpoint-exporter',
    ],
  ])('%s is one problem', (flags, problem) => {
    expect(problemsOf(`verify ${flags}`)).toEqual([problem, SEE]);
  });
});

describe('matchers', () => {
  test.each([
    ['cluster="a b"', { name: 'cluster', op: '=', value: 'a b' }],
    ['cluster=a', { name: 'cluster', op: '=', value: 'a' }],
    ['cluster != "a"', { name: 'cluster', op: '!=', value: 'a' }],
    ['cluster!~"a.*"', { name: 'cluster', op: '!~', value: 'a.*' }],
    ['cluster="say \\"a\\""', { name: 'cluster', op: '=', value: 'say "a"' }],
    [String.raw`node=~"a\\d|b\\.c"`, { name: 'node', op: '=~', value: String.raw`a\d|b\.c` }],
    [String.raw`node=~a\d`, { name: 'node', op: '=~', value: String.raw`a\d` }],
    ['cluster=""', { name: 'cluster', op: '=', value: '' }],
  ])('%s', (text, matcher) => {
    const { target } = verifyConfigOf(['verify', '--prometheus=http://a', `--prometheus-matcher=${text}`]);
    expect(target).toMatchObject({ matchers: [matcher] });
  });

  test.each([
    'cluster',
    '="a"',
    '1a="b"',
    'cluster=="a',
    'cluster="a',
    'cluster=a"',
    'cluster="a"b"',
    '__name__="up"',
    String.raw`node=~"a|b\d"`,
  ])('%s is none', (text) => {
    const line = ['verify', '--prometheus=http://a', `--prometheus-matcher=${text}`];
    expect(problemsOf(line)[0]).toMatch(/^--prometheus-matcher .*give one such as cluster="a"/);
  });
});

describe('what must hold', () => {
  test('by default every node is public-free, asked once', () => {
    expect(verifyConfigOf('verify --kubernetes')).toMatchObject({
      ...{ gate: 'public-free', gateFor: [], minNodes: 1, maxAgeMs: 120_000, waitMs: null, forMs: null },
      ...{ intervalMs: 15_000, output: 'table', baselineFile: null, ignoreFargate: false, ignoreGone: false },
    });
  });

  test('other nodes have another gate', () => {
    const line =
      'verify --kubernetes --gate-for eks.amazonaws.com/compute-type=hybrid=private-ready --gate-for pool,zone=a=private-ready';
    expect(verifyConfigOf(line).gateFor).toEqual([
      {
        selector: [{ key: 'eks.amazonaws.com/compute-type', value: 'hybrid' }],
        gate: 'private-ready',
      },
      {
        selector: [
          { key: 'pool', value: null },
          { key: 'zone', value: 'a' },
        ],
        gate: 'private-ready',
      },
    ]);
  });

  test.each([
    ['hybrid', 'does not end in =private-ready or =public-free'],
    ['private-ready', 'does not end in'],
    ['a=b=public', 'does not end in'],
    ['a!=b=private-ready', 'not labels that a node has'],
    ['!a=private-ready', 'not labels that a node has'],
    ['=private-ready', 'not labels that a node has'],
    ['a=b,=private-ready', 'not labels that a node has'],
  ])('--gate-for %s: %s', (text, problem) => {
    expect(problemsOf(['verify', '--kubernetes', `--gate-for=${text}`])[0]).toContain(
      `"${text}": ${problem}`,
    );
  });

  test.each([
    ['--min-nodes 0', 'not a whole number from 1 to 100000'],
    ['--min-nodes 2.5', 'not a whole number'],
    ['--concurrency 201', 'not a whole number from 1 to 200'],
    ['--gate public', 'unknown; give private-ready or public-free'],
    ['--output xml', 'unknown; give table, json, junit or markdown'],
    ['--wait 30', 'not a duration'],
    ['--max-age 2h', 'out of range; give 1s to 1h'],
  ])('%s: %s', (flags, problem) => {
    expect(problemsOf(`verify --kubernetes ${flags}`)[0]).toContain(problem);
  });
});
