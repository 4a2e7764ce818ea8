/** Command line and environment to what is asked for: a command with its config, a text, or every problem at once. */
import { type Config, type Environment, type Host, makeConfig } from './config.ts';
import { ENVIRONMENT_PREFIX, environmentName, FLAGS, type Flag, namesOf } from './flags.ts';
import { list } from './model/text.ts';
import {
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  type NodeCommandName,
  PROGRAM,
  renderCommandHelp,
  renderHelp,
} from './usage.ts';
import { type Given, type GivenByFlag, shorten, Values } from './values.ts';
import { makeVerifyConfig, type VerifyConfig } from './verify-config.ts';

/** Texts are without their last newline. */
export type Invocation =
  | { readonly kind: NodeCommandName; readonly config: Config }
  | { readonly kind: 'verify'; readonly config: VerifyConfig }
  /** To stdout, exit 0. */
  | { readonly kind: 'text'; readonly text: string }
  /** To stderr, exit 64. */
  | { readonly kind: 'problems'; readonly text: string };

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
  const invocation = invocationOf(command, values, { env, host });
  const problems = [
    ...(command === null
      ? [`${shorten(word ?? '')}: unknown command; the commands are ${COMMAND_NAMES.join(', ')}`]
      : []),
    ...extraWords.map((extra) => `${shorten(extra)}: not expected; after the command there are flags only`),
    ...wrong,
    ...unknownVariables(env),
    ...values.problems,
  ];
  if (invocation !== null && problems.length === 0) return invocation;
  const see = `See '${[PROGRAM, ...(command === null ? [] : [command]), '--help'].join(' ')}'`;
  return { kind: 'problems', text: [...problems, see].join('\n') };
}

/** Null where the command is not known; what is wrong with the values is found in any case. */
function invocationOf(
  command: CommandName | null,
  values: Values,
  { env, host }: { readonly env: Environment; readonly host: Host },
): Invocation | null {
  if (command === 'verify') return { kind: command, config: makeVerifyConfig(values, { env, host }) };
  const config = makeConfig(values, command, { env, host });
  return command && { kind: command, config };
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
  if (owners.length > 0) return `${name}: not a flag of ${command}; it is one of ${list(owners)}`;
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
