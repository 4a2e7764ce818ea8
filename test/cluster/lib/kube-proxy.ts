/**
 * kube-proxy as EKS runs it: a DaemonSet in kube-system, which logs in with the token of its service account and calls
 * the endpoint by name, in lower case. Its iptables are the machine's, mounted: the image has but the program.
 */

export const KUBE_PROXY_IMAGE = 'docker.io/library/kube-proxy:1';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** For `kubectl apply`. `server` as kube-proxy is to call it. */
export function kubeProxyManifest(server: string): string {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'default', cluster: { 'certificate-authority': `${ACCOUNT}/ca.crt`, server } }],
    contexts: [{ name: 'default', context: { cluster: 'default', namespace: 'default', user: 'default' } }],
    'current-context': 'default',
    users: [{ name: 'default', user: { tokenFile: `${ACCOUNT}/token` } }],
  };
  const config = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: '/var/lib/kube-proxy/kubeconfig' },
    mode: 'iptables',
    iptables: { localhostNodePorts: false },
    // Limits of the kernel are not a namespace's to set.
    conntrack: { maxPerCore: 0, min: 0 },
    oomScoreAdj: 0,
  };
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: IN_KUBE_SYSTEM },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'kube-proxy' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
      subjects: [{ kind: 'ServiceAccount', ...IN_KUBE_SYSTEM }],
    },
    configMap('kube-proxy', 'kubeconfig', kubeconfig),
    configMap('kube-proxy-config', 'config', config),
    daemonSet(),
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

const IN_KUBE_SYSTEM = { name: 'kube-proxy', namespace: 'kube-system' };

function configMap(name: string, key: string, value: unknown): unknown {
  const metadata = { ...IN_KUBE_SYSTEM, name };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [key]: JSON.stringify(value) } };
}

function daemonSet(): unknown {
  const labels = { 'k8s-app': 'kube-proxy' };
  const fromMachine = ['/usr', '/etc/alternatives'].map((path) => ({ name: path.replaceAll('/', ''), path }));
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: IN_KUBE_SYSTEM,
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          priorityClassName: 'system-node-critical',
          serviceAccountName: 'kube-proxy',
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              name: 'kube-proxy',
              image: KUBE_PROXY_IMAGE,
              imagePullPolicy: 'Never',
              args: ['--config=/var/lib/kube-proxy-config/config'],
              env: [{ name: 'PATH', value: '/usr/sbin:/usr/bin' }],
              securityContext: { privileged: true },
              volumeMounts: [
                { name: 'kubeconfig', mountPath: '/var/lib/kube-proxy' },
                { name: 'config', mountPath: '/var/lib/kube-proxy-config' },
                ...fromMachine.map(({ name, path }) => ({ name, mountPath: path, readOnly: true })),
              ],
            },
          ],
          volumes: [
            { name: 'kubeconfig', configMap: { name: 'kube-proxy' } },
            { name: 'config', configMap: { name: 'kube-proxy-config' } },
            ...fromMachine.map(({ name, path }) => ({ name, hostPath: { path } })),
          ],
        },
      },
    },
  };
}
