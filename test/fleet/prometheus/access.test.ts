import { Agent as HttpsAgent } from 'node:https';
import { describe, expect, test } from 'vitest';
import { makeAgent, readCredentials } from '../../../src/fleet/prometheus/access.ts';
import { prometheusTarget } from '../../support/prometheus-target.ts';
import { tlsFixture } from '../../support/web-server.ts';

const URL = 'https://127.0.0.1:9';

function files(texts: Readonly<Record<string, string>>) {
  return async (path: string) => {
    const text = texts[path];
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return text;
  };
}

describe('who asks', () => {
  test('nobody', async () => {
    expect(await readCredentials(prometheusTarget(URL), files({}))).toEqual({});
  });

  test.each(['secret', 'secret\n', 'secret\r\n'])('a token, of the file %j', async (text) => {
    const target = prometheusTarget(URL, { bearerTokenFile: '/token' });
    expect(await readCredentials(target, files({ '/token': text }))).toEqual({
      authorization: 'Bearer secret',
    });
  });

  test('a user', async () => {
    const target = prometheusTarget(URL, { username: 'us', passwordFile: '/password' });
    const { authorization = '' } = await readCredentials(target, files({ '/password': 'pass wörd\n' }));
    expect(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()).toBe('us:pass wörd');
  });

  test.each([
    ['', 'it is empty'],
    ['\n', 'it is empty'],
    ['two\nlines', 'what it holds cannot be sent'],
    ['wörd', 'what it holds cannot be sent'],
  ])('the token file %j', async (text, what) => {
    const target = prometheusTarget(URL, { bearerTokenFile: '/token' });
    await expect(readCredentials(target, files({ '/token': text }))).rejects.toThrow(
      `Cannot use "/token" (--prometheus-bearer-token-file): ${what}; give a file with the token alone`,
    );
  });

  test.each([
    [{ bearerTokenFile: '/gone' }, '--prometheus-bearer-token-file'],
    [{ username: 'u', passwordFile: '/gone' }, '--prometheus-password-file'],
  ])('%j cannot be read', async (more, flag) => {
    await expect(readCredentials(prometheusTarget(URL, more), files({}))).rejects.toThrow(
      `Cannot read "/gone" (${flag}): ENOENT: no such file or directory, open '/gone'; give a file that this user may read`,
    );
  });
});

describe('TLS', () => {
  const FILES = files({
    '/ca': tlsFixture('ca.crt'),
    '/cert': tlsFixture('server.crt'),
    '/key': tlsFixture('server.key'),
    '/other-key': tlsFixture('other.key'),
    '/none': 'no PEM',
    '/bad': '-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n',
  });

  test('an agent that verifies, whatever the environment says', async () => {
    const agent = await makeAgent(prometheusTarget(URL, { caFile: '/ca' }), FILES);
    expect(agent).toBeInstanceOf(HttpsAgent);
    const options = { rejectUnauthorized: true, keepAlive: true, ca: tlsFixture('ca.crt') };
    expect(agent).toMatchObject({ options });
  });

  test.each([
    [{ caFile: '/gone' }, /^Cannot read "\/gone" \(--prometheus-ca-file\): ENOENT/],
    [
      { caFile: '/none' },
      /^Cannot use "\/none" \(--prometheus-ca-file\): there is no PEM in it; give a PEM file$/,
    ],
    [{ caFile: '/bad' }, /^Cannot use "\/bad" for TLS: .+; give PEM files/],
    [{ certFile: '/bad', keyFile: '/key' }, /^Cannot use "\/bad" and "\/key" for TLS: .+; give PEM files/],
    [
      { certFile: '/cert', keyFile: '/other-key' },
      /^Cannot use "\/cert" and "\/other-key" for TLS: .*mismatch/,
    ],
  ])('%j', async (more, sentence) => {
    await expect(makeAgent(prometheusTarget(URL, more), FILES)).rejects.toThrow(sentence);
  });
});
