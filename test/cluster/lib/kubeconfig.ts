/** A kubeconfig with a bearer token. */

export interface Kubeconfig {
  readonly server: string;
  /** Paths, as who reads the kubeconfig sees them. */
  readonly caFile: string;
  readonly user: { readonly token: string } | { readonly tokenFile: string };
}

export function kubeconfigText({ server, caFile, user }: Kubeconfig): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster:
    certificate-authority: ${caFile}
    server: ${server}
contexts:
- name: default
  context: {cluster: kubernetes, namespace: default, user: default}
current-context: default
users:
- name: default
  user: ${JSON.stringify(user)}
`;
}
