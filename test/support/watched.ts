/** What somebody saw who watched a made node go through a migration, and the live table of it as plain text. */
import type { NodeStatus } from '../../src/model/status.ts';
import { beginWatch, seeStatus, type Watched } from '../../src/model/watched.ts';
import { painter } from '../../src/output/terminal.ts';
import { renderFrame } from '../../src/output/watch/frame.ts';
import { type NodeView, viewOf } from '../../src/output/watch/view.ts';
import { moment, Watch, type WatchSeen } from './observation.ts';

const PUBLIC = ['3.34.148.207', '3.38.61.180'];
export const X_ENIS = ['192.168.1.231', '192.168.2.210'];

function onNode(dns: readonly string[], peers: readonly [string, string]): WatchSeen {
  return {
    dns,
    slice: X_ENIS,
    sockets: [
      { process: 'kubelet', peer: `${peers[0]}:443` },
      { process: 'kube-proxy', peer: `${peers[1]}:443` },
    ],
    probes: [...X_ENIS, ...dns].map((address) => ({ address })),
  };
}

export const STEPS = {
  public: onNode(PUBLIC, ['3.34.148.207', '3.38.61.180']),
  flipped: onNode(X_ENIS, ['3.34.148.207', '3.38.61.180']),
  mixed: onNode(X_ENIS, ['192.168.1.231', '3.38.61.180']),
  moved: onNode(X_ENIS, ['192.168.1.231', '192.168.2.210']),
} as const;

/** The statuses of looks, a second after each other, at a node that is to be on the X-ENIs. */
export function looksAt(...seen: readonly WatchSeen[]): readonly NodeStatus[] {
  const agent = new Watch({ expect: 'x-eni', probeIntervalMs: 60_000, scanIntervalMs: 1_000 });
  const statuses = seen.map((one) => agent.look(one, 1));
  // As of a real agent, whose first look is when it began.
  return statuses.map((status) => ({
    ...status,
    observedSince: statuses[0]?.observedAt ?? status.observedSince,
  }));
}

/** Seen as they were made. */
export function watchedOf(statuses: readonly NodeStatus[]): Watched {
  return statuses.reduce(
    (watched, status, index) => seeStatus(watched, status, moment(index + 1)),
    beginWatch(moment(0)),
  );
}

interface FrameSize {
  readonly columns?: number;
  readonly rows?: number;
  readonly color?: boolean;
  /** On the watch's clock; without it, at the last look. */
  readonly seconds?: number;
  readonly agentUrl?: string;
}

export function frameOf(watched: Watched, size: FrameSize = {}): readonly string[] {
  return renderFrame(watched, optionsOf(watched, size));
}

/** What the parts of a frame are given. */
export function nodeViewOf(watched: Watched, size: FrameSize = {}): NodeView {
  const { last } = watched;
  if (last === null) throw new RangeError('Cannot show a node of which nothing was seen');
  return { ...viewOf(watched, optionsOf(watched, size)), last };
}

function optionsOf(
  watched: Watched,
  { columns = 80, rows = 24, color = false, seconds, agentUrl }: FrameSize,
) {
  const now = seconds === undefined ? watched.lastAt : moment(seconds);
  return { columns, rows, paint: painter(color), now, agentUrl: agentUrl ?? null };
}
