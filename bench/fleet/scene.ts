/** The clients' processes and sockets of a made node, as a look finds them in /proc. */
import type { Observation } from '../../src/model/observation.ts';
import { observation, type Seen, type SocketText } from '../../test/support/observation.ts';
import { CHANCES } from './chance.ts';
import { ENDPOINT, type NodeFacts, PUBLIC } from './facts.ts';

const MACHINE = {
  kernel: '6.12.40-63.114.amzn2023.x86_64',
  arch: 'x64',
  vendor: 'Amazon EC2',
  model: 'm7i.large',
};
const DAY_MS = 86_400_000;
const LONGEST_UPTIME_DAYS = 30;
/** From the kubelet's start to kube-proxy's. */
const LATER_MS = 20_000;
/** A metrics server's, in the VPC. */
const SCRAPER = '10.0.40.12';

/** Which clients have moved to the X-ENIs. */
export interface Moved {
  readonly kubelet: boolean;
  readonly kubeProxy: boolean;
}

/** What a look sees of it; its time and what other sources see are for the caller to fill in. */
export function makeScene(facts: NodeFacts, moved: Moved): Observation {
  const { cluster, story, chance } = facts;
  const readable = story.role !== 'blind';
  const isNewKubelet = moved.kubelet && story.isRestarted;
  const bootedMs =
    cluster.startMs - Math.round((1 + (LONGEST_UPTIME_DAYS - 1) * chance(CHANCES.uptime)) * DAY_MS);
  const started = new Map([
    ['kubelet', isNewKubelet ? (story.kubeletMovesMs ?? bootedMs) : bootedMs],
    // A DaemonSet's pod is made anew.
    ['kube-proxy', moved.kubeProxy ? (story.kubeProxyMovesMs ?? bootedMs) : bootedMs + LATER_MS],
  ]);
  const sockets = [
    ...connections(facts, { client: 'kubelet', hasMoved: moved.kubelet, count: 1 + (story.index % 2) }),
    ...connections(facts, { client: 'kube-proxy', hasMoved: moved.kubeProxy, count: 1 }),
  ];
  const seen: Seen = {
    endpoint: ENDPOINT,
    machine: MACHINE,
    processes: [
      { client: 'kubelet', pid: isNewKubelet ? 212_326 : 2931, readable },
      { client: 'kube-proxy', pid: moved.kubeProxy ? 209_735 : 3140, readable },
    ],
    ...(readable ? { sockets } : { unattributed: sockets }),
    inbound: [...facts.xEnis.map((peer) => ({ peer, connections: 1 })), { peer: SCRAPER, connections: 2 }],
  };
  const made = observation(seen);
  const rows = 80 + Math.floor(chance(CHANCES.sockets) * 400);
  return {
    ...made,
    owners: made.owners && {
      ...made.owners,
      processes: made.owners.processes.map((process) => ({
        ...process,
        startedAtMs: started.get(process.client) ?? bootedMs,
      })),
    },
    tables: made.tables?.map((table) => ({ ...table, rows })) ?? null,
  };
}

const FIRST_PORTS = { kubelet: 44_000, 'kube-proxy': 51_000 };

function connections(
  { address, story, xEnis }: NodeFacts,
  {
    client,
    hasMoved,
    count,
  }: { readonly client: keyof typeof FIRST_PORTS; readonly hasMoved: boolean; readonly count: number },
): readonly SocketText[] {
  const peers = hasMoved ? xEnis : PUBLIC;
  const firstPort = FIRST_PORTS[client] + (hasMoved ? 500 : 0);
  return Array.from({ length: count }, (_, nth) => ({
    process: client,
    local: `${address}:${firstPort + nth}`,
    peer: `${peers[(story.index + nth) % peers.length]}:443`,
  }));
}
