/** What `agent`, `check`, `watch` and `demo` run with. */
import { FLAGS, type ImdsWish, type Output } from './flags.ts';
import type { LogFormat, LogLevel } from './log.ts';
import { parseAddress } from './model/address.ts';
import { type EndpointAddress, HTTPS_PORT, parsePort } from './model/endpoint.ts';
import type { Machine } from './model/machine.ts';
import type { ClientSetting, ServiceSetting, Settings } from './model/settings.ts';
import type { WatchGoal } from './model/watched.ts';
import type { ListenAddress } from './output/server.ts';
import { NODE_FLAGS, type NodeCommandName } from './usage.ts';
import type { Values } from './values.ts';

/** What a command runs with. What is no flag of the command has the flag's default. */
export interface Config {
  readonly settings: Settings;
  /** Null: to be discovered. */
  readonly endpoint: EndpointAddress | null;
  /** The cluster's CA, PEM; null: the kubeconfig's, else the service account's. */
  readonly caFile: string | null;
  /** Whether the EndpointSlice is read. */
  readonly kubernetes: boolean;
  /** Null where the agent does not run in a pod. */
  readonly kubernetesService: KubernetesService | null;
  readonly imds: ImdsWish;
  /** `http://host[:port]` or `https://host[:port]`, an IPv6 address in brackets. */
  readonly imdsEndpoint: string;
  /** As `Resolver.setServers` of node:dns takes it; null: none is asked. */
  readonly outsideResolver: string | null;
  readonly procfsPath: string;
  /** What is known of the machine at once: by the kernel and by its firmware. */
  readonly machine: Machine;
  readonly listenAddresses: readonly ListenAddress[];
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly output: Output;
  readonly phaseMs: number;
  readonly once: boolean;
  readonly until: WatchGoal | null;
  /** Null: without end. */
  readonly timeoutMs: number | null;
  /** A running agent that is followed instead of looking at this node: a URL without its last slash. */
  readonly agentUrl: string | null;
}

/** Where pods reach the API server, as Kubernetes says it in every container's environment. */
interface KubernetesService {
  /** An address, IPv6 without brackets; where it was set by hand it may be a name. */
  readonly host: string;
  readonly port: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the machine says of itself, and the version of this program. */
export interface Host {
  readonly hostname: string;
  readonly machine: Machine;
  /** Whether it is an EC2 instance, by its firmware. */
  readonly onEc2: boolean;
  readonly version: string;
}

const ALWAYS_CLIENTS = ['kubelet', 'kube-proxy'];

export function makeConfig(
  values: Values,
  command: NodeCommandName | null,
  { env, host }: { readonly env: Environment; readonly host: Host },
): Config {
  const isDemo = command === 'demo';
  const isWatch = command === 'watch';
  const endpoint = values.optional(FLAGS.endpoint);
  const caFile = values.optional(FLAGS.caFile);
  const clients = clientSettings(values.all(FLAGS.client), values.all(FLAGS.requireClient));
  const xEnis = values.all(FLAGS.xEni);
  const vpcCidrs = values.all(FLAGS.vpcCidr);
  const expect = values.one(FLAGS.expect);
  const scanIntervalMs = values.one(isWatch ? FLAGS.interval : FLAGS.scanInterval);
  const phaseMs = values.one(FLAGS.phase);
  const staleAfterGivenMs = values.one(FLAGS.staleAfter);
  const staleAfterMs = isDemo ? phaseMs : staleAfterGivenMs;
  const probe = values.one(FLAGS.probe);
  const probeIntervalGivenMs = values.one(FLAGS.probeInterval);
  const probeIntervalMs = isDemo
    ? Math.min(probeIntervalGivenMs, Math.max(1000, phaseMs / 4))
    : probeIntervalGivenMs;
  const attribution = values.one(FLAGS.attribution);
  const service = kubernetesService(env);
  const kubernetes = values.optional(FLAGS.kubernetes) ?? service !== null;
  const imds = values.one(FLAGS.imds);
  const agentUrl = values.optional(FLAGS.agent);
  if (isWatch && agentUrl !== null) {
    for (const { name } of NODE_FLAGS.filter((flag) => values.isOnCommandLine(flag)))
      values.problems.push(`${name}: the agent at ${FLAGS.agent.name} looks by its own flags; leave it out`);
  }
  return {
    settings: {
      nodeName: values.optional(FLAGS.nodeName) ?? (env['NODE_NAME'] || host.hostname),
      version: host.version,
      clients,
      expect: isDemo ? 'x-eni' : expect,
      xEnis,
      vpcCidrs,
      attribution,
      probeIntervalMs: probe ? probeIntervalMs : null,
      onEc2: host.onEc2,
      service: serviceSetting(service),
      scanIntervalMs,
      staleAfterMs,
      // `check` looks for seconds only: what it sees is what it judges.
      unexpectedAfterMs: command === 'check' ? 0 : staleAfterMs,
    },
    endpoint,
    caFile,
    // Nothing leaves the machine that the demo runs on.
    kubernetes: kubernetes && !isDemo,
    kubernetesService: service,
    imds: isDemo ? 'off' : imds,
    imdsEndpoint: values.one(FLAGS.imdsEndpoint),
    outsideResolver: values.optional(FLAGS.outsideResolver),
    procfsPath: values.one(FLAGS.procfsPath),
    machine: host.machine,
    listenAddresses: values.all(isDemo ? FLAGS.demoListenAddress : FLAGS.listenAddress),
    logLevel: values.one(FLAGS.logLevel),
    logFormat: values.one(FLAGS.logFormat),
    output: values.one(FLAGS.output),
    phaseMs,
    once: values.one(FLAGS.once),
    until: values.optional(FLAGS.until),
    timeoutMs: values.optional(FLAGS.timeout),
    agentUrl,
  };
}

/** Kubernetes puts these into every container. */
export function kubernetesService(env: Environment): KubernetesService | null {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = parsePort(env['KUBERNETES_SERVICE_PORT'] ?? '') ?? HTTPS_PORT;
  return host === '' ? null : { host, port };
}

/** Null also where the Service is known by a name only: a socket's peer is compared with an address. */
function serviceSetting(service: KubernetesService | null): ServiceSetting | null {
  const address = parseAddress(service?.host ?? '');
  return service && address && { address, port: service.port };
}

function clientSettings(more: readonly string[], required: readonly string[]): readonly ClientSetting[] {
  const names = new Set([...ALWAYS_CLIENTS, ...more, ...required]);
  return [...names].map((name) => ({ name, required: required.includes(name) }));
}
