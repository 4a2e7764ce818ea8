import { describe, expect, test } from 'vitest';
import { configOf, HOST, problemsOf } from './support/command-line.ts';

describe('defaults', () => {
  test('the agent', () => {
    expect(configOf('')).toEqual({
      settings: {
        nodeName: 'ip-192-168-1-204',
        version: '0.1.0',
        clients: [
          { name: 'kubelet', required: true },
          { name: 'kube-proxy', required: false },
        ],
        expect: 'any',
        xEnis: [],
        vpcCidrs: [],
        attribution: 'process',
        probeIntervalMs: 60_000,
        onEc2: true,
        service: null,
        scanIntervalMs: 10_000,
        staleAfterMs: 600_000,
        unexpectedAfterMs: 600_000,
      },
      endpoint: null,
      caFile: null,
      kubernetes: false,
      kubernetesService: null,
      imds: 'auto',
      imdsEndpoint: 'http://169.254.169.254',
      outsideResolver: null,
      procfsPath: '/proc',
      machine: HOST.machine,
      listenAddresses: [{ host: null, port: 10943 }],
      logLevel: 'info',
      logFormat: 'logfmt',
      output: 'table',
      phaseMs: 20_000,
      once: false,
      until: null,
      timeoutMs: null,
      agentUrl: null,
    });
  });

  test('check takes another route than the expected one for a finding at once', () => {
    expect(configOf('check --stale-after 5m').settings).toMatchObject({
      staleAfterMs: 300_000,
      unexpectedAfterMs: 0,
    });
  });

  test('the demo expects X-ENIs, is stale after one phase and serves this machine only', () => {
    const config = configOf('demo --phase 5s --once');
    expect(config.settings).toMatchObject({ expect: 'x-eni', staleAfterMs: 5000, unexpectedAfterMs: 5000 });
    expect(config).toMatchObject({ phaseMs: 5000, once: true });
    expect(config.listenAddresses).toEqual([{ host: '127.0.0.1', port: 10943 }]);
  });

  test('the demo asks nobody outside, whatever the environment says', () => {
    const env = {
      KUBERNETES_SERVICE_HOST: '172.20.0.1',
      EKS_ENDPOINT_KUBERNETES: 'true',
      EKS_ENDPOINT_IMDS: 'on',
      EKS_ENDPOINT_OUTSIDE_RESOLVER: '8.8.8.8',
      EKS_ENDPOINT_PROBE: 'false',
    };
    const config = configOf('demo', env);
    expect(config).toMatchObject({ kubernetes: false, imds: 'off', outsideResolver: null });
    expect(config.settings.probeIntervalMs).not.toBe(null);
  });

  test.each([
    ['3s', 1000],
    ['20s', 5000],
    ['10m', 60_000],
  ])('the demo probes four times in a phase of %s, but not below 1s nor above the usual 60s', (phase, ms) => {
    expect(configOf(`demo --phase ${phase}`).settings.probeIntervalMs).toBe(ms);
  });
});

describe('watch', () => {
  test('looks each second, and judges ages as the agent does', () => {
    const config = configOf('watch');
    expect(config.settings).toMatchObject({ scanIntervalMs: 1_000, unexpectedAfterMs: 600_000 });
    expect(config).toMatchObject({ until: null, timeoutMs: null, agentUrl: null, output: 'table' });
    expect(configOf('watch --interval 5s').settings.scanIntervalMs).toBe(5_000);
  });

  test('waits for a route or a gate', () => {
    expect(configOf('watch --until x-eni --timeout 15m')).toMatchObject({
      until: 'x-eni',
      timeoutMs: 900_000,
    });
    expect(configOf('watch --until public-free').until).toBe('public-free');
    expect(problemsOf('watch --until private')[0]).toBe(
      '--until "private": unknown; give x-eni or public-free',
    );
  });

  test('of an agent that looks by its own flags, what the command line says of looking would be forgotten', () => {
    const env = { EKS_ENDPOINT_EXPECT: 'x-eni' };
    expect(configOf('watch --agent http://127.0.0.1:10943/', env).agentUrl).toBe('http://127.0.0.1:10943');
    expect(problemsOf('watch --agent http://127.0.0.1:10943 --expect x-eni --no-probe')).toEqual([
      '--expect: the agent at --agent looks by its own flags; leave it out',
      '--probe: the agent at --agent looks by its own flags; leave it out',
      "See 'eks-endpoint-exporter watch --help'",
    ]);
  });

  test.each([
    ['127.0.0.1:10943', 'not an http or https URL'],
    ['ftp://127.0.0.1', 'not an http or https URL'],
    ['http://', 'not an http or https URL'],
    ['http://me:secret@127.0.0.1', 'a user or password does not belong here'],
    ['http://127.0.0.1/?a=b', 'a query or fragment does not belong here'],
    ['http://127.0.0.1/#', 'a query or fragment does not belong here'],
  ])('--agent %s: %s', (url, problem) => {
    expect(problemsOf(['watch', '--agent', url])[0]).toBe(
      `--agent "${url}": ${problem}; give one such as http://127.0.0.1:10943`,
    );
  });
});
