import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kubeconfigOfKubeProxyConfig, readKubeconfig } from '../../src/endpoint/kubeconfig.ts';

const HOST = '0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com';

/** As nodeadm writes it on AL2023. */
const AL2023 = `apiVersion: v1
clusters:
- cluster:
    certificate-authority: /etc/kubernetes/pki/ca.crt
    server: https://${HOST}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubelet
  name: kubelet
current-context: kubelet
kind: Config
preferences: {}
users:
- name: kubelet
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - token
      - -i
      - example
      - --region
      - eu-west-1
      command: aws-iam-authenticator
      env: null
      provideClusterInfo: false
`;

/** As Bottlerocket's template makes it. */
const BOTTLEROCKET = `---
apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: "/etc/kubernetes/pki/ca.crt"
    server: "https://${HOST}"
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubelet
  name: kubelet
current-context: kubelet
users:
- name: kubelet
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: /usr/bin/aws-iam-authenticator
      args: [token, -i, "example"]
`;

/** As in the ConfigMap `kube-proxy` of an EKS cluster: the host name in lower case, the context "default". */
const KUBE_PROXY = `kind: Config
apiVersion: v1
clusters:
- name: default
  cluster:
    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    server: https://${HOST.toLowerCase()}
contexts:
- name: default
  context:
    cluster: default
    namespace: default
    user: default
users:
- name: default
  user:
    tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
current-context: default
`;

/** As in the ConfigMap `kube-proxy-config` of an EKS cluster. */
const KUBE_PROXY_CONFIG = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clientConnection:
  acceptContentTypes: ""
  burst: 10
  contentType: application/vnd.kubernetes.protobuf
  kubeconfig: /var/lib/kube-proxy/kubeconfig
  qps: 5
clusterCIDR: ""
configSyncPeriod: 15m0s
iptables:
  masqueradeAll: false
  minSyncPeriod: 0s
kind: KubeProxyConfiguration
metricsBindAddress: 0.0.0.0:10249
mode: "iptables"
`;

async function endpointOfKubeconfig(text: string): Promise<unknown> {
  return (await readKubeconfig(text)).endpoint;
}

/** A kubeconfig with this server line. */
function withServer(server: string): string {
  return AL2023.replace(`server: https://${HOST}`, `server: ${server}`);
}

describe('the endpoint in a kubeconfig', () => {
  test.each([
    ['of AL2023', AL2023, HOST],
    ['of Bottlerocket', BOTTLEROCKET, HOST],
    ['of kube-proxy', KUBE_PROXY, HOST.toLowerCase()],
    ['with the line ends of another system', AL2023.replaceAll('\n', '\r\n'), HOST],
    ['with a byte order mark', `\uFEFF${AL2023}`, HOST],
    [
      'with comments and anchors',
      `# by hand\nx: &name kubernetes\n${AL2023.replace('cluster: kubernetes', 'cluster: *name')}`,
      HOST,
    ],
  ])('%s', async (_, text, hostname) => {
    expect(await endpointOfKubeconfig(text)).toEqual({ hostname, port: 443 });
  });

  test('as JSON', async () => {
    const text = JSON.stringify({
      clusters: [{ name: 'a', cluster: { server: `https://${HOST}:6443` } }],
      contexts: [{ name: 'b', context: { cluster: 'a' } }],
      'current-context': 'b',
    });
    expect(await endpointOfKubeconfig(text)).toEqual({ hostname: HOST, port: 6443 });
    expect(await endpointOfKubeconfig(JSON.stringify(JSON.parse(text), null, '\t'))).toEqual({
      hostname: HOST,
      port: 6443,
    });
  });

  test('is that of the current context, where there are several', async () => {
    const text = `
clusters:
- {name: old, cluster: {server: "https://old.example"}}
- {name: new, cluster: {server: "https://new.example:6443"}}
contexts:
- {name: one, context: {cluster: old}}
- {name: two, context: {cluster: new}}
current-context: two
`;
    expect(await endpointOfKubeconfig(text)).toEqual({ hostname: 'new.example', port: 6443 });
  });

  test.each([
    [`https://${HOST}:443`, HOST, 443],
    [`https://${HOST}/`, HOST, 443],
    [`'https://${HOST}:8443/'`, HOST, 8443],
    [`HTTPS://${HOST}`, HOST, 443],
    ['"https://[2600:1f13::5]:6443"', '2600:1f13::5', 6443],
    ['https://10.0.0.1', '10.0.0.1', 443],
    ['https://0123.eks-cluster.eu-west-1.api.aws', '0123.eks-cluster.eu-west-1.api.aws', 443],
    ['https://0123.sk1.cn-north-1.eks.amazonaws.com.cn', '0123.sk1.cn-north-1.eks.amazonaws.com.cn', 443],
  ])('server: %s', async (server, hostname, port) => {
    expect(await endpointOfKubeconfig(withServer(server))).toEqual({ hostname, port });
  });

  test.each([
    ['http://abc.example', 'the scheme is not https'],
    ['https://abc.example/k8s/clusters/c-1', 'a path or query'],
    ['https://abc.example:0', 'not a port'],
    ['"https://"', 'not a host name'],
    ['"https://a b"', 'not a host name'],
  ])('server: %s is refused, with the reason', async (server, reason) => {
    const read = endpointOfKubeconfig(withServer(server));
    await expect(read).rejects.toThrow(SyntaxError);
    await expect(read).rejects.toThrow(/^not a usable kubeconfig: its server "/);
    await expect(read).rejects.toThrow(reason);
  });

  test.each([
    ['nothing', '', 'not a YAML mapping'],
    ['a comment', '# nothing\n', 'not a YAML mapping'],
    ['a list', '- a\n', 'not a YAML mapping'],
    ['a word', 'kubeconfig', 'not a YAML mapping'],
    ['another mapping', 'a: 1\n', 'it does not say which context is current'],
    [
      'no context of that name',
      AL2023.replace('current-context: kubelet', 'current-context: other'),
      'it has no context "other"',
    ],
    ['no contexts', AL2023.replace('contexts:', 'context:'), 'it has no context "kubelet"'],
    [
      'no cluster of that name',
      AL2023.replace('cluster: kubernetes', 'cluster: other'),
      'it has no cluster "other"',
    ],
    ['no clusters', AL2023.replace('clusters:', 'cluster:'), 'it has no cluster "kubernetes"'],
    ['no server', AL2023.replace('server:', 'host:'), 'has no server'],
    ['an empty server', withServer('""'), 'has no server'],
    ['a number as the server', withServer('443'), 'has no server'],
    [
      'lists that are mappings',
      'clusters: {a: 1}\ncontexts: {b: 2}\ncurrent-context: b\n',
      'it has no context "b"',
    ],
    ['lists of null', 'clusters: [null]\ncontexts: [null]\ncurrent-context: b\n', 'it has no context "b"'],
    [
      'a context that is null',
      'contexts: [{name: b, context: null}]\ncurrent-context: b\n',
      'which cluster is current',
    ],
    ['an unclosed quote', `${AL2023}x: "unclosed\n`, 'not YAML'],
    ['an unclosed bracket', `${AL2023}x: [\n`, 'not YAML'],
    [
      'a file that is still being written',
      AL2023.slice(0, AL2023.indexOf('users:')).concat('users: [{"na'),
      'not YAML',
    ],
    ['NUL bytes', '\0'.repeat(4096), 'not '],
  ])('%s is refused, with the reason', async (_, text, reason) => {
    const read = endpointOfKubeconfig(text);
    await expect(read).rejects.toThrow(SyntaxError);
    await expect(read).rejects.toThrow(reason);
  });

  test('a reason is one short line, whatever the file', async () => {
    const texts = [
      withServer(`"${'x'.repeat(20_000)}"`),
      AL2023.replace('current-context: kubelet', `current-context: ${'y'.repeat(20_000)}`),
      `${'z'.repeat(20_000)}: [\n`,
      'x'.repeat(100_000),
    ];
    for (const text of texts) await expect(endpointOfKubeconfig(text)).rejects.toThrow(/^.{1,400}$/);
  });

  test("a name that every object has is none of the file's", async () => {
    const text = AL2023.replace('current-context: kubelet', 'current-context: __proto__');
    await expect(endpointOfKubeconfig(text)).rejects.toThrow('it has no context "__proto__"');
  });
});

describe('the CA in a kubeconfig', () => {
  const PEM = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', 'ca.crt'), 'utf8');
  const BASE64 = Buffer.from(PEM).toString('base64');
  const PATH_LINE = 'certificate-authority: /etc/kubernetes/pki/ca.crt';
  const withCa = async (...lines: string[]) =>
    (await readKubeconfig(AL2023.replace(PATH_LINE, lines.join('\n    ')))).ca;

  test.each([
    ['of AL2023', AL2023, '/etc/kubernetes/pki/ca.crt'],
    ['of Bottlerocket', BOTTLEROCKET, '/etc/kubernetes/pki/ca.crt'],
    ['of kube-proxy', KUBE_PROXY, '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'],
  ])('%s is a path', async (_, text, path) => {
    expect((await readKubeconfig(text)).ca).toEqual({ path });
  });

  test('as data, in one line or in many', async () => {
    expect(await withCa(`certificate-authority-data: ${BASE64}`)).toEqual({ data: PEM });
    const lines = BASE64.match(/.{1,64}/g) ?? [];
    expect(await withCa('certificate-authority-data: |', ...lines.map((line) => `  ${line}`))).toEqual({
      data: PEM,
    });
  });

  test('the data come before the path', async () => {
    expect(await withCa(PATH_LINE, `certificate-authority-data: ${BASE64}`)).toEqual({ data: PEM });
    expect(await withCa(PATH_LINE, 'certificate-authority-data: ""')).toEqual({
      path: '/etc/kubernetes/pki/ca.crt',
    });
  });

  test.each([
    ['no CA', ''],
    ['an empty path', 'certificate-authority: ""'],
    ['a path of null', 'certificate-authority: null'],
    ['a list', 'certificate-authority: [a]'],
  ])('%s is none', async (_, line) => {
    expect(await withCa(line)).toBeNull();
  });

  test.each([
    ['PEM', JSON.stringify(PEM), 'its certificate-authority-data is not base64'],
    ['base64 of another alphabet', `-_${BASE64.slice(2)}`, 'its certificate-authority-data is not base64'],
    ['base64 that is cut off', BASE64.slice(0, 9), 'its certificate-authority-data is not base64'],
    ['no PEM', 'YQ==', 'its certificate-authority-data holds no PEM certificate'],
    ['half a certificate', BASE64.slice(0, 400), 'its certificate-authority-data holds no PEM certificate'],
  ])('data that are %s are a problem of the CA, not of the endpoint', async (_, data, problem) => {
    const text = AL2023.replace(PATH_LINE, `certificate-authority-data: ${data}`);
    expect(await readKubeconfig(text)).toEqual({
      endpoint: { hostname: HOST, port: 443 },
      ca: { problem },
      proxyUrl: null,
    });
  });
});

describe('the proxy in a kubeconfig', () => {
  test.each([
    ['proxy-url: http://proxy:3128', 'http://proxy:3128'],
    ['proxy-url: what it is not', 'what it is not'],
    ['proxy-url: ""', null],
    ['proxy-url: null', null],
    ['proxy-url: 5', null],
    ['proxyUrl: http://proxy:3128', null],
  ])('%s', async (line, proxyUrl) => {
    const text = AL2023.replace('    server:', `    ${line}\n    server:`);
    expect((await readKubeconfig(text)).proxyUrl).toBe(proxyUrl);
  });
});

describe('a hostile file', () => {
  const KIB = 1024;
  const levels = Array.from(
    { length: 30 },
    (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(10)}]\n`,
  );
  test.each([
    ['an alias bomb', `a0: &a0 [x]\n${levels.join('')}`],
    [
      'an alias bomb of mappings',
      `a0: &a0 {x: y}\n${levels.join('').replaceAll('[', '{k: [').replaceAll(']', ']}')}`,
    ],
    ['one word of 1 MiB, the most that is read', 'x'.repeat(KIB * KIB)],
    [
      '1 MiB without sense',
      String.fromCharCode(...Array.from({ length: KIB }, (_, index) => (index * 7919) % 251)).repeat(KIB),
    ],
    ['many keys', Array.from({ length: 3_500 }, (_, index) => `k${index}: 1`).join('\n')],
    ['many brackets', '['.repeat(32 * KIB)],
    ['many braces', '{a: '.repeat(8 * KIB)],
    ['many hyphens', '- '.repeat(16 * KIB)],
    ['many question marks', '? '.repeat(16 * KIB)],
    ['many colons', 'a: '.repeat(10 * KIB)],
    ['a server of colons', withServer(`"[${':'.repeat(16 * KIB)}"`)],
  ])('%s is refused', async (_, text) => {
    await expect(endpointOfKubeconfig(text)).rejects.toThrow(SyntaxError);
  });

  test('32 KiB are read, and not a character more, whatever they say', async () => {
    const padded = `${AL2023}#`.padEnd(32 * KIB, 'x');
    await expect(endpointOfKubeconfig(padded)).resolves.toEqual(await endpointOfKubeconfig(AL2023));
    await expect(endpointOfKubeconfig(`${padded}x`)).rejects.toThrow(
      new SyntaxError('not a kubeconfig: larger than 32 KiB'),
    );
  });
});

describe('the kubeconfig that a kube-proxy configuration names', () => {
  test('as in the ConfigMap of an EKS cluster', async () => {
    expect(await kubeconfigOfKubeProxyConfig(KUBE_PROXY_CONFIG)).toBe('/var/lib/kube-proxy/kubeconfig');
  });

  test('as JSON', async () => {
    const text = JSON.stringify({ clientConnection: { kubeconfig: '/etc/kubeconfig' } });
    expect(await kubeconfigOfKubeProxyConfig(text)).toBe('/etc/kubeconfig');
  });

  test.each([
    ['nothing', ''],
    ['another mapping', 'a: 1\n'],
    ['no path', 'clientConnection: {qps: 5}\n'],
    ['an empty path', 'clientConnection: {kubeconfig: ""}\n'],
    ['a number', 'clientConnection: {kubeconfig: 5}\n'],
    ['null', 'clientConnection: null\n'],
    ['a list', '- clientConnection\n'],
  ])('%s names none', async (_, text) => {
    expect(await kubeconfigOfKubeProxyConfig(text)).toBeNull();
  });

  test('broken YAML is no answer', async () => {
    await expect(kubeconfigOfKubeProxyConfig(`${KUBE_PROXY_CONFIG}x: [`)).rejects.toThrow('not YAML');
  });
});
