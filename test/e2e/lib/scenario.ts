/** The scenarios: moments of real nodes (test/scenarios/*.json), set up on real sockets. */
import { readdirSync, readFileSync } from 'node:fs';
import type { AccessMode, GateState, NodeRoute } from '../../../src/model/status.ts';
import type { Client } from './client.ts';
import type { Counts } from './expect.ts';
import { Lab, OUTSIDE_FLAG } from './lab.ts';

export interface Scenario {
  readonly source: string;
  readonly endpoint: { readonly hostname: string; readonly port: number };
  readonly dns: {
    readonly node: readonly string[];
    readonly outside: readonly string[];
    readonly resolver: string;
  };
  readonly xEni: readonly string[];
  readonly vpcCidrs: readonly string[];
  readonly sockets: readonly {
    readonly process: string;
    /** `address:port`, the address in brackets where it is an IPv6 one. */
    readonly local: string;
    readonly peer: string;
  }[];
  readonly expect: {
    readonly route: NodeRoute;
    readonly connections: Readonly<Record<string, Counts>>;
    readonly stale: Counts;
    /** Connections to kubelet's port by route; none where it is absent. */
    readonly inbound?: Counts;
    readonly accessMode: AccessMode;
    readonly 'public-free': GateState;
  };
}

const FOLDER = new URL('../../scenarios/', import.meta.url);
const KUBELET_PORT = 10250;

/** Every scenario by its name. */
export function readScenarios(): ReadonlyMap<string, Scenario> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return new Map(files.map((name) => [name.replace(/\.json$/, ''), readScenario(name)]));
}

function readScenario(name: string): Scenario {
  return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
}

/** Builds the node and opens its sockets, while DNS gives `answer`. */
export async function stage(scenario: Scenario, answer: readonly string[]): Promise<Lab> {
  const { endpoint, dns, xEni, sockets } = scenario;
  const locals = sockets.map(({ local }) => split(local).address);
  const lab = await Lab.make({
    hostname: endpoint.hostname,
    node: [...new Set(locals)],
    servers: [...new Set([...dns.node, ...dns.outside, ...xEni])],
    resolver: dns.resolver,
    answer,
    outside: dns.outside,
    slice: xEni,
  });
  const clients = new Map<string, Client>();
  for (const { process, ...socket } of sockets) {
    const client = clients.get(process) ?? (await startClient(lab, process));
    clients.set(process, client);
    const [local, peer] = [split(socket.local), split(socket.peer)];
    if (local.port === KUBELET_PORT) {
      const from = { localAddress: peer.address, localPort: peer.port };
      await lab.far.connect({ host: local.address, port: KUBELET_PORT, ...from });
    } else {
      await client.connect(peer.address, { localAddress: local.address, localPort: local.port });
    }
  }
  return lab;
}

async function startClient(lab: Lab, comm: string): Promise<Client> {
  const client = await lab.startClient(comm);
  if (comm === 'kubelet') await client.program.listen({ addresses: ['::'], port: KUBELET_PORT });
  return client;
}

/** What the operator of such a node tells the agent: the X-ENIs are in the slice. */
export function flagsOf({ vpcCidrs }: Scenario): readonly string[] {
  return [OUTSIDE_FLAG, ...vpcCidrs.map((cidr) => `--vpc-cidr=${cidr}`)];
}

/** `192.168.1.204:44084`, `[::ffff:192.168.1.204]:10250`; a mapped address is the IPv4 address inside. */
function split(text: string): { readonly address: string; readonly port: number } {
  const [, address = '', port = ''] = /^\[?(?:::ffff:)?(.*?)\]?:(\d+)$/.exec(text) ?? [];
  return { address, port: Number(port) };
}
