/** What `verify` runs with. */
import { delimiter, join } from 'node:path';
import { type Environment, type Host, kubernetesService } from './config.ts';
import { FLAGS, type Flag, type FleetOutput } from './flags.ts';
import type { FleetTarget, KubernetesTarget, PrometheusTarget } from './fleet/source.ts';
import type { GateName } from './model/status.ts';
import type { GateFor } from './readings.ts';
import { KUBERNETES_FLAGS, PROMETHEUS_FLAGS } from './usage.ts';
import { shorten, type Values } from './values.ts';

export interface VerifyConfig {
  readonly version: string;
  readonly target: FleetTarget;
  readonly gate: GateName;
  /** The first whose selector fits a node gives its gate. */
  readonly gateFor: readonly GateFor[];
  /** Fewer nodes that pass are no pass. At least 1. */
  readonly minNodes: number;
  /** An older answer is none. */
  readonly maxAgeMs: number;
  /** Until when the fleet must begin to pass; null: it is asked once. */
  readonly waitMs: number | null;
  /** For how long it must go on passing; null: one answer will do. */
  readonly forMs: number | null;
  /** Between two rounds. */
  readonly intervalMs: number;
  readonly output: FleetOutput;
  readonly baselineFile: string | null;
  readonly ignoreFargate: boolean;
  readonly ignoreGone: boolean;
}

const SOURCES = [FLAGS.prometheus, FLAGS.kubernetesSource, FLAGS.agents];
const SOURCES_TEXT = '--prometheus=URL, --kubernetes or --agent=URL';

/** Problems go to `values`; the config is of use only where there is none. */
export function makeVerifyConfig(
  values: Values,
  { env, host }: { readonly env: Environment; readonly host: Host },
): VerifyConfig {
  const target = makeTarget(values, env);
  return {
    version: host.version,
    target,
    gate: values.one(FLAGS.gate),
    gateFor: values.all(FLAGS.gateFor),
    minNodes: values.one(FLAGS.minNodes),
    maxAgeMs: values.one(FLAGS.maxAge),
    waitMs: values.optional(FLAGS.wait),
    forMs: values.optional(FLAGS.holdFor),
    intervalMs: values.one(FLAGS.verifyInterval),
    output: values.one(FLAGS.fleetOutput),
    baselineFile: values.optional(FLAGS.baseline),
    ignoreFargate: values.one(FLAGS.ignoreFargate),
    ignoreGone: values.one(FLAGS.ignoreGone),
  };
}

function makeTarget(values: Values, env: Environment): FleetTarget {
  const kubernetes = values.one(FLAGS.kubernetesSource);
  const concurrency = values.one(FLAGS.concurrency);
  // --kubernetes has a namesake: in the environment it may be false.
  const given = SOURCES.filter((flag) =>
    flag === FLAGS.kubernetesSource ? kubernetes : values.isGiven(flag),
  );
  const onCommandLine = given.filter((flag) => values.isOnCommandLine(flag));
  const sources = onCommandLine.length > 0 ? onCommandLine : given;
  if (sources.length !== 1) {
    const who =
      sources.length === 0 ? 'nothing says' : `${sources.map(({ name }) => name).join(' and ')}: each says`;
    values.problems.push(`${who} where the answers come from; give one of ${SOURCES_TEXT}`);
  }
  const targets = {
    prometheus: makePrometheusTarget(values),
    kubernetes: {
      kind: 'kubernetes',
      context: values.optional(FLAGS.context),
      namespace: values.one(FLAGS.namespace),
      kubeconfig: kubeconfigFiles(env),
      service: kubernetesService(env),
      concurrency,
    },
    agents: { kind: 'agents', urls: agentUrls(values), concurrency },
  } as const;
  const [source] = sources;
  if (source !== FLAGS.prometheus) refuse(values, PROMETHEUS_FLAGS, FLAGS.prometheus);
  if (source !== FLAGS.kubernetesSource) refuse(values, KUBERNETES_FLAGS, FLAGS.kubernetesSource);
  if (source === FLAGS.kubernetesSource) return targets.kubernetes;
  return source === FLAGS.agents ? targets.agents : targets.prometheus;
}

/** The answers of one agent would look like two nodes of one name. */
function agentUrls(values: Values): readonly string[] {
  const urls = values.all(FLAGS.agents);
  for (const url of new Set(urls.filter((one, index) => urls.indexOf(one) !== index)))
    values.problems.push(`${FLAGS.agents.name} ${shorten(url)}: given twice; give it once`);
  return urls;
}

/** As kubectl finds them. */
function kubeconfigFiles(env: Environment): KubernetesTarget['kubeconfig'] {
  const files = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (files.length > 0) return { files, given: true };
  const home = env['HOME'] || env['USERPROFILE'] || '';
  return { files: home === '' ? [] : [join(home, '.kube', 'config')], given: false };
}

function makePrometheusTarget(values: Values): PrometheusTarget {
  const target = {
    kind: 'prometheus',
    url: values.optional(FLAGS.prometheus) ?? '',
    matchers: values.all(FLAGS.prometheusMatcher),
    bearerTokenFile: values.optional(FLAGS.prometheusBearerTokenFile),
    username: values.optional(FLAGS.prometheusUsername),
    passwordFile: values.optional(FLAGS.prometheusPasswordFile),
    caFile: values.optional(FLAGS.prometheusCaFile),
    certFile: values.optional(FLAGS.prometheusCertFile),
    keyFile: values.optional(FLAGS.prometheusKeyFile),
  } as const;
  for (const [one, other] of TOGETHER.filter((pair) => values.isGiven(pair[0]) !== values.isGiven(pair[1])))
    values.problems.push(`${one.name} and ${other.name}: one without the other; give both`);
  if (target.bearerTokenFile !== null && target.username !== null)
    values.problems.push(
      `${FLAGS.prometheusBearerTokenFile.name} and ${FLAGS.prometheusUsername.name}: each says who asks; give one`,
    );
  return target;
}

const TOGETHER = [
  [FLAGS.prometheusUsername, FLAGS.prometheusPasswordFile],
  [FLAGS.prometheusCertFile, FLAGS.prometheusKeyFile],
] as const;

/** What the command line gives for another source than the one that is asked would be forgotten silently. */
function refuse(values: Values, flags: readonly Flag<unknown>[], source: Flag<unknown>): void {
  for (const { name } of flags.filter((flag) => values.isOnCommandLine(flag)))
    values.problems.push(`${name}: of use with ${source.name} only; leave it out`);
}
