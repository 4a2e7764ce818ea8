/** An agent with its sources, put together as a command does, on a made /proc tree and made edges. */
import { Agent, type AgentParts } from '../../src/agent/agent.ts';
import { type Edges, type SourceOptions, Sources } from '../../src/agent/sources.ts';
import { EndpointDiscovery } from '../../src/endpoint/discovery.ts';
import { NodeConfigSource } from '../../src/endpoint/node-config.ts';
import type { EndpointAddress } from '../../src/model/endpoint.ts';
import type { Machine } from '../../src/model/machine.ts';
import type { Clock } from '../../src/model/observation.ts';
import type { Settings } from '../../src/model/settings.ts';
import { Proc } from '../../src/procfs/proc.ts';
import { settings as defaults, UNKNOWN_MACHINE } from './observation.ts';
import { realClock, testEdges } from './runtime.ts';

export interface AgentOptions {
  readonly settings?: Settings;
  /** Null: to be discovered. */
  readonly given?: EndpointAddress | null;
  readonly caFile?: string | null;
  readonly options?: Partial<SourceOptions>;
  readonly machine?: Machine;
  readonly edges?: Partial<Edges>;
  readonly clock?: Clock;
  readonly onStatus?: AgentParts['onStatus'];
}

export interface MadeAgent {
  readonly agent: Agent;
  readonly sources: Sources;
  readonly proc: Proc;
  /** What looks failed for that nobody foresaw. */
  readonly errors: unknown[];
}

/** `root`: the /proc tree. Without anything else it knows its endpoint, and neither slice nor IMDS is asked. */
export function makeAgent(root: string, made: AgentOptions = {}): MadeAgent {
  const { settings = defaults(), given = { hostname: 'api.example', port: 443 }, caFile = null } = made;
  const { clock = realClock, machine = UNKNOWN_MACHINE, onStatus = () => {} } = made;
  const edges = testEdges(made.edges);
  const proc = new Proc(root);
  const errors: unknown[] = [];
  const sources = new Sources({
    settings,
    options: { service: null, readsSlice: false, imdsEndpoint: null, outsideResolver: null, ...made.options },
    discovery: new EndpointDiscovery({ given, caFile, files: proc, readFile: edges.readFile, clock }),
    nodeConfig: new NodeConfigSource({ files: proc, resolve: edges.resolve, clock }),
    machine,
    edges,
    clock,
  });
  const onError = (error: unknown) => errors.push(error);
  const agent = new Agent({ settings, proc, sources, clock, onStatus, onError });
  return { agent, sources, proc, errors };
}
