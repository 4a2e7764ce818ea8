import { describe, expect, test } from 'vitest';
import { type Config, type Environment, parseCommandLine } from '../src/config.ts';
import { renderCommandHelp, renderHelp } from '../src/usage.ts';

const HOST = {
  hostname: 'ip-192-168-1-204',
  version: '0.1.0',
  machine: { kernel: '6.12.40', arch: 'x64', vendor: null, model: null },
};

function parse(line: string | readonly string[], env: Environment = {}) {
  return parseCommandLine(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, env, HOST);
}

function configOf(line: string | readonly string[], env: Environment = {}): Config {
  const invocation = parse(line, env);
  if ('config' in invocation) return invocation.config;
  throw new Error(invocation.text);
}

function problemsOf(line: string | readonly string[], env: Environment = {}): readonly string[] {
  const invocation = parse(line, env);
  if (invocation.kind !== 'problems') throw new Error(`no problems, but ${invocation.kind}`);
  return invocation.text.split('\n');
}

function textOf(line: string): string {
  const invocation = parse(line);
  if (invocation.kind !== 'text') throw new Error(`no text, but ${invocation.kind}`);
  return invocation.text;
}

describe('commands', () => {
  test.each([
    ['', 'agent'],
    ['agent', 'agent'],
    ['--expect=x-eni', 'agent'],
    ['check', 'check'],
    ['--expect x-eni check', 'check'],
    ['demo', 'demo'],
  ])('"%s" is %s', (line, kind) => {
    expect(parse(line).kind).toBe(kind);
  });

  test('an unknown command is a problem, and so is everything else that is wrong', () => {
    expect(problemsOf('watch --until public-free --scan-interval 5x', { EKS_ENDPOINT_PHASE: 'x' })).toEqual([
      '"watch": unknown command; the commands are agent, check, demo',
      '"--until": unknown flag',
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
        service: null,
        scanIntervalMs: 10_000,
        staleAfterMs: 600_000,
        unexpectedAfterMs: 600_000,
        machine: HOST.machine,
      },
      endpoint: null,
      procfsPath: '/proc',
      listenAddresses: [{ host: null, port: 10943 }],
      logLevel: 'info',
      logFormat: 'logfmt',
      output: 'table',
      phaseMs: 20_000,
      once: false,
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
      ...['--log.level', 'debug', '--log.format=json'],
      ...['--web.listen-address', '127.0.0.1:0', '--web.listen-address', '[::1]:9'],
    ]);
    expect(config).toMatchObject({
      endpoint: { hostname: 'api.example.com', port: 6443 },
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
    ['--kubernetes', '"--kubernetes": unknown flag'],
    ['-v', '"-v": unknown flag'],
    ['--__proto__=x', '"--__proto__": unknown flag'],
    ['--output=json', '--output: not a flag of agent; it is one of check'],
    ['demo --endpoint x', '--endpoint: not a flag of demo; it is one of agent and check'],
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
    expect(configOf('demo', { EKS_ENDPOINT_ONCE: '1' }).once).toBe(true);
    expect(configOf('demo', { EKS_ENDPOINT_ONCE: 'false' }).once).toBe(false);
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

  test("another command's variables, Kubernetes's Service variables and unknown ones are not looked at", () => {
    const env = {
      EKS_ENDPOINT_PHASE: 'x',
      EKS_ENDPOINT_OUTPUT: 'x',
      EKS_ENDPOINT_EXPORTER_SERVICE_HOST: '172.20.9.9',
      EKS_ENDPOINT_EXPORTER_PORT: 'tcp://172.20.9.9:10943',
      EKS_ENDPOINT_PORT: 'tcp://172.20.9.9:10943',
      EKS_ENDPOINT_NONSENSE: 'x',
    };
    expect(configOf('agent', env)).toEqual(configOf('agent'));
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
    expect(problemsOf('watch --help')).toEqual([
      '"watch": unknown command; the commands are agent, check, demo',
      "See 'eks-endpoint-exporter --help'",
    ]);
  });
});
