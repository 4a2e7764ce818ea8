/** Reads the fleet status of an earlier `verify --output json`. */
import * as v from 'valibot';
import type { FleetBaseline } from '../model/fleet/baseline.ts';
import { NODE_VERDICTS } from '../model/fleet/status.ts';
import { GATES, NODE_ROUTES } from '../model/status.ts';

const SCHEMA_VERSION = 1;

const NODE = v.object({
  node: v.string(),
  verdict: v.picklist(NODE_VERDICTS),
  route: v.nullable(v.picklist(NODE_ROUTES)),
});

/** What is compared; fields that a newer program adds are left alone. */
const BASELINE = v.object({
  at: v.pipe(v.string(), v.isoTimestamp()),
  source: v.string(),
  nodesFrom: v.picklist(['kubernetes', 'kube-state-metrics', 'targets', 'agents']),
  gate: v.picklist(GATES),
  verdict: v.picklist(['pass', 'fail', 'unknown']),
  reason: v.string(),
  endpoints: v.array(v.object({ hostname: v.string(), nodes: v.number() })),
  nodes: v.array(NODE),
});

const VERSIONED = v.object({ schemaVersion: v.number() });

/** That of one node, which `check` and an agent give, has the same version. */
const OF_ONE_NODE = v.object({ node: v.string(), route: v.string() });

const REMEDY = "give a file that 'verify --output json' wrote";

/** The problem is what is wrong with the text and what would do; one sentence without its period. */
export function readBaseline(
  text: string,
): { readonly baseline: FleetBaseline } | { readonly problem: string } {
  const json = parseJson(text);
  if (json === undefined) return { problem: `it is not JSON; ${REMEDY}` };
  const versioned = v.safeParse(VERSIONED, json);
  if (!versioned.success) return { problem: `it is no fleet status; ${REMEDY}` };
  const { schemaVersion } = versioned.output;
  if (schemaVersion !== SCHEMA_VERSION)
    return {
      problem: `it has schemaVersion ${schemaVersion}, this program reads ${SCHEMA_VERSION}; make the baseline with this release`,
    };
  if (v.is(OF_ONE_NODE, json))
    return {
      problem: 'this is the status of one node, not of a fleet: give an earlier verify --output json',
    };
  const read = v.safeParse(BASELINE, json);
  if (read.success && read.output.nodes.length === 0)
    return {
      problem: `it knows no node (${read.output.reason}); ${REMEDY} when it could ask the nodes`,
    };
  if (read.success) return { baseline: read.output };
  const [issue] = read.issues;
  return { problem: `it is no fleet status (${v.getDotPath(issue) ?? 'it'}: ${issue.message}); ${REMEDY}` };
}

/** Undefined where it is none: JSON has no such value. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
