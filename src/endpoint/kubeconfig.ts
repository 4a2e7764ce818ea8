/** The part of a kubeconfig that names the endpoint. */

import { type EndpointAddress, parseEndpoint } from '../model/endpoint.ts';
import { messageOf } from '../model/errors.ts';

/**
 * The endpoint of the current context (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/).
 *
 * @param text a kubeconfig, YAML or JSON
 * @throws SyntaxError that says what is wrong with it
 */
export async function endpointOfKubeconfig(text: string): Promise<EndpointAddress> {
  const config = await parseYaml(text);
  if (!isRecord(config)) throw new SyntaxError('not a kubeconfig: not a YAML mapping');
  const context = named(config['contexts'], config['current-context'], 'context');
  const clusterName = isRecord(context) ? context['cluster'] : undefined;
  const cluster = named(config['clusters'], clusterName, 'cluster');
  const server = isRecord(cluster) ? cluster['server'] : undefined;
  if (typeof server !== 'string' || server === '') {
    throw new SyntaxError('not a usable kubeconfig: the cluster of its current context has no server');
  }
  const endpoint = parseEndpoint(server);
  if ('problem' in endpoint) {
    throw new SyntaxError(
      `not a usable kubeconfig: its server ${JSON.stringify(server.slice(0, 80))}: ${endpoint.problem}`,
    );
  }
  return endpoint;
}

/** The path in a kube-proxy configuration file (KubeProxyConfiguration, `clientConnection.kubeconfig`), or null. */
export async function kubeconfigOfKubeProxyConfig(text: string): Promise<string | null> {
  const config = await parseYaml(text);
  const connection = isRecord(config) ? config['clientConnection'] : undefined;
  const path = isRecord(connection) ? connection['kubeconfig'] : undefined;
  return typeof path === 'string' && path !== '' ? path : null;
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
