/** Every manifest of the repository against the schemas of Kubernetes: no unknown field, and each of its type. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isKustomization,
  judge,
  manifestFiles,
  missingOf,
  parseManifests,
  ROOT,
  repositoryManifests,
} from './support/manifests.ts';

const DAEMONSET = readFileSync(join(ROOT, 'daemonset.yaml'), 'utf8');

describe('every manifest of the repository', () => {
  test('the walk finds the manifest, its options, and the YAML of their instructions', () => {
    expect(manifestFiles()).toEqual(
      expect.arrayContaining(['daemonset.yaml', 'kustomization.yaml', 'deploy/podmonitor/podmonitor.yaml']),
    );
    const places = repositoryManifests().map(({ place }) => place);
    expect(places).toContain('kustomization.yaml #1 Kustomization patches[0] #1 DaemonSet');
    expect(places.some((place) => place.startsWith('deploy/README.md'))).toBe(true);
  });

  test.each(repositoryManifests())('$place is as Kubernetes wants it ($extent)', (manifest) => {
    expect(judge(manifest)).toEqual([]);
  });

  test.each(manifestFiles().filter(isKustomization))('what %s names is there', (file) => {
    expect(missingOf(file)).toEqual([]);
  });
});

describe('a mistake in daemonset.yaml is refused, by place and name', () => {
  const mistakes: readonly (readonly [what: string, from: string, to: string, problem: string])[] = [
    [
      'a misspelt field at the top',
      'spec:\n  revision',
      'sepc: {}\nspec:\n  revision',
      '/: unknown field "sepc"',
    ],
    [
      'a misspelt field of the pod',
      'hostPID: true',
      'hostPid: true',
      '/spec/template/spec: unknown field "hostPid"',
    ],
    [
      'a misspelt field of the container',
      'imagePullPolicy',
      'imagePullpolicy',
      '/spec/template/spec/containers/0: unknown field "imagePullpolicy"',
    ],
    [
      'a misspelt field far inside',
      'values: [linux]',
      'value: [linux]',
      '/nodeSelectorTerms/0/matchExpressions/0: unknown field "value"',
    ],
    [
      'a field in the wrong place',
      '            runAsUser: 0\n',
      '            runAsUser: 0\n            fsGroup: 0\n',
      '/spec/template/spec/containers/0/securityContext: unknown field "fsGroup"',
    ],
    [
      'a misspelt field of the metadata',
      'kind: Service\nmetadata:\n',
      'kind: Service\nmetadata:\n  lables: {}\n',
      'Service: /metadata: unknown field "lables"',
    ],
    [
      'a misspelt field of the Role',
      'resourceNames: [kubernetes]',
      'resourceName: [kubernetes]',
      '/rules/0: unknown field "resourceName"',
    ],
    [
      'what only the server writes',
      '\nspec:\n  rev',
      '\nstatus: {}\nspec:\n  rev',
      '/: unknown field "status"',
    ],
    ['a text for a number', 'runAsUser: 0', 'runAsUser: root', '/securityContext/runAsUser: must be integer'],
    [
      'a text for a switch',
      'hostPID: true',
      'hostPID: "true"',
      '/spec/template/spec/hostPID: must be boolean',
    ],
    [
      'a number for a text',
      'prometheus.io/port: "10943"',
      'prometheus.io/port: 10943',
      'port: must be string',
    ],
    ['a switch for a text', 'value: any', 'value: on', '/env/0/value: must be string'],
    ['a list for a text', 'verbs: [get]', 'verbs: get', '/rules/0/verbs: must be array'],
    [
      'a missing field',
      'path: /-/healthy\n              port: metrics',
      'path: /-/healthy',
      '"port" is missing',
    ],
    ['a bad quantity', 'cpu: 20m', 'cpu: 20 m', '/resources/requests/cpu: must match'],
    [
      'an unknown apiVersion',
      'apiVersion: apps/v1',
      'apiVersion: apps/v1beta1',
      'unknown apiVersion and kind',
    ],
    [
      'an unknown kind',
      'kind: DaemonSet',
      'kind: Daemonset',
      'unknown apiVersion and kind "apps/v1 Daemonset"',
    ],
  ];

  test.each(mistakes)('%s', (_what, from, to, problem) => {
    const wrong = DAEMONSET.replace(from, to);
    expect(wrong).not.toBe(DAEMONSET);
    const problems = parseManifests(wrong, { file: 'daemonset.yaml', extent: 'whole' }).flatMap(judge);
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toMatch(/^daemonset\.yaml #\d /);
  });

  test('a key given twice', () => {
    const twice = DAEMONSET.replace('hostPID: true', 'hostPID: true\n      hostPID: false');
    expect(() => parseManifests(twice, { file: 'daemonset.yaml', extent: 'whole' })).toThrow(
      /^Cannot read "daemonset\.yaml": Map keys must be unique at line \d+/,
    );
  });
});

describe('a mistake in a patch is refused', () => {
  const problemsOf = (spec: string) =>
    parseManifests(`apiVersion: apps/v1\nkind: DaemonSet\nspec: {template: {spec: ${spec}}}`, {
      file: 'patch.yaml',
      extent: 'patch',
    }).flatMap(judge);

  test('what is required of a whole may be missing, and null takes a field away', () => {
    expect(problemsOf('{hostPID: null, dnsPolicy: null, containers: [{resources: null}]}')).toEqual([]);
  });

  test('a misspelt field is refused even where it is taken away', () => {
    expect(problemsOf('{hostPid: null}')).toEqual([expect.stringContaining('unknown field "hostPid"')]);
  });

  test('types count as in a whole', () => {
    expect(problemsOf('{containers: [{ports: [{containerPort: "10943"}]}]}')).toEqual([
      expect.stringContaining('/containers/0/ports/0/containerPort: must be integer'),
    ]);
  });
});

describe('a mistake in an option is refused', () => {
  test('a misspelt field of the PodMonitor', () => {
    const text = readFileSync(join(ROOT, 'deploy/podmonitor/podmonitor.yaml'), 'utf8');
    const wrong = text.replace('targetLabel', 'targetlabel').replace('interval: 15s', 'interval: 15 s');
    expect(parseManifests(wrong, { file: 'podmonitor.yaml', extent: 'whole' }).flatMap(judge)).toEqual([
      expect.stringContaining('/spec/podMetricsEndpoints/0/interval: must match'),
      expect.stringContaining('/spec/podMetricsEndpoints/0/relabelings/0: unknown field "targetlabel"'),
    ]);
  });

  test('a misspelt field of a kustomization', () => {
    const text = readFileSync(join(ROOT, 'kustomization.yaml'), 'utf8').replace('newName', 'newname');
    expect(parseManifests(text, { file: 'kustomization.yaml', extent: 'whole' }).flatMap(judge)).toEqual([
      expect.stringContaining('/images/0: unknown field "newname"'),
    ]);
  });
});
