/** The part of a kubeconfig that says how the endpoint is reached. */

import { type EndpointAddress, parseEndpoint } from '../model/endpoint.ts';
import { messageOf } from '../model/errors.ts';
import { certificatesOf } from './pem.ts';
import { isRecord } from './slice.ts';

/** The cluster of a kubeconfig's current context. */
export interface KubeconfigCluster {
  readonly endpoint: EndpointAddress;
  /** `certificate-authority-data` (PEM), else the path `certificate-authority`; null where it has neither. */
  readonly ca: { readonly data: string } | { readonly path: string } | { readonly problem: string } | null;
  /** As it is written. */
  readonly proxyUrl: string | null;
}

/**
 * The cluster of the current context (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/). A CA that
 * cannot be used does not spoil the endpoint.
 *
 * @param text a kubeconfig, YAML or JSON
 * @throws SyntaxError that says what is wrong with it
 */
export async function readKubeconfig(text: string): Promise<KubeconfigCluster> {
  const config = await parseYaml(text);
  if (!isRecord(config)) throw new SyntaxError('not a kubeconfig: not a YAML mapping');
  const context = named(config['contexts'], config['current-context'], 'context');
  const clusterName = isRecord(context) ? context['cluster'] : undefined;
  const cluster = named(config['clusters'], clusterName, 'cluster');
  const fields = isRecord(cluster) ? cluster : {};
  const server = textOf(fields['server']);
  if (server === null) {
    throw new SyntaxError('not a usable kubeconfig: the cluster of its current context has no server');
  }
  const endpoint = parseEndpoint(server);
  if ('problem' in endpoint) {
    throw new SyntaxError(
      `not a usable kubeconfig: its server ${JSON.stringify(server.slice(0, 80))}: ${endpoint.problem}`,
    );
  }
  return { endpoint, ca: caOf(fields), proxyUrl: textOf(fields['proxy-url']) };
}

function caOf(cluster: Readonly<Record<string, unknown>>): KubeconfigCluster['ca'] {
  const base64 = textOf(cluster['certificate-authority-data']);
  const path = textOf(cluster['certificate-authority']);
  if (base64 === null) return path === null ? null : { path };
  // Node skips what is no base64; Go, as here, only line ends.
  const isBase64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(
    base64.replaceAll(/[\r\n]/g, ''),
  );
  if (!isBase64) return { problem: 'its certificate-authority-data is not base64' };
  const data = certificatesOf(Buffer.from(base64, 'base64').toString());
  return data === null ? { problem: 'its certificate-authority-data holds no PEM certificate' } : { data };
}

/** The path in a kube-proxy configuration file (KubeProxyConfiguration, `clientConnection.kubeconfig`), or null. */
export async function kubeconfigOfKubeProxyConfig(text: string): Promise<string | null> {
  const config = await parseYaml(text);
  const connection = isRecord(config) ? config['clientConnection'] : undefined;
  return isRecord(connection) ? textOf(connection['kubeconfig']) : null;
}

/** A kubelet's has 3 KB, 10 KB with its certificates. What is made to be slow takes half a second at this length. */
const MAX_CHARACTERS = 32 * 1024;

/** YAML to data. The library is loaded when a file is there to be read: it costs 8 MB. */
async function parseYaml(text: string): Promise<unknown> {
  if (text.length > MAX_CHARACTERS) throw new SyntaxError('not a kubeconfig: larger than 32 KiB');
  const { default: yaml } = await import('yaml');
  try {
    // Errors are thrown at this level; at 'silent' half a file would pass for a whole one. Looking for keys that come
    // twice takes the square of their number.
    return yaml.parse(text, { logLevel: 'error', uniqueKeys: false });
  } catch (error) {
    const [firstLine = ''] = messageOf(error).split('\n');
    throw new SyntaxError(`not YAML: ${firstLine.replace(/:$/, '')}`);
  }
}

/** The entry of that name in a kubeconfig's list; without a name, the only entry of the list. */
function named(entries: unknown, name: unknown, kind: 'context' | 'cluster'): unknown {
  const list: readonly unknown[] = Array.isArray(entries) ? entries : [];
  const records = list.filter(isRecord);
  const nameless = name === undefined || name === '' || name === null;
  const entry = nameless
    ? records.length === 1
      ? records[0]
      : undefined
    : records.find((one) => one['name'] === name);
  if (entry === undefined) {
    throw new SyntaxError(
      nameless
        ? `not a usable kubeconfig: it does not say which ${kind} is current`
        : `not a usable kubeconfig: it has no ${kind} ${JSON.stringify(String(name).slice(0, 80))}`,
    );
  }
  return entry[kind];
}

/** Null for what is no text, and for an empty one: Go does not tell that from one that is not there. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
