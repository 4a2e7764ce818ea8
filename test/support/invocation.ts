/** The config of a command line, as main.ts makes it. */
import { type Config, parseCommandLine } from '../../src/config.ts';

const HOST = {
  hostname: 'node',
  version: '0.0.0',
  onEc2: false,
  machine: { kernel: null, arch: null, vendor: null, model: null },
};

export function configOf(...argv: readonly string[]): Config {
  const invocation = parseCommandLine(argv, {}, HOST);
  if (!('config' in invocation)) throw new Error(invocation.text);
  return invocation.config;
}
