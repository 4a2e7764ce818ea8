/** The config of a command line, as main.ts makes it. */
import { parseCommandLine } from '../../src/command-line.ts';
import type { Config } from '../../src/config.ts';
import { UNKNOWN_MACHINE } from './observation.ts';

const HOST = {
  hostname: 'node',
  version: '0.0.0',
  onEc2: false,
  machine: UNKNOWN_MACHINE,
};

export function configOf(...argv: readonly string[]): Config {
  const invocation = parseCommandLine(argv, {}, HOST);
  if (!('config' in invocation)) throw new Error(invocation.text);
  return invocation.config;
}
