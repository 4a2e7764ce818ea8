/** The way from daemonset.yaml to podman: what podman cannot be told is an error, not left out. */
import { describe, expect, test } from 'vitest';
import { commandOf, type Pod, readPod } from './lib/manifest.ts';

const PLACE = {
  nodeName: 'node-1',
  network: '/run/netns/node',
  pids: '/proc/1/ns/pid',
  resolvConf: '/etc/resolv.conf',
  hosts: '/etc/hosts',
};

describe("the manifest's pod as podman is told to run it", () => {
  test('every field of it is known', () => {
    const { options } = commandOf(readPod(), PLACE);
    expect(options).toEqual(
      expect.arrayContaining([
        '--pid=ns:/proc/1/ns/pid',
        '--network=ns:/run/netns/node',
        '--user=0:0',
        '--cap-drop=ALL',
        '--cap-add=SYS_PTRACE',
        '--security-opt=no-new-privileges',
        '--read-only',
        '--read-only-tmpfs=false',
        '--env=NODE_NAME=node-1',
        '--env=EKS_ENDPOINT_EXPECT=any',
      ]),
    );
    expect(options.filter((option) => /privileg|unconfined/.test(option))).toEqual([
      '--security-opt=no-new-privileges',
      '--security-opt=apparmor=unconfined',
    ]);
  });

  test.each<[string, (pod: Pod) => Pod]>([
    ['volumes', (pod) => ({ ...pod, spec: { ...pod.spec, volumes: [] } })],
    ['lifecycle', (pod) => ({ ...pod, container: { ...pod.container, lifecycle: {} } })],
    ['procMount', (pod) => ({ ...pod, securityContext: { ...pod.securityContext, procMount: 'Unmasked' } })],
    ['seccompProfile', (pod) => withSecurity(pod, { seccompProfile: { type: 'Localhost' } })],
    ['capabilities', (pod) => withSecurity(pod, { capabilities: { drop: ['ALL'], keep: [] } })],
    ['runAsNonRoot', (pod) => withSecurity(pod, { runAsNonRoot: true })],
    ['dnsPolicy', (pod) => ({ ...pod, spec: { ...pod.spec, dnsPolicy: 'ClusterFirst' } })],
    [
      'resources',
      (pod) => ({ ...pod, container: { ...pod.container, resources: { limits: { cpu: '1' } } } }),
    ],
  ])('"%s" as podman cannot be told it is an error', (field, change) => {
    expect(() => commandOf(change(readPod()), PLACE)).toThrow(`Cannot apply "${field}`);
  });

  test("another user's capabilities are none, as with containerd", () => {
    const { options } = commandOf(withSecurity(readPod(), { runAsUser: 1000, runAsNonRoot: true }), PLACE);
    expect(options.filter((option) => option.startsWith('--cap'))).toEqual(['--cap-drop=ALL']);
  });
});

function withSecurity(pod: Pod, changes: Pod['securityContext']): Pod {
  return { ...pod, securityContext: { ...pod.securityContext, ...changes } };
}
