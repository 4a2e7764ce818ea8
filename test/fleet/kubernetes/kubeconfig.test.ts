import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Api } from '../../../src/fleet/kubernetes/api.ts';
import { kubeconfigAccess } from '../../../src/fleet/kubernetes/kubeconfig.ts';
import { messageOf } from '../../../src/model/errors.ts';
import { sendRequest } from '../../../src/net/http.ts';
import { temporaryFolder, writeKubeconfig } from '../../support/kubeconfig-file.ts';
import { clusterOf, startKubernetesApi } from '../../support/kubernetes-api.ts';
import { portOf, tlsFixture } from '../../support/web-server.ts';

const EMPTY = clusterOf(0);
const NODES = { path: '/api/v1/nodes', deadlineMs: 5_000, maxBytes: 100_000 };

/** Asks for the nodes by that kubeconfig; the status of the answer. */
async function ask(files: readonly string[], context: string | null = null): Promise<number> {
  const access = await kubeconfigAccess(files, context);
  const api = await Api.open(access, { request: sendRequest, signal: new AbortController().signal });
  try {
    return (await api.get(NODES)).status;
  } finally {
    api.close();
  }
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it worked',
    (error: unknown) => messageOf(error),
  );
}

/** A plugin that says how often it was started, and with what, in files beside it. */
function writePlugin(script: string, folder = temporaryFolder()): string {
  const path = join(folder, 'get-token');
  writeFileSync(
    path,
    `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO $1 $REGION" >> "${folder}/started"\n${script}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

function startsOf(plugin: string): readonly string[] {
  return readFileSync(join(plugin, '..', 'started'), 'utf8')
    .trim()
    .split('\n');
}

function credential(status: Readonly<Record<string, string>>): string {
  return JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });
}

describe('who asks', () => {
  test('a token', async () => {
    const knows = (authorization: string | undefined) => authorization === 'Bearer the-token';
    const { url } = await startKubernetesApi({ ...EMPTY, knows });
    expect(await ask([writeKubeconfig({ server: url })])).toBe(200);
    const wrong = writeKubeconfig({ server: url, user: { token: 'another' } });
    expect(await problemOf(ask([wrong]))).toMatch(
      /^The API server at https:.* does not know context "prod" .*401: Unauthorized/,
    );
  });

  test('a name and a password', async () => {
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const { url } = await startKubernetesApi({ ...EMPTY, knows: (authorization) => authorization === basic });
    expect(await ask([writeKubeconfig({ server: url, user: { username: 'me', password: 'secret' } })])).toBe(
      200,
    );
  });

  test('a client certificate, in the file and beside it', async () => {
    const { url } = await startKubernetesApi({ ...EMPTY, knows: (_, name) => name === 'kube-apiserver' });
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'me.crt'), tlsFixture('server.crt'));
    writeFileSync(join(folder, 'me.key'), tlsFixture('server.key'));
    const beside = { 'client-certificate': 'me.crt', 'client-key': 'me.key' };
    expect(await ask([writeKubeconfig({ server: url, user: beside }, folder)])).toBe(200);
    const inside = {
      'client-certificate-data': Buffer.from(tlsFixture('server.crt')).toString('base64'),
      'client-key-data': Buffer.from(tlsFixture('server.key')).toString('base64'),
    };
    expect(await ask([writeKubeconfig({ server: url, user: inside })])).toBe(200);
    expect(await problemOf(ask([writeKubeconfig({ server: url, user: { token: 'x' } })]))).toContain('401');
  });
});

describe('an exec plugin', () => {
  test("gives a token; it is told what is wanted, has its arguments and variables, and its path is the kubeconfig's", async () => {
    const { url } = await startKubernetesApi({ ...EMPTY, knows: (it) => it === 'Bearer fresh' });
    const folder = temporaryFolder();
    const plugin = writePlugin(`echo '${credential({ token: 'fresh' })}'`, folder);
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './get-token',
      args: ['--cluster=a'],
      env: [{ name: 'REGION', value: 'ap-northeast-2' }],
    };
    expect(await ask([writeKubeconfig({ server: url, user: { exec } }, folder)])).toBe(200);
    expect(startsOf(plugin)).toEqual([
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}} --cluster=a ap-northeast-2',
    ]);
  });

  test('gives a certificate', async () => {
    const { url } = await startKubernetesApi({ ...EMPTY, knows: (_, name) => name === 'kube-apiserver' });
    const certificate = {
      clientCertificateData: tlsFixture('server.crt'),
      clientKeyData: tlsFixture('server.key'),
    };
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'answer'), credential(certificate));
    const command = writePlugin(`cat ${folder}/answer`, folder);
    expect(await ask([writeKubeconfig({ server: url, user: { exec: { command } } })])).toBe(200);
  });

  test('is asked anew when its token has expired in the middle, once for all', async () => {
    let valid = 1;
    const { url } = await startKubernetesApi({ ...EMPTY, knows: (it) => it === `Bearer token-${valid}` });
    const folder = temporaryFolder();
    const command = writePlugin(
      `printf '{"kind":"ExecCredential","status":{"token":"token-%s"}}' $(wc -l < ${folder}/started)`,
      folder,
    );
    const access = await kubeconfigAccess(
      [writeKubeconfig({ server: url, user: { exec: { command } } })],
      null,
    );
    const api = await Api.open(access, { request: sendRequest, signal: new AbortController().signal });
    expect((await api.get(NODES)).status).toBe(200);
    valid = 2;
    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => api.get(NODES)));
    api.close();
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(startsOf(command)).toHaveLength(2);
  });

  test.each([
    ['echo "Token has expired and refresh failed" >&2; exit 255', 'Token has expired and refresh failed'],
    ['exit 3', 'it failed and said nothing'],
    ['echo hello', 'its answer is no ExecCredential'],
    ['echo \'{"kind":"ExecCredential"}\'', 'its answer is no ExecCredential'],
  ])('that does %s is named with what it said', async (script, says) => {
    const command = writePlugin(script);
    const file = writeKubeconfig({ server: 'https://127.0.0.1:1', user: { exec: { command } } });
    expect(await problemOf(ask([file]))).toBe(
      `Cannot get credentials of user "user-of-prod" from "${command}": ${says}; see that 'kubectl --context prod get nodes' works here`,
    );
  });

  test('that is not there, with the hint of the kubeconfig', async () => {
    const exec = { command: 'no-such-plugin-here', installHint: 'install the AWS CLI' };
    const file = writeKubeconfig({ server: 'https://127.0.0.1:1', user: { exec } });
    expect(await problemOf(ask([file]))).toMatch(
      /^Cannot get credentials of user "user-of-prod" from "no-such-plugin-here": spawn no-such-plugin-here ENOENT; .* \(install the AWS CLI\)$/,
    );
  });
});

describe('whom it trusts', () => {
  test('nobody but the authority of the kubeconfig', async () => {
    const { url } = await startKubernetesApi(EMPTY);
    const other = Buffer.from(tlsFixture('other-ca.crt')).toString('base64');
    const cluster = { 'certificate-authority-data': other };
    expect(await problemOf(ask([writeKubeconfig({ server: url, cluster })]))).toContain(
      'the certificate is not trusted',
    );
    // Node's own authorities, where the kubeconfig names none: the tests' is none of them.
    expect(await problemOf(ask([writeKubeconfig({ server: url, cluster: {} })]))).toContain(
      'the certificate is not trusted',
    );
  });

  test('everybody, where it says so; and another name than the address', async () => {
    const { url } = await startKubernetesApi(EMPTY);
    expect(await ask([writeKubeconfig({ server: url, cluster: { 'insecure-skip-tls-verify': true } })])).toBe(
      200,
    );
    const ca = Buffer.from(tlsFixture('ca.crt')).toString('base64');
    const named = (name: string) =>
      writeKubeconfig({
        server: url,
        cluster: { 'certificate-authority-data': ca, 'tls-server-name': name },
      });
    expect(await ask([named('kubernetes')])).toBe(200);
    expect(await problemOf(ask([named('stranger.example')]))).toContain('the certificate is not trusted');
  });
});

test('the way through a proxy is the one of proxy-url, and the API server is verified behind it', async () => {
  const { url, port } = await startKubernetesApi({ ...EMPTY, knows: (it) => it === 'Bearer the-token' });
  const asked: (string | undefined)[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    asked.push(request.url);
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  onTestFinished(() => {
    proxy.close();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const by = (authority: string) =>
    writeKubeconfig({
      server: url,
      cluster: {
        'proxy-url': `http://127.0.0.1:${portOf(proxy)}`,
        'certificate-authority-data': Buffer.from(tlsFixture(authority)).toString('base64'),
      },
    });
  expect(await ask([by('ca.crt')])).toBe(200);
  expect(asked).toEqual([`127.0.0.1:${port}`]);
  expect(await problemOf(ask([by('other-ca.crt')]))).toMatch(/certificate/);
  // Whatever the environment says of verifying.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await problemOf(ask([by('other-ca.crt')]))).toMatch(/certificate/);
});

describe('contexts', () => {
  test('of several files the first of a name counts, as does the first current context; one that is missing is none', async () => {
    const { url } = await startKubernetesApi({ ...EMPTY, knows: (it) => it === 'Bearer first' });
    const first = writeKubeconfig({ server: url, user: { token: 'first' } });
    const same = writeKubeconfig({ server: url, user: { token: 'second' } });
    const other = writeKubeconfig({ server: url, user: { token: 'third' }, context: 'stage' });
    expect(await ask(['/no/such/file', first, same, other])).toBe(200);
    expect(await problemOf(ask([first, same, other], 'stage'))).toContain('401');
    expect((await kubeconfigAccess([first, other], 'stage')).name).toBe(
      `context "stage" of "${first}" and "${other}"`,
    );
  });

  test('the one that it began with stays, though another becomes the current one meanwhile', async () => {
    const { url } = await startKubernetesApi({ ...EMPTY, knows: (it) => it === 'Bearer first' });
    const folder = temporaryFolder();
    const first = writeKubeconfig({ server: url, user: { token: 'first' } }, folder);
    const other = writeKubeconfig({ server: 'https://127.0.0.1:1', context: 'stage' });
    const access = await kubeconfigAccess([first, other], null);
    writeKubeconfig({ server: url, user: { token: 'first' }, currentContext: 'stage' }, folder);
    const { server, agent } = await access.get();
    agent.destroy();
    expect(server).toBe(url);
  });

  test('one of a server without TLS, to which no credentials go', async () => {
    const file = writeKubeconfig({ server: 'http://127.0.0.1:1' });
    expect(await problemOf(ask([file]))).toBe(
      `The server of context "prod" of "${file}" is "http://127.0.0.1:1", and this program asks API servers by https only; give --context one whose server is`,
    );
  });

  test('one that is not there, and those that are', async () => {
    const file = writeKubeconfig({ server: 'https://127.0.0.1:1' });
    expect(await problemOf(ask([file], 'dev'))).toBe(
      `There is no context "dev" in the kubeconfig "${file}"; give --context one of it: it has "prod"`,
    );
  });

  test('no current one', async () => {
    const file = writeKubeconfig({ server: 'https://127.0.0.1:1', currentContext: '' });
    expect(await problemOf(ask([file]))).toBe(
      `There is no current context in the kubeconfig "${file}"; give --context: it has "prod"`,
    );
  });

  test('one whose user is not there', async () => {
    const file = writeKubeconfig({ server: 'https://127.0.0.1:1' });
    writeFileSync(file, readFileSync(file, 'utf8').replace('"name":"user-of-prod"', '"name":"nobody"'));
    expect(await problemOf(ask([file]))).toContain('There is no user "user-of-prod" in the kubeconfig');
  });

  test.each([
    ['', 'the input is empty'],
    ['just a text', 'it has none'],
    ['clusters: [', /Cannot read the kubeconfig/],
    ['clusters: [{name: a, cluster: {}}]', 'clusters[0].cluster.server is missing'],
  ])('a file with %j is named', async (text, says) => {
    const file = join(temporaryFolder(), 'config');
    writeFileSync(file, text);
    const problem = await problemOf(ask([file]));
    expect(problem).toContain(file);
    expect(problem).toMatch(says);
  });

  test('a file that is not there', async () => {
    expect(await problemOf(ask(['/no/such/file']))).toMatch(
      /^Cannot read the kubeconfig "\/no\/such\/file": ENOENT/,
    );
  });
});
