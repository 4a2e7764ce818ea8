/** The commands, their flags and exit codes, and `--help` made of them. */
import { environmentName, FLAGS, type Flag } from './flags.ts';

export const COMMAND_NAMES = ['agent', 'check', 'watch', 'verify', 'demo'] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];
/** Those that look at one node. */
export type NodeCommandName = Exclude<CommandName, 'verify'>;

interface Command {
  readonly summary: string;
  readonly flags: readonly Flag<unknown>[];
  readonly exits: readonly string[];
}

export const PROGRAM = 'eks-endpoint-exporter';
const USAGE_EXIT = '64  a flag, an environment variable or an argument is wrong';
const LOG_FLAGS = [FLAGS.logLevel, FLAGS.logFormat];
/** How a node is looked at. */
export const NODE_FLAGS = [
  FLAGS.endpoint,
  FLAGS.caFile,
  FLAGS.client,
  FLAGS.requireClient,
  FLAGS.xEni,
  FLAGS.vpcCidr,
  FLAGS.expect,
  FLAGS.scanInterval,
  FLAGS.staleAfter,
  FLAGS.probe,
  FLAGS.probeInterval,
  FLAGS.attribution,
  FLAGS.kubernetes,
  FLAGS.imds,
  FLAGS.imdsEndpoint,
  FLAGS.outsideResolver,
  FLAGS.procfsPath,
  FLAGS.nodeName,
];

/** How a Prometheus is asked: of use with `--prometheus` only. */
export const PROMETHEUS_FLAGS = [
  FLAGS.prometheusMatcher,
  FLAGS.prometheusBearerTokenFile,
  FLAGS.prometheusUsername,
  FLAGS.prometheusPasswordFile,
  FLAGS.prometheusCaFile,
  FLAGS.prometheusCertFile,
  FLAGS.prometheusKeyFile,
];
/** How Kubernetes is asked: of use with verify's `--kubernetes` only. */
export const KUBERNETES_FLAGS = [FLAGS.context, FLAGS.namespace];

export const COMMANDS: Readonly<Record<CommandName, Command>> = {
  agent: {
    summary: 'Watch this node and serve metrics, a page and the node status (also without a command)',
    flags: [...NODE_FLAGS, FLAGS.listenAddress, ...LOG_FLAGS],
    exits: ['0   ended by SIGTERM', '1   cannot start, as when the port is in use', USAGE_EXIT],
  },
  check: {
    summary: 'Look at this node now and say what route it is on',
    flags: [...NODE_FLAGS, FLAGS.output, ...LOG_FLAGS],
    exits: [
      '0   the expectation holds (with any: the route is x-eni, public, mixed or other); gates and findings do not count',
      '1   it does not hold',
      '2   cannot tell',
      USAGE_EXIT,
    ],
  },
  watch: {
    summary: 'Look at this node again and again, or follow a running agent, and show what changes',
    flags: [
      FLAGS.interval,
      FLAGS.until,
      FLAGS.timeout,
      FLAGS.agent,
      ...NODE_FLAGS.filter((flag) => flag !== FLAGS.scanInterval),
      FLAGS.output,
      ...LOG_FLAGS,
    ],
    exits: [
      '0   what --until names was reached; without it: ended by Ctrl-C, SIGTERM or --timeout',
      '1   it is known not to hold when the time is up',
      '2   cannot tell, ended by Ctrl-C or SIGTERM before it was reached, or nothing was ever seen',
      USAGE_EXIT,
    ],
  },
  verify: {
    summary: 'Ask the agents of all nodes, by Prometheus or Kubernetes, whether every node passes a gate',
    flags: [
      FLAGS.prometheus,
      FLAGS.kubernetesSource,
      FLAGS.agents,
      FLAGS.gate,
      FLAGS.gateFor,
      FLAGS.minNodes,
      FLAGS.maxAge,
      FLAGS.ignoreFargate,
      FLAGS.ignoreGone,
      FLAGS.wait,
      FLAGS.holdFor,
      FLAGS.verifyInterval,
      FLAGS.fleetOutput,
      FLAGS.baseline,
      ...PROMETHEUS_FLAGS,
      ...KUBERNETES_FLAGS,
      FLAGS.concurrency,
    ],
    exits: [
      '0   every node passes',
      '1   a node is known not to pass',
      '2   cannot tell: a node has no answer, or too old a one; the answers span more than one endpoint; nobody could be asked; ended by Ctrl-C or SIGTERM',
      USAGE_EXIT,
    ],
  },
  demo: {
    summary: 'Run the agent on a simulated node that moves to the X-ENIs, on any machine',
    flags: [FLAGS.phase, FLAGS.once, FLAGS.demoListenAddress, ...LOG_FLAGS],
    exits: [
      '0   ended by Ctrl-C, or after one round',
      '1   cannot run, or the agent did not say what a phase is there to show',
      USAGE_EXIT,
    ],
  },
};

export function renderHelp(): string {
  return [
    'Says whether an EKS node reaches its control plane over public addresses or over the X-ENIs in the VPC.',
    '',
    `Usage: ${PROGRAM} [agent] | ${COMMAND_NAMES.slice(1).join(' | ')} [flags]`,
    '',
    'Commands:',
    ...COMMAND_NAMES.map((name) => `  ${name.padEnd(6)} ${COMMANDS[name].summary}`),
    '',
    `'${PROGRAM} COMMAND --help' lists the flags of a command, '${PROGRAM} --version' says the version.`,
  ].join('\n');
}

export function renderCommandHelp(name: CommandName): string {
  const { summary, flags, exits } = COMMANDS[name];
  return [
    `${summary}.`,
    '',
    `Usage: ${PROGRAM} ${name} [flags]`,
    '',
    'Flags, each with its name in the environment; a flag wins over the environment:',
    ...flags.flatMap(renderFlag),
    '',
    'Exit codes:',
    ...exits.map((exit) => `  ${exit}`),
  ].join('\n');
}

function renderFlag(flag: Flag<unknown>): readonly string[] {
  const name = flag.negatable ? `--[no-]${flag.name.slice(2)}` : flag.name;
  // What a switch that can only be turned on is without it goes without saying.
  const showsDefault = flag.placeholder !== null || flag.negatable;
  const notes = [
    environmentName(flag),
    ...(flag.repeatable ? ['can be repeated, in the environment a comma list'] : []),
    ...(flag.defaultText !== null && showsDefault ? [`default ${flag.defaultText}`] : []),
  ];
  return [
    `  ${name}${flag.placeholder === null ? '' : ` ${flag.placeholder}`}`,
    `      ${flag.help}`,
    `      (${notes.join('; ')})`,
  ];
}
