/** Command line and environment to what is asked for: a command with its config, a text, or every problem at once. */
import {
  ENVIRONMENT_PREFIX,
  environmentName,
  FLAGS,
  type Flag,
  type ImdsWish,
  namesOf,
  type Output,
} from './flags.ts';
import { type LogFormat, type LogLevel, quote } from './log.ts';
import { parseAddress } from './model/address.ts';
import { type EndpointAddress, HTTPS_PORT, parsePort } from './model/endpoint.ts';
import type { Machine } from './model/machine.ts';
import type { ClientSetting, ServiceSetting, Settings } from './model/settings.ts';
import type { ListenAddress } from './output/server.ts';
import {
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  PROGRAM,
  renderCommandHelp,
  renderHelp,
} from './usage.ts';

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
}

/** Where pods reach the API server, as Kubernetes says it in every container's environment. */
interface KubernetesService {
  /** An address, IPv6 without brackets; where it was set by hand it may be a name. */
  readonly host: string;
  readonly port: number;
}

/** Texts are without their last newline. */
export type Invocation =
  | { readonly kind: CommandName; readonly config: Config }
  /** To stdout, exit 0. */
  | { readonly kind: 'text'; readonly text: string }
  /** To stderr, exit 64. */
  | { readonly kind: 'problems'; readonly text: string };

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

/**
 * Reads the arguments (without node and script) and the environment. The flag wins over the environment, the
 * last of a flag given twice over the first; an empty variable counts as not set, one of another command's flags is
 * not looked at.
 */
export function parseCommandLine(argv: readonly string[], env: Environment, host: Host): Invocation {
  const { words, options } = splitArguments(argv);
  const [word, ...extraWords] = words;
  const command = word === undefined ? 'agent' : (COMMAND_NAMES.find((name) => name === word) ?? null);
  const asks = (...names: string[]) => options.some((option) => names.includes(option.name));
  if (command !== null && asks('--help', '-h')) {
    return { kind: 'text', text: word === undefined ? renderHelp() : renderCommandHelp(command) };
  }
  if (command !== null && asks('--version')) return { kind: 'text', text: `${PROGRAM} ${host.version}` };

  const { given, wrong } = assignOptions(options, command);
  const values = new Values({ ...environmentValues(env, command), ...given });
  const config = makeConfig(values, command, { env, host });
  const problems = [
    ...(command === null
      ? [`${shorten(word ?? '')}: unknown command; the commands are ${COMMAND_NAMES.join(', ')}`]
      : []),
    ...extraWords.map((extra) => `${shorten(extra)}: not expected; after the command there are flags only`),
    ...wrong,
    ...unknownVariables(env),
    ...values.problems,
  ];
  if (command !== null && problems.length === 0) return { kind: command, config };
  const see = `See '${[PROGRAM, ...(command === null ? [] : [command]), '--help'].join(' ')}'`;
  return { kind: 'problems', text: [...problems, see].join('\n') };
}

/** Flags without a function of their own: they ask for a text. */
const ASKING = ['--help', '-h', '--version'];

interface Option {
  readonly name: string;
  /** Null where there is none. */
  readonly text: string | null;
}

/** The command and other bare words, and the flags with their values; any flag of any command is known here. */
function splitArguments(argv: readonly string[]): { words: readonly string[]; options: readonly Option[] } {
  const words: string[] = [];
  const options: Option[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') {
      words.push(...rest.splice(0));
    } else if (!/^-./s.test(argument)) {
      words.push(argument);
    } else if (argument.includes('=')) {
      const equals = argument.indexOf('=');
      options.push({ name: argument.slice(0, equals), text: argument.slice(equals + 1) });
    } else {
      const text = takesValue(argument, rest[0]) ? (rest.shift() ?? null) : null;
      options.push({ name: argument, text });
    }
  }
  return { words, options };
}

/** Whether `next` is the value of the flag before it. That of an unknown flag is, unless it is a command. */
function takesValue(name: string, next: string | undefined): boolean {
  if (next === undefined || next.startsWith('--') || next === '-h') return false;
  const flag = findFlag(Object.values(FLAGS), name);
  if (flag !== undefined) return flag.placeholder !== null;
  return !ASKING.includes(name) && !COMMAND_NAMES.some((command) => command === next);
}

/** A text that was given for a flag, and by what. */
interface Given {
  readonly by: string;
  readonly text: string;
}

type GivenByFlag = Readonly<Record<string, readonly Given[]>>;

/** The flags of the command; all of them where the command is not known. */
function flagsOf(command: CommandName | null): readonly Flag<unknown>[] {
  return command === null ? Object.values(FLAGS) : COMMANDS[command].flags;
}

function findFlag(flags: readonly Flag<unknown>[], name: string): Flag<unknown> | undefined {
  return flags.find((flag) => namesOf(flag).includes(name));
}

function assignOptions(
  options: readonly Option[],
  command: CommandName | null,
): { readonly given: GivenByFlag; readonly wrong: readonly string[] } {
  const given: Record<string, Given[]> = {};
  const wrong: string[] = [];
  for (const { name, text } of options) {
    if (ASKING.includes(name)) continue;
    const flag = findFlag(flagsOf(command), name);
    if (flag === undefined) {
      wrong.push(describeUnknown(name, command));
    } else if (name !== flag.name && text !== null) {
      wrong.push(`${name} ${shorten(text)}: takes no value; give ${flag.name} for on and ${name} for off`);
    } else if (text === null && flag.placeholder !== null) {
      wrong.push(`${name}: without a value; give ${name}=${flag.placeholder}`);
    } else {
      const switchText = name === flag.name ? 'true' : 'false';
      given[flag.name] = [...(given[flag.name] ?? []), { by: name, text: text ?? switchText }];
    }
  }
  return { given, wrong };
}

function environmentValues(env: Environment, command: CommandName | null): GivenByFlag {
  const given: Record<string, Given[]> = {};
  for (const flag of flagsOf(command)) {
    const by = environmentName(flag);
    const texts = flag.repeatable ? (env[by] ?? '').split(',').map((item) => item.trim()) : [env[by] ?? ''];
    const set = texts.filter((text) => text !== '');
    if (set.length > 0) given[flag.name] = set.map((text) => ({ by, text }));
  }
  return given;
}

/** Reads the values of flags and collects what is wrong with them. */
class Values {
  readonly problems: string[] = [];
  readonly #given: GivenByFlag;

  constructor(given: GivenByFlag) {
    this.#given = given;
  }

  /** The last value given; null where there is none or it is wrong. */
  optional<T>(flag: Flag<T>): T | null {
    return this.#read(flag).at(-1) ?? null;
  }

  /** The last value given, else the default. */
  one<T>(flag: Flag<T>): T {
    return this.optional(flag) ?? defaultOf(flag);
  }

  /** The values given, else the default, if there is one. */
  all<T>(flag: Flag<T>): readonly T[] {
    const values = this.#read(flag);
    return values.length > 0 || flag.defaultText === null ? values : [defaultOf(flag)];
  }

  #read<T>(flag: Flag<T>): readonly T[] {
    return (this.#given[flag.name] ?? []).flatMap(({ by, text }) => {
      const reading = flag.read(text);
      if ('value' in reading) return [reading.value];
      this.problems.push(`${by} ${shorten(text)}: ${reading.problem}`);
      return [];
    });
  }
}

function defaultOf<T>(flag: Flag<T>): T {
  const reading = flag.read(flag.defaultText ?? '');
  if ('value' in reading) return reading.value;
  throw new TypeError(`Cannot use the default of ${flag.name}: ${reading.problem}`);
}

function makeConfig(
  values: Values,
  command: CommandName | null,
  { env, host }: { readonly env: Environment; readonly host: Host },
): Config {
  const isDemo = command === 'demo';
  const endpoint = values.optional(FLAGS.endpoint);
  const caFile = values.optional(FLAGS.caFile);
  const clients = clientSettings(values.all(FLAGS.client), values.all(FLAGS.requireClient));
  const xEnis = values.all(FLAGS.xEni);
  const vpcCidrs = values.all(FLAGS.vpcCidr);
  const expect = values.one(FLAGS.expect);
  const scanIntervalMs = values.one(FLAGS.scanInterval);
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
  };
}

/** Kubernetes puts these into every container. */
function kubernetesService(env: Environment): KubernetesService | null {
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

/** As Kubernetes puts a Service into containers: `NAME_SERVICE_PORT_METRICS`, `NAME_PORT_80_TCP_ADDR`. */
const OF_A_SERVICE =
  /^(?<service>\w+?)_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** A setting that is misspelt must not be a setting that is forgotten. */
function unknownVariables(env: Environment): readonly string[] {
  const flags = Object.values(FLAGS);
  const names = flags.map(environmentName);
  return Object.entries(env)
    .filter(([name, text]) => name.startsWith(ENVIRONMENT_PREFIX) && text !== undefined)
    .filter(([name]) => !names.includes(name) && !isOfAService(name, env))
    .map(([name, text = '']) => {
      const negated = flags.find(
        (flag) => flag.negatable && environmentName(flag) === name.replace('_NO_', '_'),
      );
      const near = negated === undefined ? nearest(name, names) : `${environmentName(negated)}=false`;
      return `${name} ${shorten(text)}: unknown variable${near === null ? '' : `; did you mean ${near}?`}`;
    });
}

/** Kubernetes sets all of a Service's variables, its host among them. */
function isOfAService(name: string, env: Environment): boolean {
  const service = OF_A_SERVICE.exec(name)?.groups?.['service'];
  return service !== undefined && env[`${service}_SERVICE_HOST`] !== undefined;
}

function describeUnknown(name: string, command: CommandName | null): string {
  const owners = COMMAND_NAMES.filter((other) => findFlag(flagsOf(other), name) !== undefined);
  if (owners.length > 0) return `${name}: not a flag of ${command}; it is one of ${owners.join(' and ')}`;
  const names = [...flagsOf(command).flatMap(namesOf), '--help', '--version'];
  const near = nearest(name, names);
  return `${shorten(name)}: unknown flag${near === null ? '' : `; did you mean ${near}?`}`;
}

/** The name that takes the fewest edits to reach, if these are few. */
function nearest(name: string, names: readonly string[]): string | null {
  const [best] = names
    .map((candidate) => ({ candidate, edits: countEdits(name.slice(0, 40), candidate) }))
    .sort((one, other) => one.edits - other.edits);
  return best !== undefined && best.edits <= Math.min(3, name.length / 3) ? best.candidate : null;
}

/** Levenshtein's distance: characters inserted, removed or replaced. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [done, character] of [...from].entries()) {
    const next = [done + 1];
    for (const [index, wanted] of [...to].entries()) {
      const replaced = (row[index] ?? 0) + (character === wanted ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

const LONGEST_SHOWN = 80;

/** The text in quotes, safe to print on a terminal, and cut where it is long. */
function shorten(text: string): string {
  return text.length > LONGEST_SHOWN ? `${quote(text.slice(0, LONGEST_SHOWN))}...` : quote(text);
}
