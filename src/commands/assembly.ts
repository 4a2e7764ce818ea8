/** Puts the agent together from its config: what `agent`, `check`, `watch` and `demo` share. */
import { Agent, type AgentParts } from '../agent/agent.ts';
import { type SourceOptions, Sources } from '../agent/sources.ts';
import type { Config } from '../config.ts';
import { EndpointDiscovery } from '../endpoint/discovery.ts';
import { NodeConfigSource } from '../endpoint/node-config.ts';
import { createLog, type Log } from '../log.ts';
import { untrustedXEnis } from '../model/route.ts';
import type { NodeStatus } from '../model/status.ts';
import { renderJson } from '../output/json.ts';
import { type RenderedMetrics, renderMetrics } from '../output/metrics.ts';
import { renderPage } from '../output/page.ts';
import type { Content } from '../output/server.ts';
import { Proc } from '../procfs/proc.ts';
import type { Runtime } from '../runtime.ts';

/** The log of a command: to stderr, as its flags say. */
export function logOf({ logLevel: level, logFormat: format }: Config, { clock, stderr }: Runtime): Log {
  const write = (line: string) => stderr.write(`${line}\n`);
  return createLog({ level, format, write, now: () => new Date(clock().wallMs) });
}

export function assembleAgent(
  config: Config,
  runtime: Runtime,
  { log, onStatus = () => {} }: { log: Log; onStatus?: AgentParts['onStatus'] },
): Agent {
  for (const { text } of untrustedXEnis(config.settings)) {
    log.warn(
      'not taken for X-ENIs: globally reachable, and outside the known CIDRs of the VPC; give --vpc-cidr',
      {
        'x-eni': text,
      },
    );
  }
  const { settings, endpoint: given, caFile, machine } = config;
  const { clock, readFile, resolve } = runtime;
  const proc = new Proc(config.procfsPath);
  const sources = new Sources({
    settings,
    options: sourceOptions(config),
    discovery: new EndpointDiscovery({ given, caFile, files: proc, readFile, clock }),
    nodeConfig: new NodeConfigSource({ files: proc, resolve, clock }),
    machine,
    edges: runtime,
    clock,
  });
  return new Agent({
    settings,
    proc,
    sources,
    clock,
    onStatus,
    onError: (error) =>
      log.error('a look failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
  });
}

/** IMDS is asked where somebody says so, and by itself only on EC2 and where its answer would count. */
function sourceOptions({ settings, imds, ...config }: Config): SourceOptions {
  const asksImds = imds === 'on' || (imds === 'auto' && settings.onEc2 && settings.vpcCidrs.length === 0);
  return {
    service: config.kubernetesService,
    readsSlice: config.kubernetes,
    imdsEndpoint: asksImds ? config.imdsEndpoint : null,
    outsideResolver: config.outsideResolver,
  };
}

/** What the server answers with. Metrics are rendered once for each status, however many scrapers ask. */
export function contentOf(agent: Agent, runtime: Runtime): Content {
  let rendered: { readonly status: NodeStatus; readonly metrics: Promise<RenderedMetrics> } | null = null;
  return {
    async metrics(maxWaitMs) {
      const status = await agent.freshStatus(maxWaitMs);
      if (status === null) return null;
      if (rendered?.status !== status) {
        rendered = { status, metrics: renderMetrics(status, runtime.selfUsage()) };
      }
      return rendered.metrics;
    },
    async status(maxWaitMs) {
      const status = await agent.freshStatus(maxWaitMs);
      return status && renderJson(status);
    },
    page: async (maxWaitMs) => renderPage(await agent.freshStatus(maxWaitMs), runtime.clock().wallMs),
    healthy: () => agent.healthy(),
    ready: () => agent.ready(),
  };
}
