/**
 * The control plane as EKS has it: two API servers, each at an X-ENI of its own, by which it is in the EndpointSlice; the
 * public addresses lead to the same two; etcd, scheduler and controller manager where no node comes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAuthority } from '../../e2e/lib/authority.ts';
import { type Host, must, run, within } from '../../e2e/lib/command.ts';
import type { Daemons } from './daemon.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Binaries } from './kubernetes.ts';

export interface ControlPlaneOptions {
  readonly host: Host;
  readonly folder: string;
  readonly daemons: Daemons;
  readonly binaries: Binaries;
  /** Of the cluster's endpoint. */
  readonly hostname: string;
  readonly xEnis: readonly string[];
  /** The first leads to the first X-ENI, and so on. */
  readonly publicAddresses: readonly string[];
  /** Of the Services; its first address is the `kubernetes` Service's. */
  readonly serviceCidr: string;
  readonly clusterIp: string;
  readonly nodeName: string;
}

export interface ControlPlane {
  /** PEM, path. */
  readonly caFile: string;
  /** What kubelet logs in with. */
  readonly nodeToken: string;
  /** Path of a kubeconfig that may do everything, for a program in the far host. */
  readonly kubeconfig: string;
}

const ETCD = 'http://127.0.0.1:2379';

/** Starts it and waits until both API servers answer. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { host, folder, daemons, binaries, xEnis, serviceCidr } = options;
  await mkdir(folder);
  const files = await makeFiles(options);
  await leadToXEnis(options);
  const start = (
    program: Parameters<Binaries['path']>[0],
    flags: readonly string[],
    name: string = program,
  ) => daemons.start(name, { host, command: [binaries.path(program), ...flags] });
  await start('etcd', [
    ...[`--data-dir=${join(folder, 'etcd')}`, '--unsafe-no-fsync', '--log-level=warn'],
    ...[`--listen-client-urls=${ETCD}`, `--advertise-client-urls=${ETCD}`],
    '--listen-peer-urls=http://127.0.0.1:2380',
  ]);
  for (const [index, address] of xEnis.entries()) {
    const flags = [
      ...[`--etcd-servers=${ETCD}`, '--secure-port=443', `--cert-dir=${folder}`],
      ...[`--bind-address=${address}`, `--advertise-address=${address}`],
      ...[`--service-cluster-ip-range=${serviceCidr}`, '--allow-privileged=true'],
      ...['--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction'],
      `--admission-control-config-file=${files.admission}`,
      ...[`--token-auth-file=${files.tokens}`, `--client-ca-file=${files.ca}`],
      ...[`--tls-cert-file=${files.cert}`, `--tls-private-key-file=${files.key}`],
      ...[`--kubelet-client-certificate=${files.cert}`, `--kubelet-client-key=${files.key}`],
      '--kubelet-preferred-address-types=InternalIP',
      `--service-account-issuer=https://${options.hostname.toLowerCase()}`,
      ...[`--service-account-key-file=${files.cert}`, `--service-account-signing-key-file=${files.key}`],
    ];
    await start('kube-apiserver', flags, `kube-apiserver-${index + 1}`);
  }
  // The others give up where there is none for ten seconds.
  for (const address of xEnis) {
    const ask = ['get', '--raw=/readyz', `--kubeconfig=${files.admin}`, `--server=https://${address}`];
    const command = within(host, [binaries.path('kubectl'), ...ask]);
    await daemons.eventually(`the API server at ${address} is ready`, async () => {
      return (await run(...command)).code === 0;
    });
  }
  await start('kube-controller-manager', [
    ...[`--kubeconfig=${files.controllers}`, '--leader-elect=false', '--use-service-account-credentials'],
    ...[`--service-account-private-key-file=${files.key}`, `--root-ca-file=${files.ca}`],
    `--cert-dir=${folder}`,
  ]);
  await start('kube-scheduler', [
    ...[`--kubeconfig=${files.scheduler}`, '--leader-elect=false', `--cert-dir=${folder}`],
  ]);
  return { caFile: files.ca, nodeToken: TOKENS.node, kubeconfig: files.admin };
}

/** Who may log in, by what: the cluster lives for minutes, and nobody else reaches it. */
const TOKENS = {
  admin: 'token-of-admin',
  controllers: 'token-of-controllers',
  scheduler: 'token-of-scheduler',
  node: 'token-of-node',
};

/** The strictest that a cluster may be: what is to be admitted needs labels at its namespace. kube-proxy is EKS' own. */
const ADMISSION = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: { enforce: 'restricted', audit: 'restricted', warn: 'restricted' },
        exemptions: { namespaces: ['kube-system'] },
      },
    },
  ],
};

interface Files {
  readonly ca: string;
  /** Of the API servers, towards clients and towards kubelet; the key signs the service accounts' tokens too. */
  readonly cert: string;
  readonly key: string;
  readonly tokens: string;
  readonly admission: string;
  readonly admin: string;
  readonly controllers: string;
  readonly scheduler: string;
}

async function makeFiles(options: ControlPlaneOptions): Promise<Files> {
  const { folder, hostname, xEnis, clusterIp, nodeName } = options;
  const authority = await makeAuthority(folder);
  const names = [
    ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', hostname].map((name) => `DNS:${name}`),
    ...[clusterIp, ...xEnis].map((address) => `IP:${address}`),
  ];
  const { cert, key } = await authority.issue(...names);
  const write = async (name: string, text: string) => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };
  const kubeconfig = (name: 'admin' | 'controllers' | 'scheduler') => {
    const server = `https://${xEnis[0]}`;
    return write(name, kubeconfigText({ server, caFile: authority.file, user: { token: TOKENS[name] } }));
  };
  return {
    ca: authority.file,
    cert: await write('kube-apiserver.crt', cert),
    key: await write('kube-apiserver.key', key),
    tokens: await write(
      'tokens.csv',
      `${TOKENS.admin},admin,1,system:masters
${TOKENS.controllers},system:kube-controller-manager,2
${TOKENS.scheduler},system:kube-scheduler,3
${TOKENS.node},system:node:${nodeName},4,system:nodes
`,
    ),
    admission: await write('admission.json', JSON.stringify(ADMISSION)),
    admin: await kubeconfig('admin'),
    controllers: await kubeconfig('controllers'),
    scheduler: await kubeconfig('scheduler'),
  };
}

/** As the load balancer of the public endpoint does: the client sees nothing but the public address. */
async function leadToXEnis({ host, publicAddresses, xEnis }: ControlPlaneOptions): Promise<void> {
  const rules = publicAddresses.map(
    (address, index) => `ip daddr ${address} tcp dport 443 dnat to ${xEnis[index]}`,
  );
  const chain = ['type nat hook prerouting priority dstnat', ...rules, ''].join('\n');
  await must(...within(host, ['nft', '-f', '-']), `table ip public {\nchain in {\n${chain}}\n}\n`);
}
