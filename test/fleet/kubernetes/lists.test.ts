import { expect, onTestFinished, test } from 'vitest';
import { accountAccess } from '../../../src/fleet/kubernetes/account.ts';
import { Api } from '../../../src/fleet/kubernetes/api.ts';
import { listNodes } from '../../../src/fleet/kubernetes/nodes.ts';
import type { HttpReply, HttpRequest } from '../../../src/net/http.ts';

/** An API whose server answers these, in turn; each question is kept. */
async function apiWith(...replies: readonly Partial<HttpReply>[]) {
  const asked: HttpRequest[] = [];
  const access = accountAccess({ service: { host: '10.100.0.1', port: 443 }, readFile: async () => 'text' });
  const api = await Api.open(access, {
    signal: new AbortController().signal,
    request: async (request) => {
      const reply = replies[asked.length];
      asked.push(request);
      if (reply === undefined) throw new Error('nothing more was to be asked');
      return { status: 200, headers: {}, body: '', ...reply };
    },
  });
  onTestFinished(() => api.close());
  return { api, asked, urls: () => asked.map(({ url }) => url.replace(/^.*\/nodes/, '')) };
}

function page(names: readonly string[], after?: string): Partial<HttpReply> {
  const items = names.map((name) => ({ metadata: { name } }));
  const metadata = after === undefined ? {} : { continue: after };
  return { body: JSON.stringify({ kind: 'PartialObjectMetadataList', metadata, items }) };
}

const EXPIRED = { status: 410, body: '{"kind":"Status","message":"too old"}' };

test('page by page, until there is no more', async () => {
  const { api, urls } = await apiWith(page(['a', 'b'], 'x&y'), page(['c'], 'z'), page([]));
  expect((await listNodes(api)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  expect(urls()).toEqual(['?limit=500', '?limit=500&continue=x%26y', '?limit=500&continue=z']);
});

test('a list that expires in the middle begins anew, and nothing of the old one is in it', async () => {
  const { api, urls } = await apiWith(page(['a', 'gone'], 'x'), EXPIRED, page(['a'], 'y'), page(['b']));
  expect((await listNodes(api)).map(({ name }) => name)).toEqual(['a', 'b']);
  expect(urls()).toEqual(['?limit=500', '?limit=500&continue=x', '?limit=500', '?limit=500&continue=y']);
});

test('one that expires twice is an error, and no half list', async () => {
  const { api } = await apiWith(page(['a'], 'x'), EXPIRED, page(['a'], 'y'), EXPIRED);
  await expect(listNodes(api)).rejects.toThrow('the list expired twice while it was read (410)');
});

test('one that expires before it begins is an error', async () => {
  const { api } = await apiWith(EXPIRED);
  await expect(listNodes(api)).rejects.toThrow('too old (410)');
});

test('a page that is refused is an error, and no half list', async () => {
  const { api } = await apiWith(page(['a'], 'x'), { status: 500, body: 'oh' });
  await expect(listNodes(api)).rejects.toThrow('"oh" (500)');
});

test('one that ends before its end is an error, and no half list', async () => {
  const metadata = { remainingItemCount: 1 };
  const body = JSON.stringify({ kind: 'NodeList', metadata, items: [{ metadata: { name: 'a' } }] });
  const { api } = await apiWith({ body });
  await expect(listNodes(api)).rejects.toThrow('1 more of them is on no page');
});

test('a list without an end is none', async () => {
  const { api } = await apiWith(...Array.from({ length: 2_001 }, () => page(['a'], 'again')));
  await expect(listNodes(api)).rejects.toThrow('the list has no end');
});
