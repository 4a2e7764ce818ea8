/** What several findings tell people to do. */
import type { EndpointConnection } from './connections.ts';
import { type Knowledge, routeOf } from './route.ts';
import type { Settings } from './settings.ts';
import { UNATTRIBUTED } from './status.ts';
import { list } from './text.ts';

/** What the agent needs to see. */
export const NEEDS =
  'the agent needs uid 0, the capability SYS_PTRACE, hostPID and hostNetwork; on Ubuntu also AppArmor "Unconfined", on Bottlerocket, where it is still refused, the SELinux type spc_t';

export function whoIs(client: string): string {
  return `find out with 'ps -o pid,user,args -C ${client}' what runs under that name: anyone can take it, and only a process of uid 0 is believed`;
}

/** What is known where a remedy is needed. */
export interface Situation {
  readonly settings: Settings;
  readonly known: Knowledge;
}

/** How to move the client of a connection without losing the node. */
export function moveIt(connection: EndpointConnection, now: Situation): string {
  const { client } = connection;
  return `${safely(now)}; then, on one node, close this one connection, as root: ${closeIt(connection)} (it lists what it closed; nothing listed: the kernel lacks CONFIG_INET_DIAG_DESTROY), or else ${restart(client, now.settings)}; then in batches (1, 10, 100), and go on only while the nodes stay Ready`;
}

/** What to see first: a client that is made to connect anew goes where DNS leads it. */
export function safely({ settings: { probeIntervalMs }, known }: Situation): string {
  const given = known.dns ?? [];
  const texts = list(given.slice(0, 4).map(({ text }) => text));
  if (probeIntervalMs === null || given.length === 0)
    return `first see that this node can open a connection to the addresses that DNS gives now${texts === '' ? '' : ` (${texts})`}`;
  return given.every((address) => routeOf(address, known) === 'x-eni')
    ? 'first see that the gate private-ready is true on this node: where it is not, the client does not come back'
    : `first see that the addresses that DNS gives now (${texts}) answer this node's probes (probe_success 1): where they do not, the client does not come back`;
}

/** How a client is made to open its connections anew. */
export function restart(client: string, { nodeName }: Settings): string {
  if (client === 'kubelet')
    return "'systemctl restart kubelet' on the node; Bottlerocket without its admin container and Auto Mode: replace the node";
  if (client === 'kube-proxy')
    return `'kubectl -n kube-system delete pod -l k8s-app=kube-proxy --field-selector spec.nodeName=${nodeName}' ('No resources found': that is not the node's name in Kubernetes); on Auto Mode (a systemd unit) replace the node`;
  if (client === UNATTRIBUTED) return "find out with 'ss -tnp' whose connection it is and restart that";
  return `restart ${client}; where there is no shell, replace the node`;
}

/** Closes this one connection of this one client (ss(8), --kill): without the port it would close everybody's. */
function closeIt({ socket: { peer, peerPort, localPort } }: EndpointConnection): string {
  const address = peer.text.includes(':') ? `[${peer.text}]` : peer.text;
  return `'ss -K -tn sport = ${localPort} dst ${address} dport = ${peerPort}'`;
}
