/** The simulated node of the demo, and what happens to it: the published migration of an EKS node, in four phases. */
import type { DnsRecord } from '../endpoint/dns.ts';
import { type AddressRange, parseRange } from '../model/address.ts';
import type { Machine } from '../model/machine.ts';
import type { GateName, NodeStatus } from '../model/status.ts';
import type { ProcTree, TreeSocket } from './proc-tree.ts';

export interface Phase {
  readonly title: string;
  /** What happens, as lines for the terminal. */
  readonly story: readonly string[];
  readonly tree: ProcTree;
  /** What DNS answers from the beginning of the phase on. */
  readonly records: readonly DnsRecord[];
  /** Whether the agent says what this phase is there to show. */
  readonly isShown: (status: NodeStatus) => boolean;
}

export const NODE_NAME = 'ip-192-168-1-204';
export const MACHINE: Machine = { kernel: '6.12.40', arch: 'x64', vendor: 'Amazon EC2', model: 'm7i.large' };
export const RESOLVER = '192.168.0.2';
export const VPC_CIDRS: readonly AddressRange[] = ['192.168.0.0/16']
  .map(parseRange)
  .filter((range) => range !== null);

const HOSTNAME = '0123456789ABCDEF0123456789ABCDEF.gr7.ap-northeast-2.eks.amazonaws.com';
const PUBLIC = ['3.34.148.207', '3.38.61.180'];
const X_ENIS = ['192.168.1.231', '192.168.2.210'];
/** EKS gives 60 s; the demo does not let anyone wait that long. */
const TTL_SECONDS = 1;

/** Of nobody's key: in the demo nobody is asked for a certificate. It only has to be one. */
const CA = `-----BEGIN CERTIFICATE-----
MIIBgjCCASegAwIBAgIUS66Yk56TUGvHFNve3KisAOEjlAUwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjAyMjE3MzBaGA8yMTI2MTAy
NzIyMTczMFowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABO33BeNEpksw00HLyc2FQpQyEt9IOe0wjEGoPQ74YIVxbwqJU2cU
IGBDHnTlCrMDxXkz1evSzo8DaX8Gm8bBdsmjUzBRMB0GA1UdDgQWBBTR+hYoU53s
8YnvpWKwG8roJ0tm9zAfBgNVHSMEGDAWgBTR+hYoU53s8YnvpWKwG8roJ0tm9zAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDLhFHjldmyLpDhM3Lk
M7W8n6kiZwlAL4kIXmxmLyR2EgIhAIzkvIJaO0gNPK1tbB/FKimqlQHL/j0FID7L
mN7uudgV
-----END CERTIFICATE-----
`;
const CA_PATH = '/etc/kubernetes/pki/ca.crt';
const KUBECONFIG_PATH = '/var/lib/kubelet/kubeconfig';
const KUBECONFIG = `apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster:
    certificate-authority: ${CA_PATH}
    server: https://${HOSTNAME}
contexts:
- name: kubelet
  context: { cluster: kubernetes, user: kubelet }
current-context: kubelet
`;

/** How long the node has been up when the story begins; its first processes are almost as old. */
export const UPTIME_SECONDS = 86_400;
const TICKS_PER_SECOND = 100;

/** The phases, for a node that booted at this time. */
export function storyOf(bootTimeSeconds: number): readonly Phase[] {
  const before = { kubelet: 2931, kubeProxy: 3140 };
  const after = { kubelet: 212_326, kubeProxy: 209_735, startTicks: UPTIME_SECONDS * TICKS_PER_SECOND };
  const old = nodeTree(bootTimeSeconds, before, [
    established(before.kubelet, '192.168.1.204:44084', `${PUBLIC[0]}:443`),
    established(before.kubeProxy, '192.168.1.204:51246', `${PUBLIC[1]}:443`),
  ]);
  const moved = nodeTree(bootTimeSeconds, after, [
    established(after.kubelet, '192.168.1.204:57828', `${X_ENIS[0]}:443`),
    established(after.kubeProxy, '192.168.1.204:33480', `${X_ENIS[1]}:443`),
  ]);
  return [
    {
      title: 'public: only the public endpoint is on',
      story: [
        'DNS gives two public addresses; kubelet and kube-proxy are connected to them. The X-ENIs are there already,',
        'and each answers a TLS connection of the agent as this cluster: private-ready, the switch is safe here.',
      ],
      tree: old,
      records: recordsOf(PUBLIC),
      isShown: ({ route, gates }) => route === 'public' && isTrue(gates, 'private-ready'),
    },
    {
      title: 'flipped: the private endpoint is turned on',
      story: [
        'DNS in the VPC now gives the addresses of the X-ENIs. The long-lived connections know nothing of it:',
        'that is progress for some minutes, so the finding is ConnectionMoving, an info.',
      ],
      tree: old,
      records: recordsOf(X_ENIS),
      isShown: ({ route, findings }) =>
        route === 'public' && findings.some(({ code }) => code === 'ConnectionMoving'),
    },
    {
      title: 'stale: time has passed, and nothing has moved',
      story: [
        '--stale-after is over (one phase here, 10m by default): the finding is now StaleConnection, a warning.',
      ],
      tree: old,
      records: recordsOf(X_ENIS),
      isShown: ({ route, findings }) =>
        route === 'public' && findings.some(({ code }) => code === 'StaleConnection'),
    },
    {
      title: 'moved: kubelet and kube-proxy were restarted',
      story: [
        'Both have a new pid, and opened their connections to the addresses that DNS gives now. After ten seconds of',
        'it the node is public-free: of this node nobody would miss the public endpoint.',
      ],
      tree: moved,
      records: recordsOf(X_ENIS),
      isShown: ({ gates, findings }) => isTrue(gates, 'public-free') && findings.length === 0,
    },
  ];
}

function isTrue(gates: NodeStatus['gates'], name: GateName): boolean {
  return gates.some(({ gate, state }) => gate === name && state === 'true');
}

/** What the API server answers for the EndpointSlice default/kubernetes: the X-ENIs, from the beginning. */
export const SLICE = JSON.stringify({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  addressType: 'IPv4',
  endpoints: [{ addresses: X_ENIS, conditions: { ready: true } }],
  ports: [{ name: 'https', port: 443, protocol: 'TCP' }],
});

function recordsOf(addresses: readonly string[]): readonly DnsRecord[] {
  return addresses.map((address) => ({ address, ttl: TTL_SECONDS }));
}

function nodeTree(
  bootTimeSeconds: number,
  pids: { readonly kubelet: number; readonly kubeProxy: number; readonly startTicks?: number },
  connections: readonly TreeSocket[],
): ProcTree {
  const start = pids.startTicks === undefined ? {} : { startTicks: pids.startTicks };
  return {
    bootTimeSeconds,
    processes: [
      {
        ...start,
        pid: pids.kubelet,
        comm: 'kubelet',
        cmdline: ['/usr/bin/kubelet', `--kubeconfig=${KUBECONFIG_PATH}`],
        files: {
          [KUBECONFIG_PATH]: KUBECONFIG,
          [CA_PATH]: CA,
          '/etc/resolv.conf': `nameserver ${RESOLVER}\n`,
        },
      },
      { ...start, pid: pids.kubeProxy, comm: 'kube-proxy', cmdline: ['kube-proxy', '--v=2'] },
    ],
    sockets: [
      { pid: pids.kubelet, local: '[::]:10250', state: 'listen' },
      {
        pid: pids.kubelet,
        local: '[::ffff:192.168.1.204]:10250',
        peer: '[::ffff:192.168.1.231]:60974',
        state: 'established',
      },
      ...connections,
    ],
  };
}

/** No two connections have the same inode, as no two have the same local port: who reconnects has another socket. */
function established(pid: number, local: string, peer: string): TreeSocket {
  const inode = 100_000 + Number(local.split(':').at(-1));
  return { pid, local, peer, state: 'established', inode };
}
