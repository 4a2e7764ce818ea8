/** The page of a status that looks lead to, and what a reader sees of it. */
import type { NodeStatus } from '../../src/model/status.ts';
import { renderPage } from '../../src/output/page.ts';
import { Watch, type WatchSeen } from './observation.ts';

export const PUBLIC = ['3.34.148.207'];
export const X_ENI = ['192.168.1.231'];
export const ON_PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443', local: '192.168.1.204:44084' };
export const ON_X_ENI = { process: 'kubelet', peer: '192.168.1.231:443', local: '192.168.1.204:57828' };
export const KUBELET = [{ client: 'kubelet', pid: 100 }];

/** The status after some looks ten seconds apart, all of them at this. */
export function statusAfter(
  seen: WatchSeen,
  { looks = 3, ...settings }: { readonly looks?: number } & ConstructorParameters<typeof Watch>[0] = {},
): NodeStatus {
  const watch = new Watch({ expect: 'x-eni', ...settings });
  let status = watch.look({ processes: KUBELET, ...seen }, 0);
  for (let look = 1; look < looks; look++) status = watch.look({ processes: KUBELET, ...seen });
  return status;
}

/** As it is so many seconds after its look. */
export function pageOf(status: NodeStatus, ageSeconds = 2): string {
  return renderPage(status, Date.parse(status.observedAt) + ageSeconds * 1000);
}

/** What a reader sees of a part of the page, without tags. */
export function textOf(page: string, from: string, until = '</section>'): string {
  const begin = page.indexOf(from);
  const end = page.indexOf(until, begin);
  if (begin < 0 || end < 0) throw new RangeError(`Cannot find ${JSON.stringify(from)} in the page`);
  return page
    .slice(page.indexOf('>', begin) + 1, end)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

export function headlineOf(page: string): string {
  return textOf(page, '<section class="headline');
}

export const MOVED = {
  dns: X_ENI,
  slice: X_ENI,
  sockets: [ON_X_ENI],
  probes: [{ address: '192.168.1.231' }],
};
export const PROBED = { probeIntervalMs: 60_000 };
