import { expect, test } from 'vitest';
import { environmentName, FLAGS } from '../src/flags.ts';
import { COMMAND_NAMES, renderCommandHelp, renderHelp } from '../src/usage.ts';

test('the general help lists the commands and how to get their help', () => {
  const help = renderHelp();
  for (const name of COMMAND_NAMES) expect(help).toMatch(new RegExp(`^ {2}${name} +\\w`, 'm'));
  expect(help).toContain('COMMAND --help');
});

test("a command's help lists its flags with their variables and defaults, and its exit codes", () => {
  const help = renderCommandHelp('check');
  expect(help).toContain('Usage: eks-endpoint-exporter check [flags]');
  expect(help).toMatch(/--stale-after DURATION\n.*\n.*EKS_ENDPOINT_STALE_AFTER; default 10m/);
  expect(help).toMatch(/--x-eni CIDR\n.*\n.*EKS_ENDPOINT_X_ENI; can be repeated/);
  expect(help).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}64 /);
  expect(help).not.toContain('--phase');
  expect(help).toMatch(/ {2}--\[no-\]probe\n.*\n.*\(EKS_ENDPOINT_PROBE; default true\)/);
  expect(help).toMatch(/ {2}--\[no-\]kubernetes\n.*\n.*\(EKS_ENDPOINT_KUBERNETES\)/);
  expect(help).toMatch(/--imds auto\|on\|off\n.*\n.*\(EKS_ENDPOINT_IMDS; default auto\)/);
  expect(renderCommandHelp('agent')).toContain('default :10943');
  expect(renderCommandHelp('demo')).toContain('default 127.0.0.1:10943');
  expect(renderCommandHelp('demo')).toMatch(/--once\n.*\n.*\(EKS_ENDPOINT_ONCE\)/);
});

test('every flag is in the help of a command', () => {
  const help = COMMAND_NAMES.map(renderCommandHelp).join('\n');
  for (const flag of Object.values(FLAGS)) {
    expect(help).toContain(`  ${flag.negatable ? flag.name.replace('--', '--[no-]') : flag.name}`);
    expect(help).toContain(`(${environmentName(flag)}`);
  }
});
