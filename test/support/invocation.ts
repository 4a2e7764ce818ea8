/** The config of a command line, as main.ts makes it. */

import { type Invocation, parseCommandLine } from '../../src/command-line.ts';
import type { Config } from '../../src/config.ts';
import type { VerifyConfig } from '../../src/verify-config.ts';
import { UNKNOWN_MACHINE } from './observation.ts';

const HOST = {
  hostname: 'node',
  version: '0.0.0',
  onEc2: false,
  machine: UNKNOWN_MACHINE,
};

export function configOf(...argv: readonly string[]): Config {
  return nodeConfigOf(parseCommandLine(argv, {}, HOST));
}

/** The config of a command that looks at one node; throws what is wrong. */
export function nodeConfigOf(invocation: Invocation): Config {
  if ('text' in invocation) throw new Error(invocation.text);
  if (invocation.kind === 'verify') throw new Error('verify looks at no node');
  return invocation.config;
}

export function verifyConfigFrom(invocation: Invocation): VerifyConfig {
  if ('text' in invocation) throw new Error(invocation.text);
  if (invocation.kind !== 'verify') throw new Error(`${invocation.kind} looks at one node`);
  return invocation.config;
}
