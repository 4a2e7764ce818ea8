import { describe, expect, test } from 'vitest';
import { environmentName, FLAGS, type Flag, namesOf } from '../src/flags.ts';

describe('the table', () => {
  test.each(Object.entries(FLAGS))('the default of %s is a good value', (_, flag: Flag<unknown>) => {
    if (flag.defaultText !== null) expect(flag.read(flag.defaultText)).toHaveProperty('value');
  });

  test('each flag has one name in the environment', () => {
    expect(environmentName(FLAGS.scanInterval)).toBe('EKS_ENDPOINT_SCAN_INTERVAL');
    expect(environmentName(FLAGS.procfsPath)).toBe('EKS_ENDPOINT_PATH_PROCFS');
    expect(environmentName(FLAGS.listenAddress)).toBe('EKS_ENDPOINT_WEB_LISTEN_ADDRESS');
    const flags: readonly Flag<unknown>[] = Object.values(FLAGS);
    const flagNames = new Set(flags.map((flag) => flag.name));
    expect(new Set(flags.map(environmentName)).size).toBe(flagNames.size);
  });

  test('a switch that is on without being asked for can be turned off', () => {
    expect(namesOf(FLAGS.probe)).toEqual(['--probe', '--no-probe']);
    expect(namesOf(FLAGS.kubernetes)).toEqual(['--kubernetes', '--no-kubernetes']);
    expect(namesOf(FLAGS.once)).toEqual(['--once']);
    const flags: readonly Flag<unknown>[] = Object.values(FLAGS);
    for (const flag of flags.filter(({ negatable }) => negatable)) expect(flag.placeholder).toBe(null);
  });

  test('no name in the environment is one that Kubernetes makes for a Service', () => {
    // kubelet's docker-link variables: {SVC}_SERVICE_HOST, {SVC}_SERVICE_PORT[_NAME], {SVC}_PORT[_443_TCP...]
    for (const flag of Object.values(FLAGS)) {
      expect(environmentName(flag)).not.toMatch(/_SERVICE_HOST$|_SERVICE_PORT|_PORT$|_PORT_\d/);
    }
  });
});
