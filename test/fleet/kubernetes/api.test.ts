import { Agent } from 'node:https';
import { expect, onTestFinished, test } from 'vitest';
import {
  type AccessSource,
  Api,
  messageIn,
  RefusedError,
  statusMessage,
} from '../../../src/fleet/kubernetes/api.ts';
import type { HttpReply } from '../../../src/net/http.ts';

const WISH = { path: '/api/v1/nodes', deadlineMs: 1000, maxBytes: 1000 };

/** Credentials that are called 1, 2, 3; the server knows those that `knows` says. */
async function apiThat(answers: (token: string, asked: number) => Partial<HttpReply>) {
  let given = 0;
  let asked = 0;
  const access: AccessSource = {
    name: 'somebody',
    get: async () => {
      given += 1;
      return { server: 'https://api', headers: { authorization: `${given}` }, agent: new Agent() };
    },
  };
  const abort = new AbortController();
  const api = await Api.open(access, {
    signal: abort.signal,
    request: async ({ headers }) => {
      asked += 1;
      return { status: 200, headers: {}, body: '', ...answers(headers?.['authorization'] ?? '', asked) };
    },
  });
  onTestFinished(() => api.close());
  return { api, abort, given: () => given, asked: () => asked };
}

test('credentials are got once, and anew when they are refused', async () => {
  const { api, given } = await apiThat((token, asked) => ({
    status: token === '1' && asked > 2 ? 401 : 200,
  }));
  for (const _ of [1, 2, 3, 4]) expect((await api.get(WISH)).status).toBe(200);
  expect(given()).toBe(2);
});

test('new ones that are refused too are an error', async () => {
  const { api, given } = await apiThat(() => ({
    status: 401,
    body: '{"kind":"Status","message":"Unauthorized"}',
  }));
  await expect(api.get(WISH)).rejects.toThrow(
    'The API server at https://api does not know somebody (401: Unauthorized)',
  );
  expect(given()).toBe(2);
});

test('where no new ones can be got nobody can go on', async () => {
  let given = 0;
  const access: AccessSource = {
    name: 'somebody',
    get: async () => {
      given += 1;
      if (given > 1) throw new Error('Cannot get credentials: the session has ended; sign in');
      return { server: 'https://api', headers: {}, agent: new Agent() };
    },
  };
  const reply = { status: 401, headers: {}, body: '{"kind":"Status"}' };
  const api = await Api.open(access, { signal: new AbortController().signal, request: async () => reply });
  onTestFinished(() => api.close());
  const refused = new RefusedError('Cannot get credentials: the session has ended; sign in');
  await expect(api.get(WISH)).rejects.toEqual(refused);
  await expect(api.get(WISH)).rejects.toBeInstanceOf(RefusedError);
});

test('who has too much to do is asked again when it says', async () => {
  const began = performance.now();
  const { api } = await apiThat((_, asked) =>
    asked === 1 ? { status: 429, headers: { 'retry-after': '1' } } : {},
  );
  expect((await api.get(WISH)).status).toBe(200);
  expect(performance.now() - began).toBeGreaterThan(950);
});

test('waiting for it ends when it is given up', async () => {
  const { api, abort, asked } = await apiThat(() => ({ status: 429, headers: { 'retry-after': '3600' } }));
  const reply = api.get(WISH);
  setTimeout(() => abort.abort(), 20);
  await expect(reply).rejects.toThrow(/abort/i);
  expect(asked()).toBe(1);
});

test.each([
  ['{"kind":"Status","message":"no"}', 'no', 'no'],
  ['{"kind":"Status"}', '', ''],
  ['{"kind":"Pod","message":"no"}', null, '"{\\"kind\\":\\"Pod\\",\\"message\\":\\"no\\"}"'],
  ['<html>', null, '"<html>"'],
  ['null', null, '"null"'],
])('what %s says', (body, status, message) => {
  const reply = { status: 500, headers: {}, body };
  expect(statusMessage(reply)).toBe(status);
  expect(messageIn(reply)).toBe(message);
});
