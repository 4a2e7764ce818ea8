/** The account of the pod that this program runs in: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
import { Agent } from 'node:https';
import { messageOf } from '../../model/errors.ts';
import { type AccessSource, AGENT_OPTIONS } from './api.ts';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

interface AccountParts {
  readonly service: { readonly host: string; readonly port: number };
  readonly readFile: (path: string) => Promise<string>;
}

export function accountAccess({ service, readFile }: AccountParts): AccessSource {
  async function textOf(name: string): Promise<string> {
    const path = `${ACCOUNT}/${name}`;
    let detail = 'it is empty';
    try {
      const text = (await readFile(path)).trim();
      if (text !== '') return text;
    } catch (error) {
      detail = messageOf(error);
    }
    throw new Error(
      `Cannot read ${JSON.stringify(path)}: ${detail}; mount the service account's token (automountServiceAccountToken), or give a kubeconfig ($KUBECONFIG)`,
    );
  }
  const host = service.host.includes(':') ? `[${service.host}]` : service.host;
  return {
    name: "the account of this program's pod",
    async get() {
      const [token, ca] = [await textOf('token'), await textOf('ca.crt')];
      return {
        server: `https://${host}:${service.port}`,
        headers: { authorization: `Bearer ${token}` },
        agent: new Agent({ ...AGENT_OPTIONS, ca }),
      };
    },
  };
}
