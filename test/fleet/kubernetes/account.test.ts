import { expect, test } from 'vitest';
import { accountAccess } from '../../../src/fleet/kubernetes/account.ts';

test.each([
  ['10.100.0.1', 'https://10.100.0.1:443'],
  ['fd00:10::1', 'https://[fd00:10::1]:443'],
])('the Service at %s', async (host, server) => {
  const texts = ['first', 'ca', 'second', 'ca'];
  const access = accountAccess({ service: { host, port: 443 }, readFile: async () => `${texts.shift()}\n` });
  expect(await access.get()).toMatchObject({ server, headers: { authorization: 'Bearer first' } });
  // It rotates within the hour.
  expect(await access.get()).toMatchObject({ headers: { authorization: 'Bearer second' } });
});

test.each([
  ['is empty', async () => ' \n', 'it is empty'],
  [
    'cannot be read',
    () => Promise.reject(new Error('EACCES: permission denied')),
    'EACCES: permission denied',
  ],
])('a token that %s is named', async (_, readFile, detail) => {
  const access = accountAccess({ service: { host: '10.100.0.1', port: 443 }, readFile });
  await expect(access.get()).rejects.toThrow(
    `Cannot read "/var/run/secrets/kubernetes.io/serviceaccount/token": ${detail}; mount the service account's token`,
  );
});
