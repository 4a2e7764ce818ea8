/**
 * Credentials of a kubeconfig, as kubectl has them: certificates, tokens, exec plugins, proxy-url. They are all that
 * `@kubernetes/client-node` is used for: it is large, and is loaded when there is a kubeconfig to read.
 */
import { Agent } from 'node:https';
import { dirname, isAbsolute, join } from 'node:path';
import type { Cluster, Context, KubeConfig, User } from '@kubernetes/client-node';
import * as v from 'valibot';
import { messageOf } from '../../model/errors.ts';
import { list } from '../../model/text.ts';
import { type Access, type AccessSource, AGENT_OPTIONS } from './api.ts';

/** A login in a browser takes its time; what asks on a terminal waits for ever. */
const PLUGIN_DEADLINE_MS = 60_000;
/** What a plugin says can fill pages. */
const MAX_DETAIL = 300;

/** Throws one whole sentence where no context can be used. */
export async function kubeconfigAccess(
  files: readonly string[],
  wanted: string | null,
): Promise<AccessSource> {
  const { KubeConfig: Kubeconfig } = await loadClient();
  const { context, cluster } = chosen(merged(files, Kubeconfig), { files, wanted });
  const name = `context ${quote(context.name)} of ${list(files.map(quote))}`;
  if (!/^https:/i.test(cluster.server)) {
    throw new Error(
      `The server of ${name} is ${quote(shorten(cluster.server))}, and this program asks API servers by https only; give --context one whose server is`,
    );
  }
  return {
    name,
    async get() {
      // Read anew: a token that the client keeps is kept until it has expired, a rotated file for ever. Another current
      // context is no matter of ours: it may be another cluster.
      const kubeconfig = merged(files, Kubeconfig);
      const choice = chosen(kubeconfig, { files, wanted: context.name });
      kubeconfig.setCurrentContext(choice.context.name);
      return accessOf(kubeconfig, choice);
    },
  };
}

/** Of a build without the client the import is left as it stands. */
async function loadClient() {
  try {
    return await import('@kubernetes/client-node');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new Error(
        'There is a kubeconfig, and this build (the image) has no Kubernetes client to read it with; run it on your machine, or in a pod without a kubeconfig (deploy/verify-job.yaml)',
      );
    }
    throw error;
  }
}

/** As kubectl merges several: of one name the first counts, and a file that is not there is none. */
function merged(files: readonly string[], Kubeconfig: typeof KubeConfig): KubeConfig {
  const all = files.flatMap((file) => {
    const one = new Kubeconfig();
    try {
      one.loadFromFile(file);
    } catch (error) {
      if (isMissing(error) && files.length > 1) return [];
      throw new Error(
        `Cannot read the kubeconfig ${quote(file)}: ${error instanceof TypeError ? 'it is no kubeconfig' : shorten(messageOf(error))}; see $KUBECONFIG, or make one with 'aws eks update-kubeconfig'`,
      );
    }
    return [{ one, users: one.getUsers().map((user) => withPlugin(user, dirname(file))) }];
  });
  const kubeconfig = new Kubeconfig();
  kubeconfig.loadFromOptions({
    clusters: firstOfEach(all.flatMap(({ one }) => one.getClusters())),
    users: firstOfEach(all.flatMap(({ users }) => users)),
    contexts: firstOfEach(all.flatMap(({ one }) => one.getContexts())),
    currentContext: all.map(({ one }) => one.getCurrentContext()).find((name) => Boolean(name)) ?? '',
  });
  return kubeconfig;
}

interface Choice {
  readonly context: Context;
  readonly cluster: Cluster;
  readonly user: User;
}

function chosen(
  kubeconfig: KubeConfig,
  { files, wanted }: { readonly files: readonly string[]; readonly wanted: string | null },
): Choice {
  const where = `the kubeconfig ${list(files.map(quote))}`;
  const names = kubeconfig.getContexts().map(({ name }) => quote(name));
  const there = names.length === 0 ? 'it has none' : `it has ${list(names.slice(0, 20))}`;
  const name = wanted ?? kubeconfig.getCurrentContext();
  if (name === '') throw new Error(`There is no current context in ${where}; give --context: ${there}`);
  const context = kubeconfig.getContexts().find((one) => one.name === name);
  if (context === undefined)
    throw new Error(`There is no context ${quote(name)} in ${where}; give --context one of it: ${there}`);
  const cluster = kubeconfig.getClusters().find((one) => one.name === context.cluster);
  const user = kubeconfig.getUsers().find((one) => one.name === context.user);
  if (cluster === undefined || user === undefined) {
    const missing =
      cluster === undefined ? `cluster ${quote(context.cluster)}` : `user ${quote(context.user)}`;
    throw new Error(
      `There is no ${missing} in ${where}, which its context ${quote(name)} needs; see 'kubectl config view', or make it anew with 'aws eks update-kubeconfig'`,
    );
  }
  return { context, cluster, user };
}

async function accessOf(kubeconfig: KubeConfig, { context, cluster, user }: Choice): Promise<Access> {
  const rejectUnauthorized = !cluster.skipTLSVerify;
  // The client would leave it to the environment.
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = { rejectUnauthorized };
  try {
    await within(PLUGIN_DEADLINE_MS, kubeconfig.applyToHTTPSOptions(options));
  } catch (error) {
    throw new Error(problemOf(user, context, error));
  }
  const { ca, cert, key, servername, agent, auth, headers } = options;
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return {
    server: cluster.server,
    headers: { ...basic, ...textsOf(headers) },
    // The client's own agent knows the way through a proxy, and keeps no connection.
    agent:
      cluster.proxyUrl && agent
        ? agent
        : new Agent({
            ...AGENT_OPTIONS,
            rejectUnauthorized,
            ...(ca ? { ca } : {}),
            ...(cert ? { cert } : {}),
            ...(key ? { key } : {}),
            ...(servername ? { servername } : {}),
          }),
  };
}

const PLUGIN = v.looseObject({
  command: v.string(),
  apiVersion: v.optional(v.string()),
  env: v.nullish(v.array(v.object({ name: v.string(), value: v.string() }))),
  installHint: v.optional(v.string()),
});

/** As client-go starts a plugin: a relative path is the kubeconfig's, and it is told which answer is wanted. */
function withPlugin(user: User, folder: string): User {
  const plugin = v.safeParse(PLUGIN, user.exec);
  if (!plugin.success) return user;
  const { command, env, apiVersion, ...rest } = plugin.output;
  const isRelative = command.includes('/') && !isAbsolute(command);
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  return {
    ...user,
    exec: {
      ...rest,
      apiVersion,
      command: isRelative ? join(folder, command) : command,
      env: [{ name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }, ...(env ?? [])],
    },
  };
}

function problemOf({ name, exec }: User, context: Context, error: unknown): string {
  const detail = shorten(messageOf(error));
  const plugin = v.safeParse(PLUGIN, exec);
  if (!plugin.success) {
    return `Cannot use context ${quote(context.name)} of the kubeconfig: ${detail}; see that 'kubectl --context ${context.name} get nodes' works here`;
  }
  const { command, installHint } = plugin.output;
  const says =
    error instanceof TypeError || error instanceof SyntaxError ? 'its answer is no ExecCredential' : detail;
  const hint = installHint === undefined ? '' : ` (${shorten(installHint)})`;
  return `Cannot get credentials of user ${quote(name)} from ${quote(command)}: ${says || 'it failed and said nothing'}; see that 'kubectl --context ${context.name} get nodes' works here${hint}`;
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it gave no answer within ${ms / 1000} s`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function textsOf(headers: unknown): Readonly<Record<string, string>> {
  return v.is(v.record(v.string(), v.string()), headers) ? headers : {};
}

function firstOfEach<Item extends { readonly name: string }>(items: readonly Item[]): Item[] {
  return [...new Map(items.toReversed().map((item) => [item.name, item])).values()].reverse();
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** On one line. */
function shorten(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MAX_DETAIL);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
