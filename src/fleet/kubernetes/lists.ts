/** Lists of an API server, page by page: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks */
import * as v from 'valibot';
import { messageOf } from '../../model/errors.ts';
import type { HttpReply } from '../../net/http.ts';
import { type Api, messageIn, RefusedError } from './api.ts';

export interface ListWish<Item> {
  /** `/api/v1/nodes` */
  readonly path: string;
  /** `nodes`, `pods in namespace "x"` */
  readonly what: string;
  /** What must be allowed for it. */
  readonly right: string;
  readonly accept?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly item: v.GenericSchema<unknown, Item>;
}

const PAGE = 500;
/** More pages than any cluster has: whoever answers them turns in a circle. */
const MAX_PAGES = 2_000;
const DEADLINE_MS = 30_000;
/** Of whole Node objects, where a server does not know how to send less. */
const MAX_BYTES = 64 * 1024 * 1024;

/** All items. Rejects with one whole sentence where any of them could not be had. */
export async function listAll<Item>(api: Api, wish: ListWish<Item>): Promise<readonly Item[]> {
  const items = (await readPages(api, wish)) ?? (await readPages(api, wish));
  if (items === null) {
    throw new Error(
      `Cannot list ${wish.what} of ${api.server}: the list expired twice while it was read (410); try again when the API server has less to do`,
    );
  }
  return items;
}

/** Null where the list expired in the middle: the rest would be another list's. */
async function readPages<Item>(api: Api, wish: ListWish<Item>): Promise<readonly Item[] | null> {
  const list = v.object({
    kind: v.pipe(v.string(), v.endsWith('List')),
    metadata: v.object({
      continue: v.optional(v.string(), ''),
      remainingItemCount: v.optional(v.number(), 0),
    }),
    items: v.array(wish.item),
  });
  const items: Item[] = [];
  let after = '';
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const reply = await ask(api, wish, after);
    if (reply.status === 410 && after !== '') return null;
    const { metadata, ...read } = parsed(reply, api, { wish, list });
    items.push(...read.items);
    if (metadata.continue === '' && metadata.remainingItemCount > 0) {
      throw new Error(
        `Cannot list ${wish.what} of ${api.server}: by its own count ${metadata.remainingItemCount} more of them is on no page; see what changes its answers on the way here`,
      );
    }
    if (metadata.continue === '') return items;
    after = metadata.continue;
  }
  throw new Error(`Cannot list ${wish.what} of ${api.server}: the list has no end`);
}

async function ask<Item>(
  api: Api,
  { path, what, accept, query }: ListWish<Item>,
  after: string,
): Promise<HttpReply> {
  const parameters = new URLSearchParams({
    limit: `${PAGE}`,
    ...query,
    ...(after === '' ? {} : { continue: after }),
  });
  try {
    return await api.get({
      path: `${path}?${parameters}`,
      ...(accept === undefined ? {} : { accept }),
      deadlineMs: DEADLINE_MS,
      maxBytes: MAX_BYTES,
    });
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new Error(
      `Cannot list ${what}, as ${api.name}: ${messageOf(error)}; see that 'kubectl get nodes' works here (a proxy is used where the kubeconfig has proxy-url)`,
    );
  }
}

function parsed<Item, Schema extends v.GenericSchema>(
  reply: HttpReply,
  api: Api,
  { wish, list }: { readonly wish: ListWish<Item>; readonly list: Schema },
): v.InferOutput<Schema> {
  const begin = `Cannot list ${wish.what} of ${api.server}, as ${api.name}`;
  if (reply.status === 403) {
    throw new Error(`${begin}: ${messageIn(reply)} (403); it needs ${wish.right}`);
  }
  if (reply.status !== 200) {
    throw new Error(
      `${begin}: ${messageIn(reply)} (${reply.status}); see that it is the address of an API server`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(reply.body);
  } catch {
    throw new Error(
      `${begin}: its answer is no JSON, ${messageIn(reply)}; see that it is the address of an API server`,
    );
  }
  const result = v.safeParse(list, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new Error(
    `${begin}: its answer is no list of them, at ${JSON.stringify(v.getDotPath(result.issues[0]) ?? '')}; see that it is the address of an API server`,
  );
}
