import { describe, expect, test } from 'vitest';
import { renderCommandHelp, renderHelp } from '../src/usage.ts';
import { configOf, parse, problemsOf, textOf } from './support/command-line.ts';

describe('commands', () => {
  test.each([
    ['', 'agent'],
    ['agent', 'agent'],
    ['--expect=x-eni', 'agent'],
    ['check', 'check'],
    ['--expect x-eni check', 'check'],
    ['demo', 'demo'],
    ['watch', 'watch'],
    ['verify --kubernetes', 'verify'],
  ])('"%s" is %s', (line, kind) => {
    expect(parse(line).kind).toBe(kind);
  });

  test('an unknown command is a problem, and so is everything else that is wrong', () => {
    expect(problemsOf('wacht --untill public-free --scan-interval 5x', { EKS_ENDPOINT_PHASE: 'x' })).toEqual([
      '"wacht": unknown command; the commands are agent, check, watch, verify, demo',
      '"--untill": unknown flag; did you mean --until?',
      expect.stringContaining('--scan-interval "5x": not a duration'),
      expect.stringContaining('EKS_ENDPOINT_PHASE "x": not a duration'),
      "See 'eks-endpoint-exporter --help'",
    ]);
  });

  test('further words are problems', () => {
    expect(problemsOf('check demo')[0]).toBe('"demo": not expected; after the command there are flags only');
    expect(problemsOf('demo --once false')[0]).toContain('"false": not expected');
    expect(problemsOf('-- agent --once')[0]).toContain('"--once": not expected');
    expect(problemsOf([''])[0]).toContain('"": unknown command');
  });
});

describe('flags', () => {
  test('every flag of a node reaches the config', () => {
    const config = configOf([
      'agent',
      ...[
        '--endpoint',
        'https://api.example.com:6443',
        '--client=aws-k8s-agent',
        '--require-client',
        'kube-proxy',
      ],
      ...['--x-eni', '10.0.3.0/24', '--x-eni=10.0.4.17', '--vpc-cidr=10.0.0.0/16', '--expect', 'x-eni'],
      ...['--scan-interval', '5s', '--stale-after=1h', '--path.procfs', '/host/proc', '--node-name', 'n1'],
      ...[
        '--ca-file',
        '/ca.crt',
        '--probe-interval=5m',
        '--attribution=address',
        '--kubernetes',
        '--imds',
        'on',
      ],
      ...['--imds-endpoint', 'http://[fd00:ec2::254]/', '--outside-resolver=8.8.8.8:5353'],
      ...['--log.level', 'debug', '--log.format=json'],
      ...['--web.listen-address', '127.0.0.1:0', '--web.listen-address', '[::1]:9'],
    ]);
    expect(config).toMatchObject({
      endpoint: { hostname: 'api.example.com', port: 6443 },
      caFile: '/ca.crt',
      kubernetes: true,
      imds: 'on',
      imdsEndpoint: 'http://[fd00:ec2::254]',
      outsideResolver: '8.8.8.8:5353',
      procfsPath: '/host/proc',
      logLevel: 'debug',
      logFormat: 'json',
      listenAddresses: [
        { host: '127.0.0.1', port: 0 },
        { host: '::1', port: 9 },
      ],
      settings: {
        nodeName: 'n1',
        expect: 'x-eni',
        scanIntervalMs: 5000,
        staleAfterMs: 3_600_000,
        probeIntervalMs: 300_000,
        attribution: 'address',
        xEnis: [{ text: '10.0.3.0/24' }, { text: '10.0.4.17' }],
        vpcCidrs: [{ text: '10.0.0.0/16' }],
        clients: [
          { name: 'kubelet', required: false },
          { name: 'kube-proxy', required: true },
          { name: 'aws-k8s-agent', required: false },
        ],
      },
    });
  });

  test('check writes JSON when asked', () => {
    expect(configOf('check --output=json').output).toBe('json');
  });

  test('of a flag given twice the last one wins, and a wrong first one is still a problem', () => {
    expect(configOf('--scan-interval 5s --scan-interval=7s').settings.scanIntervalMs).toBe(7000);
    expect(problemsOf('--scan-interval x --scan-interval=7s')[0]).toContain('--scan-interval "x"');
  });

  test('a client is there once, however often it is named', () => {
    const { clients } = configOf('--client kubelet --client a --client a --require-client a').settings;
    expect(clients).toEqual([
      { name: 'kubelet', required: false },
      { name: 'kube-proxy', required: false },
      { name: 'a', required: true },
    ]);
  });

  test('a switch takes a value only behind an equals sign', () => {
    expect(configOf('demo --once=false').once).toBe(false);
    expect(configOf('--once demo').once).toBe(true);
  });

  test.each([
    ['', true],
    ['--no-probe', false],
    ['--no-probe --probe', true],
    ['--probe --no-probe', false],
    ['--probe=true --probe=false', false],
    ['--no-probe --probe=1', true],
    ['--no-probe check', false],
    ['--no-probe --probe-interval 5s', false],
  ])('"%s": whether there are probes is %s, as the last one given says', (line, on) => {
    expect(configOf(line).settings.probeIntervalMs !== null).toBe(on);
  });

  test('--no- before a switch takes no value, and is there for no other flag', () => {
    expect(
      problemsOf('--no-probe=false --no-kubernetes= --probe=maybe --no-probe-interval').slice(0, -1),
    ).toEqual([
      '--no-probe "false": takes no value; give --probe for on and --no-probe for off',
      '--no-kubernetes "": takes no value; give --kubernetes for on and --no-kubernetes for off',
      expect.stringMatching(/^"--no-probe-interval": unknown flag/),
      '--probe "maybe": neither true nor false; give true or false',
    ]);
    expect(problemsOf('demo --no-once')[0]).toContain('"--no-once": unknown flag');
  });

  test('a wrong probe interval is a problem also where there are no probes', () => {
    expect(problemsOf('--no-probe --probe-interval 2h')[0]).toContain('--probe-interval "2h": out of range');
  });

  test('a flag without its value says so and hides nothing behind it', () => {
    expect(problemsOf('--endpoint --scan-interval 5x --x-eni')).toEqual([
      '--endpoint: without a value; give --endpoint=HOST[:PORT]',
      '--x-eni: without a value; give --x-eni=CIDR',
      '--scan-interval "5x": not a duration; give a whole number with ms, s, m or h, such as 10s',
      "See 'eks-endpoint-exporter agent --help'",
    ]);
  });

  test('an empty value is a value, and wrong', () => {
    expect(problemsOf('--endpoint=')[0]).toMatch(/^--endpoint "": empty; give /);
    expect(problemsOf(['--node-name', ''])[0]).toMatch(/^--node-name "": not a name; give /);
  });

  test.each([
    ['--scan-intervall 5s', '"--scan-intervall": unknown flag; did you mean --scan-interval?'],
    ['--log-level=debug', '"--log-level": unknown flag; did you mean --log.level?'],
    ['-endpoint x', '"-endpoint": unknown flag; did you mean --endpoint?'],
    ['--hlep', '"--hlep": unknown flag; did you mean --help?'],
    ['--colour', '"--colour": unknown flag'],
    ['--no-prob', '"--no-prob": unknown flag; did you mean --no-probe?'],
    ['demo --no-probe', '--no-probe: not a flag of demo; it is one of agent, check and watch'],
    ['-v', '"-v": unknown flag'],
    ['--__proto__=x', '"--__proto__": unknown flag'],
    ['--output=json', '--output: not a flag of agent; it is one of check, watch and verify'],
    ['demo --endpoint x', '--endpoint: not a flag of demo; it is one of agent, check and watch'],
    [
      'check --web.listen-address :1',
      '--web.listen-address: not a flag of check; it is one of agent and demo',
    ],
  ])('%s is one problem: %s', (line, problem) => {
    const problems = problemsOf(line);
    expect(problems[0]).toBe(problem);
    expect(problems).toHaveLength(2);
  });

  test('an unknown flag does not swallow the command', () => {
    expect(problemsOf('--verbose check').at(-1)).toBe("See 'eks-endpoint-exporter check --help'");
  });

  test('odd and long values are shown escaped and cut', () => {
    const [unknown, escaped, cut] = problemsOf([
      ...['--scan-interval', '\u001b[31m5\n\u202e'],
      ...['--stale-after', 'x'.repeat(10_000)],
      `--${'y'.repeat(10_000)}\n`,
    ]);
    expect(unknown).toBe(`"--${'y'.repeat(78)}"...: unknown flag`);
    expect(escaped).toContain('--scan-interval "\\u001b[31m5\\n\\u202e": not a duration');
    expect(cut).toContain(`--stale-after "${'x'.repeat(80)}"...: not a duration`);
  });
});

describe('the environment', () => {
  test('every flag can be set by it', () => {
    const config = configOf('', {
      EKS_ENDPOINT_ENDPOINT: 'api:6443',
      EKS_ENDPOINT_SCAN_INTERVAL: '3s',
      EKS_ENDPOINT_PATH_PROCFS: '/host/proc',
      EKS_ENDPOINT_X_ENI: '10.0.3.0/24, 10.0.4.0/24,',
      EKS_ENDPOINT_WEB_LISTEN_ADDRESS: '127.0.0.1:1,[::1]:2',
      EKS_ENDPOINT_REQUIRE_CLIENT: 'kubelet,kube-proxy',
    });
    expect(config).toMatchObject({
      endpoint: { hostname: 'api', port: 6443 },
      procfsPath: '/host/proc',
      listenAddresses: [{ port: 1 }, { port: 2 }],
      settings: {
        scanIntervalMs: 3000,
        xEnis: [{ text: '10.0.3.0/24' }, { text: '10.0.4.0/24' }],
        clients: [{ required: true }, { required: true }],
      },
    });
    const others = configOf('check', {
      EKS_ENDPOINT_CA_FILE: '/ca.crt',
      EKS_ENDPOINT_PROBE_INTERVAL: '30s',
      EKS_ENDPOINT_ATTRIBUTION: 'address',
      EKS_ENDPOINT_IMDS: 'off',
      EKS_ENDPOINT_IMDS_ENDPOINT: 'https://imds.example:8443',
      EKS_ENDPOINT_OUTSIDE_RESOLVER: '1.1.1.1',
    });
    expect(others).toMatchObject({
      caFile: '/ca.crt',
      imds: 'off',
      imdsEndpoint: 'https://imds.example:8443',
      outsideResolver: '1.1.1.1',
      settings: { probeIntervalMs: 30_000, attribution: 'address' },
    });
    expect(configOf('demo', { EKS_ENDPOINT_ONCE: '1' }).once).toBe(true);
    expect(configOf('demo', { EKS_ENDPOINT_ONCE: 'false' }).once).toBe(false);
  });

  test.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('a switch with a --no- is set by its one variable: %s', (text, on) => {
    const { settings } = configOf('', { EKS_ENDPOINT_PROBE: text });
    expect(settings.probeIntervalMs !== null).toBe(on);
    expect(configOf('', { EKS_ENDPOINT_KUBERNETES: text }).kubernetes).toBe(on);
  });

  test('the flag wins over the variable of a switch in both directions, and a wrong variable is named', () => {
    expect(configOf('--no-probe', { EKS_ENDPOINT_PROBE: 'true' }).settings.probeIntervalMs).toBe(null);
    expect(configOf('--probe', { EKS_ENDPOINT_PROBE: 'false' }).settings.probeIntervalMs).toBe(60_000);
    expect(problemsOf('', { EKS_ENDPOINT_PROBE: 'off' })[0]).toBe(
      'EKS_ENDPOINT_PROBE "off": neither true nor false; give true or false',
    );
  });

  test('the slice is read in a cluster, unless turned off, and outside of one where asked for', () => {
    const env = { KUBERNETES_SERVICE_HOST: '172.20.0.1' };
    expect(configOf('', env).kubernetes).toBe(true);
    expect(configOf('--no-kubernetes', env).kubernetes).toBe(false);
    expect(configOf('', { ...env, EKS_ENDPOINT_KUBERNETES: 'false' }).kubernetes).toBe(false);
    expect(configOf('', { KUBERNETES_SERVICE_HOST: '' }).kubernetes).toBe(false);
    expect(configOf('--kubernetes')).toMatchObject({ kubernetes: true, kubernetesService: null });
  });

  test('the flag wins, also over a wrong variable and over a whole list', () => {
    const env = { EKS_ENDPOINT_SCAN_INTERVAL: 'x', EKS_ENDPOINT_X_ENI: '10.0.3.0/24,10.0.4.0/24' };
    const { settings } = configOf('--scan-interval 5s --x-eni 10.0.9.9', env);
    expect(settings.scanIntervalMs).toBe(5000);
    expect(settings.xEnis.map((range) => range.text)).toEqual(['10.0.9.9']);
  });

  test('an empty variable counts as not set', () => {
    const env = {
      EKS_ENDPOINT_ENDPOINT: '',
      EKS_ENDPOINT_SCAN_INTERVAL: '',
      EKS_ENDPOINT_X_ENI: ' , ',
      NODE_NAME: '',
    };
    expect(configOf('', env)).toEqual(configOf(''));
  });

  test('a wrong variable is named, and each wrong item of a list', () => {
    const env = { EKS_ENDPOINT_SCAN_INTERVAL: '5x', EKS_ENDPOINT_VPC_CIDR: 'a,10.0.0.0/16,b' };
    expect(problemsOf('check', env)).toEqual([
      expect.stringMatching(/^EKS_ENDPOINT_VPC_CIDR "a": not a CIDR/),
      expect.stringMatching(/^EKS_ENDPOINT_VPC_CIDR "b": not a CIDR/),
      expect.stringMatching(/^EKS_ENDPOINT_SCAN_INTERVAL "5x": not a duration/),
      "See 'eks-endpoint-exporter check --help'",
    ]);
  });

  test("another command's variables and Kubernetes's Service variables are not looked at", () => {
    const env = {
      EKS_ENDPOINT_PHASE: 'x',
      EKS_ENDPOINT_OUTPUT: 'x',
      EKS_ENDPOINT_EXPORTER_SERVICE_HOST: '172.20.9.9',
      EKS_ENDPOINT_EXPORTER_PORT: 'tcp://172.20.9.9:10943',
      EKS_ENDPOINT_SERVICE_HOST: '172.20.9.8',
      EKS_ENDPOINT_PORT: 'tcp://172.20.9.8:10943',
      EKS_ENDPOINT_EXPORTER_SERVICE_PORT_METRICS: '10943',
      EKS_ENDPOINT_EXPORTER_PORT_10943_TCP_ADDR: '172.20.9.9',
    };
    expect(configOf('agent', env)).toEqual(configOf('agent'));
  });

  test('a variable that is no flag of any command is named, with the one that is near', () => {
    const env = {
      EKS_ENDPOINT_EXPCT: 'x-eni',
      EKS_ENDPOINT_NO_PROBE: 'true',
      EKS_ENDPOINT_SOMETHING_ELSE: '',
      EKS_ENDPOINT_WEB_LISTEN_PORT: '9100',
      EKS_ENDPOINTS: 'not ours',
    };
    expect(problemsOf('check', env)).toEqual([
      'EKS_ENDPOINT_EXPCT "x-eni": unknown variable; did you mean EKS_ENDPOINT_EXPECT?',
      'EKS_ENDPOINT_NO_PROBE "true": unknown variable; did you mean EKS_ENDPOINT_PROBE=false?',
      'EKS_ENDPOINT_SOMETHING_ELSE "": unknown variable',
      'EKS_ENDPOINT_WEB_LISTEN_PORT "9100": unknown variable',
      "See 'eks-endpoint-exporter check --help'",
    ]);
  });

  test('the node is named by flag, variable, $NODE_NAME, host name, in this order', () => {
    const both = { EKS_ENDPOINT_NODE_NAME: 'variable', NODE_NAME: 'downward' };
    expect(configOf('--node-name flag', both).settings.nodeName).toBe('flag');
    expect(configOf('', both).settings.nodeName).toBe('variable');
    expect(configOf('', { NODE_NAME: 'downward' }).settings.nodeName).toBe('downward');
    expect(configOf('').settings.nodeName).toBe('ip-192-168-1-204');
  });

  test("the Service's address is Kubernetes's own variable, where it is an address", () => {
    const address = (text: string) =>
      configOf('', { KUBERNETES_SERVICE_HOST: text }).settings.service?.address.text ?? null;
    expect(address('172.20.0.1')).toBe('172.20.0.1');
    expect(address('fd00:1234::1')).toBe('fd00:1234::1');
    expect(address('kubernetes.default')).toBe(null);
  });

  test.each([
    ['172.20.0.1', '6443', { host: '172.20.0.1', port: 6443 }],
    ['fd00:1234::1', undefined, { host: 'fd00:1234::1', port: 443 }],
    ['kubernetes.default', '', { host: 'kubernetes.default', port: 443 }],
    ['172.20.0.1', 'tcp://172.20.0.1:443', { host: '172.20.0.1', port: 443 }],
    ['', '443', null],
    [undefined, undefined, null],
  ])(
    'the API server is reached at the host %s and the port %s as they are, else 443',
    (host, port, service) => {
      const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
      expect(configOf('', env).kubernetesService).toEqual(service);
    },
  );
});

test('every problem of one call is in one message', () => {
  const line =
    'check surplus --endpoint=http://api --expect private --x-eni 0.0.0.0/0 --nope --output xml --log.level=';
  expect(problemsOf(line, { EKS_ENDPOINT_CLIENT: 'ok,/bin/kubelet' })).toEqual([
    '"surplus": not expected; after the command there are flags only',
    '"--nope": unknown flag',
    '--endpoint "http://api": the scheme is not https; give https://host[:port] or host[:port]',
    'EKS_ENDPOINT_CLIENT "/bin/kubelet": not a process\'s name; give it as in /proc/<pid>/comm, without a path and blanks',
    '--x-eni "0.0.0.0/0": wider than /16; give the CIDRs of the cluster\'s subnets',
    '--expect "private": unknown; give x-eni, public or any',
    '--log.level "": unknown; give debug, info, warn or error',
    '--output "xml": unknown; give table or json',
    "See 'eks-endpoint-exporter check --help'",
  ]);
});

describe('help and version', () => {
  test('they are asked for in each place', () => {
    expect(textOf('--help')).toBe(renderHelp());
    expect(textOf('-h')).toBe(renderHelp());
    expect(textOf('check -h')).toBe(renderCommandHelp('check'));
  });

  test('both win over problems', () => {
    expect(textOf('check --scan-interval 5x --help')).toBe(textOf('check --help'));
    expect(textOf('--endpoint --version')).toBe('eks-endpoint-exporter 0.1.0');
    expect(textOf('demo --version')).toBe('eks-endpoint-exporter 0.1.0');
  });

  test('help for a command that is not there is a problem', () => {
    expect(problemsOf('wacht --help')).toEqual([
      '"wacht": unknown command; the commands are agent, check, watch, verify, demo',
      "See 'eks-endpoint-exporter --help'",
    ]);
  });
});
