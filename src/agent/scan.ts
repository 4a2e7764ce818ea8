/** One look at the node: every stage timed and fenced, so that one that fails or takes too long spoils no other. */
import { needsAddresses } from '../model/attribution.ts';
import { messageOf } from '../model/errors.ts';
import {
  type Clock,
  type Observation,
  type StageName,
  type StageResult,
  UNFORESEEN,
} from '../model/observation.ts';
import type { Settings } from '../model/settings.ts';
import { seeOwners, stillThere } from '../procfs/owners.ts';
import { Pauses } from '../procfs/pauses.ts';
import type { Proc } from '../procfs/proc.ts';
import { netnsOf, seeTables } from '../procfs/tables.ts';

/** A stage of a look that takes longer than this has failed: 500,000 sockets take the kernel about 2 s. */
const STAGE_DEADLINE_MS = 5_000;

/** What the sources that run on their own timers know at the time of the look. */
export type Background = Pick<
  Observation,
  | 'endpoint'
  | 'dns'
  | 'outsideDns'
  | 'endpointSlice'
  | 'imds'
  | 'nodeConfig'
  | 'identities'
  | 'probes'
  | 'machine'
> & { readonly stages: readonly StageResult[] };

export interface ScanParts {
  readonly proc: Proc;
  readonly settings: Pick<Settings, 'attribution' | 'clients'>;
  readonly clock: Clock;
}

/**
 * Reads owners, then tables: a socket opened in between is seen by the next look, one closed in between is in
 * neither. Then the owners are checked once more, because a pid can come to name another process.
 */
export async function scan(
  { proc, settings, clock }: ScanParts,
  background: () => Background,
): Promise<Observation> {
  const pauses = () => new Pauses(() => clock().monotonicMs, STAGE_DEADLINE_MS);
  const clients = settings.clients.map(({ name }) => name);
  const asksOwners = settings.attribution === 'process';
  const first = asksOwners
    ? await timed('owners', clock, () => seeOwners(proc, clients, pauses()))
    : NOT_ASKED;
  const ports = needsAddresses(settings, first.value) ? endpointPorts(background()) : null;
  const tables = await timed('sockets', clock, () =>
    seeTables(proc, first.value, { ports, pauses: pauses() }),
  );
  const { value } = first;
  const owners = value === null ? first : await timed('owners', clock, async () => stillThere(proc, value));
  const { stages, ...sources } = background();
  const ownersStage = owners.result?.success ? first.result : owners.result;
  return {
    at: clock(),
    owners: owners.value,
    tables: tables.value,
    agentNetns: netnsOf(proc, 'self') || null,
    ...sources,
    stages: [tables.result, ...(ownersStage === null ? [] : [ownersStage]), ...stages],
    procReadErrors: { ...proc.readErrors },
  };
}

/** The stage that is off. */
const NOT_ASKED = { value: null, result: null };

/** The ports on which the endpoint may be: as the kubeconfig says, and as the slice does. */
function endpointPorts({ endpoint, endpointSlice }: Background): ReadonlySet<number> {
  return new Set([endpoint?.port, endpointSlice?.answer?.port].filter((port) => port !== undefined));
}

async function timed<T>(
  stage: StageName,
  clock: Clock,
  work: () => Promise<T>,
): Promise<{ readonly value: T | null; readonly result: StageResult }> {
  const at = clock();
  const done = (error: string | null): StageResult => ({
    stage,
    success: error === null,
    durationSeconds: (clock().monotonicMs - at.monotonicMs) / 1000,
    error,
    at,
  });
  try {
    return { value: await work(), result: done(null) };
  } catch (error) {
    return { value: null, result: done(messageOf(error)) };
  }
}

/** What is left to say when a look failed for a reason nobody foresaw: nothing was seen, and why. */
export function blindObservation(
  clock: Clock,
  background: Background,
  error: unknown,
): Omit<Observation, 'procReadErrors'> {
  const at = clock();
  const { stages, ...sources } = background;
  const failed = (stage: StageName): StageResult => ({
    stage,
    success: false,
    durationSeconds: 0,
    error: UNFORESEEN + messageOf(error),
    at,
  });
  const ownStages = [failed('sockets'), failed('owners')];
  return {
    at,
    owners: null,
    tables: null,
    agentNetns: null,
    ...sources,
    stages: [...ownStages, ...stages],
  };
}
