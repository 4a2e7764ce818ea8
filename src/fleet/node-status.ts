/** Reads the JSON of a node status (src/model/status.ts) that somebody else's agent wrote. */
import * as v from 'valibot';
import { DNS_FAILURES, type StageName, TCP_STATES } from '../model/observation.ts';
import { EXPECTATIONS } from '../model/settings.ts';
import {
  ACCESS_MODES,
  ATTRIBUTIONS,
  type Evidence,
  type FindingCode,
  GATE_STATES,
  GATES,
  NODE_ROUTES,
  type NodeStatus,
  ROUTES,
  type StatusEvent,
  type XEniSource,
} from '../model/status.ts';

export type NodeStatusRead = { readonly status: NodeStatus } | { readonly problem: string };

/** A kubelet with some thousand connections has 1 MB; who answers with more is no agent. */
export const MAX_STATUS_BYTES = 4 * 1024 * 1024;

/** Of one problem: values of a stranger can fill pages. */
const MAX_SHOWN = 60;

/** The status, or one sentence without its period of what is wrong with the text. */
export function readNodeStatus(text: string): NodeStatusRead {
  if (text.length > MAX_STATUS_BYTES)
    return { problem: `its status is larger than ${MAX_STATUS_BYTES / 1024 / 1024} MiB` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: `its status is no JSON: ${describe(text.trim())}` };
  }
  const version = v.safeParse(VERSIONED, value);
  if (version.success && version.output.schemaVersion !== 1) {
    return {
      problem: `its status has schemaVersion ${version.output.schemaVersion}, this program reads 1: use a newer eks-endpoint-exporter`,
    };
  }
  const result = v.safeParse(STATUS, value, { abortEarly: true });
  if (result.success) return { status: result.output };
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const where = path === null ? '' : `at ${quote(path)} `;
  const what = typeof issue.input === 'string' ? quote(issue.input) : issue.received;
  return {
    problem: `its status is not this exporter's: ${where}there is ${what}, expected ${issue.expected ?? issue.message}`,
  };
}

function describe(text: string): string {
  return text === '' ? 'it is empty' : `it begins with ${quote(text)}`;
}

const VERSIONED = v.object({ schemaVersion: v.pipe(v.number(), v.integer()) });

const NUMBER = v.number();
const TEXT = v.string();
const TIME = v.pipe(
  TEXT,
  v.check((text) => !Number.isNaN(Date.parse(text)), 'a time in ISO 8601'),
);

/** One of a union, or a word that only a newer agent knows: nothing is judged by it. */
function word<T extends string>() {
  return v.custom<T>((value) => typeof value === 'string', 'a string');
}

/** A part that came with a later release: an older agent has none. */
function later<const Schema extends v.GenericSchema, const Default extends v.InferInput<Schema>>(
  schema: Schema,
  without: Default,
) {
  return v.optional(schema, without);
}

const GATE = v.object({ gate: v.picklist(GATES), state: v.picklist(GATE_STATES), reason: TEXT });

/** Those that this program knows; none of them twice, or nobody could tell which holds. */
const GATE_LIST = v.pipe(
  v.array(v.object({ ...GATE.entries, gate: TEXT, state: TEXT })),
  v.transform((gates) => gates.filter(({ gate }) => v.is(GATE.entries.gate, gate))),
  v.array(GATE),
  v.check((gates) => new Set(gates.map(({ gate }) => gate)).size === gates.length, 'each gate once'),
);

const FINDING = v.object({
  code: word<FindingCode>(),
  severity: v.picklist(['info', 'warning', 'critical']),
  client: v.nullable(TEXT),
  address: v.nullable(TEXT),
  summary: TEXT,
  remedy: TEXT,
  runbook: TEXT,
});

const CONNECTION = v.object({
  pid: v.nullable(NUMBER),
  local: TEXT,
  peer: TEXT,
  state: v.picklist(TCP_STATES),
  route: v.picklist(ROUTES),
  evidence: word<Evidence>(),
  stale: v.nullable(v.boolean()),
  staleSince: v.nullable(TIME),
  retransmits: NUMBER,
  firstSeenAt: TIME,
});

const CLIENT = v.object({
  client: TEXT,
  required: v.boolean(),
  found: v.nullable(v.boolean()),
  readable: v.nullable(v.boolean()),
  pids: v.array(NUMBER),
  startedAt: v.nullable(TIME),
  connections: v.nullable(v.array(CONNECTION)),
  opens: v.nullable(v.object(v.entriesFromList(ROUTES, NUMBER))),
});

const DNS = v.object({
  success: v.nullable(v.boolean()),
  addresses: v.nullable(v.array(v.object({ address: TEXT, route: v.picklist(ROUTES) }))),
  ttlSeconds: v.nullable(NUMBER),
  resolvedAt: v.nullable(TIME),
  changedAt: v.nullable(TIME),
  durationSeconds: v.nullable(NUMBER),
  lookups: NUMBER,
  changes: NUMBER,
  failures: v.object(v.entriesFromList(DNS_FAILURES, NUMBER)),
  servers: v.array(TEXT),
});

const PROBE = v.object({
  address: TEXT,
  port: NUMBER,
  route: v.picklist(ROUTES),
  success: v.boolean(),
  failedStage: v.nullable(v.picklist(['tcp', 'tls', 'identity'])),
  error: v.nullable(TEXT),
  durationSeconds: NUMBER,
  at: TIME,
});

const SCAN = v.object({
  scans: NUMBER,
  sockets: v.nullable(NUMBER),
  rejectedRows: v.nullable(NUMBER),
  ignoredConnections: v.nullable(NUMBER),
  clientsLeftOut: v.nullable(NUMBER),
  procReadErrors: v.record(TEXT, NUMBER),
});

const SPAN = v.object({
  from: TIME,
  until: TIME,
  routes: v.array(v.picklist(NODE_ROUTES)),
  dnsChanges: NUMBER,
  opened: NUMBER,
  closed: NUMBER,
});

/** Entries that are not named here are left out: those of a newer agent. */
const STATUS = v.object({
  schemaVersion: v.literal(1),
  version: TEXT,
  node: v.pipe(TEXT, v.nonEmpty('a name')),
  observedAt: TIME,
  observedSince: TIME,
  route: v.picklist(NODE_ROUTES),
  routeReason: TEXT,
  routeSince: later(v.nullable(TIME), null),
  expectedRoute: v.picklist(EXPECTATIONS),
  attribution: v.picklist(ATTRIBUTIONS),
  accessMode: v.picklist(ACCESS_MODES),
  gates: GATE_LIST,
  findings: v.array(FINDING),
  evaluated: v.array(word<FindingCode>()),
  endpoint: v.nullable(
    v.object({
      hostname: TEXT,
      port: NUMBER,
      source: word<NonNullable<NodeStatus['endpoint']>['source']>(),
    }),
  ),
  dns: v.nullable(DNS),
  xEni: v.nullable(
    v.object({
      sources: v.array(word<XEniSource>()),
      addresses: v.array(v.object({ address: TEXT, sources: v.array(word<XEniSource>()) })),
    }),
  ),
  clients: v.array(CLIENT),
  inbound: v.nullable(v.array(v.object({ peer: TEXT, route: v.picklist(ROUTES), connections: NUMBER }))),
  probes: v.nullable(v.array(PROBE)),
  stages: v.array(
    v.object({
      stage: word<StageName>(),
      success: v.boolean(),
      durationSeconds: NUMBER,
      error: v.nullable(TEXT),
      at: TIME,
    }),
  ),
  scan: SCAN,
  events: v.array(v.object({ at: TIME, event: word<StatusEvent['event']>(), detail: TEXT })),
  timeline: later(v.array(SPAN), []),
  machine: v.object({
    kernel: v.nullable(TEXT),
    arch: v.nullable(TEXT),
    vendor: v.nullable(TEXT),
    model: v.nullable(TEXT),
  }),
});

/** Quoted, so that nothing of it acts on a terminal. */
function quote(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
