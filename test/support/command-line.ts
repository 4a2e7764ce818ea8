/** Command lines as people type them, and what comes of them. */
import { parseCommandLine } from '../../src/command-line.ts';
import type { Config, Environment } from '../../src/config.ts';
import type { VerifyConfig } from '../../src/verify-config.ts';
import { nodeConfigOf, verifyConfigFrom } from './invocation.ts';

export const HOST = {
  hostname: 'ip-192-168-1-204',
  version: '0.1.0',
  machine: { kernel: '6.12.40', arch: 'x64', vendor: null, model: null },
  onEc2: true,
};

export function parse(line: string | readonly string[], env: Environment = {}) {
  return parseCommandLine(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, env, HOST);
}

export function configOf(line: string | readonly string[], env: Environment = {}): Config {
  return nodeConfigOf(parse(line, env));
}

export function problemsOf(line: string | readonly string[], env: Environment = {}): readonly string[] {
  const invocation = parse(line, env);
  if (invocation.kind !== 'problems') throw new Error(`no problems, but ${invocation.kind}`);
  return invocation.text.split('\n');
}

export function textOf(line: string): string {
  const invocation = parse(line);
  if (invocation.kind !== 'text') throw new Error(`no text, but ${invocation.kind}`);
  return invocation.text;
}

export function verifyConfigOf(line: string | readonly string[], env: Environment = {}): VerifyConfig {
  return verifyConfigFrom(parse(line, env));
}
