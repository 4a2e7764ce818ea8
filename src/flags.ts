/** The flags: one table, of which parsing, `--help`, the names in the environment and the messages are made. */
import { LOG_FORMATS, LOG_LEVELS } from './log.ts';
import { ATTRIBUTION_WISHES, EXPECTATIONS } from './model/settings.ts';
import {
  durationBetween,
  oneOf,
  pathSuchAs,
  type Reading,
  readClient,
  readEndpoint,
  readImdsEndpoint,
  readListenAddress,
  readNodeName,
  readResolver,
  readSwitch,
  readVpcCidr,
  readXEni,
} from './readings.ts';

export interface Flag<T> {
  /** As on the command line, with its dashes. */
  readonly name: string;
  /** What stands for the value in `--help`; null for a switch, which has none. */
  readonly placeholder: string | null;
  /** A switch that `--no-` before its name turns off. */
  readonly negatable: boolean;
  readonly help: string;
  /** Read as a given value is; null where there is none. */
  readonly defaultText: string | null;
  readonly repeatable: boolean;
  readonly read: (text: string) => Reading<T>;
}

const OUTPUTS = ['table', 'json'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Whether IMDS is asked; `auto`: on an EC2 instance. */
const IMDS_WISHES = ['auto', 'on', 'off'] as const;
export type ImdsWish = (typeof IMDS_WISHES)[number];

const LISTEN_ADDRESS = {
  name: '--web.listen-address',
  placeholder: 'HOST:PORT',
  help: 'address to serve on; without a host every address of the machine, IPv6 and IPv4',
  repeatable: true,
  read: readListenAddress,
};

export const FLAGS = {
  endpoint: flag({
    name: '--endpoint',
    placeholder: 'HOST[:PORT]',
    help: "the cluster's API server endpoint, also as https://HOST[:PORT]; else it is found in a kubeconfig",
    read: readEndpoint,
  }),
  caFile: flag({
    name: '--ca-file',
    placeholder: 'PATH',
    help: "the cluster's CA, PEM; else the kubeconfig's, then the service account's",
    read: pathSuchAs('/etc/kubernetes/pki/ca.crt'),
  }),
  client: flag({
    name: '--client',
    placeholder: 'NAME',
    help: 'one more process to watch beside kubelet and kube-proxy, by its name in /proc/<pid>/comm',
    repeatable: true,
    read: readClient,
  }),
  requireClient: flag({
    name: '--require-client',
    placeholder: 'NAME',
    help: 'a client whose absence makes the node unknown; what is given replaces the default',
    defaultText: 'kubelet',
    repeatable: true,
    read: readClient,
  }),
  xEni: flag({
    name: '--x-eni',
    placeholder: 'CIDR',
    help: 'address or CIDR known to hold X-ENIs only (dedicated cluster subnets); at widest /16, IPv6 /48',
    repeatable: true,
    read: readXEni,
  }),
  vpcCidr: flag({
    name: '--vpc-cidr',
    placeholder: 'CIDR',
    help: "a CIDR of the VPC, instead of IMDS's; a globally routable one at widest /16, IPv6 /44",
    repeatable: true,
    read: readVpcCidr,
  }),
  expect: flag({
    name: '--expect',
    placeholder: EXPECTATIONS.join('|'),
    help: 'the route that the node should be on',
    defaultText: 'any',
    read: oneOf(EXPECTATIONS),
  }),
  scanInterval: flag({
    name: '--scan-interval',
    placeholder: 'DURATION',
    help: 'time between two looks at the node, 1s to 60s',
    defaultText: '10s',
    read: durationBetween('1s', '60s'),
  }),
  staleAfter: flag({
    name: '--stale-after',
    placeholder: 'DURATION',
    help: 'from when on a stale connection is a warning instead of progress, 1s to 24h',
    defaultText: '10m',
    read: durationBetween('1s', '24h'),
  }),
  probe: flag({
    name: '--probe',
    placeholder: null,
    negatable: true,
    help: 'open TCP and TLS to each current address of the endpoint and of the X-ENIs',
    defaultText: 'true',
    read: readSwitch,
  }),
  probeInterval: flag({
    name: '--probe-interval',
    placeholder: 'DURATION',
    help: 'time between two probes of an address, 1s to 1h',
    defaultText: '60s',
    read: durationBetween('1s', '1h'),
  }),
  attribution: flag({
    name: '--attribution',
    placeholder: ATTRIBUTION_WISHES.join('|'),
    help: 'tell sockets apart by their owners, or by known addresses alone: owners are not asked for then',
    defaultText: 'process',
    read: oneOf(ATTRIBUTION_WISHES),
  }),
  kubernetes: flag({
    name: '--kubernetes',
    placeholder: null,
    negatable: true,
    help: 'read the X-ENIs in the EndpointSlice default/kubernetes; on in a pod ($KUBERNETES_SERVICE_HOST is set), else off',
    read: readSwitch,
  }),
  imds: flag({
    name: '--imds',
    placeholder: IMDS_WISHES.join('|'),
    help: "ask IMDSv2 for the VPC's CIDRs; auto: on an EC2 instance",
    defaultText: 'auto',
    read: oneOf(IMDS_WISHES),
  }),
  imdsEndpoint: flag({
    name: '--imds-endpoint',
    placeholder: 'URL',
    help: 'where IMDS is, such as http://[fd00:ec2::254] for IPv6',
    defaultText: 'http://169.254.169.254',
    read: readImdsEndpoint,
  }),
  outsideResolver: flag({
    name: '--outside-resolver',
    placeholder: 'ADDRESS[:PORT]',
    help: 'a resolver outside the VPC, such as 8.8.8.8, to tell public-and-private from private; else none is asked',
    read: readResolver,
  }),
  procfsPath: flag({
    name: '--path.procfs',
    placeholder: 'PATH',
    help: "where the node's /proc is mounted",
    defaultText: '/proc',
    read: pathSuchAs('/host/proc'),
  }),
  nodeName: flag({
    name: '--node-name',
    placeholder: 'NAME',
    help: "the node's name in Kubernetes; $NODE_NAME, else the host name, where it is not given",
    read: readNodeName,
  }),
  listenAddress: flag({ ...LISTEN_ADDRESS, defaultText: ':10943' }),
  demoListenAddress: flag({ ...LISTEN_ADDRESS, defaultText: '127.0.0.1:10943' }),
  output: flag({
    name: '--output',
    placeholder: OUTPUTS.join('|'),
    help: 'a table for people, or the node status as JSON',
    defaultText: 'table',
    read: oneOf(OUTPUTS),
  }),
  phase: flag({
    name: '--phase',
    placeholder: 'DURATION',
    help: 'how long each phase of the simulated node lasts, 3s to 10m',
    defaultText: '20s',
    read: durationBetween('3s', '10m'),
  }),
  once: flag({
    name: '--once',
    placeholder: null,
    help: 'end after one round, as it always does where there is no terminal',
    defaultText: 'false',
    read: readSwitch,
  }),
  logLevel: flag({
    name: '--log.level',
    placeholder: LOG_LEVELS.join('|'),
    help: 'the least severe events that are logged, on stderr',
    defaultText: 'info',
    read: oneOf(LOG_LEVELS),
  }),
  logFormat: flag({
    name: '--log.format',
    placeholder: LOG_FORMATS.join('|'),
    help: 'how events are logged',
    defaultText: 'logfmt',
    read: oneOf(LOG_FORMATS),
  }),
} as const;

export const ENVIRONMENT_PREFIX = 'EKS_ENDPOINT_';

/** The flag's name in the environment: `--path.procfs` is `EKS_ENDPOINT_PATH_PROCFS`. */
export function environmentName(flag: Flag<unknown>): string {
  return `${ENVIRONMENT_PREFIX}${flag.name.slice(2).replaceAll(/[.-]/g, '_').toUpperCase()}`;
}

/** The names on the command line: that of the flag, and where it has one that which turns it off. */
export function namesOf(flag: Flag<unknown>): readonly string[] {
  return flag.negatable ? [flag.name, `--no-${flag.name.slice(2)}`] : [flag.name];
}

function flag<T>(spec: Pick<Flag<T>, 'name' | 'placeholder' | 'help' | 'read'> & Partial<Flag<T>>): Flag<T> {
  return { defaultText: null, repeatable: false, negatable: false, ...spec };
}
