/** The flags: one table, of which parsing, `--help`, the names in the environment and the messages are made. */
import { LOG_FORMATS, LOG_LEVELS } from './log.ts';
import { ATTRIBUTION_WISHES, EXPECTATIONS } from './model/settings.ts';
import { GATES } from './model/status.ts';
import type { WatchGoal } from './model/watched.ts';
import {
  durationBetween,
  oneOf,
  pathSuchAs,
  type Reading,
  readBaseUrl,
  readClient,
  readEndpoint,
  readGateFor,
  readImdsEndpoint,
  readListenAddress,
  readMatcher,
  readNamespace,
  readNodeName,
  readResolver,
  readSwitch,
  readVpcCidr,
  readXEni,
  wholeNumberBetween,
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

const FLEET_OUTPUTS = ['table', 'json', 'junit', 'markdown'] as const;
export type FleetOutput = (typeof FLEET_OUTPUTS)[number];

/** What `watch` can wait for: a route of the node, or a gate. */
const WATCH_GOALS = ['x-eni', 'public-free'] as const satisfies readonly WatchGoal[];

const AGENT = {
  name: '--agent',
  placeholder: 'URL',
  read: (text: string) => readBaseUrl(text, 'http://127.0.0.1:10943'),
};

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
  interval: flag({
    name: '--interval',
    placeholder: 'DURATION',
    help: 'time between two looks, 1s to 60s',
    defaultText: '1s',
    read: durationBetween('1s', '60s'),
  }),
  until: flag({
    name: '--until',
    placeholder: WATCH_GOALS.join('|'),
    help: 'end when the node is on this route, or this gate is true',
    read: oneOf(WATCH_GOALS),
  }),
  timeout: flag({
    name: '--timeout',
    placeholder: 'DURATION',
    help: 'end after this time, 1s to 24h; without it at Ctrl-C',
    read: durationBetween('1s', '24h'),
  }),
  agent: flag({
    ...AGENT,
    help: 'follow the agent that runs there, such as http://127.0.0.1:10943, instead of looking at this node',
  }),
  agents: flag({
    ...AGENT,
    help: 'ask the agent that runs there, such as http://10.0.3.17:10943: for nodes that neither of the others knows',
    repeatable: true,
  }),
  prometheus: flag({
    name: '--prometheus',
    placeholder: 'URL',
    help: 'ask the Prometheus there, or what has its API, for the metrics of every node',
    read: readBaseUrl,
  }),
  prometheusMatcher: flag({
    name: '--prometheus-matcher',
    placeholder: 'MATCHER',
    help: `only series with this label, such as 'cluster="a"'; as in PromQL with =, !=, =~ or !~`,
    repeatable: true,
    read: readMatcher,
  }),
  prometheusBearerTokenFile: flag({
    name: '--prometheus-bearer-token-file',
    placeholder: 'PATH',
    help: 'a file with the bearer token to send',
    read: pathSuchAs('/run/secrets/token'),
  }),
  prometheusUsername: flag({
    name: '--prometheus-username',
    placeholder: 'NAME',
    help: 'user of the basic authentication',
    read: readNodeName,
  }),
  prometheusPasswordFile: flag({
    name: '--prometheus-password-file',
    placeholder: 'PATH',
    help: 'a file with the password of the basic authentication',
    read: pathSuchAs('/run/secrets/password'),
  }),
  prometheusCaFile: flag({
    name: '--prometheus-ca-file',
    placeholder: 'PATH',
    help: "the authority that Prometheus' certificate must be of, PEM; else those that Node trusts",
    read: pathSuchAs('/etc/ssl/prometheus-ca.pem'),
  }),
  prometheusCertFile: flag({
    name: '--prometheus-cert-file',
    placeholder: 'PATH',
    help: 'a client certificate to show, PEM',
    read: pathSuchAs('/etc/ssl/client.pem'),
  }),
  prometheusKeyFile: flag({
    name: '--prometheus-key-file',
    placeholder: 'PATH',
    help: "the client certificate's key, PEM",
    read: pathSuchAs('/etc/ssl/client-key.pem'),
  }),
  kubernetesSource: flag({
    name: '--kubernetes',
    placeholder: null,
    help: "ask each exporter's pod through the API server, as kubectl would: by $KUBECONFIG, ~/.kube/config, or in a pod its account",
    defaultText: 'false',
    read: readSwitch,
  }),
  context: flag({
    name: '--context',
    placeholder: 'NAME',
    help: "the kubeconfig's context; else its current one",
    read: readNodeName,
  }),
  namespace: flag({
    name: '--namespace',
    placeholder: 'NAME',
    help: "where the exporter's pods are",
    defaultText: 'eks-endpoint-exporter',
    read: readNamespace,
  }),
  gate: flag({
    name: '--gate',
    placeholder: GATES.join('|'),
    help: 'the gate that must be true on every node',
    defaultText: 'public-free',
    read: oneOf(GATES),
  }),
  gateFor: flag({
    name: '--gate-for',
    placeholder: 'SELECTOR=GATE',
    help: 'another gate for nodes with these labels, such as eks.amazonaws.com/compute-type=hybrid=private-ready; the first that fits',
    repeatable: true,
    read: readGateFor,
  }),
  minNodes: flag({
    name: '--min-nodes',
    placeholder: 'NUMBER',
    help: 'fewer nodes that pass are no pass',
    defaultText: '1',
    read: wholeNumberBetween(1, 100_000),
  }),
  maxAge: flag({
    name: '--max-age',
    placeholder: 'DURATION',
    help: 'an older answer of a node is none, 1s to 1h',
    defaultText: '2m',
    read: durationBetween('1s', '1h'),
  }),
  wait: flag({
    name: '--wait',
    placeholder: 'DURATION',
    help: 'ask again until every node passes, at most this long, 1s to 24h',
    read: durationBetween('1s', '24h'),
  }),
  holdFor: flag({
    name: '--for',
    placeholder: 'DURATION',
    help: 'every node must pass each time it is asked for this long, 1s to 24h',
    read: durationBetween('1s', '24h'),
  }),
  verifyInterval: flag({
    name: '--interval',
    placeholder: 'DURATION',
    help: 'time between two rounds of --wait and --for, 1s to 10m',
    defaultText: '15s',
    read: durationBetween('1s', '10m'),
  }),
  concurrency: flag({
    name: '--concurrency',
    placeholder: 'NUMBER',
    help: 'how many agents are asked at a time',
    defaultText: '20',
    read: wholeNumberBetween(1, 200),
  }),
  fleetOutput: flag({
    name: '--output',
    placeholder: FLEET_OUTPUTS.join('|'),
    help: 'a table for people, or the fleet status as JSON, JUnit XML or Markdown',
    defaultText: 'table',
    read: oneOf(FLEET_OUTPUTS),
  }),
  baseline: flag({
    name: '--baseline',
    placeholder: 'FILE',
    help: 'an earlier --output json: say what changed since',
    read: pathSuchAs('before.json'),
  }),
  ignoreFargate: flag({
    name: '--ignore-fargate',
    placeholder: null,
    help: 'nodes on Fargate, where no exporter can run, do not count',
    defaultText: 'false',
    read: readSwitch,
  }),
  ignoreGone: flag({
    name: '--ignore-gone',
    placeholder: null,
    help: 'nodes that answered within the last hour and are no target of Prometheus any more do not count',
    defaultText: 'false',
    read: readSwitch,
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
