/** What several findings tell people to do, and how durations are written for people. */
import type { EndpointConnection } from './connections.ts';
import type { Settings } from './settings.ts';
import { UNATTRIBUTED } from './status.ts';

/** What the agent needs to see. */
export const NEEDS =
  'the agent needs uid 0, the capability SYS_PTRACE, hostPID and hostNetwork; on Ubuntu also AppArmor "Unconfined", on Bottlerocket, where it is still refused, the SELinux type spc_t';

export function whoIs(client: string): string {
  return `find out with 'ps -o pid,user,args -C ${client}' what runs under that name: anyone can take it, and only a process of uid 0 is believed`;
}

/** How to move the client of a connection without losing the node. */
export function moveIt(connection: EndpointConnection, settings: Settings): string {
  const { client } = connection;
  return `${safely(settings)}; then ${restart(client, settings)}, or gentler, as root and where the kernel has CONFIG_INET_DIAG_DESTROY: ${closeIt(connection)} (it lists what it closed); one node first, then in batches (1, 10, 100), and go on only while they stay Ready`;
}

/** What to see first: a client that is made to connect anew must find a way. */
function safely({ probeIntervalMs, expect }: Settings): string {
  return probeIntervalMs === null || expect === 'public'
    ? 'first see that the node can open a connection to the addresses that DNS gives now (security groups)'
    : 'first see that the gate private-ready is true on this node: where it is not, the client does not come back';
}

/** How a client is made to open its connections anew. */
export function restart(client: string, { nodeName }: Settings): string {
  if (client === 'kubelet')
    return "'systemctl restart kubelet' on the node; Bottlerocket without its admin container and Auto Mode: replace the node";
  if (client === 'kube-proxy')
    return `'kubectl -n kube-system delete pod -l k8s-app=kube-proxy --field-selector spec.nodeName=${nodeName}'; on Auto Mode (a systemd unit) replace the node`;
  if (client === UNATTRIBUTED) return "find out with 'ss -tnp' whose connection it is and restart that";
  return `restart ${client}; where there is no shell, replace the node`;
}

/** Closes this one connection of this one client (ss(8), --kill): without the port it would close everybody's. */
function closeIt({ socket: { peer, peerPort, localPort } }: EndpointConnection): string {
  const address = peer.text.includes(':') ? `[${peer.text}]` : peer.text;
  return `'ss -K -tn sport = ${localPort} dst ${address} dport = ${peerPort}'`;
}

/** A duration for people. */
export function duration(ms: number): string {
  const total = Math.floor(ms / 1000);
  if (total < 120) return `${total} s`;
  return total < 7200 ? `${Math.floor(total / 60)} min` : `${Math.floor(total / 3600)} h`;
}
